"""What was deleted in Exact, on to the tables that had it: by the id the feed of deletions names, or found out."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine, text

from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.odata import any_of
from pipeline.warehouse.pending import queue

ORDER_STAGES = ("erp/orders", "erp/order_lines")
AT_ONCE = 25  # orders that are asked for in one call, so that the address stays short
_ORDER_TYPES, _LINE_TYPE, _ACCOUNT_TYPE, _ITEM_TYPE, _PRICE_TYPE = (12, 32), 33, 2, 9, 8
_CONTACT_TYPE, _TERM_TYPE, _INVOICE_TYPE = 5, 10, 13


def pass_on_deletions(engine: Engine, client: ExactOnlineClient, administration: str) -> None:
    """Lets the tables of what was deleted take it in; asks after orders that may be gone and were not named."""
    parameters = {"administration": administration}
    with engine.connect() as connection:
        suspected = [row.order_id for row in connection.execute(text(_SUSPECTED), parameters)]
    gone = set(suspected) - still_there(client, suspected)
    with engine.begin() as tx:
        _queue_what_was_named(tx, administration)
        forget_orders(tx, administration, gone)


def still_there(client: ExactOnlineClient, order_ids: Sequence[str]) -> set[str]:
    """Which of these orders Exact still has."""
    found: set[str] = set()
    for start in range(0, len(order_ids), AT_ONCE):
        asked = any_of("OrderID", order_ids[start : start + AT_ONCE])
        for page in client.pages(feeds.ORDER_HISTORY.path, select="OrderID", filter=asked):
            found.update(row["OrderID"] for row in page)
    return found


def _queue_what_was_named(tx: Connection, administration: str) -> None:
    parameters = {"administration": administration}
    found = tx.execute(text(_DELETED), parameters).all()
    for stages, stage_types in (
        (ORDER_STAGES, (*_ORDER_TYPES, _LINE_TYPE)),
        (("erp/customers",), (_ACCOUNT_TYPE,)),
        (("erp/contacts",), (_CONTACT_TYPE,)),
        (("erp/products",), (_ITEM_TYPE, _PRICE_TYPE)),
        (("erp/invoices", "erp/invoice_orders"), (_INVOICE_TYPE,)),
        (("erp/receivables",), (_TERM_TYPE,)),
    ):
        queue(tx, stages, administration, {row.key for row in found if int(row.entity_type) in stage_types and row.key})
    tx.execute(
        text("DELETE FROM state.pending WHERE stage = 'deletions' AND administration = :administration"), parameters
    )


def forget_orders(tx: Connection, administration: str, order_ids: Iterable[str]) -> None:
    """Takes out orders that Exact has no more; `erp` notices that they vanished."""
    keys = list(order_ids)
    for table in ("order_history", "order_changes"):
        tx.execute(
            text(f"DELETE FROM exact_online.{table} WHERE administration = :administration AND order_id = ANY(:keys)"),
            {"administration": administration, "keys": keys},
        )
    queue(tx, ORDER_STAGES, administration, keys)


_DELETED = """
SELECT gone.entity_type,
    coalesce(changed.order_id, line.order_id, known_line.order_id, price.item, billed.invoice_id,
        gone.entity_key) AS key
FROM exact_online.deletions AS gone
JOIN state.pending AS waiting
    ON waiting.stage = 'deletions' AND waiting.administration = gone.administration AND waiting.key = gone.entity_key
LEFT JOIN exact_online.order_changes AS changed
    ON gone.entity_type IN ('12', '32') AND changed.administration = gone.administration
    AND changed.id = gone.entity_key
LEFT JOIN exact_online.order_line_changes AS line
    ON gone.entity_type = '33' AND line.administration = gone.administration AND line.id = gone.entity_key
LEFT JOIN erp.order_lines AS known_line
    ON gone.entity_type = '33' AND known_line.administration = gone.administration
    AND known_line.line_id = gone.entity_key
LEFT JOIN exact_online.item_prices AS price
    ON gone.entity_type = '8' AND price.administration = gone.administration AND price.id = gone.entity_key
LEFT JOIN exact_online.sales_invoices AS billed
    ON gone.entity_type = '13' AND billed.administration = gone.administration AND billed.id = gone.entity_key
WHERE gone.administration = :administration
"""

# A deletion may name an order by its id in the changes feed, and nobody knows that id of an order which only a month of
# history brought. Where nobody knows the order that is named, those that lost lines, or have none, are suspected.
_SUSPECTED = """
WITH gone AS (
    SELECT gone.entity_type, gone.entity_key FROM exact_online.deletions AS gone
    JOIN state.pending AS waiting ON waiting.stage = 'deletions'
        AND waiting.administration = gone.administration AND waiting.key = gone.entity_key
    WHERE gone.administration = :administration),
of_nobody AS (
    SELECT entity_key FROM gone WHERE entity_type IN ('12', '32')
        AND NOT EXISTS (SELECT FROM erp.orders AS known
            WHERE known.administration = :administration AND known.order_id = gone.entity_key)
        AND NOT EXISTS (SELECT FROM exact_online.order_changes AS changed
            WHERE changed.administration = :administration AND gone.entity_key IN (changed.order_id, changed.id)))
SELECT known.order_id FROM erp.orders AS known
WHERE EXISTS (SELECT FROM of_nobody) AND known.administration = :administration AND NOT known.is_deleted
    AND (NOT EXISTS (SELECT FROM erp.order_lines AS line
            WHERE line.administration = known.administration AND line.order_id = known.order_id)
        OR known.order_id IN (SELECT line.order_id FROM erp.order_lines AS line
            JOIN gone ON gone.entity_type = '33' AND gone.entity_key = line.line_id
            WHERE line.administration = :administration))
ORDER BY known.order_id
"""
