"""Administrations are read at the same time; of one there is one reader, and of the account one writer in all pods."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import dagster as dg
import pytest
from dagster._core.instance.config import dagster_instance_config
from dagster._utils.tags import TagConcurrencyLimitsCounter
from sqlalchemy import Engine, create_engine, text

from pipeline.automation.jobs import catalogue_delta, orders_delta
from pipeline.automation.maintenance import maintenance
from pipeline.automation.schedules import READS_EXACT, requests
from pipeline.config import PROJECT_FOLDER
from pipeline.exact_online import feeds
from pipeline.steps.catalogue import land_catalogue
from pipeline.steps.writer import LOCK, the_only_writer
from pipeline.warehouse.connection import is_taken, only_one
from pipeline.warehouse.tables import exact_online as tables
from pipeline_tests.world import World

PATIENCE = 60.0  # seconds


@pytest.fixture
def other_pod(engine: Engine) -> Iterator[Engine]:
    """The same database by connections of its own, as every run's pod has them."""
    other = create_engine(engine.url)
    yield other
    other.dispose()


def under_way(name: str) -> dg.DagsterRun:
    return dg.DagsterRun(job_name=orders_delta.name, tags={READS_EXACT: name})


@pytest.fixture(scope="module")
def limits() -> list[dict]:
    """What dagster.yaml allows at the same time."""
    settings, _ = dagster_instance_config(str(PROJECT_FOLDER))
    return settings["concurrency"]["runs"]["tag_concurrency_limits"]


@pytest.mark.parametrize(("name", "waits"), [("nl", True), ("be", False)])
def test_a_run_waits_in_the_queue_for_another_of_its_administration_only(limits: list[dict], name: str, waits: bool):
    assert TagConcurrencyLimitsCounter(limits, [under_way("nl")]).is_blocked(under_way(name)) is waits


@pytest.mark.parametrize("job", [orders_delta.name, catalogue_delta.name, maintenance.name])
def test_a_run_that_reads_exact_online_says_of_which_administration(job: str):
    with dg.DagsterInstance.ephemeral() as instance:
        asked = requests(dg.build_sensor_context(instance=instance), job)
    assert isinstance(asked, list)
    assert [request.tags[READS_EXACT] for request in asked] == [request.partition_key for request in asked] == ["nl"]


@pytest.mark.postgres
def test_one_administration_lands_while_another_is_read_which_itself_has_one_reader(engine: Engine, other_pod: Engine):
    world = World(engine)

    def landed(name: str) -> int:
        return land_catalogue(engine, world.client, name, feeds.ACCOUNTS, tables.accounts).rows

    with ThreadPoolExecutor(1) as aside:
        with only_one(other_pod, f"nl {feeds.ACCOUNTS.name}"):
            second_reader = aside.submit(landed, "nl")
            until_somebody_waits(engine)
            assert landed("be") == len(world.company.accounts)
            assert not second_reader.done()
        assert second_reader.result() == len(world.company.accounts)


@pytest.mark.postgres
def test_who_writes_to_the_account_keeps_out_every_other_pod_until_its_own_is_gone(engine: Engine, other_pod: Engine):
    with the_only_writer(other_pod):
        assert is_taken(engine, LOCK)
        with engine.begin() as tx:  # as when the pod's node is lost
            tx.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = ("
                    "SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            )
        assert not is_taken(engine, LOCK)


def until_somebody_waits(engine: Engine) -> None:
    deadline = monotonic() + PATIENCE
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(text("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).all():
            assert monotonic() < deadline, "nobody waits"
            sleep(0.01)
