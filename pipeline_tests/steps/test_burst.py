"""A run waits for the end of a burst of webhooks, and not for ever."""

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from pipeline.steps.burst import QUIET, wait_for_burst
from pipeline.warehouse import inbox


def comes_in(engine: Engine, number: int, *, seconds_ago: float = 0.0, administration: str = "nl") -> None:
    event = inbox.Event(
        hash_code=f"{number:064X}",
        administration=administration,
        division=123456,
        topic="SalesOrders",
        action="Update",
        key=str(number),
        content="{}",
        received_at=datetime.now(UTC) - timedelta(seconds=seconds_ago),
    )
    with engine.begin() as tx:
        inbox.store(tx, event)


def age(engine: Engine) -> float | None:
    with engine.connect() as connection:
        return inbox.age_of_newest(connection, "nl")


def test_the_end_of_a_burst_is_waited_for(engine: Engine):
    comes_in(engine, 1)
    later = threading.Timer(QUIET / 4, comes_in, [engine, 2])
    later.start()
    wait_for_burst(engine, "nl")
    later.join()
    waited = age(engine)
    assert waited is not None
    assert waited >= QUIET


def test_a_burst_that_does_not_end_is_not_waited_for_any_longer(engine: Engine):
    ended = threading.Event()

    def storm() -> None:
        number = 1
        while not ended.is_set():
            comes_in(engine, number)
            number += 1
            ended.wait(0.1)

    coming = threading.Thread(target=storm)
    coming.start()
    wait_for_burst(engine, "nl")  # would not return
    ended.set()
    coming.join()


def test_what_is_old_or_handled_or_of_another_administration_is_no_burst(engine: Engine):
    assert age(engine) is None
    comes_in(engine, 1, administration="be")
    assert age(engine) is None
    comes_in(engine, 2, seconds_ago=60)
    assert 60 <= (age(engine) or 0) < 120
    with engine.begin() as tx:
        inbox.mark_handled(tx, "nl", ["SalesOrders"], 2)
    assert age(engine) is None
    wait_for_burst(engine, "nl")
