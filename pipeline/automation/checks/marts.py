"""Tables for analysts: each adds up to the tables it is made of, to the cent; what still waits is allowed for."""

from sqlalchemy import Table

from pipeline.automation.checks.rules import Rule, Weight, rows_of
from pipeline.steps.months import month_of
from pipeline.warehouse.tables import marts as tables

_UNEXPLAINED = """
SELECT administration, order_number AS order, to_char(month, 'YYYY-MM') AS month, differs, currency,
    value_in_exact AS exact, value_in_erp AS erp, value_in_crm AS crm, value_in_pipedrive AS pipedrive
FROM marts.differences WHERE explanation IS NULL ORDER BY administration, month DESC, order_number
"""
_MONTHS = """FROM marts.reconciliation
WHERE (value_in_exact IS NOT NULL AND value_in_exact <> value_in_erp OR value_in_erp <> value_in_pipedrive)"""
_OTHER_MONTHS = f"""
SELECT administration, to_char(month, 'YYYY-MM') AS month, currency, coalesce(value_in_exact::text, 'was not asked')
    AS exact, value_in_erp AS erp, value_in_pipedrive AS pipedrive, unexplained || ' of ' || differing AS unexplained
{_MONTHS} ORDER BY reconciliation.unexplained DESC, administration, reconciliation.month DESC, currency
"""
_ALL_EXPLAINED = f"SELECT NOT EXISTS (SELECT {_MONTHS} AND (unexplained > 0 OR differing = 0))"


def _adds_up(table: Table) -> Rule:
    """A month of the mart is worth its orders: as they are, or, where a change waits, as they were counted last."""
    return Rule(
        f"{table.name}_adds_up",
        table,
        "Every month is worth what its orders in erp.orders are worth, to the cent; cancelled and deleted ones don't "
        "count. Else the run fails.",
        "months worth another amount than their orders",
        rows_of(f"""
WITH waiting AS (SELECT administration, key AS order_id FROM state.pending WHERE stage = 'marts/revenue'),
counts AS (
    SELECT administration, date_trunc('month', order_date)::date AS month, currency, amount_excl_vat AS value
    FROM erp.orders AS placed
    WHERE NOT is_deleted AND status <> 'cancelled' AND order_date IS NOT NULL AND amount_excl_vat IS NOT NULL
        AND NOT EXISTS (SELECT FROM waiting WHERE waiting.administration = placed.administration
            AND waiting.order_id = placed.order_id)
    UNION ALL SELECT administration, month, currency, revenue_excl_vat
    FROM waiting JOIN state.counted_revenue USING (administration, order_id)),
orders AS (SELECT administration, month, currency, sum(value) AS value FROM counts GROUP BY 1, 2, 3),
mart AS (SELECT administration, month, currency, sum(revenue_excl_vat) AS value FROM {table.fullname} GROUP BY 1, 2, 3)
SELECT administration, to_char(month, 'YYYY-MM') AS month, currency, coalesce(mart.value, 0) AS mart,
    coalesce(orders.value, 0) AS orders
FROM mart FULL JOIN orders USING (administration, month, currency)
WHERE coalesce(mart.value, 0) <> coalesce(orders.value, 0) ORDER BY 1, 2 DESC, 3"""),
        Weight.FAILS,
    )


_LEFT_OUT = """
SELECT administration, customer_id, count(*) AS orders, max(order_date) AS newest FROM erp.orders AS placed
WHERE NOT is_deleted AND status <> 'cancelled' AND order_date IS NOT NULL
    AND EXISTS (SELECT FROM erp.customers AS known WHERE known.administration = placed.administration
        AND known.customer_id = placed.customer_id AND NOT known.is_deleted)
    AND NOT EXISTS (SELECT FROM marts.dormant_customers AS shown WHERE shown.administration = placed.administration
        AND shown.customer_id = placed.customer_id)
    AND NOT EXISTS (SELECT FROM state.pending AS waiting WHERE waiting.stage = 'marts/dormant_customers'
        AND waiting.administration = placed.administration AND waiting.key = placed.customer_id)
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""
_OTHER_FUNNEL = """
SELECT administration, currency, coalesce(shown.orders, 0) AS mart, coalesce(placed.orders, 0) AS orders,
    coalesce(shown.value, 0) AS worth_in_mart, coalesce(placed.value, 0) AS worth
FROM (SELECT administration, currency, sum(orders) AS orders, sum(value_excl_vat) AS value FROM marts.order_status
    GROUP BY 1, 2) AS shown
FULL JOIN (SELECT administration, currency, count(*) AS orders, coalesce(sum(amount_excl_vat), 0) AS value
    FROM erp.orders WHERE NOT is_deleted GROUP BY 1, 2) AS placed USING (administration, currency)
WHERE (coalesce(shown.orders, 0), coalesce(shown.value, 0)) <> (coalesce(placed.orders, 0), coalesce(placed.value, 0))
    AND NOT EXISTS (SELECT FROM state.pending WHERE stage IN ('marts/order_status', 'crm/held', 'crm/deals'))
ORDER BY 1, 2
"""
# The newest day is still being booked.
_OTHER_TOKENS = """
SELECT budget_day, shown.tokens AS mart, booked.tokens AS booked
FROM (SELECT budget_day, sum(tokens) AS tokens FROM marts.crm_token_usage GROUP BY 1) AS shown
FULL JOIN (SELECT budget_day, sum(tokens) AS tokens FROM pipedrive.token_usage GROUP BY 1) AS booked USING (budget_day)
WHERE shown.tokens IS DISTINCT FROM booked.tokens
    AND budget_day < (SELECT max(budget_day) FROM pipedrive.token_usage) ORDER BY 1 DESC
"""
_OTHER_PROGRESS = f"""
SELECT administration, to_char(month, 'YYYY-MM') AS month, coalesce(shown.orders, 0) AS mart,
    coalesce(placed.orders, 0) AS orders
FROM (SELECT administration, month, orders FROM marts.migration) AS shown
FULL JOIN (SELECT administration, {month_of("order_date")} AS month, count(*) AS orders FROM erp.orders
    WHERE NOT is_deleted GROUP BY 1, 2) AS placed USING (administration, month)
WHERE coalesce(shown.orders, 0) <> coalesce(placed.orders, 0)
    AND NOT EXISTS (SELECT FROM state.pending WHERE stage LIKE 'erp/%' OR stage LIKE 'pipedrive/%')
ORDER BY 1, 2 DESC
"""

RECONCILED = [
    Rule(
        "every_difference_is_explained",
        tables.reconciliation,
        "Where an order does not stand alike in Exact Online, erp, crm and Pipedrive, it is known why; else the run "
        "fails.",
        "orders that differ and nothing explains it",
        rows_of(_UNEXPLAINED),
        Weight.FAILS,
    ),
    Rule(
        "revenue_by_month_is_the_same",
        tables.reconciliation,
        "By month of order date, orders are worth the same in Exact Online, erp and Pipedrive.",
        "months worth something else on the way",
        rows_of(_OTHER_MONTHS, explained=_ALL_EXPLAINED),
        Weight.ERRS,
    ),
    Rule(
        "every_difference_has_a_month",
        tables.differences,
        "Every order that differs counts in a month of marts.reconciliation, so that none is overlooked.",
        "orders that differ in a month that marts.reconciliation does not show",
        rows_of("""
SELECT administration, order_number, to_char(month, 'YYYY-MM') AS month, currency, differs FROM marts.differences AS one
WHERE NOT EXISTS (SELECT FROM marts.reconciliation AS whole WHERE whole.administration = one.administration
    AND whole.month = one.month AND whole.differing > 0) ORDER BY 1, 2"""),
    ),
]
NIGHTLY = [
    *(_adds_up(table) for table in (tables.revenue_per_category, tables.revenue_per_customer)),
    _adds_up(tables.revenue_per_salesperson),
    Rule(
        "every_customer_with_orders_is_shown",
        tables.dormant_customers,
        "Every customer who ever ordered is shown with the day of his last order.",
        "customers with orders who are not shown",
        rows_of(_LEFT_OUT),
    ),
    Rule(
        "the_funnel_holds_every_order",
        tables.order_status,
        "All orders together, and their value by currency, are those of erp.orders.",
        "currencies with other orders, or orders worth something else, than erp.orders",
        rows_of(_OTHER_FUNNEL),
    ),
    Rule(
        "every_token_is_counted",
        tables.crm_token_usage,
        "The tokens of every day that is over are those that were booked when they were spent.",
        "days with other tokens than were booked",
        rows_of(_OTHER_TOKENS),
    ),
    Rule(
        "progress_counts_every_order",
        tables.migration,
        "The orders of every month are those of erp.orders.",
        "months with another number of orders than erp.orders",
        rows_of(_OTHER_PROGRESS),
    ),
]
