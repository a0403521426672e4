"""Who was erased, told by hashes: kept out of what is read, kept beside the backups, erased again after a restore."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, text

from pipeline.domain.erasure import key_hash
from pipeline.errors import GiveUp
from pipeline.warehouse.tables import exact_online, state
from pipeline.warehouse.writing import upsert
from pipeline.whole_file import written_whole

CONTACT, ACCOUNT, PERSON, ORDER = "contact", "account", "person", "order"
PIPEDRIVE = "pipedrive"  # where the administration of a person would stand
_NAME = "erasures-{}.json"
EMPTIED = ("address_line1", "postcode", "city", "website")  # of an account; its name becomes its code
_KINDS = {exact_online.contacts: CONTACT, exact_online.accounts: ACCOUNT}
_COLUMNS = ("administration", "kind", "key_hash", "erased_at")
Record = tuple[str, str, str]  # administration, kind, id


def remember(tx: Connection, records: Iterable[Record]) -> None:
    """Keeps these out from now on."""
    now = datetime.now(UTC)
    once = {tuple(of.values()): of for of in map(_known_by, records)}  # an id may come in two spellings
    _take(tx, (of | {"erased_at": now} for of in once.values()))


def erased_at(tx: Connection, record: Record) -> datetime | None:
    """When that one was erased first; None where it never was."""
    return tx.execute(text(_WHEN), _known_by(record)).scalar()


def hashes(tx: Connection, administration: str, kind: str) -> set[str]:
    """Of all that were erased."""
    return set(tx.execute(text(_HASHES), {"administration": administration, "kind": kind}).scalars())


def person_hash(person_id: int) -> str:
    """The hash of a person in Pipedrive."""
    return key_hash(PIPEDRIVE, PERSON, str(person_id))


def without_erased(tx: Connection, administration: str, table: Table, rows: list[dict[str, Any]]) -> list[dict]:
    """The rows that land: of contacts those that were not erased; of an erased account what orders need, its code."""
    kind = _KINDS.get(table)
    gone = hashes(tx, administration, kind) if kind else set()
    if not gone or not kind:
        return rows
    is_erased = [key_hash(administration, kind, row["id"]) in gone for row in rows]
    if kind == CONTACT:
        return [row for row, erased in zip(rows, is_erased, strict=True) if not erased]
    return [_emptied(row) if erased else row for row, erased in zip(rows, is_erased, strict=True)]


def _emptied(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **dict.fromkeys(EMPTIED), "name": (row["code"] or "").strip()}


def forget(tx: Connection, record: Record, folder: Path) -> bool:
    """Lets that one in again, here and beside the backups; says whether it was kept out.

    Raises GiveUp where the folder takes no files.
    """
    take_from_beside(tx, folder)
    if not tx.execute(text(_FORGET), _known_by(record)).rowcount:
        return False
    _write(_all(tx), folder)
    return True


def write_beside(tx: Connection, folder: Path) -> None:
    """Writes all hashes into the backups' folder: a dump made before an erasure knows nothing of it.

    What stands there already stays. Raises GiveUp where the folder takes no files.
    """
    known = read_beside(folder)
    _take(tx, known)
    rows = _all(tx)
    if len(rows) > len(known):
        _write(rows, folder)


def _write(rows: list[dict[str, Any]], folder: Path) -> None:
    """A file is named by its content and never changed, as copies elsewhere want it; it takes the place of others."""
    content = json.dumps(rows, default=str, indent=1)
    file = folder / _NAME.format(sha256(content.encode()).hexdigest()[:16])
    try:
        with written_whole(file, private=True) as unfinished, unfinished.open("w", encoding="utf-8") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        for old in set(_files(folder)) - {file}:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise GiveUp(
            f"{file} can't be written ({error.strerror}), by which a restore erases again: make room or put the folder "
            "right, then run this again."
        ) from None


def read_beside(folder: Path) -> list[dict[str, Any]]:
    """The hashes that stand in that folder, none without a file; raises GiveUp when one is no such file."""
    rows: dict[Record, dict[str, Any]] = {}
    for file in _files(folder):
        try:
            found = [{name: row[name] for name in _COLUMNS} for row in json.loads(file.read_text("utf-8"))]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise GiveUp(
                f"{file} can't be read ({type(error).__name__}): put a whole copy there, or move it away and erase "
                "again what was erased since (docs/operations.md)."
            ) from None
        rows |= {(row["administration"], row["kind"], row["key_hash"]): row for row in found}
    return list(rows.values())


def _known_by(record: Record) -> dict[str, str]:
    name, kind, key = record
    return {"administration": name, "kind": kind, "key_hash": key_hash(name, kind, key)}


def _all(tx: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.execute(text(_ALL)).mappings()]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(_NAME.format("*")))


def take_from_beside(tx: Connection, folder: Path) -> None:
    """What the files know is known to the database too."""
    _take(tx, read_beside(folder))


def _take(tx: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    upsert(tx, state.erasures, rows, keeping=("erased_at",))


_WHEN = """
SELECT erased_at FROM state.erasures
WHERE administration = :administration AND kind = :kind AND key_hash = :key_hash
"""
_FORGET = """
DELETE FROM state.erasures WHERE administration = :administration AND kind = :kind AND key_hash = :key_hash
"""
_HASHES = "SELECT key_hash FROM state.erasures WHERE administration = :administration AND kind = :kind"
_ALL = "SELECT administration, kind, key_hash, erased_at FROM state.erasures ORDER BY 4, 1, 2, 3"
