"""Questions that nobody could answer: each has a switch, and both answers are tried."""

import json
from datetime import date

import httpx
import pytest

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.exact_online import Settings, simulated_exact_online
from pipeline.sandbox.exact_online.settings import switches
from pipeline_tests.sandbox.exact_transport import Caller

TODAY = date(2026, 6, 25)
CALLBACK = "https://app.example/webhooks"


def caller(company: Company | None = None, **settings) -> Caller:
    return Caller(simulated_exact_online(company or seeded_company(orders=10, today=TODAY), **settings))


def refused(**settings) -> httpx.Response:
    exact = caller(minutely_limit=1, **settings)
    exact.get("crm/Contacts", top="1")
    return exact.get("crm/Contacts", top="1")


@pytest.mark.parametrize(("settings", "has"), [({}, True), ({"headers_on_429": False}, False)])
def test_a_429_has_headers_or_none(settings, has):
    assert ("X-RateLimit-Minutely-Reset" in refused(**settings).headers) is has


@pytest.mark.parametrize(("settings", "has"), [({}, False), ({"retry_after_on_429": True}, True)])
def test_a_429_says_when_to_come_back_or_not(settings, has):
    headers = refused(**settings).headers
    assert ("Retry-After" in headers) is has
    assert 0 < int(headers.get("Retry-After", "1")) <= 60


@pytest.mark.parametrize("body", ["", "Too Many Requests"])
def test_a_429_has_a_body_or_none(body):
    assert refused(body_of_429=body).text == body


@pytest.mark.parametrize("body", ["", "<html>Unauthorized</html>"])
def test_a_401_has_a_body_or_none(body):
    exact = caller(body_of_401=body)
    answer = exact.http.get("/api/v1/current/Me", headers={"Authorization": "Bearer no"})
    assert (answer.status_code, answer.text) == (401, body)


@pytest.mark.parametrize(("settings", "has"), [({}, False), ({"headers_when_blocked": True}, True)])
def test_a_blocked_endpoint_has_headers_or_none(settings, has):
    exact = caller(errors_per_hour=0, **settings)
    exact.get("crm/Contacts", filter="Nonsense eq 1")
    answer = exact.get("crm/Contacts", top="1")
    assert (answer.status_code, "X-RateLimit-Reset" in answer.headers) == (429, has)


@pytest.mark.parametrize(("zone", "reset"), [("UTC", 1782432000000), ("Europe/Amsterdam", 1782424800000)])
def test_the_day_of_the_limit_ends_at_one_midnight_or_the_other(zone, reset):
    headers = caller(daily_reset_zone=zone).get("crm/Contacts", top="1").headers
    assert headers["X-RateLimit-Reset"] == str(reset)


@pytest.mark.parametrize(("ends", "status"), [(False, 200), (True, 401)])
def test_a_refresh_ends_the_earlier_access_token_or_not(ends, status):
    exact = caller(refresh_ends_access_token=ends)
    before = exact.http.headers["Authorization"]
    exact.control("clock", {"advance_seconds": 575})
    exact.refresh()
    assert exact.http.get("/api/v1/current/Me?$format=json", headers={"Authorization": before}).status_code == status


@pytest.mark.parametrize(("status", "text"), [(400, "Rate limit exceeded: access_token"), (401, "Access token")])
def test_a_refresh_that_comes_too_early_is_refused_in_new_words_or_old(status, text):
    answer = caller(early_refresh_status=status).refresh()
    assert (answer.status_code, answer.json()["error_description"]) == (status, f"{text} not expired")


@pytest.mark.parametrize(("follows", "status"), [("both", 20), ("delivery", 21)])
def test_the_headers_status_combines_both_or_follows_deliveries(follows, status):
    company = seeded_company(orders=10, today=TODAY)
    order = company.set_status(next(iter(company.orders)).id, 20, 21, 12)
    exact = caller(company, header_status_follows=follows)
    path = f"salesorder/SalesOrders(guid'{order.id}')"
    assert exact.get(path, select="Status").json()["d"]["Status"] == status


@pytest.mark.parametrize(("at_once", "delivery", "status"), [(False, 12, 12), (True, 21, 20)])
def test_services_are_delivered_at_once_or_never(at_once, delivery, status):
    company = seeded_company(orders=1, today=TODAY)
    item = next(iter(company.items))
    company.change("items", item.id, is_stock_item=False)
    order = company.place_order(next(iter(company.accounts)).id, [(item.id, 1, 80)])
    exact = caller(company, services_are_delivered=at_once)
    header = exact.get(f"salesorder/SalesOrders(guid'{order.id}')").json()["d"]
    line = exact.get(f"salesorder/SalesOrderLines(guid'{order.lines[0].id}')").json()["d"]
    assert (header["DeliveryStatus"], header["Status"]) == (delivery, status)
    assert (line["DeliveryStatus"], line["OrderStatus"]) == (delivery, status)


@pytest.mark.parametrize(("negative", "sign"), [(False, 1), (True, -1)])
def test_receivables_are_positive_or_negative(negative, sign):
    company = seeded_company(orders=30, today=TODAY)
    owed = next(row for row in company.receivables if row.amount > 0)
    exact = caller(company, receivables_are_negative=negative)
    shown = exact.get(f"cashflow/Receivables(guid'{owed.id}')").json()["d"]
    assert (shown["AmountFC"], shown["AmountDC"]) == (sign * owed.amount, sign * owed.amount)


@pytest.mark.parametrize(("stops", "seen"), [(False, ["snel"]), (True, [])])
def test_a_feed_passes_by_an_unfinished_transaction_or_stops_before_it(stops, seen):
    company = seeded_company(orders=10, today=TODAY)
    exact = caller(company, sync_stops_at_in_flight=stops)
    feed = {"filter": f"Timestamp gt {company.last_version}", "select": "YourRef"}
    slow = {"kind": "set_order", "order": 1001, "fields": {"your_ref": "traag"}, "in_flight": True}
    exact.control("change", slow)
    exact.control("change", {"kind": "set_order", "order": 1002, "fields": {"your_ref": "snel"}})
    assert [row["YourRef"] for row in exact.rows("sync/SalesOrder/SalesOrderHeaders", **feed)] == seen
    exact.control("commit", {})
    assert [row["YourRef"] for row in exact.rows("sync/SalesOrder/SalesOrderHeaders", **feed)] == ["traag", "snel"]


@pytest.mark.parametrize("prefix", ["Sync.", ""])
def test_sync_rows_have_types_of_their_own_or_not(prefix):
    row = caller(sync_type_prefix=prefix).get("sync/SalesOrder/SalesOrderHeaders", top="1").json()["d"][0]
    assert row["__metadata"]["type"] == f"Exact.Web.Api.Models.{prefix}SalesOrderHeader"


@pytest.mark.parametrize("text", ["Filter is verplicht", "A filter is mandatory"])
def test_the_text_about_a_missing_filter_is_anybodys_guess(text):
    answer = caller(require_filter=True, missing_filter_text=text).get("crm/Contacts")
    assert (answer.status_code, answer.json()["error"]["message"]["value"]) == (400, text)


@pytest.mark.parametrize(("answer", "status", "shown"), [("refuse", 500, None), ("null", 201, None)])
def test_a_reference_to_nothing_is_refused_or_dropped(answer, status, shown):
    company = seeded_company(orders=1, today=TODAY)
    exact = caller(company, unknown_reference=answer)
    line = {"Item": next(iter(company.items)).id, "Quantity": 1}
    body = {"OrderedBy": next(iter(company.accounts)).id, "SalesOrderLines": [line]}
    body["Salesperson"] = "00000000-0000-0000-0000-000000000009"
    made = exact.http.post("/api/v1/123456/salesorder/SalesOrders", json=body)
    assert (made.status_code, made.json().get("d", {}).get("Salesperson")) == (status, shown)


class Receiver:
    """A callback that answers what it is told."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.status = 200

    def __call__(self, url: str, body: bytes) -> int:
        self.got.append(body)
        return self.status


def subscribed(receiver: Receiver, topic: str = "SalesOrders", url: str = CALLBACK, **settings) -> tuple[Caller, int]:
    exact = caller(post_webhook=receiver, deliver_in_background=False, limits=False, **settings)
    body = {"Topic": topic, "CallbackURL": url}
    return exact, exact.http.post("/api/v1/123456/webhooks/WebhookSubscriptions", json=body).status_code


@pytest.mark.parametrize(("ends", "left"), [(False, 1), (True, 0)])
def test_the_last_failure_ends_the_subscription_or_not(ends, left):
    receiver = Receiver()
    exact, _ = subscribed(receiver, webhook_ends_after_retries=ends)
    receiver.status = 500
    exact.control("change", {"kind": "set_order", "fields": {"your_ref": "x"}})
    for _ in range(11):
        exact.control("webhooks", {"deliver": True})
        exact.control("clock", {"advance_seconds": 1024 * 60})
    state = exact.control("webhooks")
    assert (state["lost"], len(state["subscriptions"]), len(receiver.got)) == (1, left, 12)


@pytest.mark.parametrize(("told", "waiting"), [(True, 1), (False, 0)])
def test_what_the_app_writes_itself_is_told_to_it_or_not(told, waiting):
    exact, _ = subscribed(Receiver(), webhooks_tell_own_writes=told)
    order = exact.get("salesorder/SalesOrders", filter="Status eq 12", top="1").json()["d"][0]
    path = f"/api/v1/123456/salesorder/SalesOrders(guid'{order['OrderID']}')"
    assert exact.http.put(path, json={"YourRef": "x"}).status_code == 204
    assert exact.control("webhooks")["waiting"] == waiting


@pytest.mark.parametrize(("action", "expected"), [("Update", "Update"), ("Create", "Create")])
def test_something_new_is_an_update_or_a_create(action, expected):
    receiver = Receiver()
    exact, _ = subscribed(receiver, webhook_creates_as=action)
    exact.control("change", {"kind": "place_order"})
    exact.control("webhooks", {"deliver": True})
    assert json.loads(receiver.got[-1])["Content"]["Action"] == expected


@pytest.mark.parametrize(
    ("settings", "topic", "status"),
    [
        ({}, "ItemPrices", 201),
        ({}, "SalesItemPrices", 500),
        ({"webhook_price_topic": "SalesItemPrices"}, "SalesItemPrices", 201),
        ({}, "PowerAutomateSalesOrders", 201),
        ({"webhook_topics": frozenset({"SalesOrders"})}, "PowerAutomateSalesOrders", 500),
    ],
)
def test_which_topics_there_are(settings, topic, status):
    assert subscribed(Receiver(), topic, **settings)[1] == status


@pytest.mark.parametrize(
    ("settings", "url", "status"),
    [
        ({}, "http://127.0.0.1:9/x", 201),
        ({"webhook_requires_https": True}, "http://127.0.0.1:9/x", 500),
        ({"webhook_domain": "app.example"}, "https://app.example/x", 201),
        ({"webhook_domain": "app.example"}, "https://other.example/x", 500),
        ({}, "https://", 500),
        ({}, "ftp://app.example", 500),
    ],
)
def test_which_callbacks_are_taken(settings, url, status):
    assert subscribed(Receiver(), url=url, **settings)[1] == status


def test_another_topic_must_be_free_too():
    exact, _ = subscribed(Receiver())
    path = "/api/v1/123456/webhooks/WebhookSubscriptions"
    second = exact.http.post(path, json={"Topic": "Accounts", "CallbackURL": CALLBACK}).json()["d"]["ID"]
    assert exact.http.put(f"{path}(guid'{second}')", json={"Topic": "SalesOrders"}).status_code == 500
    assert exact.http.put(f"{path}(guid'{second}')", json={"Topic": "Accounts"}).status_code == 204


def test_a_notification_can_come_late():
    receiver = Receiver()
    exact, _ = subscribed(receiver)
    exact.control("webhooks", {"late": 1, "seconds": 3600})
    for text in ("laat", "op tijd"):
        exact.control("change", {"kind": "set_order", "fields": {"your_ref": text}})
    assert exact.control("webhooks", {"deliver": True})["delivered"] == 1
    exact.control("clock", {"advance_seconds": 3600})
    assert exact.control("webhooks", {"deliver": True})["delivered"] == 1


@pytest.mark.parametrize(("asked", "status"), [("https://app.example/cb", 302), ("https://other.example/cb", 400)])
def test_consent_goes_back_only_where_the_app_is_registered(asked, status):
    exact = caller(redirect_uri="https://app.example/cb")
    query = {"client_id": "sandbox", "response_type": "code", "redirect_uri": asked}
    assert exact.http.get("/api/oauth2/auth", params=query).status_code == status


@pytest.mark.parametrize(
    ("path", "status"), [("crm/Contacts", 403), ("sync/CRM/Contacts", 403), ("logistics/Units", 200)]
)
def test_what_the_app_has_no_scope_for_is_forbidden(path, status):
    answer = caller(services_out_of_scope=frozenset({"crm"})).get(path, select="ID")
    assert answer.status_code == status
    assert ("Application Scope Violated. Cannot read" in answer.text) is (status == 403)


def test_a_body_of_more_than_ten_megabytes_is_refused():
    exact = caller()
    body = b'{"LastName":"' + b"x" * (10 * 1024 * 1024) + b'"}'
    assert exact.http.post("/api/v1/123456/crm/Contacts", content=body).status_code == 413


def test_switches_can_be_written_as_text():
    texts = ["header_discount=percent", "bare_list_up_to=59", "require_filter=true", "token_calls_per_day=null"]
    texts += [
        "webhook_timeout_seconds=3",
        'wide_resources=["crm/Accounts"]',
        "services_out_of_scope=crm",
        "body_of_401=",
    ]
    assert switches(texts) == {
        "header_discount": "percent",
        "bare_list_up_to": 59,
        "require_filter": True,
        "token_calls_per_day": None,
        "webhook_timeout_seconds": 3.0,
        "wide_resources": frozenset({"crm/Accounts"}),
        "services_out_of_scope": frozenset({"crm"}),
        "body_of_401": "",
    }
    assert Settings(**switches(texts)).body_of_401 == ""


@pytest.mark.parametrize(
    "text",
    ["nonsense=1", "post_webhook=x", "page_size=many", "page_size=true", "require_filter=1", "wide_resources=5", ""],
)
def test_what_is_no_switch_is_refused(text):
    with pytest.raises(ValueError, match="is no"):
        switches([text])
