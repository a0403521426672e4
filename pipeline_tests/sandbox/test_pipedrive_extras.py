"""What stands beside deals in the simulated Pipedrive: notes, activities, discounts, filters, OAuth, webhooks."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline_tests.sandbox.pipedrive_transport import Account, refusal

LOGIN = ("sandbox", "sandbox")


@pytest.fixture
def account():
    account = Account(sends_webhooks=False)
    account.deal()
    return account


def test_notes_are_v1s_and_are_searched(account):
    note = account.post("/api/v1/notes", {"content": "<b>bel</b><script>x()</script>", "deal_id": 1}).json()["data"]
    assert (note["content"], note["add_time"]) == ("<b>bel</b>", "2026-11-20 09:00:00")
    account.advance(3)
    assert len(account.data("deals/search", term="bel", fields="notes")["items"]) == 1
    assert account.http.put("/api/v1/notes/1", json={"content": "mail"}).json()["data"]["content"] == "mail"
    listed = account.get("/v1/notes", deal_id=1).json()
    assert listed["additional_data"] == {"pagination": {"start": 0, "limit": 100, "more_items_in_collection": False}}
    assert account.data("deals/1", include_fields="notes_count")["notes_count"] == 1
    assert account.delete("/api/v1/notes/1").json() == {"success": True, "data": True}
    assert account.get("/api/v1/notes/1").status_code == 404


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"deal_id": 1}, "body/content"),
        ({"content": "x"}, "At least one of"),
        ({"content": "x", "deal_id": "1"}, "body/deal_id must be a positive integer"),
        ({"content": "x" * 100_001, "deal_id": 1}, "Note content is too long"),
    ],
)
def test_notes_that_do_not_fit(account, body, problem):
    response = account.post("/api/v1/notes", body)
    assert response.json()["data"] is None
    status, text = refusal(response)
    assert status == 400
    assert text.startswith(problem)


def test_activities(account):
    account.made("persons", {"name": "Jan"})
    body = {
        "subject": "Bel",
        "deal_id": 1,
        "participants": [{"person_id": 1, "primary": True}],
        "due_date": "2026-12-01",
    }
    made = account.made("activities", body)
    assert (made["person_id"], made["done"]) == (1, False)
    assert account.patch("activities/1", {"done": True}).json()["data"]["marked_as_done_time"]
    assert [row["id"] for row in account.data("activities", deal_id=1, done="true")] == [1]
    assert account.get("activities", type="call").status_code == 400
    assert account.delete("activities/1").status_code == 200
    assert account.data("activities") == []


def test_discounts_change_the_value_of_deals_with_products(account):
    account.product()
    account.post("deals/1/products", {"product_id": 1, "item_price": 100, "quantity": 2})
    body = {"description": "Korting", "amount": 10, "type": "percentage"}
    made = account.post("deals/1/discounts", body)
    assert made.status_code == 201
    assert account.data("deals/1")["value"] == 180
    path = f"deals/1/discounts/{made.json()['data']['id']}"
    account.patch(path, {"amount": 30, "type": "amount"})
    assert account.data("deals/1")["value"] == 170
    account.delete(path)
    assert account.data("deals/1")["value"] == 200
    assert account.post("deals/1/discounts", body | {"amount": 0}).status_code == 400


def test_v1_merges_and_duplicates(account):
    account.deal(title="y")
    assert account.http.put("/api/v1/deals/1/merge", json={"merge_with_id": 2}).json()["data"]["merge_what_id"] == 1
    assert [deal["id"] for deal in account.data("deals")] == [2]
    twin = account.post("/api/v1/deals/2/duplicate").json()["data"]
    assert (twin["id"], twin["visible_to"], twin["add_time"]) == (3, "3", "2026-11-20 09:00:00")


def test_a_saved_filter_overrides_every_other(account):
    code = account.field("deal", "Exact order-ID", "varchar")["field_code"]
    account.deal(custom_fields={code: "abc"})
    condition = {"object": "deal", "field_id": code, "operator": "=", "value": "abc"}
    body = {"name": "x", "type": "deals", "conditions": {"glue": "and", "conditions": [condition]}}
    made = account.post("/api/v1/filters", body).json()["data"]
    assert [deal["id"] for deal in account.data("deals", filter_id=made["id"], ids="1")] == [2]
    assert account.get("deals", filter_id=99).status_code == 404
    assert account.get("persons", filter_id=made["id"]).status_code == 404


@pytest.mark.parametrize(
    ("glue", "conditions", "found"),
    [
        ("or", [("value", "=", 5), ("title", "=", "b")], [2, 3]),
        ("and", [("value", ">", 4), ("title", "!=", "b")], [2]),
        ("and", [("org_id", "IS NULL", None), ("value", "<", 4)], [1, 3]),
        ("and", [("title", "IS NOT NULL", None)], [1, 2, 3]),
        ("and", [], [1, 2, 3]),
    ],
)
def test_a_saved_filter_has_conditions(account, glue, conditions, found):
    account.deal(title="a", value=5)
    account.deal(title="b", value=3)
    tests = [{"object": "deal", "field_id": field, "operator": how, "value": to} for field, how, to in conditions]
    group = {"glue": "and", "conditions": [{"glue": glue, "conditions": tests}]}
    made = account.made("/api/v1/filters", {"name": "x", "type": "deals", "conditions": group})
    assert [deal["id"] for deal in account.data("deals", filter_id=made["id"])] == found


def test_filters_are_listed_shown_and_deleted(account):
    body = {"name": "x", "type": "deals", "conditions": {"glue": "and", "conditions": []}}
    account.made("/api/v1/filters", body)
    assert account.data("/api/v1/filters")[0]["conditions"] == body["conditions"]
    assert account.data("/api/v1/filters/1")["name"] == "x"
    assert account.delete("/api/v1/filters/1").json()["data"] == {"id": 1}
    assert account.get("/api/v1/filters/1").status_code == 404


@pytest.mark.parametrize(
    "conditions", [{}, {"conditions": [{"field_id": "title", "operator": "~"}]}, {"conditions": [5]}, "title = x"]
)
def test_filters_that_do_not_fit(account, conditions):
    body = {"name": "x", "type": "deals", "conditions": conditions}
    assert account.post("/api/v1/filters", body).status_code == 400


def _token(account, **form):
    return account.http.post("/oauth/token", data=form, auth=LOGIN)


def test_oauth_hands_out_tokens_that_last_an_hour(account):
    token = _token(account, grant_type="refresh_token", refresh_token="sandbox").json()
    assert (token["token_type"], token["refresh_token"], token["expires_in"]) == ("Bearer", "sandbox", 3600)
    del account.http.headers["x-api-token"]
    account.http.headers["authorization"] = f"Bearer {token['access_token']}"
    assert account.get("deals").status_code == 200
    account.advance(3601)
    assert account.get("deals").status_code == 401


def test_oauth_takes_a_code_once(account):
    asked = {"client_id": "sandbox", "redirect_uri": "http://127.0.0.1/back", "state": "s"}
    back = account.http.get("/oauth/authorize", params=asked).headers["location"]
    code = back.split("code=")[1].split("&")[0]
    assert "state=s" in back
    first = _token(account, grant_type="authorization_code", code=code)
    assert first.status_code == 200
    assert _token(account, grant_type="authorization_code", code=code).json()["error"] == "invalid_grant"
    assert account.http.post("/oauth/token", data={"grant_type": "refresh_token"}).status_code == 401
    late = account.http.get("/oauth/authorize", params=asked).headers["location"].split("code=")[1].split("&")[0]
    account.advance(301)
    assert _token(account, grant_type="authorization_code", code=late).json()["error"] == "invalid_grant"
    wrong = asked | {"redirect_uri": "http://127.0.0.1/\r\nx: y"}
    assert account.http.get("/oauth/authorize", params=wrong).status_code == 400
    revoked = {"token": first.json()["refresh_token"]}
    assert account.http.post("/oauth/revoke", data=revoked, auth=LOGIN).status_code == 200
    again = _token(account, grant_type="refresh_token", refresh_token=first.json()["refresh_token"])
    assert again.json()["error"] == "invalid_grant"


def test_currencies_and_kinds_of_activities_are_v1s(account):
    assert [row["decimal_points"] for row in account.data("/api/v1/currencies", term="eur")] == [2]
    assert "call" in [row["key_string"] for row in account.data("/v1/activityTypes")]


class Subscriber:
    """Takes webhook events, or refuses them."""

    def __init__(self):
        self.status, self.seen = 200, []

    def __call__(self, url, headers, body):
        self.seen.append((url, headers, json.loads(body)))
        return self.status


HOOK = {
    "subscription_url": "http://127.0.0.1:1/hook", "event_action": "*", "event_object": "deal", "name": "x",
    "http_auth_user": "u", "http_auth_password": "p",
}  # fmt: skip


def test_webhooks_tell_what_changed(account):
    code = account.field("deal", "Leverstatus", "enum", "Open")["field_code"]
    made = account.post("/api/v1/webhooks", HOOK)
    assert made.status_code == 201
    subscriber = Subscriber()
    account.patch("deals/1", {"title": "y", "custom_fields": {code: 40}})
    account.control("change", {"kind": "delete_deal", "id": 1})
    assert account.simulator.deliver(subscriber) == 2
    (_, headers, change), (_, _, delete) = subscriber.seen
    assert headers["authorization"] == "Basic dTpw"
    meta = {
        "action": "change",
        "entity": "deal",
        "entity_id": "1",
        "version": "2.0",
        "change_source": "api",
        "attempt": 1,
    }
    assert meta.items() <= change["meta"].items()
    assert set(change["previous"]) == {"title", "update_time", "custom_fields"}
    assert change["data"]["custom_fields"] == {code: {"type": "enum", "id": 40}}
    assert change["data"]["update_time"] == "2026-11-20T09:00:00.000Z"
    assert (delete["data"], delete["previous"]["title"], delete["meta"]["change_source"]) == (None, "y", "app")


def test_webhooks_show_custom_values_with_their_type(account):
    kinds = {
        "set": ([40, 41], {"type": "set", "values": [{"id": 40}, {"id": 41}]}),
        "monetary": ({"value": 5}, {"type": "monetary", "value": 5, "currency": "EUR"}),
        "user": (20_480_001, {"type": "user", "id": 20_480_001}),
        "varchar": ("a", {"type": "varchar", "value": "a"}),
        "date": (None, None),
    }
    codes = {kind: account.field("deal", kind, kind, *("ab" if kind == "set" else ""))["field_code"] for kind in kinds}
    account.post("/api/v1/webhooks", HOOK)
    account.deal(custom_fields={codes[kind]: value for kind, (value, _) in kinds.items()})
    subscriber = Subscriber()
    account.simulator.deliver(subscriber)
    assert subscriber.seen[0][2]["data"]["custom_fields"] == {codes[kind]: told for kind, (_, told) in kinds.items()}


@pytest.mark.parametrize(
    ("entity", "path", "body"),
    [
        ("note", "/api/v1/notes", {"content": "x", "deal_id": 1}),
        ("activity", "activities", {"subject": "x"}),
        ("pipeline", "pipelines", {"name": "x"}),
        ("stage", "stages", {"name": "x", "pipeline_id": 1}),
        ("product", "products", {"name": "x"}),
        ("organization", "organizations", {"name": "x"}),
        ("person", "persons", {"name": "x"}),
    ],
)
def test_webhooks_tell_of_every_kind_of_record(account, entity, path, body):
    account.post("/api/v1/webhooks", HOOK | {"event_object": entity, "event_action": "create"})
    made = account.made(path, body)
    account.deal()
    subscriber = Subscriber()
    assert account.simulator.deliver(subscriber) == 1
    assert subscriber.seen[0][2]["data"]["id"] == made["id"]


def test_webhooks_are_tried_four_times(account):
    account.post("/api/v1/webhooks", HOOK)
    subscriber = Subscriber()
    subscriber.status = 500
    account.patch("deals/1", {"title": "y"})
    tries = []
    for wait in (0, 3, 30, 150, 1000):
        account.advance(wait)
        tries.append(account.simulator.deliver(subscriber))
    assert tries == [1, 1, 1, 1, 0]
    assert [body["meta"]["attempt"] for _, _, body in subscriber.seen] == [1, 2, 3, 4]


def test_a_subscriber_that_fails_ten_times_is_banned_and_misses_events(account):
    account.post("/api/v1/webhooks", HOOK)
    subscriber = Subscriber()
    subscriber.status = None
    for number in range(12):
        account.patch("deals/1", {"title": str(number)})
        account.simulator.deliver(subscriber)
    assert len(subscriber.seen) == 10
    subscriber.status = 200
    account.advance(1801)
    account.patch("deals/1", {"title": "after"})
    account.simulator.deliver(subscriber)
    assert subscriber.seen[-1][2]["data"]["title"] == "after"


def _events(account, subscriber):
    account.simulator.deliver(subscriber)
    return [body["data"]["title"] for _, _, body in subscriber.seen]


@pytest.mark.parametrize(
    ("fault", "now", "later"),
    [
        ({"kind": "webhook_lost"}, ["b", "c"], ["b", "c"]),
        ({"kind": "webhook_lost", "path": "deal.change", "after": 1, "times": 2}, ["a"], ["a"]),
        ({"kind": "webhook_double"}, ["a", "a", "b", "c"], ["a", "a", "b", "c"]),
        ({"kind": "webhook_late", "seconds": 60}, ["b", "c"], ["b", "c", "a"]),
        ({"kind": "webhook_lost", "path": "person"}, ["a", "b", "c"], ["a", "b", "c"]),
    ],
)
def test_events_may_be_lost_doubled_and_late(account, fault, now, later):
    account.post("/api/v1/webhooks", HOOK)
    account.control("fault", fault)
    for title in "abc":
        account.patch("deals/1", {"title": title})
    subscriber = Subscriber()
    assert _events(account, subscriber) == now
    account.advance(60)
    assert _events(account, subscriber) == later


def test_events_may_come_in_the_wrong_order(account):
    account.post("/api/v1/webhooks", HOOK)
    assert account.control("webhooks", {"skip": 1, "double": 1, "reverse": True})["waiting"] == 0
    for title in "abc":
        account.patch("deals/1", {"title": title})
    assert account.control("webhooks")["waiting"] == 3
    assert _events(account, Subscriber()) == ["c", "b", "b"]
    account.control("webhooks", {"late": 1, "seconds": 30})
    account.patch("deals/1", {"title": "d"})
    assert account.control("webhooks", {"deliver": True}) | {"subscriptions": []} == {
        "subscriptions": [], "waiting": 1, "delivered": 0,
    }  # fmt: skip


def test_a_subscription_without_a_success_for_three_days_is_ended(account):
    account.post("/api/v1/webhooks", HOOK)
    subscriber = Subscriber()
    subscriber.status = 302
    account.advance(3 * 86_400 + 1)
    assert len(account.data("/api/v1/webhooks")) == 1
    account.patch("deals/1", {"title": "y"})
    account.simulator.deliver(subscriber)
    assert account.data("/api/v1/webhooks") == []


def test_webhooks_for_product_lines_and_their_end(account):
    account.post("/api/v1/webhooks", HOOK | {"event_object": "deal_product"})
    account.product()
    account.post("deals/1/products", {"product_id": 1, "item_price": 1, "quantity": 1})
    account.delete("deals/1/products/1")
    subscriber = Subscriber()
    account.simulator.deliver(subscriber)
    assert [body["meta"]["action"] for _, _, body in subscriber.seen] == ["create", "delete"]
    assert account.delete("/api/v1/webhooks/1").status_code == 200
    assert account.data("/api/v1/webhooks") == []


def test_webhooks_really_arrive():
    seen, arrived = [], threading.Event()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):  # the name http.server asks for
            seen.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()
            arrived.set()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    account = Account()
    url = f"http://127.0.0.1:{server.server_port}/hook"
    account.post("/api/v1/webhooks", HOOK | {"subscription_url": url})
    account.deal()
    assert arrived.wait(10)
    account.simulator.close()
    server.shutdown()
    server.server_close()
    assert [(body["meta"]["action"], body["data"]["id"]) for body in seen] == [("create", 1)]


def test_webhooks_that_do_not_fit():
    account = Account(webhooks_per_user=1, sends_webhooks=False)
    wrong = account.post("/api/v1/webhooks", HOOK | {"subscription_url": "ftp://x"})
    assert (wrong.status_code, wrong.json()["errors"]) == (400, {"subscription_url": ["Invalid URL"]})
    assert account.post("/api/v1/webhooks", HOOK | {"event_object": "order"}).status_code == 400
    assert account.post("/api/v1/webhooks", HOOK).status_code == 201
    assert account.post("/api/v1/webhooks", HOOK).status_code == 422


def test_the_older_version_of_webhooks_has_its_own_words(account):
    money = account.field("deal", "Omzet", "monetary")["field_code"]
    status = account.field("deal", "Leverstatus", "enum", "Open")["field_code"]
    account.post("/api/v1/webhooks", HOOK | {"version": "1.0"})
    account.deal(custom_fields={money: {"value": 5}, status: 40})
    account.patch("deals/2", {"title": "y"})
    account.delete("deals/2")
    subscriber = Subscriber()
    account.simulator.deliver(subscriber)
    added, updated, deleted = (body for _, _, body in subscriber.seen)
    assert [body["event"] for body in (added, updated, deleted)] == ["added.deal", "updated.deal", "deleted.deal"]
    assert (added["previous"], updated["previous"]["title"], deleted["current"]) == (None, "Bestelling 1", None)
    shown = {"add_time": "2026-11-20 09:00:00", "visible_to": "3", "deleted": False, "user_id": 20_480_001}
    assert (shown | {money: 5, f"{money}_currency": "EUR", status: "40"}).items() <= added["current"].items()
    meta = {"action": "added", "object": "deal", "id": 2, "timestamp": 1_795_165_200, "webhook_id": "1"}
    assert meta.items() <= added["meta"].items()


def test_the_older_version_counts_its_tries(account):
    account.post("/api/v1/webhooks", HOOK | {"version": "1.0", "event_object": "*"})
    subscriber = Subscriber()
    subscriber.status = 500
    account.made("persons", {"name": "Jan"})
    for wait in (0, 3, 30):
        account.advance(wait)
        account.simulator.deliver(subscriber)
    assert [body["retry"] for _, _, body in subscriber.seen] == [0, 1, 2]
    assert subscriber.seen[0][2]["current"]["active_flag"] is True
