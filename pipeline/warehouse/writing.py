"""Rows into a table, set-based, by a statement that touches only what differs.

A few rows go along with the statement, as JSON; many are sent by COPY into a temporary table first, or into the table
itself where nothing of them is there.
Every table is written through here (or replaced whole by one SQL statement beside its asset). What the rows mean is
not known here.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import ARRAY, Column, Connection, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.warehouse.complaints import without_rows
from pipeline.warehouse.pending import QUEUED_AGAIN, queue

Row = Mapping[str, Any]
FEW = 500  # a temporary table costs about as much as the JSON of so many rows
_DIALECT = postgresql.dialect()
_serial = count()


@dataclass(frozen=True)
class Given:
    """Rows as a statement has them: from where, the select list for their columns, and its parameters."""

    columns: list[str]
    select: str
    source: str
    parameters: Mapping[str, Any]


def upsert(
    tx: Connection,
    table: Table,
    rows: Iterable[Row],
    *,
    pending: Sequence[str] = (),
    pending_key: str = "",
    ignoring: Sequence[str] = (),
    keeping: Sequence[str] = (),
    likely_new: bool = False,
) -> int:
    """Inserts or updates by primary key and returns how many rows really changed.

    The changed rows' `pending_key` is queued for the `pending` stages in the same transaction. Columns named in
    `ignoring` are written where another one differs too; those in `keeping` only a new row gets. With `likely_new`
    many rows are first added without comparing, which takes two thirds of the time where none of them is there.
    Rows of one call have the same columns.
    """
    if likely_new and len(rows := list(rows)) > FEW and _added(tx, table, rows):
        for name in sorted({row["administration"] for row in rows} if pending else ()):
            queue(tx, pending, name, {row[pending_key] for row in rows if row["administration"] == name})
        return len(rows)
    with _given(tx, table, rows) as given:
        if not given.columns:
            return 0
        statement = _upsert_sql(table, given, set(ignoring), set(keeping))
        returned = f"administration, {pending_key} AS key" if pending_key else "1"
        sql = f"WITH changed AS ({statement} RETURNING {returned})"
        if pending:
            sql += f", queued AS ({_QUEUED})"
        parameters = {"stages": list(pending), **given.parameters}
        return tx.execute(text(f"{sql} SELECT count(*) FROM changed"), parameters).scalar_one()


def remove(tx: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Deletes the rows of those keys and returns how many there were."""
    with _given(tx, table, rows) as given:
        if not given.columns:
            return 0
        same = " AND ".join(f"kept.{name} = gone.{name}" for name in given.columns)
        gone = f"(SELECT {given.select} FROM {given.source}) AS gone"
        sql = text(f"DELETE FROM {table.fullname} AS kept USING {gone} WHERE {same}")
        return tx.execute(sql, given.parameters).rowcount


def _added(tx: Connection, table: Table, rows: list[Row]) -> bool:
    """Whether the rows could be added; where one of them is there already, nothing is."""
    try:
        with tx.begin_nested():
            _copy(tx, table, table.fullname, list(rows[0]), rows)
    except UniqueViolation:
        return False
    return True


def _upsert_sql(table: Table, given: Given, ignored: set[str], kept: set[str]) -> str:
    keys = [column.name for column in table.primary_key]
    values = [name for name in given.columns if name not in keys and name not in kept]
    compared = [name for name in values if name not in ignored]
    names, conflict = ", ".join(given.columns), ", ".join(keys)
    if not compared:
        action = "DO NOTHING"
    else:
        here = ", ".join(f"there.{name}" for name in compared)
        new = ", ".join(f"excluded.{name}" for name in compared)
        settings = ", ".join(f"{name} = excluded.{name}" for name in values)
        action = f"DO UPDATE SET {settings} WHERE ({here}) IS DISTINCT FROM ({new})"
    return (
        f"INSERT INTO {table.fullname} AS there ({names}) SELECT {given.select} FROM {given.source} "
        f"ON CONFLICT ({conflict}) {action}"
    )


@contextmanager
def _given(tx: Connection, table: Table, rows: Iterable[Row]) -> Iterator[Given]:
    """The rows for one statement; no columns where there are no rows."""
    iterator = iter(rows)
    first = list(islice(iterator, FEW + 1))
    columns = list(first[0]) if first else []
    if len(first) <= FEW:
        yield Given(columns, _cast(table, columns), _recordset(columns), {"rows": _as_json(table, columns, first)})
        return
    incoming = _copied(tx, table, columns, chain(first, iterator))
    yield Given(columns, ", ".join(columns), incoming, {})
    tx.execute(text(f"DROP TABLE {incoming}"))


def _recordset(columns: list[str]) -> str:
    """A row for each object of the JSON, with texts in it."""
    return f"json_to_recordset(CAST(:rows AS json)) AS given({', '.join(f'{name} text' for name in columns)})"


def _cast(table: Table, columns: list[str]) -> str:
    """The select list that makes of each text what its column holds."""
    return ", ".join(f"{_of_text(table.c[name])} AS {name}" for name in columns)


def _of_text(column: Column[Any]) -> str:
    given = f"given.{column.name}"
    if isinstance(column.type, ARRAY):
        elements = f"ARRAY(SELECT jsonb_array_elements_text(CAST({given} AS jsonb)))"
        return f"CASE WHEN {given} IS NOT NULL THEN {elements} END"
    return f"CAST({given} AS {column.type.compile(_DIALECT)})"


def _as_json(table: Table, columns: list[str], rows: list[Row]) -> str:
    """The rows as JSON of texts as PostgreSQL reads them: psycopg would look into every character of an array."""
    documents = {name for name in columns if isinstance(table.c[name].type, JSONB | ARRAY)}
    texts = [{name: _document(row[name]) if name in documents else row[name] for name in columns} for row in rows]
    return json.dumps(texts, default=str, ensure_ascii=False)


def _copied(tx: Connection, table: Table, columns: list[str], rows: Iterable[Row]) -> str:
    """The rows in a temporary table, and its name."""
    incoming = f"incoming_{table.schema}_{table.name}_{next(_serial)}"
    names = ", ".join(columns)
    tx.execute(
        text(f"CREATE TEMPORARY TABLE {incoming} ON COMMIT DROP AS SELECT {names} FROM {table.fullname} WITH NO DATA")
    )
    _copy(tx, table, incoming, columns, rows)
    return incoming


def _copy(tx: Connection, table: Table, into: str, columns: list[str], rows: Iterable[Row]) -> None:
    documents = [place for place, name in enumerate(columns) if isinstance(table.c[name].type, JSONB)]
    cursor = tx.connection.cursor()
    with without_rows(), cursor.copy(f"COPY {into} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            values = list(map(row.__getitem__, columns))
            for place in documents:
                values[place] = _document(values[place])
            copy.write_row(values)


def _document(value: Any) -> str | None:
    """JSON text of a document; a string is JSON text already."""
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


_QUEUED = (
    "INSERT INTO state.pending (stage, administration, key) "
    "SELECT stage, administration, key FROM (SELECT DISTINCT administration, key FROM changed) AS of_changed, "
    "unnest(CAST(:stages AS text[])) AS stage "
    f"{QUEUED_AGAIN}"
)
