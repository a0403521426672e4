"""`pipeline demo`: two simulators as processes of their own, one full sync, a summary, and the Dagster UI.

Everything lives in a folder of its own under PIPELINE_HOME and is made anew each time; real accounts are never touched.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from pipeline import progress
from pipeline.config import PROJECT_FOLDER, load_config
from pipeline.entry import ready
from pipeline.errors import RetryLater
from pipeline.presentation import sync_text
from pipeline.processes import answers, free_ports, process, sandbox_environment
from pipeline.settings import settings

START_DEADLINE = 300.0  # seconds; half a million real order lines take the simulator a while to load
STOP_DEADLINE = 20.0


@dataclass(frozen=True)
class Demo:
    """What was asked for."""

    once: bool
    orders: int | None
    orders_from: Path | None

    @property
    def company(self) -> list[str]:
        """The simulator's arguments for the company."""
        chosen = ["--orders", str(self.orders)] if self.orders is not None else []
        return chosen + (["--orders-from", str(self.orders_from.resolve())] if self.orders_from else [])


def run_demo(demo: Demo) -> None:
    """Runs the demo; with `once` it ends after the summary."""
    home = settings().home / "demo"
    shutil.rmtree(home, ignore_errors=True)
    exact_port, pipedrive_port = free_ports(2)
    exact, pipedrive = (f"http://127.0.0.1:{port}" for port in (exact_port, pipedrive_port))
    os.environ.update(sandbox_environment(home, exact, pipedrive), PIPEDRIVE_DAILY_TOKENS=str(10**9))
    with ExitStack() as stack:
        print("Starting simulated Exact Online and Pipedrive, and PostgreSQL …", flush=True)
        company = ["exact", "--port", str(exact_port), "--no-limits", *demo.company]
        stack.enter_context(_started("exact", [sys.executable, "-m", "pipeline", "sandbox", *company]))
        account = ["pipedrive", "--port", str(pipedrive_port), "--burst", "0", "--daily-tokens", "0"]
        stack.enter_context(_started("pipedrive", [sys.executable, "-m", "pipeline", "sandbox", *account]))
        engine = stack.enter_context(ready())
        _wait_for(f"{pipedrive}/__sandbox/counters", "the simulated Pipedrive")
        _wait_for(f"{exact}/__sandbox/counters", "the simulated Exact Online")
        _sync(engine)
        if not demo.once:
            _show_interface(stack)


def _sync(engine: Engine) -> None:
    from pipeline.automation.running import synchronise

    print("Synchronising: every order of the last twelve months becomes a deal …", flush=True)
    began = time.monotonic()
    config = load_config()
    with progress.shown():
        done = synchronise(engine, config, config.administrations, months=config.history.months)
    counts = done.as_dict(time.monotonic() - began)
    print(f"\n{sync_text(counts, done.stopped)}\n\n{_summary(engine, counts)}", flush=True)


def _summary(engine: Engine, counts: dict) -> str:
    with engine.connect() as connection:
        found = connection.execute(text(_SUMMARY)).one()
        top = connection.execute(text(_TOP_GROUPS)).all()
    groups = "\n".join(f"  {row.item_group:28}{row.revenue:>16,.2f}" for row in top)
    speed = found.deals / max(counts["seconds"], 0.01)
    return (
        f"{found.orders:,} orders in Exact Online became {found.deals:,} deals with {found.lines:,} rows in Pipedrive, "
        f"worth {found.value:,.2f} EUR; {found.held:,} wait in crm.held_orders.\n"
        f"That took {counts['pipedrive_tokens']:,} tokens and {counts['seconds']:,} seconds, "
        f"{speed:,.0f} orders a second.\n"
        f"Revenue per category, from marts.revenue_per_category, the largest five:\n{groups}"
    )


def _show_interface(stack: ExitStack) -> None:
    (port,) = free_ports(1)
    binaries = Path(sys.executable).parent
    workspace = ["-w", str(PROJECT_FOLDER / "workspace.yaml")]
    webserver = [str(binaries / "dagster-webserver"), "-h", "127.0.0.1", "-p", str(port), *workspace]
    stack.enter_context(_started("webserver", webserver))
    stack.enter_context(_started("daemon", [str(binaries / "dagster-daemon"), "run", *workspace]))
    _wait_for(f"http://127.0.0.1:{port}/server_info", "the Dagster UI")
    print(f"\nThe Dagster UI: http://127.0.0.1:{port}/asset-groups")
    print(f"The simulated Pipedrive: {settings().pipedrive_base_url}/__sandbox/state")
    print("Stop with Ctrl-C.", flush=True)
    signal.pause()


def _started(name: str, command: Sequence[str]) -> AbstractContextManager[None]:
    logs = settings().home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    return process(logs, name, command, stops_within=STOP_DEADLINE)


def _wait_for(address: str, what: str) -> None:
    deadline = time.monotonic() + START_DEADLINE
    while not answers(address):
        if time.monotonic() > deadline:
            raise RetryLater(
                f"{what} did not start within {START_DEADLINE:.0f} seconds; see {settings().home / 'logs'}"
            )
        time.sleep(0.2)


_SUMMARY = """
SELECT (SELECT count(*) FROM erp.orders) AS orders, (SELECT count(*) FROM pipedrive.deals) AS deals,
    (SELECT count(*) FROM pipedrive.deal_products) AS lines, (SELECT coalesce(sum(value), 0) FROM crm.deals) AS value,
    (SELECT count(*) FROM crm.held_orders) AS held
"""
_TOP_GROUPS = """
SELECT item_group, sum(revenue_excl_vat) AS revenue FROM marts.revenue_per_category
GROUP BY item_group ORDER BY revenue DESC LIMIT 5
"""
