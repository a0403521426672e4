"""Dagster's own history ends where `keep_runs_days` says, and no month of order history counts as missing after it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from pipeline.automation.pruning import COME_BY_THEMSELVES, prune_runs
from pipeline.definitions import defs

SUCCESS, STARTED = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.STARTED
TOMORROW, YESTERDAY = (datetime.now(UTC) + timedelta(days=days) for days in (1, -1))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def a_run(instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus = SUCCESS) -> str:
    run_id = instance.create_run_for_job(defs.resolve_job_def(job), status=status).run_id
    instance.report_engine_event("something happened", run_id=run_id, job_name=job)
    return run_id


def there(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


@pytest.mark.parametrize("job", COME_BY_THEMSELVES)
def test_an_old_run_goes_with_its_events(instance: dg.DagsterInstance, job: str):
    run_id = a_run(instance, job)
    assert instance.all_logs(run_id)
    assert prune_runs(instance, before=TOMORROW) == 1
    assert there(instance) == set()
    assert not instance.all_logs(run_id)


def test_a_run_that_is_younger_or_still_goes_on_stays(instance: dg.DagsterInstance):
    young = a_run(instance, "orders_delta")
    assert prune_runs(instance, before=YESTERDAY) == 0
    under_way = a_run(instance, "orders_delta", STARTED)
    assert prune_runs(instance, before=TOMORROW) == 1
    assert there(instance) == {under_way} != {young}


def test_months_of_order_history_stay_materialised(instance: dg.DagsterInstance):
    kept = a_run(instance, "order_history")
    assert prune_runs(instance, before=TOMORROW) == 0
    assert there(instance) == {kept}


def test_every_job_that_starts_by_itself_is_pruned():
    by_themselves = {schedule.job_name for schedule in defs.schedules or []} | {
        target.job_name for sensor in defs.sensors or [] for target in getattr(sensor, "targets", [])
    }
    assert by_themselves <= set(COME_BY_THEMSELVES)
    assert by_themselves


def test_a_night_removes_so_many_and_the_next_one_goes_on(instance: dg.DagsterInstance):
    for job in ("orders_delta", "catalogue_delta"):
        for _ in range(3):
            a_run(instance, job)
    assert prune_runs(instance, before=TOMORROW, most=4) == 4
    assert prune_runs(instance, before=TOMORROW, most=4) == 2
