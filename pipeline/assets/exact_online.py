"""Exact Online as it says things: one asset a feed, landed from its watermark on; history by administration × month."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field
from sqlalchemy import Engine, Table

from pipeline.assets.described import reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.automation.partitions import by_administration, by_month, month_key, months_by_administration
from pipeline.config import Administration, Config, load_config
from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.resources import ExactOnline
from pipeline.steps import landing
from pipeline.steps.burst import wait_for_burst
from pipeline.steps.catalogue import land_catalogue, land_prices
from pipeline.steps.division_move import read_again_if_needed
from pipeline.steps.feed_compare import read_or_compare
from pipeline.steps.invoices import land_sales_invoices
from pipeline.steps.open_terms import land_or_compare
from pipeline.steps.order_compare import compare_orders
from pipeline.steps.order_history import figures_by_month, land_history
from pipeline.steps.standard_prices import land_items
from pipeline.warehouse.tables import exact_online as tables

CONFIG = load_config()
FEED = {
    "partitions_def": by_administration(CONFIG),
    "group_name": "exact_online",
    "kinds": {"exact", "postgres"},
}


class ComparedConfig(dg.Config):
    """Whether a feed is read from where it was left, or all of it."""

    compare_with_all: bool = Field(
        default=False,
        description="Ask for all there is instead of what changed, and put right what the feed passed over; each table "
        "once in five nights, on the others nothing is asked.",
    )


class CatalogueConfig(ComparedConfig):
    """Whether customers, contacts or items are read in any case."""

    only_when_asked: bool = Field(
        default=False,
        description="Read only when a webhook told of one, when a changed order names one that is not known yet, "
        "or when the last reading was twenty minutes ago.",
    )


class InvoicesConfig(ComparedConfig):
    """Whether invoices are read in any case."""

    only_when_asked: bool = Field(
        default=False,
        description="Read only when a webhook told of one, when an order that just changed was invoiced, or when the "
        "last reading was twenty minutes ago.",
    )


class PaymentsConfig(dg.Config):
    """How payments are read."""

    only_when_asked: bool = Field(
        default=False,
        description="Read only when invoices just landed, when an order that just changed was invoiced, or when the "
        "last reading was twenty minutes ago.",
    )
    compare_what_is_open: bool = Field(
        default=False,
        description="Ask for all that is open instead of what changed, and put right what the feed passed over.",
    )


@dg.asset(**FEED, **spec_of(tables.item_prices))
@failing_clearly
def item_prices(
    context: dg.AssetExecutionContext,
    config: ComparedConfig,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> dg.MaterializeResult:
    name, feed = context.partition_key, feeds.ITEM_PRICES
    client, administration = exact.client(name), configuration.administration(name)
    read = partial(land_prices, engine, client, name)
    changed, figures = read_or_compare(
        engine, client, administration, feed, tables.item_prices, read=read, compare=config.compare_with_all
    )
    return reported(engine, tables.item_prices, changed, **figures)


@dg.asset(**FEED, **spec_of(tables.item_groups))
@failing_clearly
def item_groups(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], exact: dg.ResourceParam[ExactOnline]
) -> dg.MaterializeResult:
    landed = landing.land_item_groups(engine, exact.client(context.partition_key), context.partition_key)
    return reported(engine, tables.item_groups, landed.rows, exact_calls=landed.calls)


def report_months(context: dg.AssetExecutionContext, months: Mapping[tuple[str, date], Mapping[str, Any]]) -> None:
    """Gives each partition of the run figures of its own; the calls are those of the reading as a whole."""
    for (administration, month), figures in months.items():
        context.add_asset_metadata(figures, partition_key=month_key(administration, month))


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
    report_months(context, figures_by_month(engine, configuration, read))
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
    client = exact.client(administration.name)
    wait_for_burst(engine, administration.name)
    again = read_again_if_needed(engine, client, configuration, administration.name)
    landed = landing.land_order_changes(engine, client, administration)
    return reported(engine, tables.order_changes, landed.rows, exact_calls=landed.calls + again)


@dg.asset(**FEED, **spec_of(tables.order_line_changes), deps=[order_changes])
@failing_clearly
def order_line_changes(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], exact: dg.ResourceParam[ExactOnline]
) -> dg.MaterializeResult:
    landed = landing.land_order_line_changes(engine, exact.client(context.partition_key), context.partition_key)
    return reported(engine, tables.order_line_changes, landed.rows, exact_calls=landed.calls)


def catalogue_read(
    engine: Engine,
    client: ExactOnlineClient,
    administration: Administration,
    feed: feeds.Feed,
    table: Table,
    *,
    config: CatalogueConfig,
) -> dg.MaterializeResult:
    """What reading customers or contacts came to."""
    name, asked = administration.name, config.only_when_asked
    read = partial(land_catalogue, engine, client, name, feed, table, only_when_asked=asked)
    changed, figures = read_or_compare(
        engine, client, administration, feed, table, read=read, compare=config.compare_with_all
    )
    return reported(engine, table, changed, **figures)


@dg.asset(**FEED, **spec_of(tables.accounts), deps=[order_changes])
@failing_clearly
def accounts(
    context: dg.AssetExecutionContext,
    config: CatalogueConfig,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> dg.MaterializeResult:
    administration = configuration.administration(context.partition_key)
    client = exact.client(administration.name)
    return catalogue_read(engine, client, administration, feeds.ACCOUNTS, tables.accounts, config=config)


@dg.asset(**FEED, **spec_of(tables.contacts), deps=[accounts])
@failing_clearly
def contacts(
    context: dg.AssetExecutionContext,
    config: CatalogueConfig,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> dg.MaterializeResult:
    administration = configuration.administration(context.partition_key)
    client = exact.client(administration.name)
    return catalogue_read(engine, client, administration, feeds.CONTACTS, tables.contacts, config=config)


@dg.asset(**FEED, **spec_of(tables.items), deps=[order_line_changes, item_prices])
@failing_clearly
def items(
    context: dg.AssetExecutionContext,
    config: CatalogueConfig,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> dg.MaterializeResult:
    administration = configuration.administration(context.partition_key)
    feed = feeds.items_with(configuration.pipedrive.collection_field)
    client, asked = exact.client(administration.name), config.only_when_asked
    read = partial(land_items, engine, client, administration, feed, only_when_asked=asked)
    changed, figures = read_or_compare(
        engine, client, administration, feed, tables.items, read=read, compare=config.compare_with_all
    )
    return reported(engine, tables.items, changed, **figures)


@dg.asset(**FEED, **spec_of(tables.sales_invoices), deps=[order_changes])
@failing_clearly
def sales_invoices(
    context: dg.AssetExecutionContext,
    config: InvoicesConfig,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> dg.MaterializeResult:
    administration, months = configuration.administration(context.partition_key), configuration.history.months
    client, asked = exact.client(administration.name), config.only_when_asked
    read = partial(land_sales_invoices, engine, client, administration, months=months, only_when_asked=asked)
    feed, table = feeds.SALES_INVOICES, tables.sales_invoices
    changed, figures = read_or_compare(
        engine, client, administration, feed, table, read=read, compare=config.compare_with_all
    )
    return reported(engine, table, changed, **figures)


@dg.asset(**FEED, **spec_of(tables.payment_terms), deps=[sales_invoices])
@failing_clearly
def payment_terms(
    context: dg.AssetExecutionContext,
    config: PaymentsConfig,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
) -> dg.MaterializeResult:
    name, only_when_asked = context.partition_key, config.only_when_asked
    changed, figures = land_or_compare(
        engine, exact.client(name), name, only_when_asked=only_when_asked, compare=config.compare_what_is_open
    )
    return reported(engine, tables.payment_terms, changed, **figures)


@dg.asset(**FEED, **spec_of(tables.deletions), deps=[payment_terms, order_line_changes, accounts, contacts, items])
@failing_clearly
def deletions(
    context: dg.AssetExecutionContext, engine: dg.ResourceParam[Engine], exact: dg.ResourceParam[ExactOnline]
) -> dg.MaterializeResult:
    landed = landing.land_deletions(engine, exact.client(context.partition_key), context.partition_key)
    return reported(engine, tables.deletions, landed.rows, exact_calls=landed.calls)


@dg.asset(**FEED, **spec_of(tables.order_totals))
@failing_clearly
def order_totals(
    context: dg.AssetExecutionContext,
    engine: dg.ResourceParam[Engine],
    exact: dg.ResourceParam[ExactOnline],
    configuration: dg.ResourceParam[Config],
) -> dg.MaterializeResult:
    administration = configuration.administration(context.partition_key)
    client, months = exact.client(administration.name), configuration.history.months
    found = compare_orders(engine, client, administration, months=months)
    return reported(engine, tables.order_totals, found.orders, **found.figures())
