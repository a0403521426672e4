"""What Pipedrive should hold: each asset takes in what changed in `erp` since it last did."""

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets import erp
from pipeline.assets.described import reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.config import Config
from pipeline.steps import refresh_crm
from pipeline.steps.refresh_persons import refresh_persons
from pipeline.warehouse.tables import crm as tables

LAYER = {"group_name": "crm", "kinds": {"pandas", "postgres"}}


@dg.asset(**LAYER, **spec_of(tables.held), deps=[erp.orders, erp.order_lines, erp.customers])
@failing_clearly
def held(engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]) -> dg.MaterializeResult:
    return reported(engine, tables.held, refresh_crm.refresh_held(engine, configuration))


@dg.asset(**LAYER, **spec_of(tables.organizations), deps=[erp.customers, erp.orders, erp.receivables, held])
@failing_clearly
def organizations(engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]) -> dg.MaterializeResult:
    return reported(engine, tables.organizations, refresh_crm.refresh_organizations(engine, configuration))


@dg.asset(**LAYER, **spec_of(tables.persons), deps=[erp.contacts, erp.customers, erp.orders, held])
@failing_clearly
def persons(engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]) -> dg.MaterializeResult:
    return reported(engine, tables.persons, refresh_persons(engine, configuration))


@dg.asset(
    **LAYER,
    **spec_of(tables.deals),
    deps=[
        erp.orders,
        erp.order_lines,
        erp.customers,
        erp.salespeople,
        erp.invoices,
        erp.invoice_orders,
        erp.receivables,
        held,
    ],
)
@failing_clearly
def deals(engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]) -> dg.MaterializeResult:
    return reported(engine, tables.deals, refresh_crm.refresh_deals(engine, configuration))


@dg.asset(**LAYER, **spec_of(tables.deal_products), deps=[deals, erp.order_lines])
@failing_clearly
def deal_products(engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]) -> dg.MaterializeResult:
    return reported(engine, tables.deal_products, refresh_crm.refresh_deal_products(engine, configuration))


@dg.asset(**LAYER, **spec_of(tables.products), deps=[erp.products, erp.order_lines, deal_products])
@failing_clearly
def products(engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config]) -> dg.MaterializeResult:
    return reported(engine, tables.products, refresh_crm.refresh_products(engine, configuration))
