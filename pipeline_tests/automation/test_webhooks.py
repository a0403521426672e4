"""The sensor `exact_webhooks`: when it asks for a run, under which key, and when it keeps still."""

import threading
import time
from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy import Engine

from pipeline.automation.jobs import orders_delta
from pipeline.automation.schedules import UNDER_WAY
from pipeline.automation.webhooks import FIRST_PAUSE, LONGEST_PAUSE, Asked, asked, needed, tick
from pipeline.definitions import defs
from pipeline_tests.automation.factory import told

SUCCESS, FAILURE, CANCELED = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED
LONG_AGO, NOW = 1000.0, 1_000_000.0


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def keys(result: dg.SensorResult) -> list[str]:
    return [str(request.run_key) for request in result.run_requests or []]


def a_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, *, key: str = "", job: str = "", of: str = "nl"):
    tags = {"dagster/partition": of} | ({"dagster/run_key": key} if key else {})
    definition = defs.resolve_job_def(job or orders_delta.name)
    return instance.create_run_for_job(definition, status=status, tags=tags)


def ticked(instance: dg.DagsterInstance, engine: Engine, cursor: str | None = None) -> dg.SensorResult:
    """A tick that does not wait for what is still to come."""
    return tick(instance, engine, cursor, patience=0.0)


# --- whether a run is due ---


@pytest.mark.parametrize(
    ("before", "waiting", "last", "now", "is_due", "is_remembered"),
    [
        pytest.param(None, 7, None, NOW, True, False, id="the first webhook ever"),
        pytest.param(None, 7, FAILURE, NOW, True, False, id="a webhook after a poll that failed"),
        pytest.param(
            Asked(7, 0, LONG_AGO), 9, SUCCESS, NOW, True, False, id="another one after a run that went through"
        ),
        pytest.param(Asked(7, 0, LONG_AGO), None, SUCCESS, NOW, False, False, id="all is handled"),
        pytest.param(Asked(7, 0, LONG_AGO), 7, FAILURE, NOW, True, True, id="the run failed"),
        pytest.param(Asked(7, 0, LONG_AGO), None, FAILURE, NOW, True, True, id="it failed after the rows had landed"),
        pytest.param(Asked(7, 0, NOW - 1), 7, FAILURE, NOW, False, True, id="it failed just now"),
        pytest.param(Asked(7, 0, NOW - 1), 9, FAILURE, NOW, False, True, id="it failed just now, and another one came"),
        pytest.param(Asked(7, 0, LONG_AGO), None, CANCELED, NOW, False, False, id="a person stopped it, rows landed"),
        pytest.param(Asked(7, 0, LONG_AGO), 7, CANCELED, NOW, True, True, id="a person stopped it, they wait still"),
        pytest.param(Asked(7, 0, LONG_AGO), 7, None, NOW, True, True, id="the run was never made"),
        pytest.param(
            Asked(7, 0, NOW - 1), 7, SUCCESS, NOW, False, True, id="it went through, and they wait all the same"
        ),
    ],
)
def test_when_a_run_is_due(
    before: Asked | None,
    waiting: int | None,
    last: dg.DagsterRunStatus | None,
    now: float,
    is_due: bool,
    is_remembered: bool,
):
    kept, due = needed(before, waiting, last, now)
    assert (due, kept is not None) == (is_due, is_remembered)


def test_pauses_grow_and_end_at_ten_minutes():
    pauses = [Asked(7, attempt, 0.0).again_at for attempt in range(60)]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_each_request_is_another_one_than_the_last():
    first = asked(None, 7, NOW)
    again = asked(first, 9, NOW + 1)
    without_webhook = asked(again, None, NOW + 2)
    assert [(one.up_to, one.attempt) for one in (first, again, without_webhook)] == [(7, 0), (9, 1), (9, 2)]


# --- a tick ---


def test_all_webhooks_that_wait_become_one_run(instance: dg.DagsterInstance, engine: Engine):
    told(engine, *(f"{number}" for number in range(50)))
    result = ticked(instance, engine)
    assert keys(result) == ["nl 50 0"]
    assert [request.partition_key for request in result.run_requests or []] == ["nl"]


def test_without_a_webhook_a_tick_ends_without_a_run(instance: dg.DagsterInstance, engine: Engine):
    result = tick(instance, engine, None, patience=0.0)
    assert (keys(result), result.cursor) == ([], "{}")
    assert result.skip_reason


def test_a_webhook_that_comes_while_the_tick_waits_is_seen(instance: dg.DagsterInstance, engine: Engine):
    later = threading.Timer(0.5, told, [engine, "one"])
    later.start()
    result = tick(instance, engine, None, patience=20.0)
    later.join()
    assert keys(result) == ["nl 1 0"]


def test_a_run_in_the_queue_is_under_way_too():
    assert {status.value for status in UNDER_WAY} == {"QUEUED", "NOT_STARTED", "STARTING", "STARTED"}


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING", "STARTED"])
def test_nothing_is_asked_for_while_a_run_is_under_way_whoever_asked_for_it(
    instance: dg.DagsterInstance, engine: Engine, status: str
):
    told(engine, "one")
    a_run(instance, dg.DagsterRunStatus(status))
    assert keys(ticked(instance, engine)) == []


def test_a_run_of_another_administration_or_job_is_not_in_the_way(instance: dg.DagsterInstance, engine: Engine):
    told(engine, "one")
    a_run(instance, dg.DagsterRunStatus.STARTED, of="be")
    a_run(instance, dg.DagsterRunStatus.STARTED, job="catalogue_delta")
    assert keys(ticked(instance, engine)) == ["nl 1 0"]


def test_a_run_that_fails_is_asked_for_again_after_a_pause(
    instance: dg.DagsterInstance, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    told(engine, "one")
    first = ticked(instance, engine)
    a_run(instance, FAILURE, key=keys(first)[0])
    second = ticked(instance, engine, first.cursor)
    assert keys(second) == []
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + FIRST_PAUSE)
    third = ticked(instance, engine, second.cursor)
    assert keys(third) == ["nl 1 1"]
    a_run(instance, SUCCESS, key="nl 1 1")
    with engine.begin() as tx:
        tx.exec_driver_sql("UPDATE inbox.webhook_events SET handled_at = now()")
    assert ticked(instance, engine, third.cursor).cursor == "{}"


def test_a_cursor_that_was_lost_does_not_lead_to_a_key_that_was_used(instance: dg.DagsterInstance, engine: Engine):
    told(engine, "one")
    a_run(instance, FAILURE, key="nl 1 0")
    a_run(instance, FAILURE, key="nl 1 1")
    assert keys(ticked(instance, engine)) == ["nl 1 2"]


def test_webhooks_of_an_administration_that_is_no_more_wait_without_a_run(instance: dg.DagsterInstance, engine: Engine):
    told(engine, "one")
    with engine.begin() as tx:
        tx.exec_driver_sql("UPDATE inbox.webhook_events SET administration = 'gone'")
    assert keys(ticked(instance, engine)) == []


def test_a_run_for_webhooks_goes_before_history():
    jobs = {
        name: defs.resolve_job_def(name).tags.get("dagster/priority", "0")
        for name in ("orders_delta", "history_onwards")
    }
    assert int(jobs["orders_delta"]) > 0 > int(jobs["history_onwards"])
