"""How many webhooks the receiver takes, and how soon it answers; `--kills N` kills it and its database at N moments.

500 signed events a second for twenty seconds, then as many as go, with a PostgreSQL of its own.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import create_engine

from benchmarks.table import Row, run
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


def speed() -> list[Row]:
    """Steadily at that rate, then as many as go."""
    with working() as (url, folder), receiver(environment(folder, url)) as running:
        Sender(running.port).send(notifications(200))
        steady, _, used = measured(running, Sender(running.port, 100, a_second=A_SECOND), A_SECOND * SECONDS)
        times = sorted(steady.seconds)
        all_out, seconds, used_all_out = measured(running, Sender(running.port, 50), 10_000)
        engine = create_engine(warehouse_url(url))
        missing = (steady.accepted | all_out.accepted) - stored(engine)
        engine.dispose()
    refused = sum(status != 200 for status in (steady.statuses | all_out.statuses).values())
    at = f"at {A_SECOND} a second"
    wanted = {"line": A_SECOND, "at_least": True}
    return [
        Row(what="webhooks answered 200 and missing", ours=len(missing), line=0, counted=True),
        Row(what="webhooks not answered 200", ours=refused, line=0, counted=True),
        Row(what=f"webhooks a second of the receiver's processor time, {at}", ours=len(times) / used, **wanted),
        Row(what="webhooks a second, as many as go", ours=len(all_out.statuses) / seconds),
        Row(what="webhooks a second of processor time, as many as go", ours=len(all_out.statuses) / used_all_out),
        Row(what=f"webhooks, median, {at}", ours=times[len(times) // 2] * 1000, unit="ms"),
        Row(
            what=f"webhooks, 99 in 100 within, {at}",
            ours=times[int(len(times) * 0.99)] * 1000,
            line=LATEST * 1000,
            unit="ms",
        ),
    ]


def kills(number: int) -> list[Row]:
    """Kills the receiver and its database at so many moments; what was lost."""
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
    missing = sum(len(outcome.missing) for outcome in outcomes)
    return [
        Row(what="kills of the receiver and its database", ours=len(outcomes), counted=True),
        Row(what="webhooks answered 200 and missing after a kill", ours=missing, line=0, counted=True),
    ]


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--kills", type=int, metavar="N")


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Speed, or kills."""
    return kills(chosen.kills) if chosen.kills else speed()


if __name__ == "__main__":
    run(__doc__, options, measure)
