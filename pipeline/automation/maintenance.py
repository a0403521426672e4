"""What is looked after every night: the chain of tokens, history that was not read to its end, and what grew old."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets.described import TEAM_DATA
from pipeline.assets.failures import failing_clearly
from pipeline.automation.jobs import PARTITIONS
from pipeline.automation.pruning import prune_runs
from pipeline.automation.schedules import requests
from pipeline.config import Config
from pipeline.resources import ExactOnline
from pipeline.settings import settings
from pipeline.steps.erase import erase_again
from pipeline.steps.keep_alive import keep_alive
from pipeline.steps.order_history import finish_history
from pipeline.steps.retention import forget_deleted_contacts
from pipeline.warehouse import inbox

AFTER = {"after": dg.In(dg.Nothing)}


@dg.op(out=dg.Out(dg.Nothing), description="Renews Exact's tokens when the last renewal was a day ago.")
@failing_clearly
def exact_tokens(
    context: dg.OpExecutionContext, engine: dg.ResourceParam[Engine], exact: dg.ResourceParam[ExactOnline]
) -> None:
    renewed = keep_alive(engine, exact.client(context.partition_key))
    context.log.info("renewed" if renewed else "renewed less than a day ago")


@dg.op(
    ins=AFTER,
    out=dg.Out(dg.Nothing),
    description="Reads the months of history for which a day's calls were not enough.",
)
@failing_clearly
def months_left(
    context: dg.OpExecutionContext,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> None:
    name = context.partition_key
    read = finish_history(engine, exact.client(name), configuration, name)
    context.log.info(f"{len(read.orders)} months read with {read.calls} calls. {read.stopped or ''}")


@dg.op(
    ins=AFTER,
    out=dg.Out(dg.Nothing),
    description="Removes Dagster's runs with their events and handled webhooks older than keep_runs_days, contacts "
    "deleted keep_deleted_days ago, and once more whoever was erased.",
)
def what_is_old(
    context: dg.OpExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> None:
    days = configuration.keep_runs_days
    runs = prune_runs(context.instance, before=datetime.now(UTC) - timedelta(days=days))
    with engine.begin() as tx:
        webhooks = inbox.forget_handled(tx, days)
        contacts = forget_deleted_contacts(tx, configuration.keep_deleted_days)
    again = erase_again(engine, configuration, settings().backups)
    context.log.info(f"{runs} runs and {webhooks} webhooks older than {days} days removed")
    context.log.info(f"{contacts} contacts deleted long ago removed; {again} rows of the erased emptied again")


@dg.job(
    partitions_def=PARTITIONS,
    owners=[TEAM_DATA],
    tags={"dagster/priority": "-5"},
    description="Every night: Exact's tokens kept alive, history that was left, and old runs and webhooks removed.",
)
def maintenance() -> None:
    what_is_old(months_left(exact_tokens()))


@dg.schedule(
    job=maintenance,
    owners=[TEAM_DATA],
    cron_schedule="0 2 * * *",
    execution_timezone="Europe/Amsterdam",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: Exact's tokens stay alive, history that was left is read, and what is old is removed.",
)
def nightly_maintenance(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
    return requests(context, maintenance.name)
