"""The client against the simulated Exact Online in process, and against answers no simulator would give."""

from datetime import date
from decimal import Decimal

import httpx
import pytest

from pipeline.errors import BudgetSpent, GiveUp, RetryLater
from pipeline.exact_online import feeds, limits
from pipeline.exact_online.client import ExactOnlineClient, checked
from pipeline.retry import RetryTransport
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import ExactOnlineSimulator, simulated_exact_online
from pipeline_tests.exact_online.answers import BASE_URL, answering, client_for, page
from pipeline_tests.sandbox.exact_transport import Caller, SimulatorTransport

ORDERS = feeds.ORDER_HISTORY.path
SELECT = feeds.ORDER_HISTORY.select


@pytest.fixture(scope="module")
def company():
    return seeded_company(orders=30, products=20, today=date(2026, 6, 25))


class Waits:
    """Stands in for the time of day: sleeping moves the simulator's clock, and is written down."""

    def __init__(self, simulator: ExactOnlineSimulator) -> None:
        self._simulator = simulator
        self.seconds: list[float] = []

    def now(self) -> float:
        return self._simulator.clock.now_ms / 1000

    def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._simulator.clock.advance(seconds)


def connected(simulator: ExactOnlineSimulator) -> tuple[ExactOnlineClient, Waits]:
    """A logged-in client, with the policy it has in earnest."""
    simulator.clock.run_at(0)
    waits = Waits(simulator)
    token = Caller(simulator).http.headers["Authorization"]
    transport = RetryTransport(SimulatorTransport(simulator), limits.retry_policy(waits.now), sleep=waits.sleep)
    http = httpx.Client(
        base_url=BASE_URL, transport=transport, headers={"Authorization": token, "Accept": "application/json"}
    )
    return ExactOnlineClient(http, 123456, sleep=waits.sleep, now=waits.now), waits


@pytest.fixture
def simulator(company) -> ExactOnlineSimulator:
    return simulated_exact_online(company, large_page_size=10)


def everything(client: ExactOnlineClient) -> list[dict]:
    return [row for rows in client.pages(ORDERS, select=SELECT) for row in rows]


def test_all_pages_are_read_once_each(simulator: ExactOnlineSimulator):
    client, waits = connected(simulator)
    found = everything(client)
    assert sorted(row["OrderID"] for row in found) == sorted(order.id for order in simulator.companies[123456].orders)
    assert (client.calls, waits.seconds) == (3, [])


def test_amounts_come_as_exact_decimals(simulator: ExactOnlineSimulator):
    client, _ = connected(simulator)
    amounts = [row["AmountFCExclVat"] for row in everything(client)]
    assert [amount for amount in amounts if not isinstance(amount, Decimal | int)] == []
    assert [amount for amount in amounts if isinstance(amount, Decimal)]


def test_options_become_a_query(simulator: ExactOnlineSimulator):
    client, _ = connected(simulator)
    (rows,) = client.pages(ORDERS, select="OrderID", filter="OrderDate ge datetime'2027-01-01T00:00:00'", expand="")
    assert rows == []


def test_where_a_feed_begins_is_asked_for_by_date(simulator: ExactOnlineSimulator):
    client, _ = connected(simulator)
    assert isinstance(client.sync_timestamp("SalesOrderHeaders", "datetime'2020-01-01T00:00:00'"), int)


@pytest.mark.parametrize("kind", ["truncate", "glue", "empty"])
def test_a_page_whose_body_is_broken_is_read_again(simulator: ExactOnlineSimulator, kind: str):
    client, _ = connected(simulator)
    Caller.control(_control(simulator), "fault", {"path": "bulk/SalesOrder", "kind": kind, "skip": 1, "times": 2})
    assert (len(everything(client)), client.calls) == (30, 5)


def test_a_page_that_stays_broken_is_left_for_later(simulator: ExactOnlineSimulator):
    client, _ = connected(simulator)
    Caller.control(_control(simulator), "fault", {"path": "bulk/SalesOrder", "kind": "truncate", "times": 3})
    with pytest.raises(RetryLater, match="broken page 3 times"):
        everything(client)


@pytest.mark.parametrize("kind", ["drop", "drop_after"])
def test_a_reading_whose_answer_never_came_is_repeated(simulator: ExactOnlineSimulator, kind: str):
    client, waits = connected(simulator)
    Caller.control(_control(simulator), "fault", {"path": "bulk/SalesOrder", "kind": kind, "times": 2})
    assert (len(everything(client)), waits.seconds) == (30, [1.0, 2.0])


def test_a_server_that_stays_down_is_left_for_later(simulator: ExactOnlineSimulator):
    client, waits = connected(simulator)
    Caller.control(_control(simulator), "fault", {"path": "bulk/SalesOrder", "kind": "drop", "times": 9})
    with pytest.raises(RetryLater, match="does not answer"):
        everything(client)
    assert waits.seconds == [1.0, 2.0, 4.0, 8.0]


def test_a_spent_minute_is_waited_out_before_it_is_overdrawn(company):
    simulator = simulated_exact_online(company, large_page_size=5, minutely_limit=4)
    client, waits = connected(simulator)
    assert len(everything(client)) == 30
    assert (len(waits.seconds), client.calls) == (1, 6)
    assert simulator.calls[f"{ORDERS}"] == 6


def test_a_minute_somebody_else_used_up_is_waited_out_after_the_refusal(company):
    simulator = simulated_exact_online(company, minutely_limit=2)
    client, waits = connected(simulator)
    other = Caller.__new__(Caller)
    other.http, other.division = client._http, 123456
    for _ in range(2):
        other.get(ORDERS, select="OrderID")
    assert len(everything(client)) == 30
    assert len(waits.seconds) == 1


def test_a_spent_day_says_so(company):
    client, waits = connected(simulated_exact_online(company, large_page_size=10, daily_limit=2))
    with pytest.raises(BudgetSpent, match="calls for today"):
        everything(client)
    assert waits.seconds == []


def test_a_spent_minute_is_not_waited_for_twice():
    asked_at: list[float] = []
    clock = [1_782_345_630.0]

    def handler(request: httpx.Request) -> httpx.Response:
        asked_at.append(clock[0])
        spent = {"x-ratelimit-minutely-remaining": "0"} if len(asked_at) == 1 else {}
        following = f"{BASE_URL}/page{len(asked_at)}" if len(asked_at) < 3 else None
        answer = page(following=following)
        answer.headers.update(spent)
        return answer

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    client = client_for(handler, sleep=sleep, now=lambda: clock[0])
    assert list(client.pages("x")) == [[], [], []]
    assert [moment - asked_at[0] for moment in asked_at] == [0.0, 31.0, 31.0]


def test_a_page_that_leads_back_is_refused():
    address = f"{BASE_URL}/api/v1/123456/x?$skiptoken=1"
    handler, asked = answering(page(1, following=address), page(2, following=address))
    pages = client_for(handler).pages("x")
    assert (next(pages), next(pages)) == ([1], [2])
    with pytest.raises(GiveUp, match="page of x that was read already"):
        next(pages)
    assert len(asked) == 2


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/api/v1/123456/x",
        "//evil.example/x",
        f"{BASE_URL}.evil.example/x",
        f"{BASE_URL}:444/x",
        "https://exact.sandbox.example@evil.example/x",
        "http://exact.sandbox.example/api/v1/123456/x",
    ],
)
def test_a_next_page_elsewhere_is_never_followed(elsewhere: str):
    handler, asked = answering(page(1, following=elsewhere), page(2))
    pages = client_for(handler).pages("x")
    assert next(pages) == [1]
    with pytest.raises(GiveUp, match="not followed"):
        next(pages)
    assert [url.host for url in asked] == ["exact.sandbox.example"]


@pytest.mark.parametrize("link", ["/api/v1/123456/x?$skiptoken=2", f"{BASE_URL}/api/v1/123456/x?$skiptoken=2"])
def test_a_next_page_is_followed_as_it_is_written(link: str):
    handler, asked = answering(page(1, following=link), page(2))
    assert list(client_for(handler).pages("x", select="ID")) == [[1], [2]]
    assert str(asked[1]) == f"{BASE_URL}/api/v1/123456/x?$skiptoken=2"


def test_a_bare_list_is_a_page_and_the_last_one():
    handler, _ = answering(page(1, following="/two"), httpx.Response(200, json={"d": [2, 3]}))
    assert list(client_for(handler).pages("x")) == [[1], [2, 3]]


@pytest.mark.parametrize(
    ("status", "body", "headers", "error", "sentence"),
    [
        (401, b"", {}, GiveUp, "access token is not accepted. Check EXACT_CLIENT_ID"),
        (403, b"", {"reason": "NoDivisionAccess"}, GiveUp, r"\(NoDivisionAccess\): check the user's rights"),
        (404, b"", {}, GiveUp, "check EXACT_BASE_URL and the division"),
        (400, b'{"error":{"message":{"value":"Bad filter"}}}', {}, GiveUp, r"answered 400 to /api/x \(Bad filter\)"),
        (400, b'{"error":"text"}', {}, GiveUp, "answered 400 to /api/x$"),
        (400, b"[]", {}, GiveUp, "answered 400 to /api/x$"),
        (302, b"", {"location": "/login"}, GiveUp, "answered 302"),
        (408, b"", {}, RetryLater, "answered 408"),
        (429, b"", {}, RetryLater, "answered 429"),
        (500, b"<html>", {}, RetryLater, "answered 500"),
        (503, b"", {}, RetryLater, "answered 503"),
    ],
)
def test_a_refusal_is_a_sentence_that_says_what_to_do(
    status: int, body: bytes, headers: dict, error: type, sentence: str
):
    request = httpx.Request("GET", f"{BASE_URL}/api/x?$filter=secret")
    with pytest.raises(error, match=sentence) as raised:
        checked(httpx.Response(status, content=body, headers=headers, request=request))
    assert "secret" not in str(raised.value)
    assert type(raised.value) is error


def test_another_division_is_refused_with_exacts_own_reason(simulator: ExactOnlineSimulator):
    client, _ = connected(simulator)
    stranger = ExactOnlineClient(client._http, 999)
    with pytest.raises(GiveUp, match=r"403 to /api/v1/999/.*\(Forbidden\).*division in pipeline.yaml"):
        list(stranger.pages("crm/Accounts"))


def _control(simulator: ExactOnlineSimulator) -> Caller:
    """Whoever orders faults; control calls need no login."""
    caller = Caller.__new__(Caller)
    caller.http = httpx.Client(base_url=BASE_URL, transport=SimulatorTransport(simulator))
    return caller


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "salesorder/SalesOrders"),
        ("PUT", "salesorder/SalesOrders(guid'00000000-0000-0000-0000-000000000000')"),
        ("DELETE", "crm/Contacts(guid'00000000-0000-0000-0000-000000000000')"),
        ("POST", "crm/Accounts"),
    ],
)
def test_only_subscriptions_and_contacts_can_be_written_and_contacts_not_removed(method: str, path: str):
    client = client_for(lambda _: httpx.Response(500))
    with pytest.raises(AssertionError, match="nothing in this project writes that"):
        client.send(method, path, {})
    assert client.calls == 0
