"""A backup: a dump of one moment that was seen to be restorable, under its final name only then; old ones removed."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text

from pipeline.domain.backups import to_keep
from pipeline.errors import GiveUp
from pipeline.steps import erasures
from pipeline.warehouse import memory
from pipeline.warehouse.connection import only_one
from pipeline.warehouse.dumps import dump, load, read, rows_by_table

LOCK, LAST_BACKUP = "backup", "last backup"
_NAME = "pipeline-%Y-%m-%dT%H%M%SZ.dump"
_UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class Backup:
    """A dump that was made, and what it holds."""

    file: Path
    size: int  # bytes
    rows: Mapping[str, int]  # by table
    was_restored: bool  # into a database beside this one, with these rows; else it was only read to its end
    removed: list[Path] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of `pipeline backup --json`."""
        return {
            "file": str(self.file),
            "bytes": self.size,
            "tables": len(self.rows),
            "rows": sum(self.rows.values()),
            "was_restored": self.was_restored,
            "removed": [str(path) for path in self.removed],
        }


def backup(engine: Engine, folder: Path) -> Backup:
    """Dumps the warehouse into the folder, restores the dump beside it to see that it can be, removes what grew old.

    Raises GiveUp with nothing left behind when any of it fails. A second one at the same time waits for the first.
    """
    with only_one(engine, LOCK), _draft(folder) as draft:
        rows = _dumped(engine, draft)
        was_restored = _restored_beside(engine, draft, rows)
        file = folder / datetime.now(UTC).strftime(_NAME)
        size = draft.stat().st_size
        draft.rename(file)
        _settle_on_disk(folder)
        made = Backup(file, size, rows, was_restored, _remove_old(folder))
        with engine.begin() as tx:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            fact = {"at": now, "file": str(file), "bytes": size, "was_restored": was_restored}
            erasures.write_beside(tx, folder)
            memory.note(tx, LAST_BACKUP, fact)
    return made


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """An empty file that only we can read; whatever is left of it afterwards is removed."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in folder.glob(f"pipeline-*{_UNFINISHED}"):
            path.unlink()  # of one that was killed: we are the only ones
        path = folder / f"pipeline-{os.getpid()}{_UNFINISHED}"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise GiveUp(f"Backups can't be kept in {folder}: {error.strerror}. Name another folder with --to.") from None
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _dumped(engine: Engine, file: Path) -> dict[str, int]:
    """Dumps into the file; returns the rows of each table at that same moment."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        dump(engine, file, snapshot=snapshot)
        rows = rows_by_table(connection)
        connection.rollback()
    with file.open("rb") as written:
        os.fsync(written.fileno())
    return rows


def _restored_beside(engine: Engine, file: Path, rows: Mapping[str, int]) -> bool:
    """Restores the dump into a database of its own and compares; False where this user may not make databases."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(text(_MAY_MAKE_DATABASES)).scalar_one():
            read(engine, file)
            return False
        name = f"{engine.url.database or 'pipeline'}"[:40] + "_backup_check"
        quoted = connection.dialect.identifier_preparer.quote(name)
        _drop(connection, quoted)  # of one that was killed
        connection.execute(text(f"CREATE DATABASE {quoted} TEMPLATE template0"))
        try:
            load(engine, file, database=name)
            _compare(engine, name, rows)
        finally:
            _drop(connection, quoted)
    return True


def _compare(engine: Engine, database: str, rows: Mapping[str, int]) -> None:
    beside = create_engine(engine.url.set(database=database), hide_parameters=True)
    with beside.connect() as connection:
        found = rows_by_table(connection)
    beside.dispose()
    if found != dict(rows):
        wrong = sorted(name for name in rows.keys() | found.keys() if rows.get(name) != found.get(name))
        raise GiveUp(f"The dump does not hold what the warehouse does, so it was thrown away: {', '.join(wrong)}.")


def _drop(connection: Connection, quoted: str) -> None:
    connection.execute(text(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"))


def _settle_on_disk(folder: Path) -> None:
    """A file's new name outlives a power cut only once its folder was written."""
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _remove_old(folder: Path) -> list[Path]:
    """Removes the backups that are no longer kept; files with other names are nobody's business here."""
    made = {
        datetime.strptime(path.name, _NAME).replace(tzinfo=UTC): path
        for path in folder.iterdir()
        if re.fullmatch(r"pipeline-\d{4}-\d\d-\d\dT\d{6}Z\.dump", path.name)
    }
    old = [made[at] for at in sorted(made.keys() - to_keep(made))]
    for path in old:
        path.unlink()
    return old


_MAY_MAKE_DATABASES = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
