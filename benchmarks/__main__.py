"""`make bench`: the figures of a first load and of a quiet run, each beside its floor.

Counts come first, since they don't depend on the machine; a time is only ever shown with what it was measured on.
`--orders-from FILE.parquet` measures real order lines, else the seeded company is used.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from pipeline.domain.budget import WRITE, add_price
from pipeline.sandbox.pipedrive import plan

EXACT, PIPEDRIVE = 7301, 7302
LARGE_PAGE, PAGE = 1000, 60
SETUP = ("Fields", "users", "pipelines", "stages", "GET /api/v2/organizations")
COMMAND = [sys.executable, "-W", "ignore", "-m", "pipeline"]


def main() -> None:
    """Measures and prints."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--orders", type=int)
    arguments.add_argument("--orders-from", type=Path)
    chosen = arguments.parse_args()
    company = ["--orders", str(chosen.orders)] if chosen.orders is not None else []
    company += ["--orders-from", str(chosen.orders_from.resolve())] if chosen.orders_from else []
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(simulator(["exact", "--port", str(EXACT), "--no-limits", *company], EXACT))
        options = ["--port", str(PIPEDRIVE), "--burst", "0", "--daily-tokens", "0"]
        stack.enter_context(simulator(["pipedrive", *options], PIPEDRIVE))
        report(home)


def report(home: Path) -> None:
    """One first load and one quiet run."""
    environment = os.environ | {
        "PIPELINE_HOME": str(home),
        "EXACT_BASE_URL": f"http://127.0.0.1:{EXACT}",
        "PIPEDRIVE_BASE_URL": f"http://127.0.0.1:{PIPEDRIVE}",
        "PIPEDRIVE_DAILY_TOKENS": str(10**9),
        **{name: "sandbox" for name in ("EXACT_CLIENT_ID", "EXACT_CLIENT_SECRET", "EXACT_REFRESH_TOKEN")},
        "PIPEDRIVE_API_TOKEN": "sandbox",
    }
    first = sync(environment)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    spent = httpx.get(f"http://127.0.0.1:{PIPEDRIVE}/__sandbox/ledger", timeout=60).json()
    deals = httpx.get(f"http://127.0.0.1:{PIPEDRIVE}/__sandbox/state?only=deals", timeout=600).json()["deals"]
    before = httpx.get(f"http://127.0.0.1:{PIPEDRIVE}/__sandbox/counters").json()["total"]
    quiet = sync(environment)
    asked = httpx.get(f"http://127.0.0.1:{PIPEDRIVE}/__sandbox/counters").json()["total"] - before
    records = sum(first[kind]["created"] for kind in ("organizations", "persons", "products", "deals"))
    floor = WRITE * records + sum(add_price(len(deal["products"])) for deal in deals)
    setup = setup_tokens(spent)
    pages = full_pages(first)
    row("Pipedrive tokens of a first load, setup apart", first["pipedrive_tokens"] - setup, floor, "floor")
    row("Exact calls of a first load", first["exact_calls"], pages, "full pages")
    row("Pipedrive requests of a quiet run", asked, 0, "floor")
    row("Exact calls of a quiet run", quiet["exact_calls"], 10, "feeds")
    row("setup, tokens once", setup, setup, "")
    show_speed(first, quiet, memory)


def show_speed(first: dict[str, Any], quiet: dict[str, Any], memory: float) -> None:
    """What depends on the machine, and what the tokens mean in days."""
    created = first["deals"]["created"]
    print(f"{'orders a second, first load, this machine':48}{created / first['seconds']:>12,.1f}{'100':>12}  wanted")
    print(
        f"{'lines a second, first load, this machine':48}{first['deal_products']['created'] / first['seconds']:>12,.1f}"
    )
    print(f"{'peak memory of the pipeline, MB':48}{memory:>12,.0f}{'500':>12}  limit")
    print(f"{'seconds of the first load / of the quiet run':48}{first['seconds']:>12,.1f}{quiet['seconds']:>12,.1f}")
    for name in ("lite", "premium"):
        daily = plan(name, seats=6)["daily_tokens"]
        days = math.ceil(first["pipedrive_tokens"] / (daily * 0.8))
        print(f"{f'days of migration, {name} with six seats':48}{days:>12}")


def row(what: str, measured: int, floor: int, named: str) -> None:
    """One figure beside its floor."""
    ratio = f"{measured / floor:>8.3f} ×" if floor else ""
    print(f"{what:48}{measured:>12,}{floor:>12,}  {named:10}{ratio}")


def full_pages(first: dict[str, Any]) -> int:
    """Calls if every feed were read in full pages: orders, relations, contacts, items, prices, groups, and changes."""
    rows = tuple(first[kind]["created"] for kind in ("deals", "organizations", "products", "persons"))
    state = httpx.get(f"http://127.0.0.1:{EXACT}/__sandbox/state").json()
    prices = next((count for name, count in flat(state) if name.endswith("prices")), rows[2])
    return sum(math.ceil(count / LARGE_PAGE) for count in (*rows, prices)) + 1 + 3


def flat(value: Any, name: str = "") -> Iterator[tuple[str, int]]:
    """Every number of a nested answer under its name."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from flat(entry, f"{name}.{key}")
    elif isinstance(value, int):
        yield name, value


def setup_tokens(spent: dict[str, Any]) -> int:
    """Tokens of requests that come once."""
    found = {
        name.rsplit(".", 1)[-1]: tokens for name, tokens in flat(spent) if "by_endpoint" in name or "/api/" in name
    }
    return sum(
        tokens
        for name, tokens in found.items()
        if any(word in name for word in SETUP) and not name.startswith("POST /api/v2/organizations")
    )


def sync(environment: dict[str, str]) -> dict[str, Any]:
    """One run of the console command."""
    finished = subprocess.run(
        [*COMMAND, "sync", "--json"], env=environment, capture_output=True, text=True, check=False
    )
    if finished.returncode:
        sys.exit(finished.stderr)
    return json.loads(finished.stdout)


@contextmanager
def simulator(arguments: list[str], port: int) -> Iterator[None]:
    """A simulator as a process of its own."""
    process = subprocess.Popen([*COMMAND, "sandbox", *arguments], stdin=subprocess.DEVNULL)
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/__sandbox/counters")
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
