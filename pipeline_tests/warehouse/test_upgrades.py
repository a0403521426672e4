"""A release comes and goes: its migration with data in it, forward, half-way and back; who ran meanwhile stops."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import GiveUp
from pipeline.steps.status import status
from pipeline.warehouse.migrating import configuration, migrate, revision, step_back
from pipeline.warehouse.revision import FOLDER, NEEDED, AnotherRevision, held_to_this_release
from pipeline_tests.databases import EMPTY, fresh_engine
from pipeline_tests.webhooks.receiving import serving
from pipeline_tests.webhooks.sending import notification
from pipeline_tests.worlds import Worlds, first_sync

pytestmark = pytest.mark.postgres

_SCHEMA = """
SELECT concat_ws('.', space.nspname, relation.relname, part.attname) AS name,
    concat_ws(' ', relation.relkind, format_type(part.atttypid, part.atttypmod), part.attnotnull,
        pg_get_expr(given.adbin, given.adrelid), col_description(relation.oid, part.attnum)) AS what
FROM pg_class AS relation JOIN pg_namespace AS space ON space.oid = relation.relnamespace
JOIN pg_attribute AS part ON part.attrelid = relation.oid AND part.attnum > 0 AND NOT part.attisdropped
LEFT JOIN pg_attrdef AS given ON given.adrelid = relation.oid AND given.adnum = part.attnum
WHERE space.nspname IN ('exact_online', 'erp', 'crm', 'pipedrive', 'marts', 'state', 'inbox')
UNION ALL SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid > 0
    AND connamespace::regnamespace::text <> 'pg_catalog'
UNION ALL SELECT schemaname || ' ' || indexname, indexdef FROM pg_indexes WHERE schemaname <> 'pg_catalog'
UNION ALL SELECT schemaname || ' ' || viewname, definition FROM pg_views
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


def schema(engine: Engine) -> dict[str, str]:
    """Everything that migrations make: columns, their comments, constraints, indexes, views."""
    with engine.connect() as connection:
        return {row.name: row.what for row in connection.execute(text(_SCHEMA))}


@pytest.fixture
def before(postgres: str) -> Iterator[Engine]:
    """An empty warehouse as the release before this one made it."""
    with fresh_engine(postgres, EMPTY) as engine:
        with engine.begin() as tx:
            tx.execute(text("CREATE SCHEMA state"))
            tx.execute(text("CREATE SCHEMA dagster"))
            command.upgrade(configuration(tx), "head-1")
        yield engine


def at(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return revision(connection)


def test_the_last_migration_is_taken_back_and_made_again_with_data_in_it(
    worlds: Worlds, before: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    revenue = "SELECT month, item_group, revenue_excl_vat, orders FROM marts.revenue_per_category ORDER BY 1, 2"
    with worlds.after(first_sync(orders=12, products=40)) as world:
        newest, tables, counted = schema(world.engine), status(world.engine)["tables"], world.ask(revenue)
        monkeypatch.setenv("WAREHOUSE_URL", world.engine.url.render_as_string(hide_password=False))
        monkeypatch.setenv("PIPELINE_HOME", str(tmp_path))
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
        done = CliRunner().invoke(app, ["downgrade"])
        assert done.output.startswith(
            f"The database is at revision {at(before)} again, before that {NEEDED}: now start"
        )
        assert schema(world.engine) == schema(before)
        with pytest.raises(GiveUp, match=f"at revision {at(before)} and this release's is {NEEDED}"):
            step_back(world.engine)
        migrate(world.engine)
        world.refresh()
        assert (schema(world.engine), status(world.engine)["tables"]) == (newest, tables)
        assert (world.write().tokens, world.ask(revenue)) == (0, counted)
        assert counted


def test_the_revision_a_process_is_made_for_is_the_newest_of_its_migrations():
    assert ScriptDirectory(str(FOLDER)).get_heads() == [NEEDED]


def test_a_migration_that_fails_half_way_leaves_nothing_and_says_why(before: Engine):
    older = at(before)
    with before.begin() as tx:  # the last thing that a migration does is to note where it came to
        tx.execute(
            text(
                "CREATE FUNCTION state.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RAISE EXCEPTION 'the disk is full'; END $$"
            )
        )
        tx.execute(
            text(
                "CREATE TRIGGER refuse BEFORE UPDATE ON state.alembic_version "
                "FOR EACH ROW EXECUTE FUNCTION state.refuse()"
            )
        )
    found = schema(before)
    with pytest.raises(GiveUp) as raised:
        migrate(before)
    assert str(raised.value) == (
        f"The migration from {older} to {NEEDED} failed and was taken back whole, so the release before this one still "
        "runs: the disk is full. Mend that and run this again."
    )
    assert (at(before), schema(before)) == (older, found)
    with before.begin() as tx:
        tx.execute(text("DROP FUNCTION state.refuse() CASCADE"))
    migrate(before)
    assert at(before) == NEEDED


def test_who_ran_before_an_upgrade_writes_nothing_after_it(engine: Engine):
    held = held_to_this_release(engine)
    with held.begin() as tx:
        tx.execute(text("CREATE TABLE marts.mine (number int)"))
    body = notification()
    with serving(engine) as receiver:
        assert (receiver.post(notification()), receiver.http.get("/health").status_code) == (200, 200)
        with engine.begin() as tx:
            tx.execute(text("UPDATE state.alembic_version SET version_num = '9999'"))
        assert (receiver.post(body), receiver.http.get("/health").status_code) == (503, 503)
        with (
            pytest.raises(AnotherRevision, match=f"at revision 9999, and this process .* needs {NEEDED}"),
            held.begin(),
        ):
            raise AssertionError
        with pytest.raises(GiveUp, match="revision 9999, which this release does not know"):
            migrate(engine)
        with engine.begin() as tx:  # rolled back: they go on as they are
            tx.execute(text("UPDATE state.alembic_version SET version_num = :one"), {"one": NEEDED})
        assert (receiver.post(body), receiver.http.get("/health").status_code) == (200, 200)
    with held.begin() as tx:
        assert tx.execute(text("SELECT count(*) FROM inbox.webhook_events")).scalar_one() == 2
