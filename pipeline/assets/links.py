"""Where a person sees the rows of a table on the other side: the list in Pipedrive, the administration in Exact Online.

Addresses come from the environment when a table is materialised, so that definitions load without it. Exact Online's
menu opens in the right administration; its orders are under Sales there.
"""

import dagster as dg
from sqlalchemy import Table

from pipeline.config import load_config
from pipeline.settings import settings

DIVISIONS = {one.name: one.division for one in load_config().administrations}
_LISTS = {"organization": "organizations/list", "person": "persons/list", "product": "products"}


def links_of(table: Table) -> dict[str, dg.MetadataValue]:
    """The links that a materialisation of the table shows; without PIPEDRIVE_BASE_URL none to Pipedrive."""
    found: dict[str, dg.MetadataValue] = {}
    if table.schema in {"exact_online", "erp", "marts"}:
        base = settings().exact_base_url
        for name, division in DIVISIONS.items():
            found[f"{name} in Exact Online"] = dg.MetadataValue.url(
                f"{base}/docs/MenuPortal.aspx?_Division_={division}"
            )
    if table.schema in {"crm", "pipedrive", "marts"} and settings().environment.get("PIPEDRIVE_BASE_URL"):
        path = next((path for kind, path in _LISTS.items() if table.name.startswith(kind)), "deals")
        found[f"{path.split('/')[0]} in Pipedrive"] = dg.MetadataValue.url(f"{settings().pipedrive_base_url}/{path}")
    return found
