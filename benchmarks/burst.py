"""How much of Pipedrive's burst window is used when every answer takes 100 ms; a 429 would be a mistake.

Of each plan the share of the window in one run of ten windows.
"""

import argparse
import time

import httpx

from benchmarks.table import Row, run
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.limits import WINDOW, MeteredTransport, retry_policy
from pipeline.pipedrive.parallel import Workers
from pipeline.retry import RetryTransport
from pipeline.sandbox.pipedrive import plan, simulated_pipedrive
from pipeline.sandbox.wire import Simulator
from pipeline_tests.sandbox.simulator_transport import SimulatorTransport

ACCOUNT = "http://pipedrive.sandbox.example"
LATENCY = 0.1  # seconds until an answer comes
WINDOWS = 10
LEAST = 0.85  # share of the window


class Distant(httpx.BaseTransport):
    """A transport whose answers take a while."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Half of the way there, half of it back."""
        time.sleep(LATENCY / 2)
        response = self._inner.handle_request(request)
        time.sleep(LATENCY / 2)
        return response


def share_used(name: str) -> tuple[float, int]:
    """The share of the plan's window that writing uses, and how many requests were refused for it."""
    account = plan(name)
    simulator = simulated_pipedrive(**(account | {"daily_tokens": None}))
    transport = Distant(SimulatorTransport(simulator))
    ledger = Ledger(10**9, 10**9)
    metered = RetryTransport(MeteredTransport(transport, ledger), retry_policy())
    client = PipedriveClient(metered, ACCOUNT, "sandbox", ledger)
    requests = account["burst"] * WINDOWS
    with Workers() as workers:
        began = time.monotonic()
        work = workers.begin(
            lambda number: client.post("/api/v2/organizations", {"name": str(number)}), range(requests)
        )
        written = len(list(work))
        seconds = time.monotonic() - began
    return written / (seconds / WINDOW * account["burst"]), _refused(simulator)


def _refused(simulator: Simulator) -> int:
    counters = httpx.Client(base_url=ACCOUNT, transport=SimulatorTransport(simulator)).get("/__sandbox/counters")
    return int(counters.json()["statuses"].get("429", 0))


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--plans", nargs="+", default=["growth", "ultimate"])


def measure(chosen: argparse.Namespace) -> list[Row]:
    """The share of each plan's window, and what was refused."""
    rows = []
    for name in chosen.plans:
        share, refused = share_used(name)
        what = f"burst window of {name} used, at {LATENCY * 1000:.0f} ms"
        rows.append(Row(what=f"429s on {name}, at {LATENCY * 1000:.0f} ms", ours=refused, line=0, counted=True))
        rows.append(Row(what=what, ours=share, line=LEAST, at_least=True))
    return rows


if __name__ == "__main__":
    run(__doc__, options, measure)
