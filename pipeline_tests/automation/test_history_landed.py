"""The sensor `history_landed`: it asks for runs while history has a way to go, and no more often than that helps."""

from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy import Engine

from pipeline.automation.jobs import history_onwards
from pipeline.automation.sensors import history_landed
from pipeline.definitions import defs
from pipeline.sandbox.company import seeded_company
from pipeline_tests.automation.factory import run
from pipeline_tests.world import World


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def landed(engine: Engine) -> World:
    world = World(engine, company=seeded_company(orders=12, products=20))
    world.land()
    return world


def asked_for(instance: dg.DagsterInstance, engine: Engine) -> list[str]:
    """The keys of the runs it asks for."""
    with dg.build_sensor_context(instance=instance, resources={"engine": engine}) as context:
        found = history_landed(context)
    return [str(request.run_key) for request in found] if isinstance(found, list) else []


def test_nothing_is_asked_for_when_no_history_waits(instance: dg.DagsterInstance, engine: Engine):
    assert asked_for(instance, engine) == []


def test_months_that_landed_go_on_in_one_run_an_administration(instance: dg.DagsterInstance, landed: World):
    keys = asked_for(instance, landed.engine)
    assert [key.split()[0] for key in keys] == ["nl"]
    assert asked_for(instance, landed.engine) == keys
    assert run(landed, history_onwards.name).success
    assert asked_for(instance, landed.engine) == []


def test_what_a_day_was_not_enough_for_is_asked_for_until_it_is_written(instance: dg.DagsterInstance, landed: World):
    landed.refresh()
    before = asked_for(instance, landed.engine)
    assert len(before) == 1
    landed.write(daily_tokens=600)
    after = asked_for(instance, landed.engine)
    assert len(after) == 1
    assert after != before
    landed.write()
    assert asked_for(instance, landed.engine) == []


def test_what_changes_nothing_is_not_asked_for_again_at_once(instance: dg.DagsterInstance, landed: World):
    landed.refresh()
    keys = {key for _ in range(3) for key in asked_for(instance, landed.engine)}
    assert len(keys) <= 2  # one an hour, and the test may see an hour begin


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTED"])
def test_nothing_is_asked_for_while_history_is_under_way(instance: dg.DagsterInstance, landed: World, status: str):
    landed.refresh()
    instance.create_run_for_job(
        defs.resolve_job_def(history_onwards.name),
        status=dg.DagsterRunStatus(status),
        tags={"dagster/partition": "nl"},
    )
    assert asked_for(instance, landed.engine) == []
