"""What Pipedrive should hold: worth what the ERP says, and with all that it leans on.

Before anything is written, what is about to be is held to its orders; the whole tables are held to them at night. Deals
that wait to be decided on anew are left out: they are behind, not wrong.
"""

from pipeline.automation.checks.rules import Rule, Weight, rows_of
from pipeline.warehouse.tables import crm as tables

_ABOUT_TO_BE_WRITTEN = """(SELECT DISTINCT administration, key AS order_id FROM state.pending
    WHERE stage IN ('pipedrive/deals', 'pipedrive/deal_products'))"""
_ALL = "crm.deals"


def _waits(table: str, *stages: str, key: str = "order_id") -> str:
    """Whether the row waits to be decided on anew."""
    named = ", ".join(f"'{stage}'" for stage in stages)
    return f"""EXISTS (SELECT FROM state.pending AS waiting WHERE waiting.stage IN ({named})
        AND waiting.administration = {table}.administration AND waiting.key = {table}.{key})"""


def _other_value(chosen: str) -> str:
    return f"""
SELECT deal.administration, deal.order_number, deal.value AS deal, placed.amount_excl_vat AS order, deal.currency
FROM {chosen} AS chosen JOIN crm.deals AS deal USING (administration, order_id)
JOIN erp.orders AS placed USING (administration, order_id)
WHERE NOT placed.is_deleted AND (deal.value, deal.currency) IS DISTINCT FROM (placed.amount_excl_vat, placed.currency)
    AND NOT EXISTS (SELECT FROM crm.held AS held WHERE held.administration = deal.administration
        AND held.entity = 'order' AND held.key = deal.order_id AND held.stops_deal)
    AND NOT {_waits("deal", "crm/held", "crm/deals")}
ORDER BY 1, 2"""


def _other_sum(chosen: str) -> str:
    return f"""
SELECT deal.administration, deal.order_number, deal.value AS deal, coalesce(line.amount, 0) AS rows, deal.currency
FROM {chosen} AS chosen JOIN crm.deals AS deal USING (administration, order_id)
CROSS JOIN LATERAL (SELECT sum(round(quantity * item_price, 2)) AS amount, sum(quantity * item_price) AS exact
    FROM crm.deal_products AS shown
    WHERE shown.administration = deal.administration AND shown.order_id = deal.order_id) AS line
WHERE coalesce(line.amount, 0) <> deal.value AND round(coalesce(line.exact, 0), 2) <> deal.value
    AND NOT deal.is_deleted AND NOT {_waits("deal", "crm/held", "crm/deals", "crm/deal_products")}
ORDER BY 1, 2"""


_SHARED_DEAL = f"""
SELECT ours.administration, wanted.order_number, ours.deal_id, other.order_id AS also_of
FROM {_ABOUT_TO_BE_WRITTEN} AS chosen JOIN pipedrive.deals AS ours USING (administration, order_id)
JOIN pipedrive.deals AS other ON other.deal_id = ours.deal_id
    AND (other.administration, other.order_id) <> (ours.administration, ours.order_id)
LEFT JOIN crm.deals AS wanted ON wanted.administration = ours.administration AND wanted.order_id = ours.order_id
ORDER BY 1, 2
"""
_UNCOVERED = """
SELECT administration, status, delivery_status, invoice_status, count(*) AS orders, min(number) AS example FROM crm.held
WHERE entity = 'order' AND reason LIKE 'no rule covers%' GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC
"""
_OF_NOBODY = """
SELECT one.administration, one.customer_id, one.debtor_code FROM crm.organizations AS one
WHERE NOT EXISTS (SELECT FROM erp.customers AS known
    WHERE known.administration = one.administration AND known.customer_id = one.customer_id) ORDER BY 1, 2
"""
_LINKED_TO_NOTHING = """
SELECT one.administration, one.contact_id, one.customer_id FROM crm.persons AS one
WHERE one.customer_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm.organizations AS known
    WHERE known.administration = one.administration AND known.customer_id = one.customer_id) ORDER BY 1, 2
"""
_NO_ITEM = """
SELECT shown.administration, shown.code, shown.product_key FROM crm.products AS shown
WHERE shown.product_key <> 'TOESLAG-KORTING' AND NOT EXISTS (SELECT FROM erp.products AS item
        WHERE item.administration = shown.administration AND item.product_id = shown.product_key)
    AND NOT EXISTS (SELECT FROM erp.order_lines AS line
        WHERE line.administration = shown.administration AND line.product_id = shown.product_key)
    AND NOT EXISTS (SELECT FROM pipedrive.products AS made
        WHERE made.administration = shown.administration AND made.product_key = shown.product_key)
ORDER BY 1, 2
"""
_WITHOUT_ORGANIZATION = """
SELECT deal.administration, deal.order_number, deal.customer_id FROM crm.deals AS deal
WHERE NOT EXISTS (SELECT FROM crm.organizations AS known
    WHERE known.administration = deal.administration AND known.customer_id = deal.customer_id) ORDER BY 1, 2
"""
_WITHOUT_DEAL = f"""
SELECT placed.administration, placed.order_number, placed.order_date, placed.amount_excl_vat, placed.currency
FROM erp.orders AS placed
WHERE NOT placed.is_deleted
    AND NOT EXISTS (SELECT FROM crm.deals AS deal
        WHERE deal.administration = placed.administration AND deal.order_id = placed.order_id)
    AND NOT EXISTS (SELECT FROM crm.held AS held WHERE held.administration = placed.administration
        AND held.entity = 'order' AND held.key = placed.order_id)
    AND NOT {_waits("placed", "crm/held", "crm/deals")}
ORDER BY 1, 2
"""
_WITHOUT_PRODUCT = f"""
SELECT shown.administration, deal.order_number, shown.position, shown.product_key FROM crm.deal_products AS shown
JOIN crm.deals AS deal USING (administration, order_id)
WHERE NOT EXISTS (SELECT FROM crm.products AS known WHERE known.administration = shown.administration
        AND known.product_key = shown.product_key)
    AND NOT {_waits("shown", "crm/products", key="product_key")}
ORDER BY 1, 2, 3
"""
_HELD_FOR_NOTHING = """
SELECT held.administration, held.entity, held.number, held.reason FROM crm.held AS held
WHERE NOT EXISTS (SELECT FROM erp.orders AS placed WHERE held.entity = 'order'
        AND placed.administration = held.administration AND placed.order_id = held.key)
    AND NOT EXISTS (SELECT FROM erp.customers AS customer WHERE held.entity = 'customer'
        AND customer.administration = held.administration AND customer.customer_id = held.key)
ORDER BY 1, 2, 3
"""

DEALS_BEFORE_WRITING = [
    Rule(
        "deal_values_equal_order_values",
        tables.deals,
        "A deal about to be written is worth what its order is worth, in the same currency; else nothing is written.",
        "deals worth another amount than their order",
        rows_of(_other_value(_ABOUT_TO_BE_WRITTEN)),
        Weight.BLOCKS,
    ),
    Rule(
        "no_two_orders_share_a_deal",
        tables.deals,
        "No deal about to be written stands for two orders, which would write over each other's value; else nothing is "
        "written.",
        "orders whose deal is another order's too",
        rows_of(_SHARED_DEAL),
        Weight.BLOCKS,
    ),
]
ROWS_BEFORE_WRITING = [
    Rule(
        "rows_add_up_to_the_order",
        tables.deal_products,
        "The rows of a deal about to be written add up to its value; else nothing is written.",
        "deals whose rows add up to another amount",
        rows_of(_other_sum(_ABOUT_TO_BE_WRITTEN)),
        Weight.BLOCKS,
    ),
    Rule(
        "every_status_combination_is_covered",
        tables.held,
        "Every combination of statuses has a rule; orders of the others wait in crm.held_orders.",
        "combinations of statuses that no rule covers",
        rows_of(_UNCOVERED),
    ),
]
NIGHTLY = [
    Rule(
        "every_organization_is_a_customer",
        tables.organizations,
        "Every organization stands for a relation we know.",
        "organizations of nobody",
        rows_of(_OF_NOBODY),
    ),
    Rule(
        "every_person_has_an_organization",
        tables.persons,
        "Every person who is linked to a customer has that customer's organization.",
        "persons linked to an organization that is not there",
        rows_of(_LINKED_TO_NOTHING),
    ),
    Rule(
        "every_product_is_an_item",
        tables.products,
        "Every product stands for an item of the catalogue or of an order.",
        "products of no item",
        rows_of(_NO_ITEM),
    ),
    Rule(
        "every_deal_is_worth_its_order",
        tables.deals,
        "Every deal, not only those about to be written, is worth what its order is worth; else the run fails.",
        "deals worth another amount than their order",
        rows_of(_other_value(_ALL)),
        Weight.FAILS,
    ),
    Rule(
        "every_deal_has_an_organization",
        tables.deals,
        "Every deal's customer has an organization; Pipedrive could not show whose deal it is otherwise.",
        "deals without an organization",
        rows_of(_WITHOUT_ORGANIZATION),
    ),
    Rule(
        "every_order_has_a_deal",
        tables.deals,
        "Every order has a deal, or it is said why not: it is held, or deleted.",
        "orders without a deal, and nothing says why",
        rows_of(_WITHOUT_DEAL),
    ),
    Rule(
        "every_deal_adds_up",
        tables.deal_products,
        "The rows of every deal, not only of those about to be written, add up to its value; else the run fails.",
        "deals whose rows add up to another amount",
        rows_of(_other_sum(_ALL)),
        Weight.FAILS,
    ),
    Rule(
        "every_row_has_a_product",
        tables.deal_products,
        "Every row of a deal shows a product that Pipedrive should hold.",
        "rows of products that are not there",
        rows_of(_WITHOUT_PRODUCT),
    ),
    Rule(
        "everything_held_is_known",
        tables.held,
        "What is held back is an order or customer that is still there.",
        "records held back that are not there any more",
        rows_of(_HELD_FOR_NOTHING),
    ),
]
