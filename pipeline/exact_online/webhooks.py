"""Subscriptions to Exact Online's webhooks: the only thing this project ever writes there but contacts.

One subscription a topic and division; Exact tries the callback out before it makes one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.errors import GiveUp, OutcomeUnknown, RetryLater
from pipeline.exact_online.client import ExactOnlineClient

TOPICS = ("SalesOrders", "Items", "Accounts", "Contacts", "SalesInvoices", "StockPositions")
PATH = "webhooks/WebhookSubscriptions"


@dataclass(frozen=True)
class Subscription:
    """One that Exact keeps."""

    id: str
    topic: str
    callback_url: str


@dataclass(frozen=True)
class Outcome:
    """What became of one topic; `problem` says why it is not subscribed as asked."""

    topic: str
    done: str
    problem: str = ""


def subscriptions(client: ExactOnlineClient) -> list[Subscription]:
    """Those of this app in the client's division."""
    return [
        Subscription(str(row["ID"]), str(row["Topic"]), str(row["CallbackURL"]))
        for page in client.pages(PATH, select="ID,Topic,CallbackURL")
        for row in page
    ]


def subscribe(
    client: ExactOnlineClient, callback_url: str, *, topics: Iterable[str] = TOPICS, replace: bool = False
) -> Iterator[Outcome]:
    """Has every topic told to that callback. One that is told elsewhere is only moved where `replace` says so."""
    there = {row.topic: row for row in subscriptions(client)}
    for topic in topics:
        yield _subscribed(client, topic, callback_url, there.get(topic), replace=replace)


def unsubscribe(client: ExactOnlineClient, callback_url: str) -> Iterator[Outcome]:
    """Ends the subscriptions that lead to that callback; those of others stay."""
    for row in sorted(subscriptions(client), key=lambda row: row.topic):
        if row.callback_url == callback_url:
            client.write("DELETE", f"{PATH}(guid'{row.id}')")
            yield Outcome(row.topic, "ended")
        else:
            yield Outcome(row.topic, f"left alone: it leads to {row.callback_url}")


def _subscribed(
    client: ExactOnlineClient, topic: str, callback_url: str, there: Subscription | None, *, replace: bool
) -> Outcome:
    try:
        if there:
            return _kept_or_moved(client, there, callback_url, replace=replace)
        client.write("POST", PATH, {"Topic": topic, "CallbackURL": callback_url})
    except (RetryLater, GiveUp, OutcomeUnknown) as refusal:
        # Another process may have been quicker, or the answer was lost: what counts is what stands there now.
        found = next((row for row in subscriptions(client) if row.topic == topic), None)
        if found and found.callback_url == callback_url:
            return Outcome(topic, "kept")
        return Outcome(topic, "not subscribed", str(refusal))
    return Outcome(topic, "subscribed")


def _kept_or_moved(client: ExactOnlineClient, there: Subscription, callback_url: str, *, replace: bool) -> Outcome:
    if there.callback_url == callback_url:
        return Outcome(there.topic, "kept")
    if not replace:
        problem = f"it leads to {there.callback_url}; --replace moves it here"
        return Outcome(there.topic, "not subscribed", problem)
    client.write("PUT", f"{PATH}(guid'{there.id}')", {"CallbackURL": callback_url})
    return Outcome(there.topic, f"moved from {there.callback_url}")
