"""How far history is on its way into Pipedrive, by month, and when it is expected to be there."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
from sqlalchemy import Engine

from pipeline.assets import erp
from pipeline.assets.described import asset_key, reported, spec_of
from pipeline.assets.failures import failing_clearly
from pipeline.config import Config
from pipeline.resources import Pipedrive
from pipeline.steps.migration import rebuild_migration
from pipeline.warehouse.tables import marts, pipedrive

SHOWN = 24  # months
_COLUMNS = {
    "month": "month",
    "administration": "administration",
    "orders_in_exact": "orders in Exact",
    "deals": "deals in Pipedrive",
    "deals_to_go": "deals to go",
    "rows_to_go": "rows of deals to go",
    "tokens_to_go": "tokens to go",
    "deals_on": "deals expected",
    "done_on": "all expected",
}


@dg.asset(
    **spec_of(marts.migration),
    group_name="marts",
    kinds={"sql", "postgres"},
    deps=[erp.orders, asset_key(pipedrive.deals), asset_key(pipedrive.deal_products)],
    op_tags={"dagster/priority": "-1"},
)
@failing_clearly
def migration(
    engine: dg.ResourceParam[Engine], configuration: dg.ResourceParam[Config], pipedrive: dg.ResourceParam[Pipedrive]
) -> dg.MaterializeResult:
    found = rebuild_migration(engine, configuration, pipedrive.daily_tokens)
    return reported(engine, marts.migration, found.rebuilt, months=table_of(found.months), **found.figures())


def table_of(months: Sequence[dict[str, Any]]) -> dg.MetadataValue:
    """The newest months as a table for people."""
    lines = [" | ".join(_COLUMNS.values()), " | ".join("---" for _ in _COLUMNS)]
    lines += [" | ".join(_shown(name, row[name]) for name in _COLUMNS) for row in months[:SHOWN]]
    return dg.MetadataValue.md("\n".join(f"| {line} |" for line in lines))


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "month":
        return f"{value:%Y-%m}"
    return f"{value:,}" if isinstance(value, int) else str(value)
