"""Where a process is killed: both simulators behind real ports, PostgreSQL behind a proxy, and a way to start a run.

The simulators live in this process and are changed between runs; the run is a process of its own.
"""

import asyncio
import itertools
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import uvicorn
import yaml
from cryptography.fernet import Fernet
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.pool import NullPool

from pipeline.sandbox.exact_online import ExactOnlineSimulator
from pipeline.sandbox.pipedrive import Pipedrive
from pipeline.sandbox.serving import asgi
from pipeline.sandbox.wire import Request, Response
from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.embedded import embedded_postgres
from pipeline.warehouse.migrating import migrate
from pipeline_tests.chaos.database_proxy import DatabaseProxy
from pipeline_tests.chaos.tripwire import Point, Tripwire, kind_of
from pipeline_tests.chaos.victim import DONE, PRELOADED, synchronise
from pipeline_tests.world import SETTINGS

EMPTY = "template"  # a migrated database with nothing in it
RUN_DEADLINE = 120.0
KILLED = -9
_numbers = itertools.count()
_KEY = Fernet.generate_key().decode()


@dataclass
class Run:
    """How a run ended, and what it asked for."""

    status: int
    wire: Tripwire
    said: str = ""  # by the console command

    @property
    def went_well(self) -> bool:
        return self.status == DONE


@dataclass
class Theatre:
    """The ports and the databases. `exact` and `pipedrive` are who answers at present."""

    postgres: str
    console_home: Path
    exact: ExactOnlineSimulator | None = None
    pipedrive: Pipedrive | None = None
    before_request: Callable[[str, Request], None] = lambda side, request: None
    ports: dict[str, int] = field(default_factory=dict)
    database: str = EMPTY

    def open(self) -> None:
        """Begins to listen."""
        self.proxy = DatabaseProxy(self.postgres)
        self._servers = [self._served("exact"), self._served("pipedrive")]
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(PRELOADED)

    def close(self) -> None:
        """Ends the servers."""
        for server, thread in self._servers:
            server.should_exit = True
            thread.join()
        self.proxy.close()

    def copied_database(self, template: str) -> str:
        """A database of its own, like that one."""
        name = f"chaos_{os.getpid()}_{next(_numbers)}"
        self._statement(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        """Removes a database, whoever is still connected."""
        self._statement(f"DROP DATABASE {database} WITH (FORCE)")

    @contextmanager
    def warehouse(self) -> Iterator[Engine]:
        """The present database, not by way of the proxy."""
        url = make_url(self.postgres).set(database=self.database).render_as_string(hide_password=False)
        engine = create_engine(warehouse_url(url), poolclass=NullPool)
        yield engine
        engine.dispose()

    def run(self, point: Point | None = None, *, console: bool = False) -> Run:
        """One synchronisation in a process of its own, killed at that point."""
        wire = self.proxy.wire = Tripwire(point)
        if not console:
            return Run(self._lean(wire), wire)
        return Run(self._console(wire), wire, (self.console_home / "said.txt").read_text()[-500:])

    @property
    def environment(self) -> dict[str, str]:
        """What a run is told."""
        return {
            "EXACT_BASE_URL": f"http://127.0.0.1:{self.ports['exact']}",
            "EXACT_CLIENT_ID": "sandbox",
            "EXACT_CLIENT_SECRET": "sandbox",
            "EXACT_REFRESH_TOKEN": "sandbox",
            "PIPEDRIVE_BASE_URL": f"http://127.0.0.1:{self.ports['pipedrive']}",
            "PIPEDRIVE_API_TOKEN": "sandbox",
            "PIPELINE_SECRET_KEY": _KEY,
            "WAREHOUSE_URL": self.proxy.url(self.database),
        }

    def _lean(self, wire: Tripwire) -> int:
        process = self._processes.Process(target=synchronise, args=(self.environment, SETTINGS))
        process.start()
        wire.watch(process.pid or 0)
        process.join(RUN_DEADLINE)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError("a run did not end")
        status = process.exitcode
        process.close()
        return status

    def _console(self, wire: Tripwire) -> int:
        """The command as a person starts it."""
        configuration = self.console_home / "pipeline.yaml"
        configuration.write_text(yaml.safe_dump(SETTINGS))
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("EXACT_", "PIPE", "WAREHOUSE"))
        }
        own = {"PIPELINE_HOME": str(self.console_home), "PIPELINE_CONFIG": str(configuration), "DAGSTER_HOME": ""}
        with (self.console_home / "said.txt").open("w") as said:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "pipeline", "sync", "--json"],
                env=kept | self.environment | own,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        wire.watch(process.pid)
        return process.wait(RUN_DEADLINE)

    def _served(self, side: str) -> tuple[uvicorn.Server, Thread]:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each answer waits 40 ms for its last part
        self.ports[side] = listening.getsockname()[1]
        config = uvicorn.Config(
            self._application(side), log_level="critical", access_log=False, lifespan="off", ws="none"
        )
        server = uvicorn.Server(config)
        thread = Thread(target=lambda: asyncio.run(server.serve([listening])), name=side, daemon=True)
        thread.start()
        return server, thread

    def _application(self, side: str) -> Any:
        """The simulator on the stage, behind the wire."""

        def answered(request: Request) -> Response:
            self.before_request(side, request)
            simulator = self.exact if side == "exact" else self.pipedrive
            assert simulator is not None
            return simulator(request)

        inner = asgi(answered)

        async def application(scope: dict, receive: Any, send: Any) -> None:
            if scope["path"].startswith("/__sandbox/"):
                await inner(scope, receive, send)
                return
            wire = self.proxy.wire
            kind = kind_of(side, scope["method"], scope["path"])
            number = wire.passing(kind)
            if wire.is_hit(kind, number, "before"):
                return

            async def send_unless_dead(message: dict) -> None:
                is_beginning = message["type"] == "http.response.start"
                if not (is_beginning and wire.is_hit(kind, number, "after")) and not is_dead():
                    await send(message)

            def is_dead() -> bool:
                return wire.struck and wire.point == Point(kind, number, "after")

            await inner(scope, receive, send_unless_dead)

        return application

    def _statement(self, statement: str) -> None:
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]


@contextmanager
def opened(postgres: str) -> Iterator[Theatre]:
    """A theatre beside a server that has a database `template`."""
    with tempfile.TemporaryDirectory() as home:
        theatre = Theatre(postgres, Path(home))
        theatre.open()
        try:
            yield theatre
        finally:
            theatre.close()


@contextmanager
def own_postgres() -> Iterator[str]:
    """A server of its own, with a migrated database to copy from."""
    with tempfile.TemporaryDirectory() as home, embedded_postgres(Path(home)) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER ROLE postgres SET synchronous_commit = off")
            connection.execute(f"CREATE DATABASE {EMPTY}")
        engine = create_engine(warehouse_url(make_url(url).set(database=EMPTY).render_as_string(hide_password=False)))
        migrate(engine)
        engine.dispose()
        yield url
