"""Tables for analysts."""

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets import erp
from pipeline.assets.described import reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.steps.marts import rebuild_revenue_per_category
from pipeline.warehouse.tables import marts as tables


@dg.asset(
    **spec_of(tables.revenue_per_category),
    group_name="marts",
    kinds={"sql", "postgres"},
    deps=[erp.orders, erp.order_lines, erp.item_groups],
    op_tags={"dagster/priority": "-1"},  # after the deals, which people wait for
)
@failing_clearly
def revenue_per_category(engine: dg.ResourceParam[Engine]) -> dg.MaterializeResult:
    return reported(engine, tables.revenue_per_category, rebuild_revenue_per_category(engine) or 0)
