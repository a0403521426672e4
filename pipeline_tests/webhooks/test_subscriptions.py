"""Subscribing: once, wherever it was left off, only to what is ours; nothing else is ever written to Exact Online."""

from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine

from pipeline.exact_online.webhooks import TOPICS, Outcome, subscribe, subscriptions, unsubscribe
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.wire import Request, Response, Simulator
from pipeline.warehouse.inbox import mark_handled, newest, waiting
from pipeline_tests.webhooks.receiving import Served, stored
from pipeline_tests.world import World

pytestmark = pytest.mark.postgres

OURS, OTHERS = "https://pipeline.example.nl/webhooks/exact", "https://elsewhere.example.nl/hook"
TABLE = "/api/v1/123456/webhooks/WebhookSubscriptions"


class Callback:
    """What Exact tries out and tells; it answers as it is told to, or hands on to a receiver."""

    def __init__(self) -> None:
        self.status, self.tried = 200, 0
        self.receiver: httpx.Client | None = None

    def __call__(self, url: str, body: bytes) -> int:
        self.tried += not body
        if self.receiver and url == OURS:
            return self.receiver.post("/webhooks/exact", content=body).status_code
        return self.status


class Counting:
    """Every request to Exact by method and path, on its way there."""

    def __init__(self, exact: Simulator) -> None:
        self._exact = exact
        self.requests: Counter[tuple[str, str]] = Counter()
        self.hides_subscriptions = False  # those of other users

    def __call__(self, request: Request) -> Response:
        if not request.path.startswith("/__sandbox/"):
            self.requests[request.method, request.path.partition("(")[0]] += 1
        if self.hides_subscriptions and (request.method, request.path) == ("GET", TABLE):
            return Response(200, {}, b'{"d":{"results":[]}}')
        return self._exact(request)

    @property
    def writes(self) -> dict[tuple[str, str], int]:
        """All but readings and tokens."""
        return {
            asked: times
            for asked, times in self.requests.items()
            if asked[0] not in {"GET", "HEAD"} and asked[1] != "/api/oauth2/token"
        }


@pytest.fixture
def callback() -> Callback:
    return Callback()


@pytest.fixture
def world(engine: Engine, callback: Callback) -> World:
    """Its requests are counted in `world.exact.requests`."""
    world = World(
        engine,
        company=seeded_company(orders=10, products=20),
        erp={"post_webhook": callback, "deliver_in_background": False},
    )
    world.exact = Counting(world.exact)
    world.client = world._exact_client()
    return world


def at_exact(world: World) -> dict[str, str]:
    """Where each topic leads, as Exact has it."""
    return {row["topic"]: row["callback_url"] for row in world.control_exact("webhooks")["subscriptions"]}


def done(outcomes: Iterator[Outcome]) -> dict[str, str]:
    return {outcome.topic: outcome.done for outcome in outcomes}


def test_every_topic_is_subscribed_and_the_second_time_nothing_is_written(world: World, callback: Callback):
    assert done(subscribe(world.client, OURS)) == dict.fromkeys(TOPICS, "subscribed")
    assert at_exact(world) == dict.fromkeys(TOPICS, OURS)
    assert done(subscribe(world.client, OURS)) == dict.fromkeys(TOPICS, "kept")
    assert (callback.tried, world.exact.writes) == (len(TOPICS), {("POST", TABLE): len(TOPICS)})
    assert {row.topic for row in subscriptions(world.client)} == set(TOPICS)


def test_a_topic_that_leads_elsewhere_is_said_and_moved_only_when_asked(world: World):
    done(subscribe(world.client, OTHERS, topics=["Items"]))
    outcomes = {outcome.topic: outcome for outcome in subscribe(world.client, OURS)}
    assert outcomes.pop("Items") == Outcome("Items", "not subscribed", f"it leads to {OTHERS}; --replace moves it here")
    assert {outcome.done for outcome in outcomes.values()} == {"subscribed"}
    assert done(subscribe(world.client, OURS, replace=True))["Items"] == f"moved from {OTHERS}"
    assert at_exact(world) == dict.fromkeys(TOPICS, OURS)


def test_only_ours_is_ended(world: World):
    done(subscribe(world.client, OTHERS, topics=["Items"]))
    done(subscribe(world.client, OURS))
    ended = done(unsubscribe(world.client, OURS))
    assert ended == dict.fromkeys(TOPICS, "ended") | {"Items": f"left alone: it leads to {OTHERS}"}
    assert at_exact(world) == {"Items": OTHERS}
    assert done(unsubscribe(world.client, OURS)) == {"Items": f"left alone: it leads to {OTHERS}"}


def test_a_callback_that_is_not_reached_is_said_with_exacts_reason(world: World, callback: Callback):
    callback.status = 404
    outcomes = list(subscribe(world.client, OURS))
    assert {outcome.done for outcome in outcomes} == {"not subscribed"}
    assert all("Post to callback URL endpoint returns 404" in outcome.problem for outcome in outcomes)
    assert at_exact(world) == {}


@pytest.mark.parametrize("kind", ["status_after", "drop_after"])
def test_a_subscription_whose_answer_was_lost_is_found(world: World, kind: str):
    fault = {"kind": kind, "path": "WebhookSubscriptions", "method": "POST", "times": 1, "status": 502}
    world.control_exact("fault", fault)
    assert done(subscribe(world.client, OURS)) == {**dict.fromkeys(TOPICS, "subscribed"), TOPICS[0]: "kept"}
    assert at_exact(world) == dict.fromkeys(TOPICS, OURS)


def test_a_topic_exact_does_not_have_keeps_nobody_from_the_others(world: World):
    outcomes = {outcome.topic: outcome for outcome in subscribe(world.client, OURS, topics=["Nonsense", "Items"])}
    assert (outcomes["Nonsense"].done, outcomes["Items"].done) == ("not subscribed", "subscribed")
    assert "Ongeldig" in outcomes["Nonsense"].problem


def test_a_subscription_that_another_user_made_and_we_cannot_see_is_said(world: World):
    done(subscribe(world.client, OTHERS, topics=["Items"]))
    world.exact.hides_subscriptions = True
    (outcome,) = subscribe(world.client, OURS, topics=["Items"])
    assert outcome.done == "not subscribed"
    assert "Data already exists" in outcome.problem


# --- whole journeys ---


def journey(world: World) -> None:
    """A first load, a day of changes of every kind, told by webhooks, and the end of the subscriptions."""
    done(subscribe(world.client, OURS))
    world.sync()
    world.control_exact("change", {"kind": "place_order"})
    world.control_exact("change", {"kind": "edit_line", "line": 1, "fields": {"quantity": 3}})
    world.sync()
    for change in ("deliver", "invoice", "cancel", "reopen", "close"):
        world.control_exact("change", {"kind": change})
        world.sync()
    world.control_exact("change", {"kind": "delete_order"})
    world.control_exact("webhooks", {"deliver": True})
    world.sync()
    done(subscribe(world.client, OURS))
    done(unsubscribe(world.client, OURS))


def test_exact_is_never_written_to_but_for_subscriptions(world: World):
    journey(world)
    assert world.exact.writes == {("POST", TABLE): len(TOPICS), ("DELETE", TABLE): len(TOPICS)}
    assert sum(times for asked, times in world.exact.requests.items() if asked[0] == "GET") > 50
    assert {asked[0] for asked in world.exact.requests} == {"GET", "POST", "DELETE"}


def test_what_exact_tells_reaches_the_inbox_and_a_failure_is_told_again(
    world: World, callback: Callback, served: Served
):
    callback.receiver = served.http
    done(subscribe(world.client, OURS, topics=["SalesOrders", "Contacts"]))
    world.control_exact("change", {"kind": "place_order"})
    world.control_exact("webhooks", {"deliver": True})
    first = stored(served.engine)
    assert len(first) == 2  # the header and its line, both as SalesOrders
    callback.receiver, callback.status = None, 503
    world.control_exact("change", {"kind": "delete_order"})
    world.control_exact("webhooks", {"deliver": True})
    callback.receiver = served.http
    world.control_exact("webhooks", {"deliver": True})
    assert stored(served.engine) == first
    world.wait(121)
    world.control_exact("webhooks", {"deliver": True})
    assert stored(served.engine) > first
    with served.engine.begin() as tx:
        assert waiting(tx) == {"nl": newest(tx, "nl")}
        mark_handled(tx, "nl", ["SalesOrders"], newest(tx, "nl"))
        assert waiting(tx) == {}


def test_what_is_told_twice_and_in_the_wrong_order_is_stored_once_each(
    world: World, callback: Callback, served: Served
):
    callback.receiver = served.http
    done(subscribe(world.client, OURS, topics=["SalesOrders"]))
    world.control_exact("webhooks", {"double": 3, "reverse": True})
    for reference in "abc":
        world.wait(1)
        world.control_exact("change", {"kind": "set_order", "fields": {"your_ref": reference}})
    assert world.control_exact("webhooks", {"deliver": True})["delivered"] == 6
    assert len(stored(served.engine)) == 3
