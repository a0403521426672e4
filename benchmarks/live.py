"""From a change in Exact Online to the changed deal, for 1, 20 and 200 changes at once.

All of the product as it runs, each part a process: database, webhook receiver, Dagster's daemon with its code server,
both simulators with their limits off. The first phase is counted from the change: received (webhook in the inbox). The
others are those of the run that wrote the deal, counted from the webhook: detected (run asked for), started (its
process runs code), landed (rows read), written (deal); 0 where a run on its way took in the change before its webhook.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, text

from benchmarks.table import Row, run
from pipeline.config import PROJECT_FOLDER
from pipeline.entry import ready
from pipeline.processes import answers, free_ports, process, sandbox_environment, simulators

DEADLINE = 240.0  # seconds
SIZES, MOST_ORDERS = (1, 20, 200), 240
MOST_MEDIAN, MOST_LATE, MOST_SLOWER, MOST_START = 5.0, 8.0, 2.0, 3.0  # seconds
PHASES = ("received", "detected", "started", "landed", "written")
PIPELINE = [sys.executable, "-W", "ignore", "-m", "pipeline"]
# Of each changed order: when its webhook came in, and when the deal was written, and in which run.
_WRITTEN = """
SELECT order_id, extract(epoch FROM written_at) AS written FROM pipedrive.deals
WHERE order_id = ANY(:orders) AND written_at > to_timestamp(:since)
"""
_RECEIVED = """
SELECT max(extract(epoch FROM received_at)) FROM inbox.webhook_events
WHERE content LIKE '%' || :key || '%' AND received_at >= to_timestamp(:since)
"""
_RUNS = """
SELECT run.run_id, extract(epoch FROM run.create_timestamp AT TIME ZONE 'UTC') AS created, run.start_time,
    (SELECT extract(epoch FROM min(event.timestamp) AT TIME ZONE 'UTC') FROM dagster.event_logs AS event
        WHERE event.run_id = run.run_id AND event.dagster_event_type = 'PIPELINE_START') AS started,
    (SELECT extract(epoch FROM min(event.timestamp) AT TIME ZONE 'UTC') FROM dagster.event_logs AS event
        WHERE event.run_id = run.run_id AND event.dagster_event_type = 'ASSET_MATERIALIZATION'
            AND event.asset_key = '["exact_online", "deletions"]') AS landed,
    (SELECT extract(epoch FROM max(event.timestamp) AT TIME ZONE 'UTC') FROM dagster.event_logs AS event
        WHERE event.run_id = run.run_id AND event.step_key = 'pipedrive') AS applied
FROM dagster.runs AS run WHERE run.pipeline_name = 'orders_delta' ORDER BY run.id
"""


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each size")


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Seconds from webhook to deal, and of the start of a run."""
    with running() as (engine, exact):
        orders = some_orders(engine)
        figures = {size: [] for size in SIZES}
        for number in range(chosen.rounds):
            for size in SIZES:
                figures[size] += measured(engine, exact, orders[:size], f"round {number}")
        print(table(figures), flush=True)
    return rows_of(figures)


def rows_of(figures: dict[int, list[dict[str, float]]]) -> list[Row]:
    """What was reached, beside what is asked for."""
    written = {size: sorted(row["written"] for row in found) for size, found in figures.items()}
    rows = []
    for size, seconds in written.items():
        what = f"webhook to deal, {size} at once"
        rows.append(Row(what=f"{what}, median", ours=statistics.median(seconds), line=MOST_MEDIAN, unit="s"))
        rows.append(Row(what=f"{what}, 95 in 100", ours=late(seconds), line=MOST_LATE, unit="s"))
    one, many = (statistics.median(written[size]) for size in (SIZES[0], SIZES[-1]))
    slower = f"webhook to deal, {SIZES[-1]} at once after 1 at once, median"
    # A run that was under way already took in the change: it says nothing about starting one.
    starts = [row["started"] - row["detected"] for row in figures[SIZES[0]] if row["detected"] > 0]
    start = statistics.median(starts) if starts else None
    return [
        *rows,
        Row(what=slower, ours=many - one, line=MOST_SLOWER, unit="s"),
        Row(what="start of a run to its first step, median", ours=start, line=MOST_START, unit="s", said="none began"),
    ]


def late(seconds: Sequence[float]) -> float:
    """Within what 95 in 100 were done, of numbers in order."""
    return seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))]


def measured(engine: Engine, exact: str, orders: Sequence[str], mark: str) -> list[dict[str, float]]:
    """Seconds from each change to each phase."""
    until("a quiet moment", lambda: is_quiet(engine))
    began = {}
    with httpx.Client(base_url=exact) as http:
        for order in orders:
            began[order] = time.time()
            fields = {"your_ref": f"{mark} {began[order]:.3f}"[:30]}
            change = {"kind": "set_order", "order": order, "fields": fields}
            http.post("/__sandbox/change", json=change).raise_for_status()
    since = min(began.values())

    def all_written() -> dict[str, float] | None:
        found = {row.order_id: float(row.written) for row in rows(engine, _WRITTEN, orders=list(orders), since=since)}
        return found if len(found) == len(orders) else None

    written = until(f"{len(orders)} deals", all_written)
    until("a quiet moment", lambda: is_quiet(engine))
    runs = rows(engine, _RUNS)
    return [phases(engine, runs, order, began[order], written[order]) for order in orders]


def phases(engine: Engine, runs: Sequence[Any], order: str, began: float, written: float) -> dict[str, float]:
    """When each phase was reached: the webhook in seconds after the change, the others after the webhook."""
    run = next(run for run in runs if run.applied and run.landed and run.applied >= written - 0.01)
    received = rows(engine, _RECEIVED, key=order, since=began - 0.01)[0][0] or began
    reached = (run.created, run.started, run.landed, written)
    after = [max(float(moment) - float(received), 0.0) for moment in reached]
    return dict(zip(PHASES, [float(received) - began, *after], strict=True))


def table(figures: dict[int, list[dict[str, float]]]) -> str:
    """Median and 95th percentile of each phase, sizes side by side."""
    lines = [f"seconds, median / p95, on {os.cpu_count()} cores with a load of {os.getloadavg()[1]:.1f}"]
    lines += [f"{'at once':>8}{'deals':>8}" + "".join(f"{name:>16}" for name in PHASES)]
    for size, found in figures.items():
        shown = []
        for name in PHASES:
            values = sorted(row[name] for row in found)
            shown.append(f"{statistics.median(values):>8.1f} /{late(values):>6.1f}")
        lines.append(f"{size:>8}{len(found):>8}" + "".join(shown))
    return "\n".join(lines)


def rows(engine: Engine, query: str, **parameters: Any) -> list[Any]:
    """The query's rows."""
    with engine.connect() as connection:
        return list(connection.execute(text(query), parameters).all())


def is_quiet(engine: Engine) -> bool:
    """Whether no run is queued or under way and no webhook waits."""
    busy = "SELECT 1 FROM dagster.runs WHERE status IN ('QUEUED', 'NOT_STARTED', 'STARTING', 'STARTED') LIMIT 1"
    return not rows(engine, busy) and not rows(engine, "SELECT 1 FROM inbox.webhook_events WHERE handled_at IS NULL")


def some_orders(engine: Engine) -> list[str]:
    """Orders that have a deal."""
    found = rows(engine, "SELECT order_id FROM pipedrive.deals ORDER BY order_id LIMIT :most", most=MOST_ORDERS)
    return [row.order_id for row in found]


@contextmanager
def running() -> Iterator[tuple[Engine, str]]:
    """All of it, synchronised once and subscribed to webhooks; at the end every process is gone."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipeline-live-")))
        books = ["--orders", str(MOST_ORDERS + 60), "--no-limits", "--switch", "webhook_requires_https=false"]
        account = ["--burst", "0", "--daily-tokens", "0"]
        exact, pipedrive = stack.enter_context(simulators(home, books, account, starts_within=DEADLINE))
        (port,) = free_ports(1)
        receiver = f"http://127.0.0.1:{port}"
        os.environ.update(sandbox_environment(home, exact, pipedrive))
        os.environ.update(PUBLIC_URL=receiver, EXACT_WEBHOOK_SECRET="sandbox", PIPEDRIVE_DAILY_TOKENS=str(10**9))
        engine = stack.enter_context(ready())
        subprocess.run([*PIPELINE, "sync"], check=True, cwd=PROJECT_FOLDER, stdout=subprocess.DEVNULL)
        stack.enter_context(process(home, "webhooks", [*PIPELINE, "webhooks", "--port", str(port)]))
        until(receiver, lambda: answers(f"{receiver}/health"))
        subprocess.run([*PIPELINE, "webhooks", "subscribe"], check=True, cwd=PROJECT_FOLDER)
        daemon = [
            str(Path(sys.executable).parent / "dagster-daemon"),
            "run",
            "-w",
            str(PROJECT_FOLDER / "workspace.yaml"),
        ]
        stack.enter_context(process(home, "daemon", daemon, stops_within=45.0))  # it waits for its running tick
        until("the sensor's first tick", lambda: rows(engine, "SELECT 1 FROM dagster.job_ticks LIMIT 1"))
        yield engine, exact


def until(what: str, ask: Callable[[], Any]) -> Any:
    """The first answer that is something."""
    deadline = time.monotonic() + DEADLINE
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {DEADLINE:.0f} seconds")
        time.sleep(0.2)
    return answer


if __name__ == "__main__":
    run(__doc__, options, measure)
