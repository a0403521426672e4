"""What is looked after every night: the chain of tokens, history that was not read to its end, and a compare of ids."""

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets.failures import failing_clearly
from pipeline.automation.jobs import PARTITIONS
from pipeline.automation.schedules import requests
from pipeline.config import Config
from pipeline.resources import ExactOnline
from pipeline.steps.keep_alive import keep_alive
from pipeline.steps.order_compare import compare_orders
from pipeline.steps.order_history import finish_history

AFTER = {"after": dg.In(dg.Nothing)}
POOL = "exact_online"


@dg.op(out=dg.Out(dg.Nothing), pool=POOL, description="Renews Exact's tokens when the last renewal was a day ago.")
@failing_clearly
def exact_tokens(
    context: dg.OpExecutionContext, engine: dg.ResourceParam[Engine], exact: dg.ResourceParam[ExactOnline]
) -> None:
    renewed = keep_alive(engine, exact.client(context.partition_key))
    context.log.info("renewed" if renewed else "renewed less than a day ago")


@dg.op(
    ins=AFTER,
    out=dg.Out(dg.Nothing),
    pool=POOL,
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
    pool=POOL,
    description="Compares the ids of all orders and lines with Exact's; what differs is read whole, what is gone is "
    "taken out, and the next look for changes takes it on to the deals.",
)
@failing_clearly
def order_ids(
    context: dg.OpExecutionContext,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> None:
    administration = configuration.administration(context.partition_key)
    client, months = exact.client(administration.name), configuration.history.months
    found = compare_orders(engine, client, administration, months=months)
    context.log.info(
        f"{found.orders} orders compared with {found.calls} calls: {found.read} differed, {found.gone} were gone"
    )


@dg.job(
    partitions_def=PARTITIONS,
    tags={"dagster/priority": "-5"},
    description="Every night: tokens kept alive, history that was left, and a compare of all ids with Exact Online's.",
)
def maintenance() -> None:
    order_ids(months_left(exact_tokens()))


@dg.schedule(
    job=maintenance,
    cron_schedule="0 2 * * *",
    execution_timezone="Europe/Amsterdam",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: what no feed told of is found, and Exact's tokens stay alive.",
)
def nightly_maintenance(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
    return requests(context, maintenance.name)
