"""Tables for analysts, each rebuilt by one statement over `erp` when something in it changed."""

from sqlalchemy import Engine, text

from pipeline.warehouse.connection import lock_until_commit

REVENUE_PER_CATEGORY = "marts/revenue_per_category"


def rebuild_revenue_per_category(engine: Engine) -> int | None:
    """Rebuilds the table and returns its rows; None when nothing in `erp` changed since."""
    with engine.begin() as tx:
        lock_until_commit(tx, REVENUE_PER_CATEGORY)
        stage = {"stage": REVENUE_PER_CATEGORY}
        if not tx.execute(text("DELETE FROM state.pending WHERE stage = :stage"), stage).rowcount:
            return None
        tx.execute(text("DELETE FROM marts.revenue_per_category"))
        return tx.execute(text(_REVENUE_PER_CATEGORY)).rowcount


# What the lines don't explain of an order's amount (header discount, charges) stands in rows of its own, so that a
# month adds up to its orders to the cent.
_REVENUE_PER_CATEGORY = """
WITH counted AS (
    SELECT administration, order_id, date_trunc('month', order_date)::date AS month, currency, amount_excl_vat
    FROM erp.orders
    WHERE NOT is_deleted AND status <> 'cancelled' AND order_date IS NOT NULL AND amount_excl_vat IS NOT NULL),
lines AS (
    SELECT counted.administration, counted.month, counted.currency, counted.order_id,
        coalesce(line.item_group_code, '-') AS item_group_code, line.amount_excl_vat, line.quantity
    FROM counted JOIN erp.order_lines AS line USING (administration, order_id)),
rest AS (
    SELECT counted.administration, counted.month, counted.currency, counted.order_id,
        counted.amount_excl_vat - coalesce(explained.amount, 0) AS amount_excl_vat
    FROM counted LEFT JOIN (
        SELECT administration, order_id, sum(amount_excl_vat) AS amount FROM erp.order_lines GROUP BY 1, 2
    ) AS explained USING (administration, order_id)
    WHERE counted.amount_excl_vat <> coalesce(explained.amount, 0))
INSERT INTO marts.revenue_per_category
    (administration, month, item_group_code, item_group, currency, revenue_excl_vat, orders, lines, quantity)
SELECT lines.administration, month, lines.item_group_code,
    coalesce(max(named.item_group), lines.item_group_code), currency,
    sum(amount_excl_vat), count(DISTINCT order_id), count(*), sum(quantity)
FROM lines LEFT JOIN erp.item_groups AS named
    ON named.administration = lines.administration AND named.item_group_code = lines.item_group_code
GROUP BY lines.administration, month, lines.item_group_code, currency
UNION ALL
SELECT administration, month, '', 'Toeslag/korting', currency, sum(amount_excl_vat), count(*), 0, 0
FROM rest GROUP BY administration, month, currency
"""
