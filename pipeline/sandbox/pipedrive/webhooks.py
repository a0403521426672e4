"""Webhooks: what is told to whom, when it is tried again, when Pipedrive gives up. `sending.py` does the posting."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from pipeline.sandbox.pipedrive.clock import DAY, rfc3339
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.webhook_payloads import Event, count_try, payload, picture

RETRY_AFTER = (3, 30, 150)
_BAN_AT, _BAN_SECONDS = 10, 1800
_GIVEN_UP_AFTER = 3 * DAY


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
        self.is_reversed = False  # True: what is due together goes out last first
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
        ready = [delivery for delivery in ready if not delivery.hook.is_deleted]
        return ready[::-1] if self.is_reversed else ready

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
            count_try(delivery.payload, delivery.attempt)
            self.waiting.append(delivery)

    def _note(self, entity: str, action: str, row: Any, before: dict[str, Any] | None) -> None:
        now = self._company.clock.now()
        hooks = [hook for hook in self.hooks.values() if hook.wants(entity, action) and hook.banned_until <= now]
        if not hooks:
            return
        data = None if action == "delete" else self._picture(entity, row)
        event, correlation_id = Event(entity, action, row.id, data, before), str(uuid.uuid4())
        for hook in hooks:
            self._queue(hook, payload(self._company, event, hook, correlation_id), f"{entity}.{action}")

    def _queue(self, hook: Webhook, told: dict[str, Any], name: str) -> None:
        """An event leaves once and at once, unless it was ordered to be lost, doubled or late."""
        fault, due = self._company.event_fault(name), self._company.clock.now()
        kind = fault.kind if fault else None
        if kind == "webhook_late":
            due += fault.seconds
        for _ in range({"webhook_lost": 0, "webhook_double": 2}.get(kind or "", 1)):
            self.waiting.append(Delivery(hook, told | {"meta": dict(told["meta"])}, due))

    def _picture(self, entity: str, row: Any) -> dict[str, Any]:
        return picture(self._company, entity, row)
