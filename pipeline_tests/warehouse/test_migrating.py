"""A warehouse of an earlier release, with what it held, becomes one of this release."""

from alembic import command
from sqlalchemy import text

from pipeline.steps.revenue import refresh_revenue
from pipeline.warehouse.migrating import configuration, migrate
from pipeline_tests.databases import EMPTY, fresh_engine

_BEFORE = (
    """INSERT INTO erp.orders (administration, order_id, order_number, order_date, currency, amount_excl_vat, status,
        delivery_status, invoice_status, is_deleted, is_live)
    VALUES ('nl', 'o1', '1', '2026-03-31', 'EUR', 12.50, 'open', 'open', 'open', false, false)""",
    """INSERT INTO marts.revenue_per_category (administration, month, item_group_code, item_group, currency,
        revenue_excl_vat, orders, lines, quantity)
    VALUES ('nl', '2026-03-01', '', 'Toeslag/korting', 'EUR', 12.50, 1, 0, 0)""",
    "INSERT INTO state.pending (stage, administration, key) VALUES ('marts/revenue_per_category', 'nl', 'o1')",
)


def test_revenue_that_was_there_before_it_was_remembered_by_order_is_not_counted_twice(postgres: str):
    with fresh_engine(postgres, EMPTY) as engine:
        with engine.begin() as tx:
            tx.execute(text("CREATE SCHEMA state"))
            command.upgrade(configuration(tx), "0010")
            for statement in _BEFORE:
                tx.execute(text(statement))
        migrate(engine)
        refresh_revenue(engine)
        with engine.connect() as connection:
            found = connection.execute(text("SELECT revenue_excl_vat, orders FROM marts.revenue_per_category")).all()
            waits = connection.execute(text("SELECT stage FROM state.pending")).scalars().all()
        assert ([(str(row[0]), row[1]) for row in found], waits) == ([("12.50", 1)], ["marts/order_status"])
