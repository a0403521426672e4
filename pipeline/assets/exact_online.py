"""Exact Online as it says things: one asset a feed, landed from its watermark on; history by administration × month."""

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets.described import reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.automation.partitions import by_administration, by_month, months_by_administration
from pipeline.config import Config, load_config
from pipeline.exact_online import feeds
from pipeline.resources import ExactOnline
from pipeline.steps import landing
from pipeline.steps.order_history import land_history
from pipeline.warehouse.tables import exact_online as tables

CONFIG = load_config()
FEED = {
    "partitions_def": by_administration(CONFIG),
    "group_name": "exact_online",
    "kinds": {"exact", "postgres"},
    "pool": "exact_online",
}


@dg.asset(**FEED, **spec_of(tables.accounts))
@failing_clearly
def accounts(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], exact: dg.ResourceParam[ExactOnline]
) -> dg.MaterializeResult:
    client = exact.client(context.partition_key)
    landed = landing.land_changes(
        engine,
        client,
        context.partition_key,
        feeds.ACCOUNTS,
        tables.accounts,
        pending=("erp/customers",),
        pending_key="id",
    )
    return reported(engine, tables.accounts, landed.rows, exact_calls=landed.calls)


@dg.asset(**FEED, **spec_of(tables.items))
@failing_clearly
def items(
    context: dg.AssetExecutionContext,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> dg.MaterializeResult:
    feed = feeds.items_with(configuration.pipedrive.collection_field)
    client = exact.client(context.partition_key)
    landed = landing.land_changes(
        engine, client, context.partition_key, feed, tables.items, pending=("erp/products",), pending_key="id"
    )
    return reported(engine, tables.items, landed.rows, exact_calls=landed.calls)


@dg.asset(**FEED, **spec_of(tables.item_prices))
@failing_clearly
def item_prices(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], exact: dg.ResourceParam[ExactOnline]
) -> dg.MaterializeResult:
    client = exact.client(context.partition_key)
    landed = landing.land_changes(
        engine,
        client,
        context.partition_key,
        feeds.ITEM_PRICES,
        tables.item_prices,
        pending=("erp/products",),
        pending_key="item",
    )
    return reported(engine, tables.item_prices, landed.rows, exact_calls=landed.calls)


@dg.asset(**FEED, **spec_of(tables.item_groups))
@failing_clearly
def item_groups(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], exact: dg.ResourceParam[ExactOnline]
) -> dg.MaterializeResult:
    landed = landing.land_item_groups(engine, exact.client(context.partition_key), context.partition_key)
    return reported(engine, tables.item_groups, landed.rows, exact_calls=landed.calls)


@dg.asset(
    **spec_of(tables.order_history),
    partitions_def=by_month(CONFIG),
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="exact_online",
    kinds={"exact", "postgres"},
)
@failing_clearly
def order_history(
    context: dg.AssetExecutionContext,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> dg.MaterializeResult:
    months = months_by_administration(list(context.partition_keys))
    read = land_history(engine, exact.client, configuration, months)
    return reported(engine, tables.order_history, read.changed, **read.figures())


@dg.asset(**FEED, **spec_of(tables.order_changes))
@failing_clearly
def order_changes(
    context: dg.AssetExecutionContext,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> dg.MaterializeResult:
    administration = configuration.administration(context.partition_key)
    landed = landing.land_order_changes(engine, exact.client(administration.name), administration)
    return reported(engine, tables.order_changes, landed.rows, exact_calls=landed.calls)


@dg.asset(**FEED, **spec_of(tables.order_line_changes), deps=[order_changes])
@failing_clearly
def order_line_changes(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], exact: dg.ResourceParam[ExactOnline]
) -> dg.MaterializeResult:
    landed = landing.land_order_line_changes(engine, exact.client(context.partition_key), context.partition_key)
    return reported(engine, tables.order_line_changes, landed.rows, exact_calls=landed.calls)


@dg.asset(**FEED, **spec_of(tables.deletions), deps=[order_line_changes, accounts, items])
@failing_clearly
def deletions(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], exact: dg.ResourceParam[ExactOnline]
) -> dg.MaterializeResult:
    landed = landing.land_deletions(engine, exact.client(context.partition_key), context.partition_key)
    return reported(engine, tables.deletions, landed.rows, exact_calls=landed.calls)
