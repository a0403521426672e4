"""Receivers for tests: in a thread, and as a process of its own, as `pipeline webhooks --port P` starts it."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from sqlalchemy import Engine, text

from pipeline.webhooks.receiver import Receiver
from pipeline.webhooks.writer import Writer, inbox_engine
from pipeline_tests.webhooks.sending import DIVISION, SECRET

COMMAND = [sys.executable, "-W", "ignore", "-m", "pipeline", "webhooks"]
CONFIG = f"administrations: [{{name: nl, source: exact_online, division: {DIVISION}}}]\n"


@dataclass
class Served:
    """A receiver in a thread."""

    http: httpx.Client
    port: int
    engine: Engine

    def post(self, body: bytes) -> int:
        """The status of the answer to that body."""
        return self.http.post("/webhooks/exact", content=body).status_code


@contextmanager
def serving(engine: Engine, warehouse: str | None = None) -> Iterator[Served]:
    """A receiver that writes there."""
    url = warehouse or engine.url.render_as_string(hide_password=False)
    writer = Writer(inbox_engine(url))
    receiver = Receiver(writer, secret=SECRET, divisions={DIVISION: "nl", 2: "be"})
    server = uvicorn.Server(uvicorn.Config(receiver.application(), host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            yield Served(http, port, engine)
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        writer._engine.dispose()
    assert not thread.is_alive()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(home: Path, warehouse: str, **more: str) -> dict[str, str]:
    """What such a process needs."""
    (home / "pipeline.yaml").write_text(CONFIG)
    needed = {
        "PIPELINE_HOME": str(home),
        "PIPELINE_CONFIG": str(home / "pipeline.yaml"),
        "WAREHOUSE_URL": warehouse,
        "EXACT_WEBHOOK_SECRET": SECRET,
        "PYTHONUNBUFFERED": "1",
    }
    return os.environ | needed | more


@dataclass
class Running:
    """A receiver that answers."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def ended(self) -> tuple[int, str]:
        """How it ended, and what it said."""
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@contextmanager
def receiver(variables: dict[str, str], port: int | None = None) -> Iterator[Running]:
    """A receiver in a process; killed at the end, unless it ended before."""
    port = port or free_port()
    process = subprocess.Popen(
        [*COMMAND, "--port", str(port)], env=variables, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    running = Running(process, port)
    try:
        until_it_answers(running)
        yield running
    finally:
        process.kill()
        with suppress(ValueError):  # its output was read before
            process.communicate()


def until_it_answers(running: Running, status: int = 200) -> None:
    """Returns when /health answers so."""
    while True:
        assert running.process.poll() is None, running.ended()
        with suppress(httpx.TransportError):
            if httpx.get(f"{running.url}/health", timeout=30).status_code == status:
                return
        time.sleep(0.05)


def stored(engine: Engine) -> set[str]:
    """The HashCodes in the inbox."""
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT hash_code FROM inbox.webhook_events")).scalars())
