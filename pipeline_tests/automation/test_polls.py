"""The polls: they keep still while a run of their job goes on, whoever asked for it."""

from collections.abc import Iterator

import dagster as dg
import pytest

from pipeline.automation.jobs import catalogue_delta, orders_delta
from pipeline.automation.schedules import SCHEDULES, requests
from pipeline.definitions import defs

JOBS = [orders_delta.name, catalogue_delta.name]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def asked_for(instance: dg.DagsterInstance, job: str) -> list[str | None]:
    found = requests(dg.build_sensor_context(instance=instance), job)
    return [request.partition_key for request in found] if isinstance(found, list) else []


def under_way(instance: dg.DagsterInstance, job: str, **tags: str) -> None:
    instance.create_run_for_job(
        defs.resolve_job_def(job), status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": "nl"} | tags
    )


@pytest.mark.parametrize("job", JOBS)
def test_a_poll_asks_for_one_run_an_administration(instance: dg.DagsterInstance, job: str):
    assert asked_for(instance, job) == ["nl"]


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("by", ["dagster/schedule_name", "dagster/sensor_name"])
def test_a_poll_is_skipped_while_a_run_of_its_job_goes_on(instance: dg.DagsterInstance, job: str, by: str):
    under_way(instance, job, **{by: "whoever"})
    assert asked_for(instance, job) == []


def test_a_run_of_the_other_job_is_not_in_its_way(instance: dg.DagsterInstance):
    under_way(instance, catalogue_delta.name)
    assert asked_for(instance, orders_delta.name) == ["nl"]


def test_orders_are_polled_every_five_minutes_and_the_catalogue_every_quarter_of_an_hour():
    crons = {schedule.job_name: schedule.cron_schedule for schedule in SCHEDULES}
    assert [crons[job] for job in JOBS] == ["*/5 * * * *", "*/15 * * * *"]
