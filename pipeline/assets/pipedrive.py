"""What was written to Pipedrive. One step for all of it: an order brings its customer and products along."""

import dagster as dg
from pydantic import Field
from sqlalchemy import Engine

from pipeline.assets import crm
from pipeline.assets.described import asset_key, reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.config import Config
from pipeline.resources import Pipedrive
from pipeline.steps.apply import apply
from pipeline.warehouse.tables import pipedrive as tables

LAYER = {"group_name": "pipedrive", "kinds": {"pipedrive", "postgres"}}
DEPS = {
    tables.organizations: [crm.organizations],
    tables.persons: [crm.persons, asset_key(tables.organizations)],
    tables.products: [crm.products],
    tables.deals: [crm.deals, asset_key(tables.organizations)],
    tables.deal_products: [crm.deal_products, asset_key(tables.deals), asset_key(tables.products)],
}

One = dg.MaterializeResult


class WritingConfig(dg.Config):
    """How much is written."""

    with_history: bool = Field(
        default=True, description="Write history too; otherwise only live changes, and the rest when no history waits."
    )


@dg.multi_asset(
    specs=[dg.AssetSpec(**LAYER, **spec_of(table), deps=deps) for table, deps in DEPS.items()],
    name="pipedrive",
    can_subset=False,
)
@failing_clearly
def written(
    config: WritingConfig,
    engine: dg.ResourceParam[Engine],
    configuration: dg.ResourceParam[Config],
    pipedrive: dg.ResourceParam[Pipedrive],
) -> tuple[One, One, One, One, One]:
    daily_tokens, with_history = pipedrive.daily_tokens, config.with_history
    report = apply(engine, pipedrive.connect, configuration, daily_tokens=daily_tokens, with_history=with_history)
    results = (reported(engine, table, report.changed(table.name), **report.figures(table.name)) for table in DEPS)
    return tuple(results)  # pyright: ignore[reportReturnType]  (Dagster wants one entry for each table)
