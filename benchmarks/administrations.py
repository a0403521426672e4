"""`python -m benchmarks.administrations`: fifty administrations of one Pipedrive account on one machine, limits on.

Both simulators are processes behind ports: Exact Online with a division for each administration, each with its own
60 calls a minute and 5,000 a day, and one Pipedrive of the plan that is named. Polls fall due for all at the same
instant, as the schedule's do, with one new order in each administration, and as many go on at a time as dagster.yaml
lets. Five minutes are not waited for: the next round begins when one is done. Run processes are kept from one poll to
the next; what starting one costs is measured by itself and added where it counts. Told are the lag, calls, tokens,
memory and processor time, and how much of each limit fifty use. Ends non-zero where a poll failed or a limit is over.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import yaml

from pipeline.config import PROJECT_FOLDER
from pipeline.entry import ready
from pipeline.processes import sandbox_environment, simulators
from pipeline.sandbox.pipedrive import plan

POLL, DAY = 300, 86_400  # seconds
MINUTE_CALLS, DAY_CALLS = 60, 5_000
BURST_WINDOW = 2  # seconds
SERVE_EXACT = (sys.executable, "-W", "ignore", "-m", "benchmarks.administrations")
FIRST = 900_001  # the first division's number


@dataclass(frozen=True)
class Poll:
    """One run, as the process that carried it out measured it."""

    administration: str
    ended: float  # seconds of the machine's monotonic clock
    busy: float  # seconds it took
    cpu: float  # seconds of processor time
    writing: float  # seconds in which it was the writer, or waited to be
    calls: int
    memory: float  # MB, the most so far of its process


def names(count: int) -> list[str]:
    """One for each administration."""
    return [f"a{number:03}" for number in range(1, count + 1)]


def serve_exact(port: int, count: int) -> None:
    """Exact Online with so many divisions, each with a small catalogue."""
    from pipeline.sandbox.company import seeded_company
    from pipeline.sandbox.exact_online import simulated_exact_online
    from pipeline.sandbox.serving import serve

    companies = {FIRST + place: seeded_company(orders=0, seed=place + 1, products=20) for place in range(count)}
    serve(simulated_exact_online(companies, limits=True), port=port)


def run(job: str, name: str) -> Poll:
    """One run of the job for the administration, in a process that has the definitions; ends it all when one fails."""
    import dagster as dg

    from pipeline.automation.running import QUIET, Synchronised
    from pipeline.automation.schedules import READS_EXACT
    from pipeline.definitions import defs

    began, cpu = time.monotonic(), time.process_time()
    definition = defs.resolve_job_def(job)
    partitioned = definition.partitioned_config
    own = partitioned.get_run_config_for_partition_key(name) if partitioned else {}
    with dg.DagsterInstance.get() as instance:
        result = definition.execute_in_process(
            QUIET | dict(own), instance, partition_key=name, raise_on_error=False, tags={READS_EXACT: name}
        )
        if failed := [event.step_failure_data for event in result.all_events if event.is_step_failure]:
            raise RuntimeError(f"{job} of {name}: {failed[0].error_display_string[:2000]}")
        done = Synchronised()
        done.take(result)
        writing = next(
            (stats.end_time or 0) - (stats.start_time or 0)
            for stats in instance.get_run_step_stats(result.run_id, ["pipedrive"])
        )
    ended = time.monotonic()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Poll(name, ended, ended - began, time.process_time() - cpu, writing, done.exact_calls, memory)


def main() -> None:
    """Measures, prints, and says by the exit status whether it all fits."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--administrations", type=int, default=50)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--plan", default="premium")
    arguments.add_argument("--port", type=int, help=argparse.SUPPRESS)  # serve Exact Online there, and nothing else
    chosen = arguments.parse_args()
    if chosen.port:
        serve_exact(chosen.port, chosen.administrations)
    else:
        sys.exit(not measured(chosen.administrations, chosen.rounds, chosen.plan))


def measured(count: int, of_rounds: int, of_plan: str) -> bool:
    """Prints the figures; whether it all fits."""
    limits = plan(of_plan, seats=count)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipeline-administrations-")))
        account = ["--plan", of_plan, "--seats", str(count)]
        divisions = ["--administrations", str(count)]
        exact, pipedrive = stack.enter_context(simulators(home, divisions, account, books=SERVE_EXACT))
        os.environ.update(sandbox_environment(home, exact, pipedrive) | {"PIPELINE_CONFIG": str(settled(home, count))})
        stack.enter_context(ready())
        at_once = runs_at_once()
        workers = stack.enter_context(ProcessPoolExecutor(at_once, mp_context=get_context("spawn")))
        first = list(workers.map(run, ["catalogue_delta"] * count, names(count)))
        loaded = tokens(pipedrive)
        print(f"on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; first load: {loaded:,} tokens", flush=True)
        rounds = [one_round(workers, exact, count) for _ in range(of_rounds)]
        spent = (tokens(pipedrive) - loaded) / of_rounds
        deals = len(httpx.get(f"{pipedrive}/__sandbox/state?only=deals", timeout=60).json()["deals"])
        show_lag(rounds, at_once)
        fits = show_limits(rounds, first, spent, limits, at_once)
    print(f"  {deals:,} deals of {count * of_rounds:,} orders")
    return fits and deals == count * of_rounds


def one_round(workers: ProcessPoolExecutor, exact: str, count: int) -> tuple[float, list[Poll]]:
    """The instant at which all polls fall due, and what came of each."""
    for place in range(count):
        order = {"kind": "place_order", "division": FIRST + place}
        httpx.post(f"{exact}/__sandbox/change", json=order, timeout=60).raise_for_status()
    time.sleep(1.5)  # a feed tells of a row a moment after it was written
    due = time.monotonic()
    polls = list(workers.map(run, ["orders_delta"] * count, names(count)))
    print(f"  a round of {count} polls took {time.monotonic() - due:.0f} s", flush=True)
    return due, polls


def show_lag(rounds: Sequence[tuple[float, list[Poll]]], at_once: int) -> None:
    """How long after it fell due a poll had written."""
    lags = sorted(poll.ended - due for due, polls in rounds for poll in polls)
    busy = sorted(poll.busy for _, polls in rounds for poll in polls)
    row("lag behind the instant a poll falls due, s: median", median(lags))
    row("  95 in 100", lags[int(len(lags) * 0.95)])
    row("  the latest", lags[-1], POLL)
    row(f"a poll itself, {at_once} at once, s: median", median(busy))
    slowest = max(names(len(rounds[0][1])), key=lambda name: median(each(rounds, name)))
    row(f"  the slowest administration ({slowest}): median lag, s", median(each(rounds, slowest)))


def each(rounds: Sequence[tuple[float, list[Poll]]], name: str) -> list[float]:
    """The lags of one administration."""
    return [poll.ended - due for due, polls in rounds for poll in polls if poll.administration == name]


def show_limits(
    rounds: Sequence[tuple[float, list[Poll]]], first: Sequence[Poll], spent: float, limits: Any, at_once: int
) -> bool:
    """What these use of each limit, in their own units; whether nothing is over."""
    polls = [poll for _, of in rounds for poll in of]
    count, start, cores = len(first), start_of_a_run(), os.cpu_count() or 1
    cpu = sum(poll.cpu for poll in polls) / len(polls)
    calls = max(poll.calls for poll in polls)
    # A quarter of the polls has one of the whole catalogue beside it, which asks for ten feeds.
    a_day = calls * DAY / POLL + 10 * DAY / (3 * POLL)
    burst = limits["burst"] or 1
    memory = max(poll.memory for poll in [*polls, *first])
    used = {
        "Exact calls of a poll, the most": (calls, MINUTE_CALLS),
        "Exact calls of an administration in a day": (a_day, DAY_CALLS),
        f"tokens of {count} orders, times 288 polls": (spent * DAY / POLL, limits["daily_tokens"] or 0),
        "requests of a round beside the burst's in five minutes": (spent / 5, burst * POLL / BURST_WINDOW),
        "seconds somebody writes or waits for it, of 300 ×runs": (
            sum(p.writing for p in rounds[-1][1]),
            POLL * at_once,
        ),
        "processor seconds of a poll, its start apart": (cpu, None),
        "processor seconds to start a run": (start, None),
        f"processor seconds of {count} polls, of {cores} cores in 300": ((cpu + start) * count, POLL * cores),
        f"MB of a run, the most; {at_once} at once": (memory, None),
    }
    for what, (measured, most) in used.items():
        row(what, measured, most)
    return all(most is None or measured <= most for measured, most in used.values())


def start_of_a_run() -> float:
    """Processor seconds of a run's process before it does anything, begun as Dagster's code server begins it."""
    import_module("pipeline.definitions")  # from here on processes are forked from one that has read it

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as one:
        return one.submit(time.process_time).result()


def runs_at_once() -> int:
    """How many runs dagster.yaml lets go on."""
    settings = yaml.safe_load((PROJECT_FOLDER / "dagster.yaml").read_text("utf-8"))
    return settings["concurrency"]["runs"]["max_concurrent_runs"]


def settled(home: Path, count: int) -> Path:
    """pipeline.yaml with so many administrations in place of the one."""
    said = yaml.safe_load((PROJECT_FOLDER / "pipeline.yaml").read_text("utf-8"))
    (one,) = said["administrations"]
    said["administrations"] = [one | {"name": name, "division": FIRST + n} for n, name in enumerate(names(count))]
    file = home / "pipeline.yaml"
    file.write_text(yaml.safe_dump(said), "utf-8")
    return file


def tokens(pipedrive: str) -> int:
    """All that the account has spent."""
    return httpx.get(f"{pipedrive}/__sandbox/ledger", timeout=60).json()["total"]


def row(what: str, measured: float, most: float | None = None) -> None:
    """One figure, beside its limit."""
    crossed = most is not None and measured > most
    beside = f"{most:>12,.0f}  limit  {measured / most:>7.1%}" if most else ""
    print(f"{'!' if crossed else ' '} {what:58}{measured:>12,.1f}{beside}", flush=True)


if __name__ == "__main__":
    main()
