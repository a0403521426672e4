"""One table for an analyst, as a file: Parquet or CSV, every number and moment exactly as the warehouse has it.

Rows go through in chunks, so memory does not follow the table. The file gets its name when it is whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, text

from pipeline.errors import GiveUp
from pipeline.warehouse.tables import metadata
from pipeline.warehouse.tables.views import VIEWS
from pipeline.whole_file import written_whole

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMAS = ("erp", "crm", "pipedrive", "marts")
ROWS_AT_A_TIME = 10_000
EXPORTED = sorted({name for name, table in metadata.tables.items() if table.schema in SCHEMAS} | set(VIEWS))


@dataclass(frozen=True)
class Column:
    """A column as PostgreSQL declares it; `digits` before and behind the point where its type leaves them open."""

    name: str
    kind: str
    digits: tuple[int, int] = (0, 0)


def export(engine: Engine, table: str, to: Path) -> int:
    """Writes the table's rows, by their key, to the file and returns how many; a file of that name is replaced.

    Raises GiveUp where there is no such table, the file's suffix is another than .parquet or .csv, or it can't be
    written.
    """
    if table not in EXPORTED:
        raise GiveUp(f"There is no table {table} to export: write one of {', '.join(EXPORTED)}.")
    write = _WRITERS.get(to.suffix.lower())
    if write is None:
        raise GiveUp(f"{to.name} says no format: let the file's name end in .parquet or .csv.")
    try:
        with (
            written_whole(to) as unfinished,
            engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        ):
            return write(connection, table, unfinished)
    except OSError as problem:
        raise GiveUp(
            f"{to} can't be written: {problem.strerror or problem}. Name a file where you may write."
        ) from None


def _to_csv(connection: Connection, table: str, to: Path) -> int:
    """What is empty has nothing between its commas, an empty text has two quotes; a list is JSON."""
    columns = _columns(connection, table)
    shown = ", ".join(_CSV.get(column.kind, '"{0}"').format(column.name) + f' AS "{column.name}"' for column in columns)
    connection.execute(text("SET LOCAL TimeZone = 'UTC'"))
    cursor = connection.connection.cursor()
    with to.open("wb") as file, cursor.copy(
        f"COPY (SELECT {shown} FROM {table}{_in_order(table)}) TO STDOUT WITH (FORMAT csv, HEADER)"
    ) as copy:  # fmt: skip
        for piece in copy:
            file.write(piece)
    return cursor.rowcount


def _to_parquet(connection: Connection, table: str, to: Path) -> int:
    """Decimals with as many digits as the table needs, moments in UTC, days as days."""
    import pyarrow as pa  # here, because it takes a while to load and only this needs it
    import pyarrow.parquet as pq

    columns = [_measured(connection, table, column) for column in _columns(connection, table)]
    schema = pa.schema([pa.field(column.name, _arrow_type(column)) for column in columns])
    shown = ", ".join(_PARQUET.get(column.kind, '"{0}"').format(column.name) for column in columns)
    streamed = connection.execution_options(stream_results=True, max_row_buffer=ROWS_AT_A_TIME)
    rows = 0
    selected = text(f"SELECT {shown} FROM {table}{_in_order(table)}")
    with pq.ParquetWriter(to, schema) as writer, streamed.execute(selected) as found:
        for chunk in found.partitions(ROWS_AT_A_TIME):
            values: Sequence[Sequence[Any]] = list(zip(*chunk, strict=True))
            arrays = [pa.array(values[place], field.type) for place, field in enumerate(schema)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            rows += len(chunk)
    return rows


_WRITERS: dict[str, Callable[[Connection, str, Path], int]] = {".csv": _to_csv, ".parquet": _to_parquet}


def _columns(connection: Connection, table: str) -> list[Column]:
    return [Column(row.name, row.kind) for row in connection.execute(text(_COLUMNS), {"table": table})]


def _in_order(table: str) -> str:
    """By primary key: two exports of the same rows are the same file. A view has none."""
    keys = [column.name for column in metadata.tables[table].primary_key] if table in metadata.tables else []
    return f" ORDER BY {', '.join(keys)}" if keys else ""


def _measured(connection: Connection, table: str, column: Column) -> Column:
    """A decimal of any length with the digits its values have, so that none is rounded."""
    if column.kind != "numeric":
        return column
    found = connection.execute(text(_DIGITS.format(column=column.name, table=table))).one()
    return Column(column.name, column.kind, (found.before, found.behind))


def _arrow_type(column: Column) -> "pa.DataType":
    import pyarrow as pa

    if column.kind.startswith("numeric"):
        before, behind = column.digits
        if column.kind != "numeric":
            whole, behind = map(int, column.kind.removeprefix("numeric(").removesuffix(")").split(","))
            before = whole - behind
        return pa.decimal128(38, behind) if before + behind <= 38 else pa.decimal256(76, behind)
    return {
        "bigint": pa.int64(),
        "integer": pa.int32(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp with time zone": pa.timestamp("us", tz="UTC"),
        "timestamp without time zone": pa.timestamp("us"),
        "text[]": pa.list_(pa.string()),
    }.get(column.kind, pa.string())


_CSV = {"boolean": '"{0}"::text', "text[]": 'array_to_json("{0}")'}
_PARQUET = {"jsonb": '"{0}"::text'}
_COLUMNS = """
SELECT attname AS name, format_type(atttypid, atttypmod) AS kind FROM pg_attribute
WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_DIGITS = """
SELECT coalesce(max(length(trunc(abs("{column}"))::text)), 1) AS before, coalesce(max(scale("{column}")), 0) AS behind
FROM {table}
"""
