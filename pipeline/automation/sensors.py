"""What starts by itself: webhooks that came in, and history that landed, go on to the deals; what fails is told."""

from datetime import UTC, datetime

import dagster as dg
from sqlalchemy import Engine, text

from pipeline.assets.described import TEAM_SALES
from pipeline.automation.alerting import run_failure_alert
from pipeline.automation.jobs import PARTITIONS, history_onwards
from pipeline.automation.schedules import idle_administrations
from pipeline.automation.webhooks import exact_webhooks
from pipeline.steps.backlog import unwritten_history

_LANDED = """
SELECT landed.administration, max(landed.landed_at) AS landed_at FROM state.landed_months AS landed
WHERE EXISTS (SELECT FROM state.pending AS waiting
    WHERE waiting.stage = 'erp/orders' AND waiting.administration = landed.administration)
GROUP BY landed.administration
"""


@dg.sensor(
    owners=[TEAM_SALES],
    job=history_onwards,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Months of order history that landed go on to erp, crm and Pipedrive without anybody asking; what one "
    "day's budget is not enough for goes on the next day.",
)
def history_landed(
    context: dg.SensorEvaluationContext, engine: dg.ResourceParam[Engine]
) -> list[dg.RunRequest] | dg.SkipReason:
    with engine.connect() as connection:
        landed = {row.administration: row.landed_at for row in connection.execute(text(_LANDED))}
        unwritten = unwritten_history(connection)
    idle = set(idle_administrations(context, history_onwards.name))
    found = [
        dg.RunRequest(partition_key=name, run_key=f"{name} {landed[name].isoformat()}") for name in idle & {*landed}
    ]
    if not found and unwritten.deals and idle == {*PARTITIONS.get_partition_keys()}:
        # Under a key that stays while nothing changes, so that what can't be written is tried once an hour.
        key = f"{unwritten.newest} {unwritten.deals} {datetime.now(UTC):%Y-%m-%dT%H}"
        found = [dg.RunRequest(partition_key=unwritten.administration, run_key=key)]
    return found or dg.SkipReason("no history waits, or a run for it is under way")


SENSORS = [exact_webhooks, history_landed, run_failure_alert]
