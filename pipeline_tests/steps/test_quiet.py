"""A synchronisation with nothing to do: it looks at what waits, and not at the history there is."""

import pytest
from sqlalchemy import Engine, text

from benchmarks.quiet import COPIED, multiply
from pipeline.steps.refresh_salespeople import refresh_salespeople
from pipeline_tests.worlds import Worlds, first_reading, first_sync

pytestmark = pytest.mark.postgres

COPIES = 100
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
READ = """
SELECT seen.schemaname || '.' || seen.relname AS name,
    seq_tup_read + coalesce((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes AS by WHERE by.relid = seen.relid), 0)
FROM pg_stat_user_tables AS seen
"""


def rows_read(engine: Engine) -> dict[str, int]:
    """Rows and entries of indexes that were ever read, by table; sessions tell of theirs when they end."""
    engine.dispose()
    with engine.connect() as connection:
        while connection.execute(text(OTHERS)).scalar_one():
            connection.rollback()
        return {name: int(read) for name, read in connection.execute(text(READ))}


def test_a_sync_with_nothing_to_do_reads_next_to_nothing_of_any_table(worlds: Worlds):
    with worlds.after(first_sync(orders=10, products=10)) as world:
        multiply(world.engine, COPIES)
        rows_read(world.engine)
        world.sync()  # counts what has come
        before = rows_read(world.engine)
        report = world.sync()
        after = rows_read(world.engine)
        rows = {table.fullname: world.ask(f"SELECT count(*) FROM {table.fullname}")[0][0] for table in COPIED}
        assert {name: after[name] - before[name] for name in rows if after[name] - before[name] > rows[name] / 10} == {}
        assert report.tallies["deals"].unchanged == rows["pipedrive.deals"] > COPIES


def test_who_sells_is_found_among_orders_changes_and_customers_under_the_last_of_his_names(worlds: Worlds):
    with worlds.after(first_reading(orders=10, products=10)) as world:
        with world.engine.begin() as tx:
            for statement in NAMED_BY_HAND:
                tx.execute(text(statement))
        refresh_salespeople(world.engine, world.config.administrations[0])
        known = dict(world.ask("SELECT salesperson_id, full_name FROM erp.salespeople WHERE administration = 'nl'"))
        everybody = dict(world.ask(EVERYBODY))
        assert {name: known[name] for name in everybody} == everybody
        assert (
            everybody.items()
            >= {"0 first": None, "1 of a change": "Change", "z last": "Zoe", "of a customer": "C"}.items()
        )
        assert "of the others" not in known


COPY = """INSERT INTO exact_online.{0}
SELECT (jsonb_populate_record({0}, CAST('{1}' AS jsonb))).* FROM exact_online.{0} LIMIT 1"""
NAMED_BY_HAND = [
    COPY.format("order_history", row)
    for row in (
        '{"order_id": "1", "salesperson": "z last", "salesperson_full_name": "Zara"}',
        '{"order_id": "2", "salesperson": "z last", "salesperson_full_name": "Zoe"}',
        '{"order_id": "3", "salesperson": "z last", "salesperson_full_name": null}',
        '{"order_id": "4", "salesperson": "0 first", "salesperson_full_name": null}',
        '{"order_id": "5", "salesperson": null, "salesperson_full_name": "Nobody"}',
        '{"order_id": "6", "salesperson": "of the others", "administration": "be"}',
    )
] + [
    COPY.format("accounts", '{"id": "1", "account_manager": "of a customer", "account_manager_full_name": "C"}'),
    """INSERT INTO exact_online.order_changes (administration, order_id, id, timestamp, salesperson,
        salesperson_full_name) VALUES ('nl', '7', '7', 1, '1 of a change', 'Change')""",
]
EVERYBODY = """
SELECT salesperson, max(full_name) FROM (
    SELECT administration, salesperson, salesperson_full_name AS full_name FROM exact_online.order_history
    UNION ALL SELECT administration, salesperson, salesperson_full_name FROM exact_online.order_changes
    UNION ALL SELECT administration, account_manager, account_manager_full_name FROM exact_online.accounts) AS named
WHERE administration = 'nl' AND salesperson IS NOT NULL GROUP BY 1
"""
