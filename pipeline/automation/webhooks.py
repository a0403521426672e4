"""Sensor `exact_webhooks`: waits for webhooks to come in and asks for one run an administration for all of them.

The run reads the feeds and not the single record, so that one does for any number of webhooks. It is asked for at the
first of them: while its process starts the others come in, and it waits for the end of their burst before it reads. It
is asked for again while it fails, ever more rarely.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets.described import TEAM_SALES
from pipeline.automation.jobs import PARTITIONS, orders_delta
from pipeline.automation.schedules import READS_EXACT, UNDER_WAY
from pipeline.automation.warm_runs import expect_runs
from pipeline.warehouse import inbox

EVERY = 0.25  # seconds between two looks at the inbox
LONGEST_TICK = 20.0  # Dagster's daemon waits for a tick before it stops
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 600.0  # seconds until a failed run is asked for again; each time twice as long


@dataclass(frozen=True)
class Asked:
    """The run that was asked for last: up to which number of the inbox, how often before in vain, and when."""

    up_to: int
    attempt: int
    at: float

    @property
    def again_at(self) -> float:
        """When it may be asked for again."""
        return self.at + min(FIRST_PAUSE * 2 ** min(self.attempt, 10), LONGEST_PAUSE)


def needed(
    before: Asked | None, waiting: int | None, last: dg.DagsterRunStatus | None, now: float
) -> tuple[Asked | None, bool]:
    """What is known of an administration's last request, and whether its next one is due.

    `last` is how the newest run ended, whoever asked for it. One that failed is repeated even when all webhooks were
    handled before it did: they are once their rows landed. One that a person stopped is not.
    """
    went_through = last == dg.DagsterRunStatus.SUCCESS and before and (waiting is None or waiting > before.up_to)
    given_up = waiting is None and last != dg.DagsterRunStatus.FAILURE
    if before is None or went_through or given_up:
        return None, waiting is not None
    return before, now >= before.again_at or now < before.at  # the latter: the clock was put back since


def asked(before: Asked | None, waiting: int | None, now: float) -> Asked:
    """The next request after that one."""
    if before is None:
        return Asked(waiting or 0, 0, now)
    return Asked(max(waiting or 0, before.up_to), before.attempt + 1, now)


def tick(
    instance: dg.DagsterInstance, engine: Engine, cursor: str | None, *, patience: float = LONGEST_TICK
) -> dg.SensorResult:
    """Waits until runs are due and asks for them; with nothing due it ends after a while."""
    known = {name: Asked(**said) for name, said in json.loads(cursor or "{}").items()}
    until = time.monotonic() + patience
    while True:
        with engine.connect() as connection:
            waiting = inbox.waiting(connection)
        due = list(_due(instance, known, waiting))
        if due or time.monotonic() >= until:
            requests = [_request(instance, known, name, waiting.get(name)) for name in due]
            reason = None if due else dg.SkipReason("no webhook waits, or a run for it is under way")
            kept = json.dumps({name: asdict(request) for name, request in known.items()})
            return dg.SensorResult(run_requests=requests, skip_reason=reason, cursor=kept)
        time.sleep(EVERY)


def _due(instance: dg.DagsterInstance, known: dict[str, Asked], waiting: Mapping[str, int]) -> Iterator[str]:
    """Administrations for which a run has to be asked for; forgets requests that are done with."""
    for name in PARTITIONS.get_partition_keys():
        if name not in waiting and name not in known:
            continue
        of = dg.RunsFilter(job_name=orders_delta.name, tags={"dagster/partition": name})
        last = [record.dagster_run.status for record in instance.get_run_records(of, limit=5)]
        if set(last) & set(UNDER_WAY):
            continue
        before, is_due = needed(known.pop(name, None), waiting.get(name), next(iter(last), None), time.time())
        if before:
            known[name] = before
        if is_due:
            yield name


def _request(instance: dg.DagsterInstance, known: dict[str, Asked], name: str, waiting: int | None) -> dg.RunRequest:
    """One run, under a key that none had before: Dagster answers a used key with nothing, for ever."""
    request = asked(known.get(name), waiting, time.time())
    while instance.get_runs(dg.RunsFilter(tags={"dagster/run_key": _key(name, request)}), limit=1):
        request = asked(request, None, time.time())
    known[name] = request
    return dg.RunRequest(partition_key=name, run_key=_key(name, request), tags={READS_EXACT: name})


def _key(name: str, request: Asked) -> str:
    return f"{name} {request.up_to} {request.attempt}"


@dg.sensor(
    owners=[TEAM_SALES],
    job=orders_delta,
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Webhooks that came in from Exact Online start a run at once; one that failed is started again.",
)
def exact_webhooks(context: dg.SensorEvaluationContext, engine: dg.ResourceParam[Engine]) -> dg.SensorResult:
    expect_runs(context.instance)  # here, since the sensor looks as soon as a daemon is there, and in its code server
    return tick(context.instance, engine, context.cursor)
