"""How many rows tables have, counted again only where PostgreSQL's statistics say that rows came or went.

Counting goes through all of a table, which a run with nothing to do must not. PostgreSQL itself counts what was ever
inserted into a table and deleted from it: while neither moved, what was counted last is right. It tells of a change a
moment after its commit, some seconds where many came at once; who has just changed a table asks for a fresh count.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, text

from pipeline.warehouse import memory


def row_counts(tx: Connection, tables: Iterable[str], *, fresh: Collection[str] = ()) -> dict[str, int]:
    """The rows of each table by its name, `schema.table`; those of `fresh` are counted in any case."""
    counts: dict[str, int] = {}
    for table in tx.execute(text(_KNOWN), {"tables": list(tables)}).all():
        known = table.value or {}
        if table.name in fresh or table.as_of is None or known.get("as_of") != table.as_of:
            known = {"rows": tx.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one(), "as_of": table.as_of}
            if known != table.value:
                memory.note(tx, f"rows of {table.name}", known)
        counts[table.name] = known["rows"]
    return counts


# Read before the rows are: what comes in between is counted, and once more by the next who asks. With its numbers go
# whatever makes them begin anew: another database, table or file behind the name (a restore, TRUNCATE), and statistics
# reset by somebody or lost in a crash. Where the server keeps none, every question is counted.
_KNOWN = """
SELECT named.name, noted.value, CASE WHEN CAST(current_setting('track_counts') AS boolean) THEN concat_ws('/',
        warehouse.oid, CAST(named.id AS oid), pg_relation_filenode(named.id), pg_stat_get_tuples_inserted(named.id),
        pg_stat_get_tuples_deleted(named.id), pg_stat_get_db_stat_reset_time(warehouse.oid),
        pg_stat_get_bgwriter_stat_reset_time()) END AS as_of
FROM (SELECT name, CAST(name AS regclass) AS id FROM unnest(CAST(:tables AS text[])) AS name) AS named
JOIN pg_database AS warehouse ON warehouse.datname = current_database()
LEFT JOIN state.remembered AS noted ON noted.name = 'rows of ' || named.name
"""
