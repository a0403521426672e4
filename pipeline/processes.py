"""Child processes of the demo, a test or a measurement: ports, the sandbox's environment, an end they all come to."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from pipeline.config import PROJECT_FOLDER
from pipeline.errors import RetryLater

SANDBOX = (sys.executable, "-W", "ignore", "-m", "pipeline", "sandbox")


def sandbox_environment(home: Path, exact: str, pipedrive: str) -> dict[str, str]:
    """Both simulators at those addresses, and nothing of a real account, whatever .env and the shell say."""
    credentials = ("EXACT_CLIENT_ID", "EXACT_CLIENT_SECRET", "EXACT_REFRESH_TOKEN", "PIPEDRIVE_API_TOKEN")
    return {
        "PIPELINE_HOME": str(home),
        "PIPELINE_CONFIG": str(PROJECT_FOLDER / "pipeline.yaml"),
        "EXACT_BASE_URL": exact,
        "PIPEDRIVE_BASE_URL": pipedrive,
        **dict.fromkeys(credentials, "sandbox"),
        **dict.fromkeys(("WAREHOUSE_URL", "DAGSTER_HOME", "PIPELINE_SECRET_KEY"), ""),
    }


@contextmanager
def process(home: Path, name: str, command: Sequence[str], *, stops_within: float = 30.0) -> Iterator[None]:
    """A child process that listens to signals; at the end it is gone, and so is whatever it started."""
    with (home / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=PROJECT_FOLDER,
            # A process that inherits an ignored SIGINT ignores SIGTERM too, once Dagster has set its handlers.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
        )
    try:
        yield
    finally:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(stops_within)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@contextmanager
def simulators(
    home: Path,
    exact: Sequence[str],
    pipedrive: Sequence[str],
    *,
    books: Sequence[str] = (*SANDBOX, "exact"),
    starts_within: float = 120.0,
) -> Iterator[tuple[str, str]]:
    """Both simulated vendors behind ports of their own, with those options; gives their addresses once both answer.

    `books` is the command of the simulated Exact Online. Raises RetryLater when one does not start within so many
    seconds; what it said lies in `home`.
    """
    ports = free_ports(2)
    addresses = f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
    with (
        process(home, "exact", [*books, "--port", str(ports[0]), *exact]),
        process(home, "pipedrive", [*SANDBOX, "pipedrive", "--port", str(ports[1]), *pipedrive]),
    ):
        deadline = time.monotonic() + starts_within
        while not all(answers(f"{address}/__sandbox/counters") for address in addresses):
            if time.monotonic() > deadline:
                raise RetryLater(f"A simulator did not start within {starts_within:.0f} seconds; see {home}.")
            time.sleep(0.2)
        yield addresses


def answers(address: str) -> bool:
    """Whether somebody is there."""
    try:
        return httpx.get(address, timeout=5.0).is_success
    except httpx.TransportError:
        return False


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
