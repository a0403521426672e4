"""What is in Pipedrive already: read once when ours may be there, and whenever the outcome of a write is in doubt."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.domain.matching import Candidate
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.schema import Schema

RECOVERY_FIELDS = {
    "organizations": ("organization", "Exact account-ID"),
    "products": ("product", "Exact item-ID"),
    "deals": ("deal", "Exact order-ID"),
}
_CLOCKS_APART = timedelta(minutes=5)  # how far our clock and Pipedrive's may differ


@dataclass(frozen=True)
class Found:
    """A record in Pipedrive that carries one of our keys."""

    key: str
    record_id: int
    administration: str | None = None


def candidates(client: PipedriveClient, schema: Schema) -> Iterator[Candidate]:
    """Every organization of the account."""
    code = schema.code("organization", "Debiteurnummer")
    for page in client.pages("/api/v2/organizations"):
        for found in page:
            fields = found.get("custom_fields") or {}
            yield Candidate(
                org_id=int(found["id"]),
                name=found.get("name") or "",
                debtor_code=fields.get(code) or None,
                administration=_administration(schema, "organization", fields),
                address=(found.get("address") or {}).get("value"),
                website=found.get("website"),
            )


def recorded(client: PipedriveClient, schema: Schema, kind: str, *, since: datetime | None = None) -> list[Found]:
    """The records that carry one of our keys, archived deals too; of two with one key the older."""
    entity, name = RECOVERY_FIELDS[kind]
    code = schema.code(entity, name)
    params: dict[str, Any] = {}
    if since:
        params["updated_since"] = (since - _CLOCKS_APART).strftime("%Y-%m-%dT%H:%M:%SZ")
    paths = ["/api/v2/deals", "/api/v2/deals/archived"] if kind == "deals" else [f"/api/v2/{kind}"]
    found: dict[str, Found] = {}
    for path in paths:
        for page in client.pages(path, **params):
            for record in page:
                fields = record.get("custom_fields") or {}
                key = fields.get(code)
                if key and (key not in found or int(record["id"]) < found[key].record_id):
                    found[key] = Found(key, int(record["id"]), _administration(schema, entity, fields))
    return list(found.values())


def searched(client: PipedriveClient, schema: Schema, kind: str, key: str) -> Found | None:
    """The record with that key by exact field search; the index may lag some seconds behind."""
    entity, name = RECOVERY_FIELDS[kind]
    code = schema.code(entity, name)
    answer = client.get("/api/v2/itemSearch/field", term=key, entity_type=entity, field=code, match="exact")
    rows = answer.get("items", []) if isinstance(answer, dict) else answer or []
    ids = sorted(int((row.get("item") or row)["id"]) for row in rows)
    return Found(key, ids[0]) if ids else None


def rows_of(client: PipedriveClient, deal_id: int) -> list[dict[str, Any]]:
    """The rows of a deal as they stand, in their order."""
    return [row for page in client.pages(f"/api/v2/deals/{deal_id}/products", sort_by="id") for row in page]


def _administration(schema: Schema, entity: str, fields: Mapping[str, Any]) -> str | None:
    """The administration an "Administratie" option stands for."""
    code = schema.fields.get((entity, "Administratie"))
    chosen = fields.get(code) if code else None
    for (option_entity, name, meaning), (option, _) in schema.options.items():
        if chosen is not None and (option_entity, name, option) == (entity, "Administratie", chosen):
            return meaning
    return None
