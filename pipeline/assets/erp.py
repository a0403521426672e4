"""What the ERP knows, with one meaning for every source: each asset takes in what landed since it last did."""

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets import exact_online
from pipeline.assets.described import asset_key, reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.automation.partitions import by_administration
from pipeline.config import Config, load_config
from pipeline.steps import refresh_erp, refresh_invoices
from pipeline.steps.refresh_salespeople import refresh_salespeople
from pipeline.warehouse.tables import erp as tables
from pipeline.warehouse.tables import exact_online as landed

LAYER = {"partitions_def": by_administration(load_config()), "group_name": "erp", "kinds": {"pandas", "postgres"}}
HISTORY = dg.AssetDep(
    asset_key(landed.order_history), partition_mapping=dg.MultiToSingleDimensionPartitionMapping("administration")
)


@dg.asset(**LAYER, **spec_of(tables.customers), deps=[exact_online.accounts, exact_online.deletions])
@failing_clearly
def customers(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.MaterializeResult:
    changed = refresh_erp.refresh_customers(engine, configuration.administration(context.partition_key))
    return reported(engine, tables.customers, changed)


@dg.asset(**LAYER, **spec_of(tables.contacts), deps=[exact_online.contacts, exact_online.deletions])
@failing_clearly
def contacts(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.MaterializeResult:
    changed = refresh_erp.refresh_contacts(engine, configuration.administration(context.partition_key))
    return reported(engine, tables.contacts, changed)


@dg.asset(**LAYER, **spec_of(tables.item_groups), deps=[exact_online.item_groups])
@failing_clearly
def item_groups(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.MaterializeResult:
    changed = refresh_erp.refresh_item_groups(engine, configuration.administration(context.partition_key))
    return reported(engine, tables.item_groups, changed)


@dg.asset(
    **LAYER,
    **spec_of(tables.products),
    deps=[exact_online.items, exact_online.item_prices, exact_online.deletions, item_groups],
)
@failing_clearly
def products(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.MaterializeResult:
    changed = refresh_erp.refresh_products(engine, configuration.administration(context.partition_key))
    return reported(engine, tables.products, changed)


@dg.asset(**LAYER, **spec_of(tables.salespeople), deps=[HISTORY, exact_online.order_changes, exact_online.accounts])
@failing_clearly
def salespeople(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.MaterializeResult:
    changed = refresh_salespeople(engine, configuration.administration(context.partition_key))
    return reported(engine, tables.salespeople, changed)


@dg.asset(**LAYER, **spec_of(tables.orders), deps=[HISTORY, exact_online.order_changes, exact_online.deletions])
@failing_clearly
def orders(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.MaterializeResult:
    changed = refresh_erp.refresh_orders(engine, configuration.administration(context.partition_key))
    return reported(engine, tables.orders, changed)


@dg.asset(
    **LAYER,
    **spec_of(tables.order_lines),
    deps=[HISTORY, exact_online.order_line_changes, exact_online.deletions, orders, products],
)
@failing_clearly
def order_lines(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.MaterializeResult:
    changed = refresh_erp.refresh_order_lines(engine, configuration.administration(context.partition_key))
    return reported(engine, tables.order_lines, changed)


@dg.asset(**LAYER, **spec_of(tables.invoices), deps=[exact_online.sales_invoices, exact_online.deletions])
@failing_clearly
def invoices(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.MaterializeResult:
    changed = refresh_invoices.refresh_invoices(engine, configuration.administration(context.partition_key))
    return reported(engine, tables.invoices, changed)


@dg.asset(
    **LAYER, **spec_of(tables.invoice_orders), deps=[exact_online.sales_invoices, exact_online.deletions, invoices]
)
@failing_clearly
def invoice_orders(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.MaterializeResult:
    changed = refresh_invoices.refresh_invoice_orders(engine, configuration.administration(context.partition_key))
    return reported(engine, tables.invoice_orders, changed)


@dg.asset(
    **LAYER,
    **spec_of(tables.receivables),
    deps=[exact_online.payment_terms, exact_online.deletions, invoices, invoice_orders],
)
@failing_clearly
def receivables(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]
) -> dg.MaterializeResult:
    changed = refresh_invoices.refresh_receivables(engine, configuration.administration(context.partition_key))
    return reported(engine, tables.receivables, changed)
