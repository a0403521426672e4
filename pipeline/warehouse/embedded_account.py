"""Who the embedded PostgreSQL runs as when we are root, which it refuses to be.

Here: the account, what is handed to it, and what it must be able to reach. Not here: starting anything.
"""

import logging
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

ACCOUNT_NAME = "pgserver"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """Numbers, not a name: a folder that came from another machine has an owner that is not known by name here."""

    user: int
    group: int

    def take_over(self, folder: Path) -> None:
        """Makes the account the owner of a folder and everything in it."""
        os.chown(folder, self.user, self.group)
        for path in folder.rglob("*"):
            os.chown(path, self.user, self.group, follow_symlinks=False)


def account_for(data: Path) -> Account | None:
    """None for an ordinary user, who runs PostgreSQL under its own name; for root whoever owns the data."""
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    account = _dedicated_account()
    if data.exists():
        account.take_over(data)
    return account


def let_reach(home: Path, programs: Path) -> None:
    """Opens what lies on the account's way: folders above for passing through, the programs for reading."""
    _open(home, stat.S_IXOTH)
    for folder in {*home.parents, *programs.parents}:
        if _open(folder, stat.S_IXOTH):
            _log.warning("%s may now be passed through by %s: PostgreSQL does not run as root.", folder, ACCOUNT_NAME)
    if _is_open(programs / "postgres"):
        return
    # Installed under a strict umask: the libraries beside them are closed too.
    installed = programs.parent
    for tree in (installed, installed.parent.with_name(f"{installed.parent.name}.libs")):
        for path in (tree, *tree.rglob("*")):
            _open(path, stat.S_IROTH | (stat.S_IXOTH if path.is_dir() or os.access(path, os.X_OK) else 0))


def _dedicated_account() -> Account:
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin") or "useradd"
        subprocess.run([useradd, "--system", "--no-create-home", ACCOUNT_NAME], check=True, capture_output=True)
        entry = pwd.getpwnam(ACCOUNT_NAME)
    return Account(entry.pw_uid, entry.pw_gid)


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IROTH)


def _open(path: Path, bits: int) -> bool:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits == bits:
        return False
    path.chmod(mode | bits)
    return True
