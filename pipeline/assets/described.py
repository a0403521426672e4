"""What Dagster shows of a table: its columns with their comments, where each comes from, and how many rows it has."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import dagster as dg
from sqlalchemy import Engine, Table

from pipeline.assets.freshness import freshness_of
from pipeline.assets.lineage import SOURCES
from pipeline.assets.links import links_of
from pipeline.assets.pictures import pictured
from pipeline.assets.tags import tags_of
from pipeline.warehouse.row_counts import row_counts

# Whom to ask: about what the ERP says, about what Pipedrive shows, about figures.
TEAM_DATA, TEAM_SALES, TEAM_FINANCE = "team:data", "team:sales", "team:finance"
OWNERS = {
    "exact_online": TEAM_DATA,
    "erp": TEAM_DATA,
    "crm": TEAM_SALES,
    "pipedrive": TEAM_SALES,
    "marts": TEAM_FINANCE,
}


def spec_of(table: Table) -> dict[str, Any]:
    """What an asset says of its table: key, description, owner, tags, columns, and how old it may be."""
    return {
        "key": asset_key(table),
        "description": table.comment,
        "owners": [OWNERS[table.schema or ""]],
        "tags": tags_of(table),
        "freshness_policy": freshness_of(table),
        "metadata": {"dagster/column_schema": schema_of(table), "dagster/table_name": table.fullname},
    }


def asset_key(table: Table) -> dg.AssetKey:
    """The asset that owns the table: `schema/table`."""
    return dg.AssetKey([table.schema or "", table.name])


def schema_of(table: Table) -> dg.TableSchema:
    """The table's columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                type=str(column.type.compile()).lower(),
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), unique=False),
            )
            for column in table.columns
        ]
    )


@cache
def lineage_of(table: Table) -> dg.TableColumnLineage:
    """From which columns each column of the table comes."""
    sources = SOURCES.get(table.fullname, {})
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(dg.AssetKey(source.split(".")[:2]), source.split(".")[2])
                for source in sources[column]
            ]
            for column in sources
        }
    )


def reported(engine: Engine, table: Table, changed: int, /, **more: Any) -> dg.MaterializeResult:
    """What a materialisation says: rows that changed, rows in all, where columns come from, and more."""
    return dg.MaterializeResult(asset_key=asset_key(table), metadata=figures(engine, table, changed, more))


def figures(engine: Engine, table: Table, changed: int, more: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of one materialisation."""
    name = table.fullname
    with engine.begin() as tx:
        counts = row_counts(tx, [name], fresh=[name] if changed else [])
    return {
        "dagster/row_count": counts[name],
        "rows_changed": changed,
        "dagster/column_lineage": lineage_of(table),
        **links_of(table),
        **pictured(engine, table, changed),
        **more,
    }
