"""What people changed of persons in Pipedrive and want in the ERP: read, and carried there."""

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets.described import asset_key, reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.config import Config
from pipeline.resources import ExactOnline, Pipedrive
from pipeline.steps.contacts_to_exact import contacts_to_exact
from pipeline.warehouse.tables import pipedrive as tables


@dg.asset(
    **spec_of(tables.person_changes),
    group_name="pipedrive",
    kinds={"pipedrive", "exact", "postgres"},
    deps=[asset_key(tables.organizations), asset_key(tables.persons)],
)
@failing_clearly
def person_changes(
    engine: dg.ResourceParam[Engine],
    configuration: dg.ResourceParam[Config],
    exact: dg.ResourceParam[ExactOnline],
    pipedrive: dg.ResourceParam[Pipedrive],
) -> dg.MaterializeResult:
    tokens = pipedrive.daily_tokens
    sent = contacts_to_exact(engine, pipedrive.connect, exact.client, configuration, daily_tokens=tokens)
    return reported(engine, tables.person_changes, sent.looked_at, **sent.figures())
