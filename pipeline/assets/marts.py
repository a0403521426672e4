"""Tables for analysts."""

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets import crm as crm_assets
from pipeline.assets import erp
from pipeline.assets.described import asset_key, reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.config import Config
from pipeline.steps.dormant_customers import refresh_dormant_customers
from pipeline.steps.order_status import rebuild_order_status
from pipeline.steps.reconciliation import reconcile
from pipeline.steps.revenue import refresh_revenue
from pipeline.steps.token_usage import refresh_token_usage
from pipeline.warehouse.tables import crm, exact_online, pipedrive
from pipeline.warehouse.tables import erp as erp_tables
from pipeline.warehouse.tables import marts as tables

# The one place right of `erp` that asks what the source said: to prove that nothing was lost on the way.
COMPARED = (
    exact_online.order_totals,
    erp_tables.orders,
    crm.held,
    crm.deals,
    pipedrive.deals,
    pipedrive.deal_products,
    pipedrive.drift,
)
LAYER = {"group_name": "marts", "kinds": {"sql", "postgres"}}


AFTER_DEALS = {"dagster/priority": "-1"}  # people wait for those
REVENUE = {
    tables.revenue_per_category: (erp_tables.orders, erp_tables.order_lines, erp_tables.item_groups),
    tables.revenue_per_customer: (erp_tables.orders, erp_tables.order_lines, erp_tables.customers),
    tables.revenue_per_salesperson: (erp_tables.orders, erp_tables.order_lines, erp_tables.salespeople),
}

One = dg.MaterializeResult


@dg.multi_asset(
    specs=[
        dg.AssetSpec(**LAYER, **spec_of(table), deps=[asset_key(source) for source in sources])
        for table, sources in REVENUE.items()
    ],
    name="revenue",
    can_subset=False,  # all from one difference, so that they agree
    op_tags=AFTER_DEALS,
)
@failing_clearly
def revenue(engine: dg.ResourceParam[Engine]) -> tuple[One, One, One]:
    changed = refresh_revenue(engine)
    results = (reported(engine, table, changed[table.fullname]) for table in REVENUE)
    return tuple(results)  # pyright: ignore[reportReturnType]  (Dagster wants one entry for each table)


@dg.asset(
    **LAYER,
    **spec_of(tables.dormant_customers),
    deps=[erp.orders, erp.customers, erp.salespeople],
    op_tags=AFTER_DEALS,
)
@failing_clearly
def dormant_customers(engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]) -> One:
    return reported(engine, tables.dormant_customers, refresh_dormant_customers(engine, configuration))


@dg.asset(**LAYER, **spec_of(tables.order_status), deps=[erp.orders, crm_assets.deals], op_tags=AFTER_DEALS)
@failing_clearly
def order_status(engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]) -> One:
    return reported(engine, tables.order_status, rebuild_order_status(engine, configuration))


@dg.asset(
    **LAYER,
    **spec_of(tables.crm_token_usage),
    deps=[asset_key(pipedrive.deals), asset_key(pipedrive.deal_products)],
    op_tags=AFTER_DEALS,
)
@failing_clearly
def crm_token_usage(engine: dg.ResourceParam[Engine]) -> One:
    return reported(engine, tables.crm_token_usage, refresh_token_usage(engine))


@dg.multi_asset(
    specs=[
        dg.AssetSpec(**LAYER, **spec_of(tables.differences), deps=[asset_key(table) for table in COMPARED]),
        dg.AssetSpec(**LAYER, **spec_of(tables.reconciliation), deps=[asset_key(tables.differences)]),
    ],
    name="reconciled",
    can_subset=False,  # both from one look, so that they agree
)
@failing_clearly
def reconciled(engine: dg.ResourceParam[Engine]) -> tuple[dg.MaterializeResult, dg.MaterializeResult]:
    found = reconcile(engine)
    return (
        reported(engine, tables.differences, found.differing, unexplained=found.unexplained),
        reported(engine, tables.reconciliation, found.months, unexplained=found.unexplained),
    )
