"""Webhooks: subscriptions, what is sent when something changes, its signature, and the ten tries after a failure.

Which change belongs to which topic is the table below; how the callback is reached can be replaced in the settings.
"""

import hashlib
import hmac
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any

import httpx

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_table import Table
from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import WallClock

RETRIES = 10
ENDPOINTS = {
    "orders": ("SalesOrders", "salesorder/SalesOrders"),
    "lines": ("SalesOrders", "salesorder/SalesOrderLines"),
    "accounts": ("Accounts", "crm/Accounts"),
    "contacts": ("Contacts", "crm/Contacts"),
    "items": ("Items", "logistics/Items"),
    "prices": ("ItemPrices", "logistics/SalesItemPrices"),
    "invoices": ("SalesInvoices", "salesinvoice/SalesInvoices"),
    "invoice_lines": ("SalesInvoices", "salesinvoice/SalesInvoiceLines"),
    "deliveries": ("GoodsDeliveries", "salesorder/GoodsDeliveries"),
    "delivery_lines": ("GoodsDeliveries", "salesorder/GoodsDeliveryLines"),
    "stock": ("StockPositions", "inventory/ItemWarehouses"),
    "documents": ("Documents", "documents/Documents"),
    "attachments": ("DocumentAttachments", "documents/DocumentAttachments"),
}


@dataclass(slots=True, eq=False)
class Subscription:
    """One topic that the app wants to hear of, and where."""

    id: str
    topic: str
    callback_url: str
    description: str | None
    base_url: str  # as the subscriber reaches the simulator: links in notifications start with it
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass
class Notification:
    """One message on its way, and how often it was tried."""

    subscription: Subscription
    body: bytes
    due_ms: int
    failures: int = 0


def signed(content: str, secret: str) -> bytes:
    """The whole message: HashCode is the upper-case HMAC-SHA256 over the raw text of Content."""
    code = hmac.new(secret.encode(), content.encode(), hashlib.sha256).hexdigest().upper()
    return f'{{"Content":{content},"HashCode":"{code}"}}'.encode()


@cache
def _http() -> httpx.Client:
    return httpx.Client()  # kept, since making one takes longer than a message; not made where nothing is sent


def post_over_http(url: str, body: bytes, *, timeout: float = 10) -> int:
    """Reaches a real callback; 0 when nobody answers."""
    try:
        return (
            _http().post(url, content=body, headers={"Content-Type": "application/json"}, timeout=timeout).status_code
        )
    except (httpx.HTTPError, httpx.InvalidURL):
        return 0


class Webhooks:
    """Subscriptions of one division and the messages still to be delivered."""

    def __init__(self, company: Company, settings: Settings, clock: WallClock) -> None:
        self._company, self._settings, self._clock = company, settings, clock
        over_http = partial(post_over_http, timeout=settings.webhook_timeout_seconds)
        self._post: Callable[[str, bytes], int] = settings.post_webhook or over_http
        self.subscriptions: Table[Subscription] = Table()
        self.waiting: deque[Notification] = deque()
        self.lost = 0
        self.skip_next = 0  # notifications that are never sent, for tests of what a lost one costs
        self.double_next = 0  # notifications that are sent twice
        self.late_next, self.late_seconds = 0, 0.0  # notifications that are held back so long
        self.silent = False  # while a client's own writes are not told
        self.reverse = False  # the latest first
        self._sending = threading.Lock()
        self._thread: threading.Thread | None = None
        company.listeners.append(self._changed)

    def subscribe(self, sent: dict[str, Any], base_url: str) -> Subscription:
        """A new subscription, once the callback has answered an empty POST with 200 or 201."""
        topic, url = sent["Topic"], sent["CallbackURL"]
        self._check(topic, url)
        if any(row.topic == topic for row in self.subscriptions):
            raise Refusal(500, "Data already exists")
        status = self._post(url, b"")
        if status not in (200, 201):
            raise Refusal(500, f"Invalid: Post to callback URL endpoint returns {status}")
        row = Subscription(self._company.new_id(), topic, url, sent.get("Description"), base_url)
        row.created_ms = row.modified_ms = self._company.clock.now_ms
        row.timestamp = self._company.next_version()
        self.subscriptions.put(row)
        self._deliver_in_background()
        return row

    def update(self, row: Subscription, sent: dict[str, Any]) -> None:
        """Another callback, tried out like the first."""
        url = sent.get("CallbackURL", row.callback_url)
        self._check(sent.get("Topic", row.topic), url)
        if any(other.topic == sent.get("Topic") and other is not row for other in self.subscriptions):
            raise Refusal(500, "Data already exists")
        status = self._post(url, b"")
        if status not in (200, 201):
            raise Refusal(500, f"Invalid: Post to callback URL endpoint returns {status}")
        row.callback_url, row.topic = url, sent.get("Topic", row.topic)
        row.description = sent.get("Description", row.description)

    def delete(self, row: Subscription) -> None:
        """Ends a subscription; what waits for it is dropped."""
        self.subscriptions.remove(row.id)
        for _ in range(len(self.waiting)):
            message = self.waiting.popleft()
            if message.subscription is not row:
                self.waiting.append(message)

    def deliver_due(self) -> int:
        """Sends what is due now and says how much; a failure is tried again after 2, 4, 8 … minutes, ten times."""
        if not self._sending.acquire(blocking=False):
            return 0
        try:
            due = self._take_due()
            for message in reversed(due) if self.reverse else due:
                if self._post(message.subscription.callback_url, message.body) not in (200, 201):
                    self._try_later(message)
            return len(due)
        finally:
            self._sending.release()

    def _take_due(self) -> list[Notification]:
        """Changes go on being queued while this looks: it only turns the queue round once."""
        now, due = self._company.clock.now_ms, []
        for _ in range(len(self.waiting)):
            message = self.waiting.popleft()
            (due if message.due_ms <= now else self.waiting).append(message)
        return due

    def _try_later(self, message: Notification) -> None:
        message.failures += 1
        if message.failures > RETRIES:
            self.lost += 1
            if self._settings.webhook_ends_after_retries and message.subscription.id in self.subscriptions:
                self.delete(message.subscription)
            return
        message.due_ms = self._company.clock.now_ms + 2**message.failures * 60_000
        self.waiting.append(message)

    def _changed(self, table: str, row: Any, action: str) -> None:
        topic, path = ("", "") if self.silent else ENDPOINTS.get(table, ("", ""))
        if topic == "ItemPrices":
            topic = self._settings.webhook_price_topic
        for subscription in self.subscriptions:
            if subscription.topic == topic:
                self._queue(subscription, path, row, action)

    def _queue(self, subscription: Subscription, path: str, row: Any, action: str) -> None:
        if self.skip_next:
            self.skip_next -= 1
            return
        if action == "Update" and row.created_ms == row.modified_ms and self._is_new(row):
            action = self._settings.webhook_creates_as
        content = self._content(subscription, path, row.id, action)
        due = self._company.clock.now_ms
        if self.late_next:
            self.late_next -= 1
            due += int(self.late_seconds * 1000)
        message = Notification(subscription, signed(content, self._settings.webhook_secret), due)
        self.waiting.append(message)
        if self.double_next:
            self.double_next -= 1
            self.waiting.append(Notification(subscription, message.body, message.due_ms))

    def _is_new(self, row: Any) -> bool:
        return self._company.clock.now_ms - row.created_ms < 1000

    def _content(self, subscription: Subscription, path: str, key: str, action: str) -> str:
        division = self._company.division
        endpoint = f"{subscription.base_url}/api/v1/{division}/{path}(guid'{key}')"
        moment = datetime.fromtimestamp(self._company.clock.now_ms / 1000, self._clock.zone)
        content = {
            "Topic": subscription.topic,
            "ClientId": self._settings.client_id,
            "Division": division,
            "Action": action,
            "Key": key,
            "ExactOnlineEndpoint": endpoint,
            "EventCreatedOn": moment.replace(tzinfo=None).isoformat(timespec="milliseconds"),
        }
        return json.dumps(content, separators=(",", ":"))

    def _check(self, topic: str, url: str) -> None:
        if topic not in self._settings.webhook_topics | {self._settings.webhook_price_topic}:
            raise Refusal(500, "Ongeldig: Onderwerp")
        allowed = {"https"} if self._settings.webhook_requires_https else {"https", "http"}
        try:
            asked = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise Refusal(500, "Ongeldig: CallbackURL") from error
        wanted = self._settings.webhook_domain
        if asked.scheme not in allowed or not asked.host or (wanted is not None and asked.host != wanted):
            raise Refusal(500, "Ongeldig: CallbackURL")

    def _deliver_in_background(self) -> None:
        if self._settings.deliver_in_background and self._thread is None:
            self._thread = threading.Thread(target=self._deliver_for_ever, name="webhooks", daemon=True)
            self._thread.start()

    def _deliver_for_ever(self) -> None:
        while True:
            time.sleep(0.2)
            if self.waiting:
                self.deliver_due()
