"""A backup every night; a run that fails tells somebody, as every failed run does."""

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets.described import TEAM_DATA
from pipeline.assets.failures import failing_clearly
from pipeline.settings import settings
from pipeline.steps.backup import backup as made


@dg.op(description="Dumps warehouse, state and Dagster's history, and restores the dump beside them to try it out.")
@failing_clearly
def dump(context: dg.OpExecutionContext, engine: dg.ResourceParam[Engine]) -> None:
    done = made(engine, settings().backups).as_dict()
    context.add_output_metadata({name: str(value) for name, value in done.items()})


@dg.job(
    owners=[TEAM_DATA],
    tags={"dagster/priority": "-5"},
    description="Every night: a dump of all there is, tried out; 14 days, 8 weeks and 12 months of them are kept.",
)
def backup() -> None:
    dump()


nightly_backup = dg.ScheduleDefinition(
    name="nightly_backup",
    job=backup,
    owners=[TEAM_DATA],
    cron_schedule="0 1 * * *",  # before `maintenance` and the audit; and at an hour that every day has
    execution_timezone="Europe/Amsterdam",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: a backup is made and tried out.",
)
