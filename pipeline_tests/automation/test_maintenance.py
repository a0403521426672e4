"""What is looked after every night, as Dagster runs it."""

from collections.abc import Iterator
from types import SimpleNamespace

import dagster as dg
import pytest
from sqlalchemy import text

from pipeline.automation.maintenance import maintenance, nightly_maintenance
from pipeline.automation.schedules import requests
from pipeline.definitions import defs
from pipeline_tests.automation.factory import run
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_sync


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    with worlds.after(first_sync(orders=40, products=40)) as world:
        yield world


def test_a_night_reads_the_months_that_were_left(world: World):
    with world.engine.begin() as tx:
        month = tx.execute(
            text(
                "DELETE FROM state.landed_months WHERE month = (SELECT min(month) FROM "
                "state.landed_months) RETURNING month"
            )
        ).scalar_one()
        asked = {"name": "nl months to read", "value": f'["{month}"]'}
        tx.execute(text("UPDATE state.remembered SET value = CAST(:value AS jsonb) WHERE name = :name"), asked)
    assert run(world, maintenance.name).success
    assert world.ask("SELECT count(*) AS n FROM state.landed_months WHERE month = :month", month=month)[0].n == 1


def test_a_night_on_which_nothing_was_left_takes_one_call(world: World):
    before = world.client.calls
    assert run(world, maintenance.name).success
    assert world.client.calls - before == 1  # for the tokens


def test_it_comes_every_night_for_every_administration_unless_the_last_one_still_runs():
    with dg.DagsterInstance.ephemeral() as instance:
        context = SimpleNamespace(instance=instance)
        found = requests(context, maintenance.name)
        assert isinstance(found, list)
        assert [request.partition_key for request in found] == ["nl"]
        started, tags = dg.DagsterRunStatus.STARTED, {"dagster/partition": "nl"}
        instance.add_run(dg.DagsterRun(job_name=maintenance.name, status=started, tags=tags))
        assert isinstance(requests(context, maintenance.name), dg.SkipReason)
    assert (nightly_maintenance.cron_schedule, nightly_maintenance.execution_timezone) == (
        "0 2 * * *",
        "Europe/Amsterdam",
    )
    assert nightly_maintenance.name in {schedule.name for schedule in defs.schedules or []}
