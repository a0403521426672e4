"""What landed: complete where money and people depend on it, as much as usual, and all of it taken in by `erp`."""

from sqlalchemy import Table

from pipeline.automation.checks.rules import Rule, rows_of
from pipeline.warehouse.tables import erp
from pipeline.warehouse.tables import exact_online as tables


def _taken_in(
    name: str, table: Table, into: Table, keys: tuple[str, str], *, stages: str, of: str, also: str = ""
) -> Rule:
    """Whatever landed in the one table is in the other, or waits for it. `keys`: the row's there, and here."""
    key, known = keys
    return Rule(
        name,
        table,
        f"Every row of {of} that Exact Online sent is in {into.fullname}, or waits to go there.",
        f"rows of {of} that landed and got lost on their way",
        rows_of(f"""
SELECT landed.administration, landed.{key} FROM {table.fullname} AS landed
WHERE NOT EXISTS (SELECT FROM {into.fullname} AS known WHERE known.administration = landed.administration
        AND known.{known} = landed.{key})
    AND NOT EXISTS (SELECT FROM state.pending AS waiting WHERE waiting.stage IN ({stages})
        AND waiting.administration = landed.administration AND waiting.key = landed.{key}) {also}
ORDER BY 1, 2"""),
    )


def _complete(name: str, table: Table, of: str) -> Rule:
    return Rule(
        name,
        table,
        f"Every order {of} has a number, a date, a currency and an amount: what has none can't be counted.",
        "orders without number, date, currency or amount",
        rows_of(f"""
SELECT administration, order_number, order_id, order_date, currency, amount_fc_excl_vat FROM {table.fullname}
WHERE order_number IS NULL OR order_date IS NULL OR nullif(btrim(currency), '') IS NULL OR amount_fc_excl_vat IS NULL
ORDER BY 1, 2"""),
    )


_NOT_DELETED = """AND NOT EXISTS (SELECT FROM exact_online.deletions AS gone
    WHERE gone.administration = landed.administration AND gone.entity_key = landed.id
    AND gone.timestamp >= landed.timestamp)"""
# A line may have been taken off its order by a later reading of the order as a whole.
_STILL_ON_ITS_ORDER = f"""AND EXISTS (SELECT FROM erp.orders AS placed WHERE NOT placed.is_deleted
        AND placed.administration = landed.administration AND placed.order_id = landed.order_id)
    AND NOT EXISTS (SELECT FROM exact_online.order_history AS read WHERE read.administration = landed.administration
        AND read.order_id = landed.order_id AND read.as_of >= landed.timestamp)
    AND NOT EXISTS (SELECT FROM state.pending AS waiting WHERE waiting.stage = 'erp/order_lines'
        AND waiting.administration = landed.administration AND waiting.key = landed.order_id) {_NOT_DELETED}"""
_ITS_ORDER = ("order_id", "order_id")
_ORDERS = "'erp/orders'"
# Yesterday on the administration's calendar, beside the same day of each of the eight weeks before. Four orders are too
# few to say what is usual.
_VOLUME = """
WITH today AS (
    SELECT administration, zone, CAST(now() AT TIME ZONE zone AS date) AS today
    FROM unnest(CAST(:administrations AS text[]), CAST(:zones AS text[])) AS listed (administration, zone)),
days AS (
    SELECT administration, week, today - 1 - 7 * week AS day FROM today CROSS JOIN generate_series(0, 8) AS week),
entered AS (
    SELECT administration, coalesce(CAST(created_at AT TIME ZONE zone AS date), order_date) AS day, count(*) AS orders
    FROM erp.orders JOIN today USING (administration)
    WHERE coalesce(CAST(created_at AT TIME ZONE zone AS date), order_date) >= today - 60 GROUP BY 1, 2),
weeks AS (SELECT administration, week, day, coalesce(orders, 0) AS orders FROM days LEFT JOIN entered
    USING (administration, day)),
usual AS (
    SELECT administration, percentile_cont(0.5) WITHIN GROUP (ORDER BY orders) AS orders
    FROM weeks WHERE week > 0 GROUP BY 1)
SELECT administration, to_char(day, 'FMDay DD-MM-YYYY') AS day, weeks.orders, usual.orders AS usually
FROM weeks JOIN usual USING (administration)
WHERE week = 0 AND usual.orders >= 4 AND NOT weeks.orders BETWEEN usual.orders / 4 AND usual.orders * 4
"""
_NOT_CARRIED_OUT = """
SELECT gone.administration, gone.entity_type, gone.entity_key FROM exact_online.deletions AS gone
JOIN (
    SELECT '2' AS type, administration, customer_id AS key, timestamp, is_deleted FROM erp.customers
        JOIN exact_online.accounts AS landed USING (administration) WHERE landed.id = customer_id
    UNION ALL SELECT '5', administration, contact_id, timestamp, is_deleted FROM erp.contacts
        JOIN exact_online.contacts AS landed USING (administration) WHERE landed.id = contact_id
    UNION ALL SELECT '9', administration, product_id, timestamp, is_deleted FROM erp.products
        JOIN exact_online.items AS landed USING (administration) WHERE landed.id = product_id
    UNION ALL SELECT '32', administration, order_id, timestamp, is_deleted FROM erp.orders
        JOIN exact_online.order_changes USING (administration, order_id)
) AS known ON known.administration = gone.administration AND known.key = gone.entity_key
    AND known.type = CASE gone.entity_type WHEN '12' THEN '32' ELSE gone.entity_type END
WHERE gone.timestamp >= known.timestamp AND NOT known.is_deleted
    AND NOT EXISTS (SELECT FROM state.pending AS waiting WHERE waiting.administration = gone.administration
        AND waiting.key = gone.entity_key AND (waiting.stage = 'deletions' OR waiting.stage LIKE 'erp/%'))
ORDER BY 1, 2, 3
"""
_PRICE_OF_NOTHING = f"""
SELECT landed.administration, landed.id AS price, landed.item FROM exact_online.item_prices AS landed
WHERE landed.account IS NULL AND NOT EXISTS (SELECT FROM exact_online.items AS item
        WHERE item.administration = landed.administration AND item.id = landed.item) {_NOT_DELETED}
    AND NOT EXISTS (SELECT FROM exact_online.deletions AS item_gone
        WHERE item_gone.administration = landed.administration AND item_gone.entity_key = landed.item)
ORDER BY 1, 2
"""

NIGHTLY = [
    _taken_in(
        "every_account_is_taken_in",
        tables.accounts,
        erp.customers,
        ("id", "customer_id"),
        stages="'erp/customers'",
        of="accounts",
    ),
    _taken_in(
        "every_contact_is_taken_in",
        tables.contacts,
        erp.contacts,
        ("id", "contact_id"),
        stages="'erp/contacts'",
        of="contacts",
    ),
    _taken_in(
        "every_item_is_taken_in",
        tables.items,
        erp.products,
        ("id", "product_id"),
        stages="'erp/products'",
        of="items",
    ),
    _taken_in(
        "every_item_group_is_taken_in",
        tables.item_groups,
        erp.item_groups,
        ("id", "item_group_id"),
        stages="'erp/item_groups'",
        of="item groups",
    ),
    Rule(
        "every_price_has_its_item",
        tables.item_prices,
        "Every sales price for everybody is of an item that landed.",
        "prices of items that never landed",
        rows_of(_PRICE_OF_NOTHING),
    ),
    _complete("orders_of_history_are_complete", tables.order_history, "that was read with its month"),
    _taken_in(
        "all_history_is_taken_in", tables.order_history, erp.orders, _ITS_ORDER, stages=_ORDERS, of="order history"
    ),
    _complete("changed_orders_are_complete", tables.order_changes, "that changed"),
    _taken_in(
        "every_change_is_taken_in", tables.order_changes, erp.orders, _ITS_ORDER, stages=_ORDERS, of="changed orders"
    ),
    Rule(
        "as_many_orders_as_usual",
        tables.order_changes,
        "Yesterday brought about as many orders as the same weekday of the eight weeks before, between a quarter and "
        "four times as many: next to none on a working day means that a feed is dead.",
        "administrations with far more or far fewer orders yesterday than on that weekday usually",
        rows_of(_VOLUME),
    ),
    _taken_in(
        "every_changed_line_is_taken_in",
        tables.order_line_changes,
        erp.order_lines,
        ("id", "line_id"),
        stages="'erp/order_lines'",
        of="changed order lines",
        also=_STILL_ON_ITS_ORDER,
    ),
    Rule(
        "every_deletion_is_carried_out",
        tables.deletions,
        "What Exact Online deleted counts as deleted here: customers, contacts, items and orders.",
        "deletions that were not carried out",
        rows_of(_NOT_CARRIED_OUT),
    ),
    _complete("order_totals_are_complete", tables.order_totals, "that Exact Online told of at night"),
    _taken_in(
        "every_invoice_is_taken_in",
        tables.sales_invoices,
        erp.invoices,
        ("invoice_id", "invoice_id"),
        stages="'erp/invoices'",
        of="invoices",
        also="AND landed.line_number = 0",
    ),
    _taken_in(
        "every_payment_term_is_taken_in",
        tables.payment_terms,
        erp.receivables,
        ("id", "receivable_id"),
        stages="'erp/receivables'",
        of="payment terms",
        also=_NOT_DELETED,
    ),
]
