"""What was written: nothing twice, nothing refused, nothing that nobody wants. What is shown names no people."""

from sqlalchemy import Connection, Table

from pipeline.automation.checks.rules import Found, Rule, Weight, rows_of
from pipeline.config import Config
from pipeline.steps.archive import room
from pipeline.warehouse.tables import crm
from pipeline.warehouse.tables import pipedrive as tables


def _one_each(name: str, table: Table, identity: str, key: str, of: str) -> Rule:
    return Rule(
        name,
        table,
        f"No record of Pipedrive stands for two {of}, which would write over each other; else the run fails.",
        f"records in Pipedrive that stand for several {of}",
        rows_of(f"""
SELECT {identity}, count(*) AS times, min({key}) AS one, max({key}) AS other FROM {table.fullname}
GROUP BY 1 HAVING count(*) > 1 ORDER BY 2 DESC, 1"""),
        Weight.FAILS,
    )


def _wanted(table: Table, wanted: Table, key: str, identity: str) -> Rule:
    return Rule(
        f"all_{table.name}_are_wanted",
        table,
        f"Every record of {table.fullname} stands for one of {wanted.fullname}; nobody would keep it right otherwise.",
        f"{table.name.replace('_', ' ')} in Pipedrive that nothing stands behind",
        rows_of(f"""
SELECT there.administration, there.{key}, there.{identity} FROM {table.fullname} AS there
WHERE NOT EXISTS (SELECT FROM {wanted.fullname} AS wanted WHERE wanted.administration = there.administration
    AND wanted.{key} = there.{key}) ORDER BY 1, 2"""),
    )


def _room(connection: Connection, config: Config) -> Found:
    cap = config.pipedrive.deal_cap
    if cap is None:  # nothing to count for
        return Found(0, said="deal_cap is not set")
    found = room(connection, cap)
    said = f"{found.standing} deals stand outside the archive; deal_cap is {cap}"
    first = [{"deals": found.standing, "deal_cap": cap}] if found.is_short else []
    return Found(len(first), first, said)


_TWICE = """
SELECT kind, record_id AS one_too_many, kept_id AS kept, found_at, closed_at FROM pipedrive.duplicates
ORDER BY found_at DESC
"""
_OTHER_WORTH = """
SELECT administration, number, found, wanted, found_at FROM pipedrive.drift WHERE kind = 'deals' AND field = 'value'
ORDER BY found_at DESC
"""
# What Pipedrive says of a person may name her, and this is shown and kept by Dagster.
_REFUSED = """
SELECT administration, kind, number, CASE kind WHEN 'persons' THEN 'see pipedrive.rejected' ELSE reason END AS reason,
    since FROM pipedrive.rejected ORDER BY since DESC
"""
_HELD_BACK = "SELECT person_id, reason, since FROM pipedrive.person_changes WHERE since IS NOT NULL ORDER BY since DESC"
_ROWS_WITHOUT_PRODUCT = """
SELECT there.administration, there.order_id, there.position, there.product_key FROM pipedrive.deal_products AS there
WHERE NOT EXISTS (SELECT FROM pipedrive.products AS known WHERE known.administration = there.administration
    AND known.product_key = there.product_key) ORDER BY 1, 2, 3
"""

AFTER_WRITING = [
    Rule(
        "nothing_stands_there_twice",
        tables.deals,
        "No order has two deals, no customer two organizations, no item two products.",
        "records too many in Pipedrive",
        rows_of(_TWICE),
        Weight.ERRS,
    ),
    Rule(
        "the_plan_has_room_for_deals",
        tables.deals,
        "The deals outside the archive stay under nine tenths of deal_cap, where it is set.",
        "accounts without room for deals",
        _room,
    ),
    Rule(
        "nothing_was_refused",
        tables.deals,
        "Pipedrive took every record; what it refused is shown.",
        "records refused by Pipedrive",
        rows_of(_REFUSED),
    ),
]
CARRIED_BACK = [
    Rule(
        "persons_for_the_erp_arrived",
        tables.person_changes,
        "Every person with the label Naar Exact is a contact in the ERP as it stands; else it is said why not.",
        "persons that are not in the ERP as they stand",
        rows_of(_HELD_BACK),
    ),
]
AUDITED = [
    Rule(
        "deals_are_worth_their_orders_in_pipedrive",
        tables.drift,
        "What Pipedrive reckons a deal is worth from its rows is what its order is worth.",
        "deals worth something else in Pipedrive",
        rows_of(_OTHER_WORTH),
        Weight.ERRS,
    ),
]
NIGHTLY = [
    _one_each("no_organization_is_two_customers", tables.organizations, "org_id", "customer_id", "customers"),
    _wanted(tables.organizations, crm.organizations, "customer_id", "org_id"),
    _one_each("no_person_is_two_contacts", tables.persons, "person_id", "contact_id", "contacts"),
    _wanted(tables.persons, crm.persons, "contact_id", "person_id"),
    _one_each("no_product_is_two_items", tables.products, "product_id", "product_key", "items"),
    _wanted(tables.products, crm.products, "product_key", "product_id"),
    _one_each("no_deal_is_two_orders", tables.deals, "deal_id", "order_id", "orders"),
    _wanted(tables.deals, crm.deals, "order_id", "deal_id"),
    Rule(
        "every_written_row_has_a_product",
        tables.deal_products,
        "Every row that was written shows a product that was written.",
        "rows in Pipedrive of products that were not written",
        rows_of(_ROWS_WITHOUT_PRODUCT),
    ),
]
