"""Words of somebody who is erased, taken out of free text: what Dagster's runs logged, and reasons that we noted."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from sqlalchemy import Connection, text

from pipeline.domain.erasure import ERASED_WORD, words_pattern

# Where our own tables quote what somebody else said.
_QUOTES = (
    ("pipedrive.rejected", "reason", ""),
    ("pipedrive.drift", "found", ""),
    ("pipedrive.drift", "wanted", ""),
    ("pipedrive.person_changes", "reason", ""),
    ("crm.held", "reason", ""),
    ("state.exact_refusals", "said", ""),
    ("state.remembered", "value", "jsonb"),
)


def take_out(tx: Connection, words: Iterable[str]) -> dict[str, int]:
    """Puts a mark in the place of each of those words and returns the rows by table; logs are read once for all."""
    pattern = words_pattern(words)
    if pattern is None:
        return {}
    changed: dict[str, int] = {}
    for table, columns in groupby([*_columns_of_dagster(tx), *_QUOTES], key=lambda column: column[0]):
        named = [(name, cast) for _, name, cast in columns]
        of = {"pattern": pattern, "mark": ERASED_WORD}
        if rows := tx.execute(text(_statement(table, named)), of).rowcount:
            changed[table] = rows
    return changed


def _columns_of_dagster(tx: Connection) -> Iterator[tuple[str, str, str]]:
    """Every column with text in Dagster's own tables, whichever this release of Dagster has."""
    for row in tx.execute(text(_DAGSTER)):
        yield row.table_name, row.column_name, row.as_json


def _statement(table: str, columns: list[tuple[str, str]]) -> str:
    settings, found = [], []
    for name, as_json in columns:
        value = f"{name}::text" if as_json else name
        taken = f"regexp_replace({value}, :pattern, :mark, 'g')"
        settings.append(f"{name} = {f'CAST({taken} AS {as_json})' if as_json else taken}")
        found.append(f"{value} ~ :pattern")
    return f"UPDATE {table} SET {', '.join(settings)} WHERE {' OR '.join(found)}"


_DAGSTER = """
SELECT format('dagster.%I', columns.table_name) AS table_name, format('%I', columns.column_name) AS column_name,
    CASE WHEN data_type IN ('json', 'jsonb') THEN data_type ELSE '' END AS as_json
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'dagster' AND table_type = 'BASE TABLE' AND table_name <> 'alembic_version'
    AND data_type IN ('text', 'character varying', 'json', 'jsonb')
ORDER BY 1, 2
"""
