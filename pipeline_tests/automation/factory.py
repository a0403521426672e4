"""The jobs as Dagster runs them, on the simulated ERP and CRM of a `World`, and webhooks as they lie in the inbox."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count

import dagster as dg
from sqlalchemy import Engine, text

from pipeline.automation.jobs import catalogue_delta
from pipeline.definitions import defs
from pipeline.resources import ExactOnline, Pipedrive
from pipeline.warehouse import inbox
from pipeline_tests.world import World

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_serial = count(1)
_worlds: list[World] = []


def run(
    world: World, job: str, *, instance: dg.DagsterInstance | None = None, layers: Sequence[str] | None = None
) -> dg.ExecuteInProcessResult:
    """One run of the job for the administration of the world; `layers` leaves out the other ones."""
    definition = location().resolve_job_def(job)
    keys = [key for key in definition.asset_layer.executable_asset_keys if key.path[0] in layers] if layers else None
    partition = "nl" if definition.partitions_def else None
    own = definition.partitioned_config.get_run_config_for_partition_key("nl") if definition.partitioned_config else {}
    with at_work_on(world), nullcontext(instance) if instance else dg.DagsterInstance.ephemeral() as kept:
        return definition.execute_in_process(
            QUIET | dict(own), kept, partition_key=partition, raise_on_error=False, asset_selection=keys
        )


@contextmanager
def at_work_on(world: World) -> Iterator[None]:
    """For as long as this lasts the code location works on that world."""
    _worlds.append(world)
    try:
        yield
    finally:
        _worlds.pop()


@cache
def location() -> dg.Definitions:
    """The code location with both sides simulated, made once: putting its jobs together takes a second."""
    return dg.Definitions(
        assets=defs.assets,
        asset_checks=defs.asset_checks,
        jobs=defs.jobs,
        resources={
            "engine": dg.resource(lambda _: _worlds[-1].engine),
            "configuration": dg.resource(lambda _: _worlds[-1].config),
            "exact": dg.resource(lambda _: ExactOnline(lambda _: _worlds[-1].client)),
            "pipedrive": dg.resource(lambda _: Pipedrive(_worlds[-1].pipedrive_client, 10_000_000)),
        },
        executor=dg.in_process_executor,
    )


def caught_up(world: World) -> World:
    """The world after its first synchronisation."""
    world.sync()
    assert run(world, catalogue_delta.name).success
    return world


def told(engine: Engine, *keys: str, topic: str = "SalesOrders") -> int:
    """Webhooks that came in, and the number of the last."""
    a_minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    events = [
        inbox.Event(
            hash_code=f"{next(_serial):064X}",
            administration="nl",
            division=123456,
            topic=topic,
            action="Update",
            key=key,
            content="{}",
            received_at=a_minute_ago,
        )
        for key in keys
    ]
    with engine.begin() as tx:
        inbox.store_all(tx, events)
    with engine.connect() as connection:
        return inbox.newest(connection, "nl")


def unhandled(engine: Engine) -> list[str]:
    """Keys of the webhooks that nobody handled, in order of receipt."""
    query = "SELECT key FROM inbox.webhook_events WHERE handled_at IS NULL ORDER BY number"
    with engine.connect() as connection:
        return [row.key for row in connection.execute(text(query))]
