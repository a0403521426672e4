"""When changes are looked for. A poll finds what a webhook lost; it is skipped while the last one still runs."""

from collections.abc import Iterator

import dagster as dg

from pipeline.assets.described import TEAM_DATA, TEAM_SALES
from pipeline.automation.jobs import PARTITIONS, audit, catalogue_delta, orders_delta, reconciliation, tables_checked

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
# With the administration as its value. dagster.yaml lets one run go on for each value: two of one administration would
# wait for each other's feeds, those of different ones share nothing before Pipedrive.
READS_EXACT = "pipeline/reads_exact"


Context = dg.ScheduleEvaluationContext | dg.SensorEvaluationContext


def idle_administrations(context: Context, job: str) -> Iterator[str]:
    """The administrations for which the job is neither running nor queued."""
    for administration in PARTITIONS.get_partition_keys():
        under_way = dg.RunsFilter(job_name=job, statuses=UNDER_WAY, tags={"dagster/partition": administration})
        if not context.instance.get_run_records(under_way, limit=1):
            yield administration


def requests(context: Context, job: str) -> list[dg.RunRequest] | dg.SkipReason:
    """One run for each administration that is idle."""
    idle = list(idle_administrations(context, job))
    return [dg.RunRequest(partition_key=name, tags={READS_EXACT: name}) for name in idle] or dg.SkipReason(
        "the last one still runs"
    )


@dg.schedule(
    job=orders_delta,
    owners=[TEAM_SALES],
    cron_schedule="*/5 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every five minutes: what changed in orders since the last look.",
)
def orders_every_5_minutes(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
    return requests(context, orders_delta.name)


@dg.schedule(
    job=catalogue_delta,
    owners=[TEAM_SALES],
    cron_schedule="*/15 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every quarter of an hour: what changed in catalogue, prices and customers since the last look.",
)
def catalogue_every_15_minutes(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
    return requests(context, catalogue_delta.name)


nightly_audit = dg.ScheduleDefinition(
    name="nightly_audit",
    job=audit,
    owners=[TEAM_SALES],
    cron_schedule="30 3 * * *",
    execution_timezone="Europe/Amsterdam",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: what people changed in Pipedrive is found and put right.",
)


@dg.schedule(
    job=reconciliation,
    owners=[TEAM_DATA],
    cron_schedule="30 2 * * *",  # after `maintenance`, which reads months that were left
    execution_timezone="Europe/Amsterdam",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: what no feed told of is found, and a difference that nothing explains is shown.",
)
def nightly_reconciliation(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
    return requests(context, reconciliation.name)


nightly_checks = dg.ScheduleDefinition(
    name="nightly_checks",
    job=tables_checked,
    owners=[TEAM_DATA],
    cron_schedule="30 4 * * *",  # after the reconciliation and the audit
    execution_timezone="Europe/Amsterdam",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: all tables are held to their rules, and what breaks one is named.",
)
SCHEDULES = [orders_every_5_minutes, catalogue_every_15_minutes, nightly_reconciliation, nightly_audit, nightly_checks]
