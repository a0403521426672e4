"""What people changed in Pipedrive, found by reading back, and put right where it is the ERP's."""

import time

import dagster as dg
from pydantic import Field
from sqlalchemy import Engine

from pipeline.assets.described import asset_key, reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.config import Config
from pipeline.resources import Pipedrive
from pipeline.steps.audit import audit
from pipeline.warehouse.tables import pipedrive as tables

WRITTEN = [tables.organizations, tables.persons, tables.products, tables.deals, tables.deal_products]


class AuditConfig(dg.Config):
    """How much is read back."""

    full: bool = Field(default=False, description="Read everything instead of what changed since the last audit.")


@dg.asset(
    **spec_of(tables.drift),
    group_name="pipedrive",
    kinds={"pipedrive", "postgres"},
    deps=[asset_key(table) for table in WRITTEN],
)
@failing_clearly
def drift(
    config: AuditConfig,
    engine: dg.ResourceParam[Engine],
    configuration: dg.ResourceParam[Config],
    pipedrive: dg.ResourceParam[Pipedrive],
) -> dg.MaterializeResult:
    began = time.monotonic()
    found = audit(engine, pipedrive.connect, configuration, full=config.full, daily_tokens=pipedrive.daily_tokens)
    said = found.as_dict(time.monotonic() - began)
    stopped = {"stopped": found.report.stopped} if found.report.stopped else {}
    figures = {"audit": dg.MetadataValue.json(said), "pipedrive_tokens": said["pipedrive_tokens"]}
    return reported(engine, tables.drift, len(found.differing), **figures, **stopped)
