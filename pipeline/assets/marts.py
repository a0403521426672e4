"""Tables for analysts."""

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets import erp
from pipeline.assets.described import asset_key, reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.steps.marts import rebuild_revenue_per_category
from pipeline.steps.reconciliation import reconcile
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


@dg.asset(
    **LAYER,
    **spec_of(tables.revenue_per_category),
    deps=[erp.orders, erp.order_lines, erp.item_groups],
    op_tags={"dagster/priority": "-1"},  # after the deals, which people wait for
)
@failing_clearly
def revenue_per_category(engine: dg.ResourceParam[Engine]) -> dg.MaterializeResult:
    return reported(engine, tables.revenue_per_category, rebuild_revenue_per_category(engine) or 0)


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
