"""One at a time: a second run waits for the first, says so, and goes on when the first ends or is gone."""

import logging
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text

from pipeline.warehouse import connection as connections
from pipeline.warehouse.connection import engine_of, is_taken, only_one, warehouse_url


def test_a_second_run_waits_and_says_for_what(engine: Engine, caplog: pytest.LogCaptureFixture):
    order: list[str] = []
    begun, may_end = Event(), Event()

    def first() -> None:
        with only_one(engine, "pipedrive"):
            begun.set()
            may_end.wait(30)
            order.append("first")

    def second() -> None:
        with only_one(engine, "pipedrive"):
            order.append("second")

    with caplog.at_level(logging.INFO, logger="pipeline"):
        threads = [Thread(target=first)]
        threads[0].start()
        assert begun.wait(30)
        threads.append(Thread(target=second))
        threads[1].start()
        while not caplog.messages:
            threads[1].join(0.01)
        may_end.set()
        for thread in threads:
            thread.join(30)
    assert order == ["first", "second"]
    assert caplog.messages[0].startswith("waiting for another run that holds 'pipedrive' (it runs since ")


def test_a_run_whose_database_session_is_gone_holds_nothing(engine: Engine):
    holder = engine.connect()
    pid = holder.execute(text("SELECT pg_backend_pid()")).scalar_one()
    holder.execute(text("SELECT pg_advisory_lock(1)"))
    holder.rollback()
    with engine.begin() as other:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = :pid"
        assert other.execute(text(held), {"pid": pid}).scalar_one() == 1
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        assert other.execute(text(held), {"pid": pid}).scalar_one() == 0
    holder.invalidate()
    assert not is_taken(engine, "pipedrive")


def test_a_connection_that_rested_gives_way_to_a_new_one_when_the_server_ended_it(
    postgres: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connections, "RESTED", 0.0)
    engine = engine_of(postgres)
    with engine.connect() as connection:
        before = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other_engine = create_engine(warehouse_url(postgres), poolclass=NullPool)
    with other_engine.begin() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": before})
    with engine.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != before
    engine.dispose()
