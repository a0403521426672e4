"""The console command in processes of its own, forked from one that has the libraries already.

Each has its own arguments, environment, streams, exit status and process, as ever; only the seconds in which Python
reads Dagster, pandas and our own steps are spent once. `test_the_demo_ends_with_a_summary` and `webhooks/` start it
from nothing.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

LIBRARIES = ("dagster", "dagster_postgres", "pandas", "psycopg", "alembic", "typer", "rich", "uvicorn", "cryptography")
OURS = ("domain", "exact_online", "pipedrive", "sandbox", "steps", "transform", "warehouse")  # read no environment
SOCKET, END = "console", b"\n"


class Running:
    """A command under way, whose streams go into files."""

    def __init__(self, connection: socket.socket, streams: Sequence[Path]) -> None:
        self._connection, self._streams = connection, streams
        self._answers = connection.makefile("rb")  # by lines: the status of a short command comes with its number
        self._pid = int(self._answers.readline())

    def terminate(self) -> None:
        """Asks it to stop."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)

    def wait(self, timeout: float) -> subprocess.CompletedProcess[str]:
        """Its exit status and what it said, once it ended; raises TimeoutError when it does not."""
        with self._connection as connection, self._answers:
            connection.settimeout(timeout)
            status = int(self._answers.readline())
        return subprocess.CompletedProcess([], status, *(stream.read_text() for stream in self._streams))


class Console:
    """Starts commands; each keeps its streams in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, count()

    def start(self, *arguments: str, environment: Mapping[str, str]) -> Running:
        """Starts `pipeline` with those arguments and only those variables."""
        number = next(self._numbers)
        streams = [self._folder / f"{number}.{name}" for name in ("out", "err")]
        asked = {"arguments": arguments, "environment": dict(environment), "streams": [str(path) for path in streams]}
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self._folder / SOCKET))
        connection.sendall(json.dumps(asked).encode() + END)
        return Running(connection, streams)

    def run(self, *arguments: str, environment: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        return self.start(*arguments, environment=environment).wait(timeout)


@contextlib.contextmanager
def console() -> Iterator[Console]:
    """The process that the commands are forked from, for as long as this lasts."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-W", "ignore", __file__, str(Path(folder) / SOCKET)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as server:
            assert server.stdout
            assert server.stdout.readline() == b"ready\n"
            yield Console(Path(folder))
            server.terminate()


def _serve(address: str) -> list[str]:
    """Answers each request with a process's number and later its exit status; returns, in that process, what it is."""
    for library in (*LIBRARIES, *_ours()):
        importlib.import_module(library)
    gc.freeze()  # or each process copies the pages that the collector touches
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                if os.fork() == 0:
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    return _kept(connection)


def _ours() -> Iterator[str]:
    """The modules of those layers, but for programs and migrations."""
    for layer in OURS:
        package = importlib.import_module(f"pipeline.{layer}")
        names = (module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))
        yield from (name for name in names if "__main__" not in name and ".migrations" not in name)


def _kept(connection: socket.socket) -> list[str]:
    """Waits for the command in one process, and is the command in the other."""
    with connection.makefile("rb") as asked:
        request: dict[str, Any] = json.loads(asked.readline())
    if command := os.fork():
        connection.sendall(b"%d\n" % command)
        _, status = os.waitpid(command, 0)
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    for number, path in enumerate(request["streams"], start=1):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), number)
    os.environ.clear()
    os.environ.update(request["environment"])
    return request["arguments"]


if __name__ == "__main__":
    from pipeline.cli import main  # reads no environment; the definitions do, and only when a command needs them

    sys.argv = ["pipeline", *_serve(sys.argv[1])]
    main()
