"""Whether a living PostgreSQL serves a data folder, and clearing away a dead one.

Here: reading postmaster.pid and the process table. Not here: starting or stopping a server.
"""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    import psutil

PORT = 5432


class EmbeddedPostgresUnavailable(ConfigurationError):
    """There will be no embedded database until a person does what the message says."""


def socket_folder_of(data: Path) -> Path:
    """The fifth line of postmaster.pid, so that a process that joins finds the folder the first one chose."""
    return Path((data / "postmaster.pid").read_text().splitlines()[4])


def is_served(data: Path) -> bool:
    """Whether a living server has this folder; postmaster.pid may name a zombie or, after a reboot, a stranger."""
    import psutil

    pid = _named_pid(data / "postmaster.pid")
    try:
        return pid is not None and serves(psutil.Process(pid), data)
    except psutil.NoSuchProcess:
        return False


def clear_the_dead(data: Path) -> None:
    """Ends what a killed server left behind: sessions without it, and lock files that PostgreSQL would believe."""
    import psutil

    orphans = [process for process in psutil.process_iter() if serves(process, data)]
    for orphan in orphans:
        with suppress(psutil.NoSuchProcess):
            orphan.send_signal(signal.SIGQUIT)
    if not within(10, lambda: not any(serves(orphan, data) for orphan in orphans)):
        raise EmbeddedPostgresUnavailable(f"Sessions of a killed server still use {data}: {orphans}")
    for lock in (data / "postmaster.pid", data / f".s.PGSQL.{PORT}.lock"):
        pid = _named_pid(lock)
        # A number nobody has is left to PostgreSQL's own, more careful, check.
        if pid is not None and psutil.pid_exists(pid):
            lock.unlink()


def serves(process: "psutil.Process", data: Path) -> bool:
    """Every process of a PostgreSQL server works in its data folder."""
    import psutil

    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.name() == "postgres" and Path(process.cwd()) == data
    except psutil.Error:
        return False


def within(seconds: float, done: Callable[[], bool], give_up: Callable[[], bool] = lambda: False) -> bool:
    """Whether something came true in time, asked twenty times a second."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline or give_up():
            return False
        time.sleep(0.05)
    return True


def _named_pid(lock: Path) -> int | None:
    try:
        return int(lock.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
