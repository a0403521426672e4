"""Rows into a table, set-based: COPY into a temporary table, then one statement that touches only what differs.

Every table is written through here (or replaced whole by one SQL statement beside its asset). What the rows mean is
not known here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.warehouse.pending import QUEUED_AGAIN

Row = Mapping[str, Any]
_serial = count()


def upsert(
    tx: Connection,
    table: Table,
    rows: Iterable[Row],
    *,
    pending: Sequence[str] = (),
    pending_key: str = "",
    ignoring: Sequence[str] = (),
    keeping: Sequence[str] = (),
) -> int:
    """Inserts or updates by primary key and returns how many rows really changed.

    The changed rows' `pending_key` is queued for the `pending` stages in the same statement. Columns named in
    `ignoring` are written where another one differs too; those in `keeping` only a new row gets.
    Rows of one call have the same columns.
    """
    incoming, columns = _copied(tx, table, rows)
    if not columns:
        return 0
    statement = _upsert_sql(table, incoming, columns, set(ignoring), set(keeping))
    returned = f"administration, {pending_key} AS key" if pending_key else "1"
    stages = (
        "INSERT INTO state.pending (stage, administration, key) SELECT DISTINCT stage, administration, key FROM changed"
    )
    sql = f"WITH changed AS ({statement} RETURNING {returned})"
    if pending:
        sql += f", queued AS ({stages}, unnest(CAST(:stages AS text[])) AS stage {QUEUED_AGAIN})"
    changed = tx.execute(text(f"{sql} SELECT count(*) FROM changed"), {"stages": list(pending)}).scalar_one()
    tx.execute(text(f"DROP TABLE {incoming}"))
    return changed


def remove(tx: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Deletes the rows of those keys and returns how many there were."""
    incoming, columns = _copied(tx, table, rows)
    if not columns:
        return 0
    same = " AND ".join(f"kept.{name} = gone.{name}" for name in columns)
    deleted = tx.execute(text(f"DELETE FROM {table.fullname} AS kept USING {incoming} AS gone WHERE {same}")).rowcount
    tx.execute(text(f"DROP TABLE {incoming}"))
    return deleted


def _upsert_sql(table: Table, incoming: str, columns: list[str], ignored: set[str], kept: set[str]) -> str:
    keys = [column.name for column in table.primary_key]
    values = [name for name in columns if name not in keys and name not in kept]
    compared = [name for name in values if name not in ignored]
    names, conflict = ", ".join(columns), ", ".join(keys)
    if not compared:
        action = "DO NOTHING"
    else:
        here = ", ".join(f"there.{name}" for name in compared)
        new = ", ".join(f"excluded.{name}" for name in compared)
        settings = ", ".join(f"{name} = excluded.{name}" for name in values)
        action = f"DO UPDATE SET {settings} WHERE ({here}) IS DISTINCT FROM ({new})"
    return (
        f"INSERT INTO {table.fullname} AS there ({names}) SELECT {names} FROM {incoming} "
        f"ON CONFLICT ({conflict}) {action}"
    )


def _copied(tx: Connection, table: Table, rows: Iterable[Row]) -> tuple[str, list[str]]:
    """The rows in a temporary table, and its columns; no columns where there are no rows."""
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return "", []
    columns = list(first)
    documents = {name for name in columns if isinstance(table.c[name].type, JSONB)}
    incoming = f"incoming_{table.schema}_{table.name}_{next(_serial)}"
    names = ", ".join(columns)
    tx.execute(
        text(f"CREATE TEMPORARY TABLE {incoming} ON COMMIT DROP AS SELECT {names} FROM {table.fullname} WITH NO DATA")
    )
    cursor = tx.connection.cursor()
    with cursor.copy(f"COPY {incoming} ({names}) FROM STDIN") as copy:
        write = copy.write_row
        write(_values(first, columns, documents))
        for row in iterator:
            write(_values(row, columns, documents))
    return incoming, columns


def _values(row: Row, columns: list[str], documents: set[str]) -> list[Any]:
    if not documents:
        return [row[name] for name in columns]
    return [_document(row[name]) if name in documents else row[name] for name in columns]


def _document(value: Any) -> str | None:
    """JSON text of a document; a string is JSON text already."""
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
