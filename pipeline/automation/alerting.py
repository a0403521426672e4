"""Sensor `run_failure_alert`: one alert for a failure, and one when it works again.

An ordinary sensor, not one of Dagster's for run statuses: those go on past a run whose alert could not be delivered.
Here such a tick fails, where a person sees it, and the next one tries again.
"""

import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import dagster as dg
from dagster_shared.error import SerializableErrorInfo
from sqlalchemy import Engine

from pipeline import alerts
from pipeline.assets.described import TEAM_DATA
from pipeline.settings import Settings, settings
from pipeline.warehouse import memory

AGAIN_AFTER = timedelta(hours=6)
LOOK_BACK = timedelta(minutes=1)  # runs are looked at again: one may be stored a little after its time
AT_ONCE = 200  # runs a tick
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
_NUMBERS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")


def alert(instance: dg.DagsterInstance, engine: Engine, environment: Settings, since: datetime) -> datetime:
    """Tells of runs that ended since then, and says up to when they were looked at."""
    ended = dg.RunsFilter(statuses=_ENDED, updated_after=since - LOOK_BACK)
    records = instance.get_run_records(ended, limit=AT_ONCE, order_by="update_timestamp", ascending=True)
    for record in records:
        if alerts.is_configured(environment):
            _tell(instance, engine, environment, record)
        since = max(since, record.update_timestamp.replace(tzinfo=record.update_timestamp.tzinfo or UTC))
    return since


def _tell(instance: dg.DagsterInstance, engine: Engine, environment: Settings, record: dg.RunRecord) -> None:
    run, ended_at = record.dagster_run, record.end_time or record.update_timestamp.timestamp()
    partition = run.tags.get("dagster/partition")
    job = f"{run.job_name} ({partition})" if partition else run.job_name
    fact = f"alert {job}"
    with engine.connect() as connection:
        known = memory.recall(connection, fact) or {"told": {}, "failed_at": None}
    if run.status == dg.DagsterRunStatus.SUCCESS:
        if known["failed_at"] is None or ended_at <= known["failed_at"]:
            return
        alerts.send(environment, f"{job} works again.", link(environment, run.run_id))
        known["failed_at"] = None
    else:
        sentence = said_of(instance, run)
        kind = blake2b(_NUMBERS.sub("#", sentence).encode(), digest_size=8).hexdigest()
        if run.tags.get("dagster/will_retry") == "true" or ended_at - known["told"].get(kind, 0) < _SECONDS:
            return
        alerts.send(environment, f"{job} failed: {sentence}", link(environment, run.run_id))
        recent = {told: at for told, at in known["told"].items() if ended_at - at < _SECONDS}
        known = {"told": recent | {kind: ended_at}, "failed_at": ended_at}
    with engine.begin() as tx:
        memory.note(tx, fact, known)


_SECONDS = AGAIN_AFTER.total_seconds()


def link(environment: Settings, run_id: str) -> str:
    """Where the run is shown."""
    return f"{environment.environment.get('DAGSTER_UI_URL', 'http://localhost:3000').rstrip('/')}/runs/{run_id}"


def said_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """Our sentence on why the run failed; of a mistake nobody foresaw only its kind, since its text may hold data."""
    failures = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    for entry in failures:
        failure = entry.get_dagster_event().step_failure_data
        if failure.user_failure_data and failure.user_failure_data.description:
            return failure.user_failure_data.description
        return f"{entry.step_key} failed unexpectedly ({_kind(failure.error)})."
    return "it was ended from outside, or its process died."


def _kind(error: SerializableErrorInfo | None) -> str:
    while error and error.cause:
        error = error.cause
    return (error.cls_name if error else None) or "no reason given"


@dg.sensor(
    owners=[TEAM_DATA],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A failed run is told by e-mail and in the chat, once in six hours; so is that it works again.",
)
def run_failure_alert(context: dg.SensorEvaluationContext, engine: dg.ResourceParam[Engine]) -> dg.SensorResult:
    began = datetime.fromisoformat(context.cursor) if context.cursor else datetime.now(UTC)
    seen = alert(context.instance, engine, settings(), began)
    wanted = alerts.is_configured(settings())
    reason = "looked at every run that ended" if wanted else "neither ALERT_WEBHOOK_URL nor ALERT_EMAIL is set"
    return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=seen.isoformat())
