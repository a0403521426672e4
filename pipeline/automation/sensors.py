"""What starts by itself: history that landed goes on to the deals."""

import dagster as dg
from sqlalchemy import Engine, text

from pipeline.automation.jobs import history_onwards
from pipeline.automation.schedules import idle_administrations

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


SENSORS = [history_landed]
