"""What is in Pipedrive already: read once when ours may be there, and whenever the outcome of a write is in doubt."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pipeline.domain.matching import Candidate
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.schema import Schema

RECOVERY_FIELDS = {
    "organizations": ("organization", "Exact account-ID"),
    "persons": ("person", "Exact contact-ID"),
    "products": ("product", "Exact item-ID"),
    "deals": ("deal", "Exact order-ID"),
}
DEALS_AT_ONCE = 100  # whose rows one list gives
_CLOCKS_APART = timedelta(minutes=5)  # how far our clock and Pipedrive's may differ


@dataclass(frozen=True)
class Found:
    """A record in Pipedrive that carries one of our keys."""

    key: str
    record_id: int
    administration: str | None = None
    record: Mapping[str, Any] = field(default_factory=dict)


def candidates(client: PipedriveClient, schema: Schema) -> Iterator[Candidate]:
    """Every organization of the account; its debtor code where there is such a field."""
    code = schema.fields.get(("organization", "Debiteurnummer"))
    for page in client.pages("/api/v2/organizations"):
        for found in page:
            fields = found.get("custom_fields") or {}
            yield Candidate(
                org_id=int(found["id"]),
                name=found.get("name") or "",
                debtor_code=(fields.get(code) or None) if code else None,
                administration=_administration(schema, "organization", fields),
                address=(found.get("address") or {}).get("value"),
                website=found.get("website"),
            )


def recorded(client: PipedriveClient, schema: Schema, kind: str, *, since: datetime | None = None) -> list[Found]:
    """The records that carry one of our keys, oldest first; those that changed since, or all, archived deals too."""
    entity, name = RECOVERY_FIELDS[kind]
    code = schema.code(entity, name)
    params: dict[str, Any] = {}
    if since:
        params["updated_since"] = (since - _CLOCKS_APART).strftime("%Y-%m-%dT%H:%M:%SZ")
    archived = ["/api/v2/deals/archived"] if kind == "deals" and not since else []
    paths = [f"/api/v2/{kind}", *archived]
    records = (record for path in paths for page in client.pages(path, **params) for record in page)
    found = [shown for record in records if (shown := _found(schema, entity, code, record))]
    return sorted(found, key=lambda one: one.record_id)


def searched(client: PipedriveClient, schema: Schema, kind: str, key: str) -> list[Found]:
    """The records with that key by exact field search, oldest first, each looked at.

    The index may lag some seconds behind, for what is new and for what was deleted.
    """
    entity, name = RECOVERY_FIELDS[kind]
    code = schema.code(entity, name)
    records = _hits(client, kind, entity, code, key)
    found = [shown for record in records if (shown := _found(schema, entity, code, record))]
    return sorted((one for one in found if one.key == key), key=lambda one: one.record_id)


def numbered(client: PipedriveClient, schema: Schema, key: str, number: str, *, title: str) -> list[Found]:
    """Deals with that order number and title, when their key was lost with its field."""
    code = schema.code("deal", "Ordernummer")
    records = _hits(client, "deals", "deal", code, number)
    ours = [one for one in records if (one.get("custom_fields") or {}).get(code) == number and one["title"] == title]
    return sorted((Found(key, int(one["id"]), None, one) for one in ours), key=lambda one: one.record_id)


def _hits(client: PipedriveClient, kind: str, entity: str, code: str, term: str) -> list[dict[str, Any]]:
    """The records an exact field search names, as they are now."""
    answer = client.get("/api/v2/itemSearch/field", term=term, entity_type=entity, field=code, match="exact")
    rows = answer.get("items", []) if isinstance(answer, dict) else answer or []
    records = (client.look(f"/api/v2/{kind}/{(row.get('item') or row)['id']}") for row in rows)
    return [record for record in records if record]


def rows_of(client: PipedriveClient, deal_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The rows of each of those deals as they stand, in their order."""
    rows: dict[int, list[dict[str, Any]]] = {deal_id: [] for deal_id in deal_ids}
    for start in range(0, len(deal_ids), DEALS_AT_ONCE):
        ids = ",".join(map(str, deal_ids[start : start + DEALS_AT_ONCE]))
        for page in client.pages("/api/v2/deals/products", deal_ids=ids, sort_by="id"):
            for row in page:
                rows[int(row["deal_id"])].append(row)
    return rows


def _found(schema: Schema, entity: str, code: str, record: Mapping[str, Any]) -> Found | None:
    fields = record.get("custom_fields") or {}
    key = fields.get(code)
    return Found(key, int(record["id"]), _administration(schema, entity, fields), record) if key else None


def _administration(schema: Schema, entity: str, fields: Mapping[str, Any]) -> str | None:
    """The administration an "Administratie" option stands for."""
    code = schema.fields.get((entity, "Administratie"))
    chosen = fields.get(code) if code else None
    for (option_entity, name, meaning), (option, _) in schema.options.items():
        if chosen is not None and (option_entity, name, option) == (entity, "Administratie", chosen):
            return meaning
    return None
