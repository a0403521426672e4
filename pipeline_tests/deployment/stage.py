"""The services of docker-compose.yml as processes of this machine: each with its own command, environment and check.

What stands for Docker: names become ports of 127.0.0.1, a killed service takes all its processes along, and one that
ended is started again. PostgreSQL is the embedded one's programs, as the service's own user over TCP with its password.
"""

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeVar

import psutil

from pipeline.processes import free_ports
from pipeline.warehouse.embedded import Cluster, postgres_programs
from pipeline.warehouse.embedded_account import account_for, let_reach
from pipeline_tests.deployment.compose import Service
from pipeline_tests.deployment.image import Image, in_the_folder

DATABASE = "postgres"
DEADLINE = 420.0  # seconds; a run that died with its service is noticed by the daemon within a minute or two
# What `docker stop` sends where an image asks for another signal: PostgreSQL's, to which SIGTERM means to wait for all.
STOPS_ON = {DATABASE: signal.SIGINT}
_RESTART = 1.0  # seconds that Docker waits about before it starts something again

Answer = TypeVar("Answer")


class Stage:
    """All services that are ours, and the database."""

    def __init__(self, image: Image, services: Mapping[str, Service]) -> None:
        self.services = {name: one for name, one in services.items() if one.is_ours or name == DATABASE}
        inside = ["5432", *(port for one in self.services.values() for port in one.ports)]
        self.ports = dict(zip(inside, map(str, free_ports(len(inside))), strict=True))
        self._image = image
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: dict[str, float] = {}
        data = image.root / "database"
        programs = postgres_programs()
        self._cluster = Cluster(data, programs, account_for(data))
        let_reach(image.root, programs)
        workspace = image.work / "workspace.yaml"
        workspace.write_text(self._here(workspace.read_text("utf-8")).replace("host: code", "host: 127.0.0.1"), "utf-8")

    def up(self) -> Iterator[str]:
        """Starts everything in compose's order, each when what it waits for is so far; names it when it is well."""
        self._make_database()
        for name, service in self.services.items():
            for other, condition in service.waits_for.items():
                assert (condition == "service_healthy") == self.services[other].stays, f"{name} waits for {other}"
            if service.stays:
                self._start(name)
                self.until(f"{name} is well", lambda name=name: self.is_well(name))
            else:
                self.once(name, service.command)
            yield name

    def once(self, name: str, command: list[str]) -> str:
        """`docker compose run --rm NAME COMMAND`: what it printed; anything but status 0 ends the rehearsal."""
        done = subprocess.run(
            self._words(command), cwd=self._image.work, env=self._environment(name), capture_output=True, check=False
        )
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        if done.returncode:
            raise SystemExit(f"{name}: {shlex.join(command)} ended with {done.returncode}:\n{said}\n{self.log(name)}")
        return said

    def is_well(self, name: str) -> bool:
        """What the service's own health check says."""
        check = subprocess.run(
            self._words(self.services[name].check),
            cwd=self._image.work,
            env=self._environment(name),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=120,
        )
        return self._running[name].poll() is None and check.returncode == 0

    def end(self, name: str, how: signal.Signals) -> float:
        """Stops a service, all its processes with it; returns the seconds that took."""
        began, process = time.monotonic(), self._running[name]
        with suppress(psutil.NoSuchProcess):
            everything = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(STOPS_ON.get(name, how) if how is signal.SIGTERM else how)
            if how is not signal.SIGKILL:
                process.wait(60)
            for one in everything:  # the container goes, and takes along what is left in it
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        process.wait(60)
        return time.monotonic() - began

    def tend(self) -> None:
        """Starts again what ended, as `restart: unless-stopped` does."""
        for name, process in self._running.items():
            if process.poll() is not None:
                self._ended.setdefault(name, time.monotonic())
        for name, since in list(self._ended.items()):
            if time.monotonic() - since > _RESTART:
                del self._ended[name]
                self._start(name)

    def until(self, what: str, ask: Callable[[], Answer | None]) -> Answer:
        """The first answer that is something, while everything is kept running."""
        deadline = time.monotonic() + DEADLINE
        while not (answer := ask()):
            self.tend()
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- {name}\n{self.log(name)}" for name in self.services)
                raise SystemExit(f"NOT within {DEADLINE:.0f} seconds: {what}\n{logs}")
            time.sleep(0.5)
        return answer

    def log(self, name: str) -> str:
        """The end of what a service printed."""
        file = self._image.root / f"{name}.log"
        return "\n".join(file.read_text("utf-8", "replace").splitlines()[-25:]) if file.exists() else ""

    def close(self) -> None:
        """Ends everything, the last first."""
        for name in reversed(self._running):
            if self._running[name].poll() is None:
                self.end(name, signal.SIGKILL if name != DATABASE else signal.SIGINT)

    def _here(self, words: str) -> str:
        """Hosts, ports and paths of the containers as they are here."""
        for inside, outside in self.ports.items():
            words = re.sub(rf"(?<![\d.]){inside}(?!\d)", outside, words)
        words = words.replace("0.0.0.0", "127.0.0.1").replace(f"@{DATABASE}:", "@127.0.0.1:")
        return in_the_folder(words, self._image.root)

    def _words(self, command: list[str]) -> list[str]:
        return [self._here(word) for word in command]

    def _environment(self, name: str) -> dict[str, str]:
        """The image's variables and the service's, and none of ours."""
        said = {variable: self._here(value) for variable, value in self.services[name].environment.items()}
        if name != DATABASE:
            return {**self._image.environment, **said}
        path = f"{self._cluster.programs}:{self._image.environment['PATH']}"
        return {**said, "PATH": path, "LC_ALL": "C", "PGHOST": "127.0.0.1", "PGPORT": self.ports["5432"]}

    def _start(self, name: str) -> None:
        account = self._cluster.account if name == DATABASE else None
        command = self._server() if name == DATABASE else self._words(self.services[name].command)
        environment = self._environment(name)
        with (self._image.root / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                cwd="/" if name == DATABASE else self._image.work,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account.user if account else None,
                group=account.group if account else None,
                extra_groups=[] if account else None,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
            )

    def _server(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.ports["5432"],
            "unix_socket_directories": str(self._cluster.data),
        }
        ours = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        options = [*self.services[DATABASE].command[1:], *ours]
        return [str(self._cluster.programs / "postgres"), "-D", str(self._cluster.data), *options]

    def _make_database(self) -> None:
        """What the image of PostgreSQL does before it starts for the first time."""
        said, data = self.services[DATABASE].environment, self._cluster.data
        data.mkdir(mode=0o700)
        password = self._image.root / "password"
        password.write_text(said["POSTGRES_PASSWORD"])
        if self._cluster.account:
            self._cluster.account.take_over(data)
            os.chown(password, self._cluster.account.user, self._cluster.account.group)
        user, options = said["POSTGRES_USER"], said["POSTGRES_INITDB_ARGS"].split()
        safely = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}", *options]
        made = self._cluster.run("initdb", f"--pgdata={data}", f"--username={user}", *safely)
        assert made.returncode == 0, made.stdout
        database = f'CREATE DATABASE "{said["POSTGRES_DB"]}"\n'
        command = [str(self._cluster.programs / "postgres"), "--single", "-D", str(data), "postgres"]
        account = self._cluster.account
        subprocess.run(
            command,
            input=database.encode(),
            cwd="/",
            env={"LC_ALL": "C"},
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
            capture_output=True,
            check=True,
        )
        password.unlink()


@contextmanager
def on_stage(image: Image, services: Mapping[str, Service]) -> Iterator[Stage]:
    """The stage, empty; at the end every process on it is gone."""
    stage = Stage(image, services)
    try:
        yield stage
    finally:
        stage.close()
