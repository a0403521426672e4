"""Checks on the tables: what must hold before anybody relies on them. Each names up to ten rows that break it."""

import dagster as dg
from sqlalchemy import Engine, text

from pipeline.assets.described import asset_key
from pipeline.config import Config
from pipeline.steps.archive import room
from pipeline.warehouse.tables import crm, erp, marts, pipedrive

SHOWN = 10


def outcome(engine: Engine, query: str, *, severity: dg.AssetCheckSeverity, meaning: str) -> dg.AssetCheckResult:
    """Passes when the query finds no row; else says how many, and shows the first."""
    with engine.connect() as connection:
        broken = connection.execute(text(query)).all()
    shown = dg.MetadataValue.md("\n".join(f"- {', '.join(map(str, row))}" for row in broken[:SHOWN]) or "none")
    description = f"{len(broken)} {meaning}" if broken else f"no {meaning}"
    return dg.AssetCheckResult(
        passed=not broken, severity=severity, description=description, metadata={"rows": len(broken), "first": shown}
    )


@dg.asset_check(
    asset=asset_key(erp.orders), description="Every order has a customer we know; the others wait in crm.held_orders."
)
def every_order_has_a_customer(engine: dg.ResourceParam[Engine]) -> dg.AssetCheckResult:
    return outcome(
        engine, _WITHOUT_CUSTOMER, severity=dg.AssetCheckSeverity.WARN, meaning="orders of a customer we don't know"
    )


@dg.asset_check(
    asset=asset_key(crm.held),
    description="Every combination of statuses has a rule; orders of the others wait in crm.held_orders.",
)
def every_status_combination_is_covered(engine: dg.ResourceParam[Engine]) -> dg.AssetCheckResult:
    return outcome(
        engine, _UNCOVERED, severity=dg.AssetCheckSeverity.WARN, meaning="combinations of statuses that no rule covers"
    )


@dg.asset_check(
    asset=asset_key(crm.deals),
    blocking=True,
    description="A deal is worth what its order is worth; else nothing is written.",
)
def deal_values_equal_order_values(engine: dg.ResourceParam[Engine]) -> dg.AssetCheckResult:
    return outcome(
        engine,
        _OTHER_VALUE,
        severity=dg.AssetCheckSeverity.ERROR,
        meaning="deals worth another amount than their order",
    )


@dg.asset_check(
    asset=asset_key(crm.deal_products),
    blocking=True,
    description="The rows of a deal add up to its value; else nothing is written.",
)
def rows_add_up_to_the_order(engine: dg.ResourceParam[Engine]) -> dg.AssetCheckResult:
    return outcome(
        engine, _OTHER_SUM, severity=dg.AssetCheckSeverity.ERROR, meaning="deals whose rows add up to another amount"
    )


@dg.asset_check(asset=asset_key(pipedrive.deals), description="Pipedrive took every record; what it refused is shown.")
def nothing_was_refused(engine: dg.ResourceParam[Engine]) -> dg.AssetCheckResult:
    return outcome(engine, _REFUSED, severity=dg.AssetCheckSeverity.WARN, meaning="records refused by Pipedrive")


@dg.asset_check(
    asset=asset_key(pipedrive.deals),
    description="No order has two deals, no customer two organizations, no item two products.",
)
def nothing_stands_there_twice(engine: dg.ResourceParam[Engine]) -> dg.AssetCheckResult:
    return outcome(engine, _TWICE, severity=dg.AssetCheckSeverity.ERROR, meaning="records too many in Pipedrive")


@dg.asset_check(
    asset=asset_key(pipedrive.deals),
    description="The deals outside the archive stay under nine tenths of deal_cap, where it is set.",
)
def the_plan_has_room_for_deals(
    engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.AssetCheckResult:
    with engine.connect() as connection:
        found = room(connection, configuration)
    return dg.AssetCheckResult(
        passed=not found.is_short,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{found.standing} deals stand outside the archive; deal_cap is {found.cap or 'not set'}",
    )


@dg.asset_check(
    asset=asset_key(pipedrive.drift),
    description="What Pipedrive reckons a deal is worth from its rows is what its order is worth.",
)
def deals_are_worth_their_orders_in_pipedrive(engine: dg.ResourceParam[Engine]) -> dg.AssetCheckResult:
    return outcome(
        engine, _OTHER_WORTH, severity=dg.AssetCheckSeverity.ERROR, meaning="deals worth something else in Pipedrive"
    )


@dg.asset_check(
    asset=asset_key(pipedrive.person_changes),
    description="Every person with the label Naar Exact is a contact in the ERP as it stands; else it is said why not.",
)
def persons_for_the_erp_arrived(engine: dg.ResourceParam[Engine]) -> dg.AssetCheckResult:
    return outcome(
        engine, _HELD_BACK, severity=dg.AssetCheckSeverity.WARN, meaning="persons that are not in the ERP as they stand"
    )


@dg.asset_check(
    asset=asset_key(marts.reconciliation),
    blocking=True,  # nothing comes after it; the run fails, and so somebody is told
    description="Where an order does not stand alike in Exact Online, erp, crm and Pipedrive, it is known why.",
)
def every_difference_is_explained(engine: dg.ResourceParam[Engine]) -> dg.AssetCheckResult:
    return outcome(
        engine, _UNEXPLAINED, severity=dg.AssetCheckSeverity.ERROR, meaning="orders that differ and nothing explains it"
    )


@dg.asset_check(
    asset=asset_key(marts.reconciliation),
    description="By month of order date, orders are worth the same in Exact Online, erp and Pipedrive.",
)
def revenue_by_month_is_the_same(engine: dg.ResourceParam[Engine]) -> dg.AssetCheckResult:
    with engine.connect() as connection:
        is_explained = not connection.execute(text(_UNEXPLAINED_MONTHS)).scalar_one()
    severity = dg.AssetCheckSeverity.WARN if is_explained else dg.AssetCheckSeverity.ERROR
    return outcome(engine, _OTHER_MONTHS, severity=severity, meaning="months worth something else on the way")


CHECKS = [
    nothing_stands_there_twice,
    the_plan_has_room_for_deals,
    deals_are_worth_their_orders_in_pipedrive,
    every_difference_is_explained,
    revenue_by_month_is_the_same,
    every_order_has_a_customer,
    every_status_combination_is_covered,
    deal_values_equal_order_values,
    rows_add_up_to_the_order,
    nothing_was_refused,
    persons_for_the_erp_arrived,
]

_WITHOUT_CUSTOMER = """
SELECT placed.administration, placed.order_number, placed.customer_id FROM erp.orders AS placed
WHERE NOT placed.is_deleted AND NOT EXISTS (SELECT FROM erp.customers AS customer
    WHERE customer.administration = placed.administration AND customer.customer_id = placed.customer_id)
ORDER BY 1, 2
"""
_UNCOVERED = """
SELECT administration, status, delivery_status, invoice_status, count(*) AS orders, min(number) AS example FROM crm.held
WHERE entity = 'order' AND reason LIKE 'no rule covers%' GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC
"""
_OTHER_VALUE = """
SELECT deal.administration, deal.order_number, deal.value, placed.amount_excl_vat FROM crm.deals AS deal
JOIN erp.orders AS placed ON placed.administration = deal.administration AND placed.order_id = deal.order_id
LEFT JOIN crm.held AS held ON held.administration = deal.administration AND held.entity = 'order'
    AND held.key = deal.order_id AND held.stops_deal
WHERE NOT placed.is_deleted AND held.key IS NULL AND deal.value IS DISTINCT FROM placed.amount_excl_vat
ORDER BY 1, 2
"""
_OTHER_SUM = """
SELECT deal.administration, deal.order_number, deal.value, line.amount FROM crm.deals AS deal
JOIN (SELECT administration, order_id, sum(round(quantity * item_price, 2)) AS amount,
        sum(quantity * item_price) AS exact
    FROM crm.deal_products GROUP BY administration, order_id) AS line
    ON line.administration = deal.administration AND line.order_id = deal.order_id
WHERE line.amount <> deal.value AND round(line.exact, 2) <> deal.value AND NOT deal.is_deleted ORDER BY 1, 2
"""
_TWICE = "SELECT kind, record_id, kept_id, found_at, closed_at FROM pipedrive.duplicates ORDER BY found_at DESC"
_OTHER_WORTH = """
SELECT administration, number, found, wanted, found_at FROM pipedrive.drift WHERE kind = 'deals' AND field = 'value'
ORDER BY found_at DESC
"""
_REFUSED = "SELECT administration, kind, number, reason FROM pipedrive.rejected ORDER BY since DESC"
_HELD_BACK = (
    "SELECT person_id, name, reason, since FROM pipedrive.person_changes WHERE since IS NOT NULL ORDER BY since DESC"
)
_UNEXPLAINED = """
SELECT administration, 'order ' || order_number, to_char(month, 'YYYY-MM'), differs, currency,
    'Exact ' || coalesce(value_in_exact::text, '-'), 'erp ' || coalesce(value_in_erp::text, '-'),
    'crm ' || coalesce(value_in_crm::text, '-'), 'Pipedrive ' || coalesce(value_in_pipedrive::text, '-')
FROM marts.differences WHERE explanation IS NULL ORDER BY administration, month DESC, order_number
"""
_MONTHS = """FROM marts.reconciliation
WHERE (value_in_exact IS NOT NULL AND value_in_exact <> value_in_erp OR value_in_erp <> value_in_pipedrive)"""
_OTHER_MONTHS = f"""
SELECT administration, to_char(month, 'YYYY-MM'), currency, 'Exact ' || coalesce(value_in_exact::text, 'was not asked'),
    'erp ' || value_in_erp, 'Pipedrive ' || value_in_pipedrive, unexplained || ' orders unexplained of ' || differing
{_MONTHS} ORDER BY unexplained DESC, administration, month DESC, currency
"""
_UNEXPLAINED_MONTHS = f"SELECT EXISTS (SELECT {_MONTHS} AND (unexplained > 0 OR differing = 0))"
