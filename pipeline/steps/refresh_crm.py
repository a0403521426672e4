"""`crm.*` takes in what changed in `erp`: what Pipedrive should hold, and what is held back."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from pipeline.config import Administration, Config
from pipeline.domain.deal_products import SURCHARGE_CODE
from pipeline.steps.customer_figures import FIGURE_COLUMNS, FIGURES, figure_parameters, queue_whom_time_touches
from pipeline.steps.mart_stages import ALL, ORDER_STATUS
from pipeline.steps.order_payments import TERMS_OF_ORDERS, queue_what_falls_due
from pipeline.transform.crm_products import to_crm_products
from pipeline.transform.deal_products import to_deal_products
from pipeline.transform.deals import to_deals
from pipeline.transform.held import to_held
from pipeline.transform.organizations import to_organizations
from pipeline.transform.payments import with_payment_statuses
from pipeline.warehouse import memory
from pipeline.warehouse.pending import QUEUED_AGAIN, Step, queue, work_off
from pipeline.warehouse.reading import frame, rows
from pipeline.warehouse.tables import crm
from pipeline.warehouse.writing import remove, upsert

ROUNDED_ONCE = "pipedrive rounds the sum of a deal"  # instead of each row; an audit notices it


def refresh_held(engine: Engine, config: Config) -> int:
    """Decides which customers and orders wait, and returns how many of those decisions changed."""
    notice_configuration(engine, config)

    def customers(tx: Connection, name: str, keys: list[str]) -> int:
        changed = [row.key for row in tx.execute(text(_HOLD_CUSTOMERS), {"administration": name})]
        orders = [row.order_id for row in tx.execute(text(_ORDERS_OF), {"administration": name, "keys": changed})]
        queue(tx, ("crm/held", "crm/deals"), name, orders)
        after = ("crm/organizations", "crm/persons of customers", "pipedrive/organizations")
        queue(tx, after, name, changed)
        return len(changed)

    def orders(tx: Connection, name: str, keys: list[str]) -> int:
        of = {"administration": name, "keys": keys}
        held = to_held(frame(tx, _ORDERS_TO_HOLD, of), rules=config.rules)
        held["since"] = datetime.now(UTC)
        free = {*keys} - {*held["key"]}
        released = remove(tx, crm.held, ({"administration": name, "entity": "order", "key": key} for key in free))
        changed = upsert(tx, crm.held, rows(held), keeping=("since",))
        queue(tx, ("crm/deals",), name, keys if released or changed else [])
        return released + changed

    return _each(engine, config, "crm/held customers", lambda _: customers, size=20_000) + _each(
        engine, config, "crm/held", lambda _: orders
    )


def refresh_organizations(engine: Engine, config: Config, *, today: date | None = None) -> int:
    """Decides what organizations Pipedrive should hold, and returns how many changed.

    Their figures follow those orders, receivables and, from `today` on, days and months that changed. Of a customer
    who is none any more only the figures go on.
    """

    def of(administration: Administration) -> Step:
        day = today or administration_today(administration)
        figures = figure_parameters(administration, today=day, dormant_after_days=config.dormant_after_days)
        with engine.begin() as tx:
            queue_whom_time_touches(tx, administration, today=day, dormant=figures["dormant_before"])

        def step(tx: Connection, name: str, keys: list[str]) -> int:
            parameters = {"administration": name, "keys": keys, **figures}
            wanted = to_organizations(
                frame(tx, _MIRRORED_CUSTOMERS, parameters),
                e_mails=config.owner_e_mails,
                default_owner=config.default_owner,
            )
            mirrored = list(wanted["customer_id"]) if len(wanted) else []
            others = frame(tx, _CUSTOMERS_NO_MORE, parameters | {"mirrored": mirrored})
            into, after = crm.organizations, {"pending": ("pipedrive/organizations",), "pending_key": "customer_id"}
            return upsert(tx, into, rows(wanted), **after) + upsert(tx, into, rows(others), **after)

        return step

    return _each(engine, config, "crm/organizations", of)


def refresh_products(engine: Engine, config: Config) -> int:
    """Decides what products Pipedrive should hold, and returns how many changed."""

    def of(administration: Administration) -> Step:
        def step(tx: Connection, name: str, keys: list[str]) -> int:
            parameters = {"administration": name, "keys": keys}
            wanted = to_crm_products(
                frame(tx, _MIRRORED_ITEMS, parameters),
                frame(tx, _UNCATALOGUED, parameters),
                keys,
                administration=name,
                currency=administration.currency,
                today=administration_today(administration),
            )
            return upsert(tx, crm.products, rows(wanted), pending=("pipedrive/products",), pending_key="product_key")

        return step

    return _each(engine, config, "crm/products", of)


def refresh_deals(engine: Engine, config: Config, *, today: date | None = None) -> int:
    """Decides what deals Pipedrive should hold, and returns how many changed; among them those late from `today` on."""

    def of_administration(administration: Administration) -> Step:
        day = today or administration_today(administration)
        with engine.begin() as tx:
            queue_what_falls_due(tx, administration.name, today=day)

        def step(tx: Connection, name: str, keys: list[str]) -> int:
            of = {"administration": name, "keys": keys}
            wanted = to_deals(
                with_payment_statuses(frame(tx, _ORDERS_TO_DEAL, of), frame(tx, TERMS_OF_ORDERS, of), today=day),
                frame(tx, _GROUP_SUMS, of),
                frame(tx, _DEALS_BEFORE, of),
                rules=config.rules,
                deal_title=config.pipedrive.deal_title,
                e_mails=config.owner_e_mails,
                default_owner=config.default_owner,
                category_amounts=config.pipedrive.category_amounts,
            )
            queue(tx, ("crm/deal_products",), name, list(wanted["order_id"]) if len(wanted) else [])
            into, after = crm.deals, {"pending": ("pipedrive/deals",), "pending_key": "order_id"}
            changed = upsert(tx, into, rows(wanted), **after, ignoring=("is_live",))
            queue(tx, (ORDER_STATUS,), name, [ALL] if changed else [])
            return changed

        return step

    return _each(engine, config, "crm/deals", of_administration)


def refresh_deal_products(engine: Engine, config: Config) -> int:
    """Decides what rows Pipedrive should hold on each deal, and returns how many changed."""

    def step(tx: Connection, name: str, keys: list[str]) -> int:
        of = {"administration": name, "keys": keys}
        deals = frame(tx, _DEALS_WITH_ROWS, of)
        lines = frame(tx, _LINES_OF_DEALS, {"administration": name, "keys": list(deals["order_id"])})
        wanted = to_deal_products(deals, lines, rounded_once=memory.recall(tx, ROUNDED_ONCE) or False)
        kept = set(zip(wanted["order_id"], wanted["row_key"], strict=True))
        known = tx.execute(text(_KNOWN_ROWS), {"administration": name, "keys": list(deals["order_id"])}).all()
        gone = [row for row in known if (row.order_id, row.row_key) not in kept]
        remove(tx, crm.deal_products, ({"administration": name, **row._mapping} for row in gone))
        after = ("pipedrive/deal_products",)
        queue(tx, after, name, {row.order_id for row in gone})
        if SURCHARGE_CODE in set(wanted["row_key"]):
            queue(tx, ("crm/products",), name, [SURCHARGE_CODE])
        changed = upsert(
            tx, crm.deal_products, rows(wanted), pending=after, pending_key="order_id", likely_new=not known
        )
        return changed + len(gone)

    return _each(engine, config, "crm/deal_products", lambda _: step, size=1000)


def notice_configuration(engine: Engine, config: Config) -> None:
    """Lets everything be decided anew when a setting changed on which the decisions rest."""
    settings = config.model_dump(
        mode="json", include={"salespeople", "default_owner", "status_rules", "dormant_after_days"}
    )
    settings |= config.pipedrive.model_dump(include={"deal_title", "category_amounts"})
    now = sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    with engine.begin() as tx:
        before = memory.recall(tx, "crm configuration")
        if before != now:
            memory.note(tx, "crm configuration", now)
        if before is not None and before != now:
            tx.execute(text(_EVERYTHING))


def _each(
    engine: Engine, config: Config, stage: str, step_of: Callable[[Administration], Step], *, size: int = 2000
) -> int:
    return sum(
        work_off(engine, stage, administration.name, step_of(administration), size=size)
        for administration in config.administrations
    )


def administration_today(administration: Administration) -> date:
    """The date on the administration's calendar."""
    return datetime.now(ZoneInfo(administration.time_zone)).date()


def todays(config: Config) -> dict[str, date]:
    """The date on each administration's calendar."""
    return {one.name: administration_today(one) for one in config.administrations}


MIRRORED = """((customer.is_customer AND NOT customer.is_deleted) OR EXISTS (
    SELECT FROM erp.orders AS placed WHERE placed.administration = customer.administration
    AND placed.customer_id = customer.customer_id))"""
_HOLD_CUSTOMERS = f"""
WITH mirrored AS (
    SELECT customer.customer_id, customer.debtor_code, count(*) OVER (PARTITION BY customer.debtor_code) AS sharing
    FROM erp.customers AS customer WHERE customer.administration = :administration AND {MIRRORED}),
waiting AS (
    SELECT customer_id, debtor_code, CASE
        WHEN debtor_code IS NULL THEN 'the customer has no debtor code'
        ELSE 'the customer shares debtor code ' || debtor_code || ' with ' || sharing - 1 || ' more' END AS reason
    FROM mirrored WHERE debtor_code IS NULL OR sharing > 1),
released AS (
    DELETE FROM crm.held AS held WHERE held.administration = :administration AND held.entity = 'customer'
        AND NOT EXISTS (SELECT FROM waiting WHERE waiting.customer_id = held.key) RETURNING held.key),
written AS (
    INSERT INTO crm.held AS held (administration, entity, key, number, reason, stops_deal, since)
    SELECT :administration, 'customer', customer_id, debtor_code, reason, true, now() FROM waiting
    ON CONFLICT (administration, entity, key) DO UPDATE SET number = excluded.number, reason = excluded.reason
        WHERE (held.number, held.reason) IS DISTINCT FROM (excluded.number, excluded.reason) RETURNING held.key)
SELECT key FROM released UNION SELECT key FROM written
"""
_ORDERS_OF = "SELECT order_id FROM erp.orders WHERE administration = :administration AND customer_id = ANY(:keys)"
_ORDERS_TO_HOLD = """
SELECT placed.*, customer.name AS customer_name, held.reason AS customer_held, deal.order_id IS NOT NULL AS has_deal,
    (SELECT count(*) FROM erp.order_lines AS line WHERE line.administration = placed.administration
        AND line.order_id = placed.order_id AND line.product_id IS NULL AND line.quantity <> 0) AS lines_without_item
FROM erp.orders AS placed
LEFT JOIN erp.customers AS customer
    ON customer.administration = placed.administration AND customer.customer_id = placed.customer_id
LEFT JOIN crm.held AS held
    ON held.administration = placed.administration AND held.entity = 'customer' AND held.key = placed.customer_id
LEFT JOIN crm.deals AS deal ON deal.administration = placed.administration AND deal.order_id = placed.order_id
WHERE placed.administration = :administration AND placed.order_id = ANY(:keys)
"""
_MIRRORED_CUSTOMERS = f"""
SELECT customer.*, {FIGURE_COLUMNS} FROM erp.customers AS customer, {FIGURES}
WHERE customer.administration = :administration AND customer.customer_id = ANY(:keys) AND {MIRRORED}
    AND NOT EXISTS (SELECT FROM crm.held AS held WHERE held.administration = customer.administration
        AND held.entity = 'customer' AND held.key = customer.customer_id)
"""
_CUSTOMERS_NO_MORE = f"""
SELECT customer.administration, customer.customer_id, customer.name, customer.debtor_code, customer.owner_e_mails,
    {FIGURE_COLUMNS} FROM crm.organizations AS customer, {FIGURES}
WHERE customer.administration = :administration AND customer.customer_id = ANY(:keys)
    AND NOT customer.customer_id = ANY(:mirrored) AND NOT EXISTS (SELECT FROM crm.held AS held
        WHERE held.administration = customer.administration
        AND held.entity = 'customer' AND held.key = customer.customer_id)
"""
_MIRRORED_ITEMS = """
SELECT item.* FROM erp.products AS item
WHERE item.administration = :administration AND item.product_id = ANY(:keys)
    AND (item.is_sales_item OR EXISTS (SELECT FROM erp.order_lines AS line
        WHERE line.administration = item.administration AND line.product_id = item.product_id)
        OR EXISTS (SELECT FROM crm.products AS shown
        WHERE shown.administration = item.administration AND shown.product_key = item.product_id))
"""
_UNCATALOGUED = """
SELECT DISTINCT ON (line.product_id) line.product_id, line.item_code, line.description FROM erp.order_lines AS line
WHERE line.administration = :administration AND line.product_id = ANY(:keys)
    AND NOT EXISTS (SELECT FROM erp.products AS item
        WHERE item.administration = line.administration AND item.product_id = line.product_id)
ORDER BY line.product_id, line.known_as_of DESC, line.line_id
"""
_ORDERS_TO_DEAL = """
SELECT placed.*, customer.name AS customer_name, customer.account_manager_id FROM erp.orders AS placed
LEFT JOIN erp.customers AS customer
    ON customer.administration = placed.administration AND customer.customer_id = placed.customer_id
WHERE placed.administration = :administration AND placed.order_id = ANY(:keys)
    AND NOT EXISTS (SELECT FROM crm.held AS held WHERE held.administration = placed.administration
        AND held.entity = 'order' AND held.key = placed.order_id AND held.stops_deal)
"""
_DEALS_BEFORE = "SELECT * FROM crm.deals WHERE administration = :administration AND order_id = ANY(:keys)"
_GROUP_SUMS = """
SELECT order_id, item_group_code, sum(amount_excl_vat) AS amount FROM erp.order_lines
WHERE administration = :administration AND order_id = ANY(:keys) AND quantity <> 0 AND item_group_code IS NOT NULL
GROUP BY order_id, item_group_code
"""
_DEALS_WITH_ROWS = """
SELECT administration, order_id, value FROM crm.deals
WHERE administration = :administration AND order_id = ANY(:keys) AND NOT is_deleted
"""
_LINES_OF_DEALS = """
SELECT order_id, line_id, line_number, product_id, item_group_code, quantity, net_price FROM erp.order_lines
WHERE administration = :administration AND order_id = ANY(:keys)
"""
_KNOWN_ROWS = """
SELECT order_id, row_key FROM crm.deal_products WHERE administration = :administration AND order_id = ANY(:keys)
"""
_EVERYTHING = f"""
INSERT INTO state.pending (stage, administration, key)
SELECT stage, administration, order_id FROM erp.orders, unnest(ARRAY['crm/held', 'crm/deals']) AS stage
UNION SELECT 'crm/organizations', administration, customer_id FROM erp.customers
{QUEUED_AGAIN}
"""
