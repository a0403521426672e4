"""Webhooks: what is told to whom, when it is tried again, when Pipedrive gives up. `sending.py` does the posting."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from pipeline.sandbox.pipedrive import pictures
from pipeline.sandbox.pipedrive.activity_requests import activity_picture
from pipeline.sandbox.pipedrive.clock import DAY, rfc3339
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.note_requests import note_picture
from pipeline.sandbox.pipedrive.user_requests import user_picture

RETRY_AFTER = (3, 30, 150)
_BAN_AT, _BAN_SECONDS = 10, 1800
_GIVEN_UP_AFTER = 3 * DAY
_TIMES = frozenset("add_time update_time stage_change_time won_time lost_time close_time archive_time".split())
_WITH_CUSTOM_FIELDS = ("deal", "organization", "person", "product")


@dataclass
class Webhook:
    """One subscription."""

    id: int
    url: str
    action: str
    entity: str
    name: str
    version: str
    owner_id: int
    add_time: float
    login: tuple[str, str] | None = None
    failures: int = 0
    banned_until: float = 0.0
    last_success: float = 0.0
    is_deleted: bool = False
    last_answer: int | None = None

    def wants(self, entity: str, action: str) -> bool:
        """Whether it subscribes to such an event."""
        return not self.is_deleted and self.entity in ("*", entity) and self.action in ("*", action)

    def picture(self) -> dict[str, Any]:
        """The subscription as v1 shows it; passwords stay inside."""
        return {
            "id": self.id,
            "subscription_url": self.url,
            "event_action": self.action,
            "event_object": self.entity,
            "name": self.name,
            "version": self.version,
            "user_id": self.owner_id,
            "owner_id": self.owner_id,
            "type": "general",
            "is_active": int(not self.is_deleted),
            "add_time": rfc3339(self.add_time).replace("T", " ").rstrip("Z"),
            "http_auth_user": self.login[0] if self.login else None,
            "last_http_status": self.last_answer,
        }


@dataclass
class Delivery:
    """One event for one subscriber, waiting for its next try."""

    hook: Webhook
    payload: dict[str, Any]
    due: float
    attempt: int = field(default=1)


class Deliveries:
    """Turns changes into events, and keeps those that were not taken for another try."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self.hooks: dict[int, Webhook] = {}
        self.waiting: list[Delivery] = []
        self._next_id = 1

    def subscribe(self, hook_of: dict[str, Any]) -> Webhook:
        """A new subscription; the first makes the company tell of its changes."""
        hook = Webhook(id=self._next_id, add_time=self._company.clock.now(), **hook_of)
        hook.last_success = hook.add_time
        self._next_id += 1
        self.hooks[hook.id] = hook
        if self._note not in self._company.listeners:
            self._company.listeners.append(self._note)
            self._company.pictures = self._picture
        return hook

    def due(self) -> list[Delivery]:
        """What is to be posted now; it counts as under way."""
        now = self._company.clock.now()
        ready = [delivery for delivery in self.waiting if delivery.due <= now]
        self.waiting = [delivery for delivery in self.waiting if delivery.due > now]
        return [delivery for delivery in ready if not delivery.hook.is_deleted]

    def done(self, delivery: Delivery, status: int | None) -> None:
        """The subscriber's answer; anything but a 2xx is tried three times more."""
        hook, now = delivery.hook, self._company.clock.now()
        hook.last_answer = status
        if status is not None and 200 <= status < 300:
            hook.failures, hook.last_success = 0, now
            return
        if delivery.attempt == 1:
            hook.failures += 1
            if hook.failures >= _BAN_AT:
                hook.failures, hook.banned_until = 0, now + _BAN_SECONDS
        if now - hook.last_success > _GIVEN_UP_AFTER:
            hook.is_deleted = True
        elif delivery.attempt <= len(RETRY_AFTER):
            delivery.due = now + RETRY_AFTER[delivery.attempt - 1]
            delivery.attempt += 1
            delivery.payload["meta"]["attempt"] = delivery.attempt
            self.waiting.append(delivery)

    def _note(self, entity: str, action: str, row: Any, before: dict[str, Any] | None) -> None:
        now = self._company.clock.now()
        hooks = [hook for hook in self.hooks.values() if hook.wants(entity, action) and hook.banned_until <= now]
        if not hooks:
            return
        data = None if action == "delete" else self._picture(entity, row)
        if action == "change" and data is not None and before is not None:
            before = {key: value for key, value in before.items() if data.get(key) != value}
        correlation = str(uuid.uuid4())
        for hook in hooks:
            meta = self._meta(hook, entity, action, row.id) | {"correlation_id": correlation}
            self.waiting.append(Delivery(hook, {"meta": meta, "data": data, "previous": before}, now))

    def _meta(self, hook: Webhook, entity: str, action: str, record_id: int) -> dict[str, Any]:
        company, now = self._company, self._company.clock.now()
        return {
            "action": action,
            "entity": entity,
            "company_id": str(company.company_id),
            "entity_id": str(record_id),
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
            "host": "sandbox.pipedrive.com",
            "permitted_user_ids": [str(user) for user in company.users],
        }

    def _picture(self, entity: str, row: Any) -> dict[str, Any]:
        """The record as events show it: times with milliseconds, custom values with their type."""
        shown = self._plain(entity, row)
        for key in _TIMES & shown.keys():
            if shown[key]:
                shown[key] = shown[key].replace("Z", ".000Z")
        if entity in _WITH_CUSTOM_FIELDS:
            known = self._company.fields.of(entity)
            shown["custom_fields"] = {
                code: None if value is None else _typed(known[code].type, value)
                for code, value in shown["custom_fields"].items()
            }
        return shown

    def _plain(self, entity: str, row: Any) -> dict[str, Any]:
        if entity in _WITH_CUSTOM_FIELDS:
            return getattr(pictures, entity)(self._company, row)
        if entity in ("pipeline", "stage"):
            return getattr(pictures, entity)(row)
        if entity == "deal_product":
            deal = self._company.deals.rows[row.deal_id]
            place = deal.lines.index(row) + 1 if row in deal.lines else len(deal.lines) + 1
            return pictures.deal_product(deal, place, row)
        if entity == "note":
            return note_picture(row)
        if entity == "user":
            return user_picture(self._company, row)
        return activity_picture(self._company, row)


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
