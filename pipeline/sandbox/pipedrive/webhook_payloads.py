"""What a webhook event says: the payload of version 2.0, and the older of 1.0. Whom it is told, `webhooks.py` knows."""

import uuid
from dataclasses import dataclass
from typing import Any

from pipeline.sandbox.pipedrive import pictures
from pipeline.sandbox.pipedrive.activity_requests import activity_picture
from pipeline.sandbox.pipedrive.clock import rfc3339
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.note_requests import note_picture
from pipeline.sandbox.pipedrive.v1_pictures import as_v1

HOST = "sandbox.pipedrive.com"
_TIMES = frozenset("add_time update_time stage_change_time won_time lost_time close_time archive_time".split())
_WITH_CUSTOM_FIELDS = ("deal", "organization", "person", "product")
_OLD_ACTIONS = {"create": "added", "change": "updated", "delete": "deleted"}


@dataclass(frozen=True)
class Event:
    """One change of one record, with the record as the API shows it before and after."""

    entity: str
    action: str
    record_id: int
    data: dict[str, Any] | None
    previous: dict[str, Any] | None


def picture(company: Company, entity: str, row: Any) -> dict[str, Any]:
    """The record as the API shows it."""
    if entity in _WITH_CUSTOM_FIELDS:
        return getattr(pictures, entity)(company, row)
    if entity in ("pipeline", "stage"):
        return getattr(pictures, entity)(row)
    if entity == "deal_product":
        deal = company.deals.rows[row.deal_id]
        place = deal.lines.index(row) + 1 if row in deal.lines else len(deal.lines) + 1
        return pictures.deal_product(deal, place, row)
    return note_picture(row) if entity == "note" else activity_picture(company, row)


def payload(company: Company, event: Event, hook: Any, correlation_id: str) -> dict[str, Any]:
    """The event in the words of the subscription's version."""
    return _old(company, event, hook) if hook.version == "1.0" else _new(company, event, hook, correlation_id)


def count_try(payload_of: dict[str, Any], attempt: int) -> None:
    """Every try says which one it is."""
    if "retry" in payload_of:
        payload_of["retry"] = attempt - 1
    else:
        payload_of["meta"]["attempt"] = attempt


def _new(company: Company, event: Event, hook: Any, correlation_id: str) -> dict[str, Any]:
    data, previous = _shown(company, event, event.data), _shown(company, event, event.previous)
    if event.action == "change" and data is not None and previous is not None:
        previous = {key: value for key, value in previous.items() if data.get(key) != value}
    now = company.clock.now()
    meta = {
        "action": event.action,
        "entity": event.entity,
        "company_id": str(company.company_id),
        "correlation_id": correlation_id,
        "entity_id": str(event.record_id),
        "id": str(uuid.uuid4()),
        "is_bulk_edit": False,
        "timestamp": f"{rfc3339(now)[:-1]}.{int(now % 1 * 1000):03d}Z",
        "type": "general",
        "user_id": str(company.me.id),
        "version": hook.version,
        "webhook_id": str(hook.id),
        "webhook_owner_id": str(hook.owner_id),
        "change_source": company.change_source,
        "attempt": 1,
        "host": HOST,
        "permitted_user_ids": [str(user) for user in company.users],
    }
    return {"meta": meta, "data": data, "previous": previous}


def _old(company: Company, event: Event, hook: Any) -> dict[str, Any]:
    now, action = company.clock.now(), _OLD_ACTIONS[event.action]
    meta = {
        "v": 1,
        "action": action,
        "object": event.entity,
        "id": event.record_id,
        "company_id": company.company_id,
        "user_id": company.me.id,
        "host": HOST,
        "timestamp": int(now),
        "timestamp_micro": int(now * 1_000_000),
        "is_bulk_update": False,
        "webhook_id": str(hook.id),
    }
    current, previous = (
        shown and as_v1(event.entity, shown, company.fields.of(event.entity) if "custom_fields" in shown else {})
        for shown in (event.data, event.previous)
    )
    told = {"v": 1, "event": f"{action}.{event.entity}", "meta": meta, "current": current}
    return told | {"previous": previous, "retry": 0}


def _shown(company: Company, event: Event, record: dict[str, Any] | None) -> dict[str, Any] | None:
    """Times with milliseconds, custom values with their type."""
    if record is None:
        return None
    shown = dict(record)
    for key in _TIMES & shown.keys():
        if shown[key]:
            shown[key] = shown[key].replace("Z", ".000Z")
    if shown.get("custom_fields"):
        known = company.fields.of(event.entity)
        shown["custom_fields"] = {
            code: None if value is None else _typed(known[code].type, value)
            for code, value in shown["custom_fields"].items()
        }
    return shown


def _typed(kind: str, value: Any) -> dict[str, Any]:
    if kind == "enum":
        return {"type": kind, "id": value}
    if kind == "set":
        return {"type": kind, "values": [{"id": member} for member in value]}
    if isinstance(value, dict):
        return {"type": kind, **value}
    if kind in ("user", "org", "people"):
        return {"type": kind, "id": value}
    return {"type": kind, "value": value}
