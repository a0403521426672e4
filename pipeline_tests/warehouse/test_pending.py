"""Work that waits: taken in batches, each whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import pytest
from sqlalchemy import Connection, Engine, text

from pipeline.warehouse.pending import queue, waiting, work_off

pytestmark = pytest.mark.postgres

STAGE = "a stage"
SOMEBODY_WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
LOCK_ROW = "SELECT FROM state.pending WHERE key = :key FOR UPDATE"


@pytest.fixture
def three(engine: Engine) -> Engine:
    """Three records that wait, and two of another stage, to be locked."""
    with engine.begin() as tx:
        queue(tx, (STAGE,), "nl", ["1", "2", "3"])
        queue(tx, ("another",), "nl", ["A", "B"])
    return engine


def left(engine: Engine) -> int:
    with engine.connect() as connection:
        return waiting(connection, STAGE).get("nl", 0)


def test_everything_is_taken_in_batches(three: Engine):
    batches: list[int] = []

    def step(tx: Connection, administration: str, keys: list[str]) -> int:
        batches.append(len(keys))
        return len(keys)

    assert work_off(three, STAGE, "nl", step, size=2) == 3
    assert (batches, left(three)) == ([2, 1], 0)


def test_a_batch_that_fails_waits_on(three: Engine):
    def step(tx: Connection, administration: str, keys: list[str]) -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        work_off(three, STAGE, "nl", step)
    assert left(three) == 3


def test_what_another_run_has_taken_is_waited_for_and_taken_when_that_run_fails(three: Engine):
    """Looking whether anything waits sees what the other one has not committed yet."""
    has_taken, fails = Event(), Event()

    def other() -> int:
        def step(tx: Connection, administration: str, keys: list[str]) -> int:
            has_taken.set()
            assert fails.wait(30)
            raise ValueError("broken")

        return work_off(three, STAGE, "nl", step)

    with ThreadPoolExecutor(2) as aside:
        broken = aside.submit(other)
        assert has_taken.wait(30)
        second = aside.submit(work_off, three, STAGE, "nl", lambda tx, administration, keys: len(keys))
        fails.set()
        assert second.result(30) == 3
        with pytest.raises(ValueError, match="broken"):
            broken.result(30)


def test_a_batch_that_gets_into_a_deadlock_is_taken_once_more(three: Engine):
    """The other side holds B and waits for A, patiently; the step holds A and wants B."""
    other_has_b, step_has_a, other_has_ended = Event(), Event(), Event()
    tries: list[int] = []

    def other() -> None:
        with three.begin() as tx:
            tx.execute(text("SET LOCAL deadlock_timeout = '60s'"))
            tx.execute(text(LOCK_ROW), {"key": "B"})
            other_has_b.set()
            assert step_has_a.wait(30)
            tx.execute(text(LOCK_ROW), {"key": "A"})
        other_has_ended.set()

    def step(tx: Connection, administration: str, keys: list[str]) -> int:
        tries.append(len(keys))
        assert len(tries) == 1 or other_has_ended.wait(30)  # else it may be quicker to take A again, and fail again
        tx.execute(text(LOCK_ROW), {"key": "A"})
        step_has_a.set()
        assert other_has_b.wait(30)
        while len(tries) == 1 and not tx.execute(text(SOMEBODY_WAITS)).scalar_one():
            sleep(0.01)  # PostgreSQL looks for a deadlock once, a second after the step begins to wait
        tx.execute(text(LOCK_ROW), {"key": "B"})
        return len(keys)

    with ThreadPoolExecutor(1) as aside:
        waits = aside.submit(other)
        assert other_has_b.wait(30)
        assert work_off(three, STAGE, "nl", step) == 3
        waits.result(30)
    assert (tries, left(three)) == ([3, 3], 0)
