"""A dump in the place of the warehouse. What it no longer knows of Pipedrive is read back by the next writing."""

import time
from pathlib import Path

from sqlalchemy import Engine, Table, text

from pipeline.errors import GiveUp
from pipeline.steps.ledger_book import FACTS
from pipeline.steps.writer import LOCK as WRITING
from pipeline.warehouse.connection import only_one
from pipeline.warehouse.dumps import Contents, contents, replace
from pipeline.warehouse.identity import MARK, note_put_back
from pipeline.warehouse.migrating import migrate
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.tables import state

SYNC = "sync"  # whoever synchronises holds it
_LEAVING = 10.0  # seconds a session of ours may take to end

# What counts outside and goes on, whatever is put back: Exact's newest tokens, what is spent of calls and tokens, and
# who was erased.
_KEPT = {
    state.tokens: "true",
    state.exact_limits: "true",
    state.erasures: "true",
    tables.token_usage: "true",
    state.remembered: "name IN ({})".format(", ".join(f"'{name}'" for name in FACTS)),
}
_KEEP = """
CREATE TEMP TABLE {kept} ON COMMIT DROP AS SELECT to_jsonb(kept) AS row FROM {table} AS kept WHERE {condition};
"""
_GIVE_BACK = """
DO $$ BEGIN IF to_regclass('{table}') IS NOT NULL THEN
    DELETE FROM {table} AS old USING {kept} AS kept, jsonb_populate_record(NULL::{table}, kept.row) AS new WHERE {same};
    INSERT INTO {table} SELECT new.* FROM {kept} AS kept, jsonb_populate_record(NULL::{table}, kept.row) AS new;
END IF; END $$;
"""
_CONNECTED = """
SELECT count(*) AS number, string_agg(DISTINCT coalesce(nullif(application_name, ''), 'without a name'), ', ') AS names
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend' AND usename = current_user
"""


def restore(engine: Engine, file: Path) -> Contents:
    """Puts the dump in the place of what stands in the database, whole or not at all, and marks it as put back.

    Raises GiveUp, with the database as it was, when the file is no whole dump of ours or somebody is at work.
    """
    found = contents(engine, file)
    _wait_until_alone(engine)
    with only_one(engine, SYNC), only_one(engine, WRITING):
        kept = [table for table in _KEPT if _is_there(engine, table)]
        before = "".join(_KEEP.format(**_names(table), condition=_KEPT[table]) for table in kept)
        after = "".join(_GIVE_BACK.format(**_names(table)) for table in kept)
        replace(engine, file, before=before, after=after + MARK)
    engine.dispose()
    migrate(engine)
    return found


def note_snapshot(engine: Engine) -> None:
    """The whole machine was put back, which the database can't tell."""
    with engine.begin() as tx:
        note_put_back(tx)


def _wait_until_alone(engine: Engine) -> None:
    """What another process read before, it would write over what was put back."""
    engine.dispose()
    until = time.monotonic() + _LEAVING
    while True:
        with engine.connect() as connection:
            others = connection.execute(text(_CONNECTED)).one()
        if not others.number:
            return
        if time.monotonic() > until:
            raise GiveUp(
                f"{others.number} other sessions are in the database ({others.names}): stop every process of the "
                "pipeline (daemon, webserver, code server, webhook receiver, other commands), then restore again. "
                "Nothing was changed."
            )
        time.sleep(0.2)


def _is_there(engine: Engine, table: Table) -> bool:
    with engine.connect() as connection:
        return connection.execute(text("SELECT to_regclass(:name)"), {"name": str(table)}).scalar() is not None


def _names(table: Table) -> dict[str, str]:
    same = " AND ".join(f"old.{column.name} = new.{column.name}" for column in table.primary_key)
    return {"table": str(table), "kept": f"kept_{table.name}", "same": same}
