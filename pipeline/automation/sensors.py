"""What starts by itself: webhooks that came in, and history that landed, go on to the deals; what fails is told."""

import dagster as dg
from sqlalchemy import Engine, text

from pipeline.automation.alerting import run_failure_alert
from pipeline.automation.jobs import history_onwards
from pipeline.automation.schedules import idle_administrations
from pipeline.automation.webhooks import exact_webhooks

_WAITING = """
SELECT landed.administration, max(landed.landed_at) AS landed_at FROM state.landed_months AS landed
WHERE EXISTS (SELECT FROM state.pending AS waiting
    WHERE waiting.stage = 'erp/orders' AND waiting.administration = landed.administration)
GROUP BY landed.administration
"""


@dg.sensor(
    job=history_onwards,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Months of order history that landed go on to erp, crm and Pipedrive without anybody asking.",
)
def history_landed(
    context: dg.SensorEvaluationContext, engine: dg.ResourceParam[Engine]
) -> list[dg.RunRequest] | dg.SkipReason:
    with engine.connect() as connection:
        landed = {row.administration: row.landed_at for row in connection.execute(text(_WAITING))}
    idle = [name for name in idle_administrations(context, history_onwards.name) if name in landed]
    found = [dg.RunRequest(partition_key=name, run_key=f"{name} {landed[name].isoformat()}") for name in idle]
    return found or dg.SkipReason("no history waits")


SENSORS = [exact_webhooks, history_landed, run_failure_alert]
