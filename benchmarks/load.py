"""The first load, as `pipeline sync` does it: 2,000 orders, then ten times as many, each into a warehouse of its own.

Limits are off; simulators and database are processes beside it on the same machine. Real order lines with
`--orders-from FILE.parquet`, else a seeded company of that size. Memory is the most the command's process had.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.counts import MOST_TOKENS, setup_tokens
from benchmarks.table import Row, run
from pipeline.domain.budget import WRITE, add_price
from pipeline.entry import ready
from pipeline.processes import sandbox_environment, simulators

FEW, MANY = 2_000, 20_000
LEAST_SPEED, MOST_MEMORY = 200, 1.3
PIPELINE = [sys.executable, "-W", "ignore", "-m", "pipeline"]
PATIENCE = 600  # seconds until a simulator has its company


@dataclass(frozen=True)
class Load:
    """What came of one."""

    orders: int
    lines: int
    seconds: float
    memory: float  # MB
    tokens: int  # without the setup
    floor: int


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--orders", type=int, default=MANY, help="of the larger one; the smaller has a tenth")
    parser.add_argument("--orders-from", type=Path)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Both loads."""
    few, many = (loaded(orders, chosen.orders_from) for orders in (chosen.orders // 10, chosen.orders))
    kind = "real" if chosen.orders_from else "seeded"
    what = f"first load of {many.orders:,} {kind} orders with {many.lines:,} lines"
    return [
        Row(
            what=f"Pipedrive tokens, {what}",
            ours=many.tokens,
            beside=many.floor,
            named="floor",
            line=MOST_TOKENS,
            counted=True,
        ),
        Row(what=f"{what}, orders a second", ours=many.orders / many.seconds, line=LEAST_SPEED, at_least=True),
        Row(what=f"{what}, lines a second", ours=many.lines / many.seconds),
        Row(what=what, ours=many.seconds, unit="s"),
        Row(
            what=f"peak memory of a first load, {few.orders:,} → {many.orders:,} orders",
            ours=many.memory,
            beside=few.memory,
            named="MB before",
            line=MOST_MEMORY,
            unit="MB",
        ),
    ]


def loaded(orders: int, orders_from: Path | None) -> Load:
    """One first load of so many orders."""
    with surroundings(orders, orders_from) as pipedrive:
        began = time.monotonic()
        said, memory = synchronised()
        seconds = time.monotonic() - began
        ledger = httpx.get(f"{pipedrive}/__sandbox/ledger", timeout=60).json()
        deals = httpx.get(f"{pipedrive}/__sandbox/state?only=deals", timeout=PATIENCE).json()["deals"]
    records = sum(said[kind]["created"] for kind in ("organizations", "persons", "products", "deals"))
    floor = WRITE * records + sum(add_price(len(deal["products"])) for deal in deals)
    lines, tokens = said["deal_products"]["created"], ledger["total"] - setup_tokens(ledger["endpoints"])
    print(f"{len(deals):,} deals, {lines:,} rows: {seconds:.0f} s, {memory:.0f} MB", flush=True)
    return Load(said["deals"]["created"], lines, seconds, memory, tokens, floor)


@contextmanager
def surroundings(orders: int, orders_from: Path | None) -> Iterator[str]:
    """Both simulators and an empty warehouse, in this process's environment; gives the address of Pipedrive's."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipeline-load-")))
        company = ["--orders", str(orders), *(["--orders-from", str(orders_from)] if orders_from else [])]
        account = ["--burst", "0", "--daily-tokens", "0"]
        both = simulators(home, ["--no-limits", *company], account, starts_within=PATIENCE)
        exact, pipedrive = stack.enter_context(both)
        os.environ.update(sandbox_environment(home, exact, pipedrive))
        os.environ.update(PIPEDRIVE_DAILY_TOKENS=str(10**9))
        stack.enter_context(ready())
        yield pipedrive


def synchronised() -> tuple[dict[str, Any], float]:
    """What `pipeline sync --json` said, and the most memory that process had, in MB."""
    child = subprocess.Popen([*PIPELINE, "sync", "--json"], stdout=subprocess.PIPE)
    said = child.stdout.read() if child.stdout else b""
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit("pipeline sync failed; it says why above")
    return json.loads(said), used.ru_maxrss / 1024


if __name__ == "__main__":
    run(__doc__, options, measure)
