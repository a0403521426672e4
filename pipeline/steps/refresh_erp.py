"""`erp.*` takes in what landed: the records that wait, read, transformed and written in one transaction a batch."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, text

from pipeline.config import Administration
from pipeline.steps.mart_stages import ALL, DORMANT, NAMES, ORDER_STATUS, REVENUE
from pipeline.transform.contacts import to_contacts
from pipeline.transform.customers import to_customers
from pipeline.transform.item_groups import to_item_groups
from pipeline.transform.order_lines import to_order_lines
from pipeline.transform.orders import to_orders
from pipeline.transform.products import to_products
from pipeline.warehouse.pending import queue, work_off
from pipeline.warehouse.reading import frame, rows
from pipeline.warehouse.tables import erp
from pipeline.warehouse.writing import remove, upsert

_OF_ORDERS = "administration = :administration AND order_id = ANY(:keys)"


def refresh_orders(engine: Engine, administration: Administration) -> int:
    """Takes in orders and returns how many changed."""

    def step(tx: Connection, name: str, keys: list[str]) -> int:
        of = {"administration": name, "keys": keys}
        orders = to_orders(
            frame(tx, f"SELECT {_HEADER}, as_of FROM exact_online.order_history WHERE {_OF_ORDERS}", of),
            frame(tx, f"SELECT {_HEADER}, id, timestamp FROM exact_online.order_changes WHERE {_OF_ORDERS}", of),
            frame(tx, _DELETED_ORDERS, of),
            administration=name,
            time_zone=administration.time_zone,
            currency=administration.currency,
        )
        before = {row.customer_id for row in tx.execute(text(_CUSTOMERS_OF), of)}
        after = {"pending": _AFTER_ORDERS, "pending_key": "order_id"}
        changed = upsert(tx, erp.orders, rows(orders), **after, likely_new=not before)
        vanished = [row.order_id for row in tx.execute(text(_VANISHED), of | {"there": list(orders["order_id"])})]
        queue(tx, _AFTER_ORDERS, name, vanished)
        if changed or vanished:
            queue(tx, (*_AFTER_CUSTOMERS, DORMANT), name, {*orders["customer_id"], *before} - {None})
            queue(tx, (ORDER_STATUS,), name, [ALL])
        return changed + len(vanished)

    return work_off(engine, "erp/orders", administration.name, step)


def refresh_order_lines(engine: Engine, administration: Administration) -> int:
    """Takes in the lines of orders and returns how many changed; a line that is gone is removed."""

    def step(tx: Connection, name: str, keys: list[str]) -> int:
        # Looked up apart: joined, a first load's orders are gone through for every batch, before they are analysed.
        orders = [row.order_id for row in tx.execute(text(_KNOWN_ORDERS), {"administration": name, "keys": keys})]
        of = {"administration": name, "keys": orders}
        known = tx.execute(text(_KNOWN_LINES), of).all()
        lines = to_order_lines(
            frame(tx, f"SELECT order_id, as_of, lines FROM exact_online.order_history WHERE {_OF_ORDERS}", of),
            frame(tx, f"SELECT * FROM exact_online.order_line_changes WHERE {_OF_ORDERS}", of),
            frame(tx, _DELETED_LINES, of),
            administration=name,
            known_groups={row.line_id: (row.product_id, row.item_group_code) for row in known},
            groups_of_items=_groups_of_items(tx, name),
        )
        there = {*lines["line_id"]} if known else set()
        gone = {row.line_id: row.order_id for row in known if row.line_id not in there}
        remove(tx, erp.order_lines, ({"administration": name, "line_id": line_id} for line_id in gone))
        queue(tx, _AFTER_LINES, name, set(gone.values()))
        after = {"pending": _AFTER_LINES, "pending_key": "order_id"}
        changed = upsert(tx, erp.order_lines, rows(lines), **after, ignoring=("known_as_of",), likely_new=not known)
        _queue_uncatalogued(tx, name, of)
        return changed + len(gone)

    return work_off(engine, "erp/order_lines", administration.name, step, size=1000)


def refresh_customers(engine: Engine, administration: Administration) -> int:
    """Takes in accounts and returns how many changed."""

    def step(tx: Connection, name: str, keys: list[str]) -> int:
        of = {"administration": name, "keys": keys}
        customers = to_customers(
            frame(tx, f"SELECT * FROM exact_online.accounts WHERE {_BY_ID}", of),
            frame(tx, _DELETED.format(types="'2'"), of),
            administration=name,
            time_zone=administration.time_zone,
        )
        after = (*_AFTER_CUSTOMERS, NAMES, DORMANT)
        changed = upsert(tx, erp.customers, rows(customers), pending=after, pending_key="customer_id")
        changed += vanished(tx, erp.customers, of, customers["customer_id"], after)
        if changed:
            orders = [row.order_id for row in tx.execute(text(_ORDERS_OF_CUSTOMERS), of)]
            queue(tx, ("crm/held", "crm/deals"), name, orders)
        return changed

    return work_off(engine, "erp/customers", administration.name, step)


def refresh_contacts(engine: Engine, administration: Administration) -> int:
    """Takes in contacts and returns how many changed."""

    def step(tx: Connection, name: str, keys: list[str]) -> int:
        of = {"administration": name, "keys": keys}
        contacts = to_contacts(
            frame(tx, f"SELECT * FROM exact_online.contacts WHERE {_BY_ID}", of),
            frame(tx, _DELETED.format(types="'5'"), of),
            administration=name,
            time_zone=administration.time_zone,
        )
        after = ("crm/persons",)
        changed = upsert(tx, erp.contacts, rows(contacts), pending=after, pending_key="contact_id")
        return changed + vanished(tx, erp.contacts, of, contacts["contact_id"], after)

    return work_off(engine, "erp/contacts", administration.name, step)


def refresh_item_groups(engine: Engine, administration: Administration) -> int:
    """Takes in item groups and returns how many changed; the products in them follow."""

    def step(tx: Connection, name: str, keys: list[str]) -> int:
        of = {"administration": name, "keys": keys}
        groups = to_item_groups(
            frame(tx, f"SELECT * FROM exact_online.item_groups WHERE {_BY_ID}", of), administration=name
        )
        changed = upsert(
            tx, erp.item_groups, rows(groups), pending=("pipedrive/item_groups", NAMES), pending_key="item_group_code"
        )
        items = "SELECT id FROM exact_online.items WHERE administration = :administration AND item_group = ANY(:keys)"
        queue(tx, ("erp/products",), name, [row.id for row in tx.execute(text(items), of)])
        return changed

    return work_off(engine, "erp/item_groups", administration.name, step)


def refresh_products(engine: Engine, administration: Administration, *, today: date | None = None) -> int:
    """Takes in items and returns how many changed; among them those whose price is another one from today on."""
    today = today or datetime.now(ZoneInfo(administration.time_zone)).date()

    def step(tx: Connection, name: str, keys: list[str]) -> int:
        of = {"administration": name, "keys": keys}
        groups = tx.execute(
            text("SELECT item_group_id, item_group_code FROM erp.item_groups WHERE administration = :a"), {"a": name}
        )
        products = to_products(
            frame(tx, f"SELECT * FROM exact_online.items WHERE {_BY_ID}", of),
            frame(tx, _PRICES, of),
            frame(tx, _DELETED.format(types="'9'"), of),
            administration=name,
            time_zone=administration.time_zone,
            currency=administration.currency,
            today=today,
            group_codes={row.item_group_id: row.item_group_code for row in groups},
        )
        after = ("crm/products",)
        changed = upsert(tx, erp.products, rows(products), pending=after, pending_key="product_id")
        changed += vanished(tx, erp.products, of, products["product_id"], after)
        queue(tx, ("erp/order_lines",), name, [row.order_id for row in tx.execute(text(_LINES_TO_GROUP), of)])
        return changed

    with engine.begin() as tx:
        due = {"administration": administration.name, "today": today}
        queue(tx, ("erp/products",), administration.name, [row.product_id for row in tx.execute(text(_PRICE_DUE), due)])
        queue(tx, ("crm/products",), administration.name, [row.product_key for row in tx.execute(text(_ENDED), due)])
    return work_off(engine, "erp/products", administration.name, step)


def vanished(tx: Connection, table: Table, of: dict, there: Iterable[str], after: Sequence[str] = ()) -> int:
    """Counts those of the keys as deleted that are not in `exact_online` any more, and returns how many there were."""
    (key,) = (column.name for column in table.primary_key if column.name != "administration")
    statement = text(_GONE.format(table=table.fullname, key=key))
    gone = [row.key for row in tx.execute(statement, of | {"there": list(there)})]
    queue(tx, after, of["administration"], gone)
    return len(gone)


def _groups_of_items(tx: Connection, administration: str) -> dict[str, str | None]:
    query = "SELECT product_id, item_group_code FROM erp.products WHERE administration = :administration"
    return {row.product_id: row.item_group_code for row in tx.execute(text(query), {"administration": administration})}


def _queue_uncatalogued(tx: Connection, administration: str, of: dict) -> None:
    """Items that only these orders name, or that aren't sold any more, become products too."""
    queue(tx, ("crm/products",), administration, [row.product_id for row in tx.execute(text(_NOT_YET_PRODUCTS), of)])


_AFTER_ORDERS = ("crm/held", "crm/deals", REVENUE)
_AFTER_LINES = ("crm/held", "crm/deals", "crm/deal_products", REVENUE)
_AFTER_CUSTOMERS = ("crm/held customers", "crm/organizations", "crm/persons of customers")
_BY_ID = "administration = :administration AND id = ANY(:keys)"
_KNOWN_ORDERS = f"SELECT order_id FROM erp.orders WHERE {_OF_ORDERS}"
_HEADER = """administration, order_id, order_number, order_date, delivery_date, ordered_by, salesperson, your_ref,
    currency, amount_dc, amount_fc, amount_fc_excl_vat, status, delivery_status, invoice_status, created, modified"""
_DELETED = """
SELECT entity_key, max(timestamp) AS timestamp FROM exact_online.deletions
WHERE administration = :administration AND entity_type IN ({types}) AND entity_key = ANY(:keys) GROUP BY entity_key
"""
_DELETED_ORDERS = """
SELECT gone.entity_key, max(gone.timestamp) AS timestamp FROM exact_online.deletions AS gone
WHERE gone.administration = :administration AND gone.entity_type IN ('12', '32') AND (
    gone.entity_key = ANY(:keys) OR gone.entity_key IN (
        SELECT id FROM exact_online.order_changes WHERE administration = :administration AND order_id = ANY(:keys)))
GROUP BY gone.entity_key
"""
_DELETED_LINES = """
SELECT gone.entity_key, max(gone.timestamp) AS timestamp FROM exact_online.deletions AS gone
WHERE gone.administration = :administration AND gone.entity_type = '33' GROUP BY gone.entity_key
"""
_GONE = """
UPDATE {table} SET is_deleted = true WHERE administration = :administration AND {key} = ANY(:keys) AND NOT is_deleted
    AND NOT {key} = ANY(:there) RETURNING {key} AS key
"""
_CUSTOMERS_OF = f"SELECT DISTINCT customer_id FROM erp.orders WHERE {_OF_ORDERS}"
_VANISHED = f"""
UPDATE erp.orders SET is_deleted = true
WHERE {_OF_ORDERS} AND NOT is_deleted AND NOT order_id = ANY(:there) RETURNING order_id
"""
_KNOWN_LINES = f"SELECT line_id, order_id, product_id, item_group_code FROM erp.order_lines WHERE {_OF_ORDERS}"
_ORDERS_OF_CUSTOMERS = """
SELECT order_id FROM erp.orders WHERE administration = :administration AND customer_id = ANY(:keys)
"""
_PRICES = """
SELECT price.* FROM exact_online.item_prices AS price
WHERE price.administration = :administration AND price.item = ANY(:keys) AND price.account IS NULL
    AND NOT EXISTS (SELECT FROM exact_online.deletions AS gone
        WHERE gone.administration = price.administration AND gone.entity_type = '8'
        AND gone.entity_key = price.id AND gone.timestamp >= price.timestamp)
"""
_PRICE_DUE = """
SELECT product_id FROM erp.products WHERE administration = :administration AND price_changes_on <= :today
"""
_ENDED = """
SELECT shown.product_key FROM crm.products AS shown
JOIN erp.products AS item ON item.administration = shown.administration AND item.product_id = shown.product_key
WHERE shown.administration = :administration AND shown.is_active AND item.end_date < :today
"""
_LINES_TO_GROUP = """
SELECT DISTINCT line.order_id FROM erp.order_lines AS line
JOIN erp.products AS item ON item.administration = line.administration AND item.product_id = line.product_id
WHERE line.administration = :administration AND line.product_id = ANY(:keys)
    AND line.item_group_code IS NULL AND item.item_group_code IS NOT NULL
"""
_NOT_YET_PRODUCTS = f"""
SELECT DISTINCT line.product_id FROM erp.order_lines AS line
WHERE {_OF_ORDERS} AND line.product_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM crm.products AS shown
        WHERE shown.administration = line.administration AND shown.product_key = line.product_id)
"""
