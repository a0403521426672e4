"""Dumps of the warehouse: written from one moment, read, and put in the place of what stands there.

A dump holds all of our schemas and Dagster's: its history says which months of orders were read, and has to be of the
same moment as the tables with those orders. It holds no permissions of analysts; migrating lets them read again.
"""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from sqlalchemy import Connection, Engine, text

from pipeline.errors import GiveUp
from pipeline.warehouse.migrating import FOLDER
from pipeline.warehouse.programs import environment_for, program_for, raise_unless_well
from pipeline.warehouse.tables import metadata

SCHEMAS = sorted({table.schema for table in metadata.tables.values() if table.schema} | {"dagster"})
_NOTHING_LOST = "Nothing was changed: what stood in the database stands there still."


@dataclass(frozen=True)
class Contents:
    """What a dump says of itself."""

    made_at: str
    revision: str


def dump(engine: Engine, to: Path, *, snapshot: str) -> None:
    """Writes what that exported snapshot shows into the file, which is there already; raises GiveUp."""
    schemas = [f"--schema={schema}" for schema in SCHEMAS]
    options = ["--format=custom", "--no-password", f"--snapshot={snapshot}", f"--file={to}", *schemas]
    status, _, said = _run(engine, "pg_dump", *options)
    raise_unless_well("pg_dump", status, said, "No backup was made; those made before are untouched.")


def contents(engine: Engine, file: Path) -> Contents:
    """Looks into a dump; raises GiveUp when it is none of ours, or of a newer release than this one."""
    if not file.is_file():
        raise GiveUp(f"{file} is not there; `ls` its folder for the dumps that are.")
    wrong = f"{file} is no dump that `pipeline backup` made, or only the beginning of one. {_NOTHING_LOST}"
    status, listed, said = _run(engine, "pg_restore", "--list", str(file))
    raise_unless_well("pg_restore", status, said, wrong)
    of_revision = ["--data-only", "--schema=state", "--table=alembic_version", "--file=-"]
    status, rows, said = _run(engine, "pg_restore", *of_revision, str(file))
    raise_unless_well("pg_restore", status, said, wrong)
    made_at = re.search(r"Archive created at (.*)", listed)
    revision = re.search(r"^COPY state\.alembic_version .*\n(\w+)\n", rows, re.MULTILINE)
    if not revision or not made_at:
        raise GiveUp(wrong)
    from alembic.script import ScriptDirectory  # a fifth of a second, that only those who restore wait for

    known = {one.revision for one in ScriptDirectory(str(FOLDER)).walk_revisions()}
    if revision[1] not in known:
        raise GiveUp(
            f"{file} was made by a newer release: its tables are at revision {revision[1]}, which this release does "
            f"not know. Install that release, then restore. {_NOTHING_LOST}"
        )
    return Contents(made_at[1].strip(), revision[1])


def read(engine: Engine, file: Path) -> None:
    """Reads a dump to its end; raises GiveUp."""
    status, _, said = _run(engine, "pg_restore", "--file=/dev/null", str(file))
    raise_unless_well("pg_restore", status, said, "The dump can't be read, so it was thrown away.")


def load(engine: Engine, file: Path, *, database: str) -> None:
    """Loads a dump into an empty database of the same server; raises GiveUp."""
    options = ["--no-owner", "--no-acl", "--exit-on-error", "--no-password", f"--dbname={database}", str(file)]
    status, _, said = _run(engine, "pg_restore", *options, database=database)
    raise_unless_well("pg_restore", status, said, "The dump can't be restored, so it was thrown away.")


def replace(engine: Engine, file: Path, *, before: str, after: str) -> None:
    """Puts a dump in the place of our schemas, with statements before and after it, in one transaction; raises GiveUp.

    Whatever goes wrong, and whoever stops it, the database stays as it was: only the last statement commits.
    """
    # A query of somebody's that goes on may hold up the removal; then it ends with a sentence and not in the morning.
    settings = "SET client_min_messages = error; SET lock_timeout = '60s'"
    begin = f"BEGIN; {settings}; {before} DROP SCHEMA IF EXISTS {', '.join(SCHEMAS)} CASCADE;\n"
    psql = [str(program_for(engine, "psql")), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--no-password"]
    script = [str(program_for(engine, "pg_restore")), "--no-owner", "--no-acl", "--file=-", str(file)]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(
            psql, bufsize=0, env=environment_for(engine), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        ) as session:
            is_whole = _play(session, begin.encode(), script, f"\n{after} COMMIT;\n".encode(), said)
        said.seek(0)
        status = session.returncode or int(not is_whole)
        raise_unless_well("psql", status, said.read().decode(errors="replace"), _NOTHING_LOST)


def _play(session: subprocess.Popen[bytes], begin: bytes, script: Sequence[str], end: bytes, said: IO[bytes]) -> bool:
    """Plays all of it to the session; says whether it was whole. Without `end`, nothing is committed."""
    into = cast(IO[bytes], session.stdin)
    try:
        into.write(begin)
        played = subprocess.run(script, stdout=into, stderr=said, check=False)
        if played.returncode == 0:
            into.write(end)
    except BrokenPipeError:  # it refused something, ended, and said why
        return False
    except BaseException:
        session.kill()
        raise
    return played.returncode == 0


def _run(engine: Engine, program: str, *arguments: str, database: str | None = None) -> tuple[int, str, str]:
    """The exit status of one of PostgreSQL's programs, what it wrote, and what it complained of."""
    command = [str(program_for(engine, program)), *arguments]
    done = subprocess.run(
        command, env=environment_for(engine, database), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def rows_by_table(connection: Connection) -> dict[str, int]:
    """How many rows each table of ours has."""
    tables = connection.execute(text(_TABLES), {"schemas": SCHEMAS}).scalars().all()
    return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


_TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = ANY(:schemas) ORDER BY 1
"""
