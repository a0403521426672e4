"""How many webhooks the receiver takes, and how soon it answers; `--kills N` kills it and its database at N moments.

`python -m benchmarks.receiver`: 500 signed events a second for twenty seconds, then as many as go, with a PostgreSQL of
its own. Ends non-zero when one of the lines is crossed, or when something answered 200 is missing afterwards.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import create_engine

from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.embedded import embedded_postgres
from pipeline.warehouse.migrating import migrate
from pipeline_tests.webhooks.kills import Outcome, kill_database, kill_receiver
from pipeline_tests.webhooks.receiving import Running, environment, receiver, stored
from pipeline_tests.webhooks.sending import Answers, Sender, notifications

A_SECOND, SECONDS = 500, 20
LATEST = 0.050  # seconds, of 99 in 100
EVENTS_PER_KILL = 800


@contextmanager
def working() -> Iterator[tuple[str, Path]]:
    """A database and a folder."""
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder)) as url:
        yield url, Path(folder)


def measured(running: Running, sender: Sender, events: int) -> tuple[Answers, float, float]:
    """The answers, the seconds they took and the seconds of processor time the receiver used."""
    process = psutil.Process(running.process.pid)
    bodies = list(notifications(events))
    used, began = sum(process.cpu_times()[:2]), time.perf_counter()
    answers = sender.send(bodies)
    return answers, time.perf_counter() - began, sum(process.cpu_times()[:2]) - used


def speed() -> bool:
    """Prints the figures; whether they are good enough."""
    with working() as (url, folder), receiver(environment(folder, url)) as running:
        Sender(running.port).send(notifications(200))
        steady, _, used = measured(running, Sender(running.port, 100, a_second=A_SECOND), A_SECOND * SECONDS)
        times = sorted(steady.seconds)
        late = times[int(len(times) * 0.99)]
        all_out, seconds, used_all_out = measured(running, Sender(running.port, 50), 10_000)
        engine = create_engine(warehouse_url(url))
        missing = (steady.accepted | all_out.accepted) - stored(engine)
        engine.dispose()
    row("events a second, as many as go", len(all_out.statuses) / seconds, A_SECOND, "wanted")
    row("events a second of processor time, as many as go", len(all_out.statuses) / used_all_out, A_SECOND, "wanted")
    row(f"events a second of processor time, at {A_SECOND} a second", len(times) / used, A_SECOND, "wanted")
    row(f"median, ms, at {A_SECOND} a second", times[len(times) // 2] * 1000)
    row("99 in 100 answered within, ms", late * 1000, LATEST * 1000, "limit")
    row("not answered 200", sum(status != 200 for status in (steady.statuses | all_out.statuses).values()), 0, "limit")
    row("answered 200 and missing", len(missing), 0, "limit")
    return late < LATEST and len(times) / used > A_SECOND and not missing


def kills(number: int) -> bool:
    """Kills and prints what was lost; whether that is nothing."""
    moments = [random.randint(1, EVENTS_PER_KILL * 3 // 4) for _ in range(number)]
    outcomes: list[Outcome] = []
    with working() as (url, folder):
        engine = create_engine(warehouse_url(url))
        migrate(engine)
        for at in moments:
            outcomes.append(kill_receiver(folder, engine, at, EVENTS_PER_KILL))
            print(f"receiver {outcomes[-1]}", flush=True)
        engine.dispose()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        for outcome in kill_database(Path(home), Path(folder), moments, EVENTS_PER_KILL):
            outcomes.append(outcome)
            print(f"database {outcome}", flush=True)
    row("killed, of receiver and database", len(outcomes))
    row("answered 200 and missing", sum(len(outcome.missing) for outcome in outcomes), 0, "limit")
    return not any(outcome.missing for outcome in outcomes)


def row(what: str, figure: float, beside: float | None = None, named: str = "") -> None:
    """One figure, beside its line."""
    print(f"{what:58}{figure:>12,.1f}" + (f"{beside:>12,.0f}  {named}" if beside is not None else ""))


def main() -> None:
    """Measures, or kills."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, metavar="N")
    chosen = arguments.parse_args()
    print(f"on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    raise SystemExit(0 if (kills(chosen.kills) if chosen.kills else speed()) else 1)


if __name__ == "__main__":
    main()
