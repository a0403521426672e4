"""Webhooks: how one subscribes, what is sent, how it is signed, and how often it is tried."""

import hashlib
import hmac
import json
import queue
import re
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline.sandbox.exact_online.webhooks import signed
from pipeline_tests.sandbox.exact_transport import Caller

CALLBACK = "https://app.example/webhooks"


class Receiver:
    """A callback that remembers what it got and answers what it is told."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.status = 200

    def __call__(self, url: str, body: bytes) -> int:
        self.got.append(body)
        return self.status


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def exact(receiver) -> Caller:
    company = seeded_company(orders=5, today=date(2026, 6, 25))
    settings = {"post_webhook": receiver, "deliver_in_background": False, "limits": False}
    return Caller(simulated_exact_online(company, **settings))


def subscribe(exact: Caller, topic: str = "SalesOrders", **more):
    path = "/api/v1/123456/webhooks/WebhookSubscriptions"
    return exact.http.post(path, json={"Topic": topic, "CallbackURL": CALLBACK, **more})


def test_the_signature_is_upper_case_hex_over_the_raw_content():
    content = (
        '{"Topic":"SalesOrders","ClientId":"11111111-2222-3333-4444-555555555555","Division":123456,"Action":"Update",'
        '"Key":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","ExactOnlineEndpoint":"https://start.exactonline.nl/api/v1/123456/'
        'salesorder/SalesOrders(guid\'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\')","EventCreatedOn":"2026-11-20T09:15:00.123"}'
    )
    code = "359B6496151DEDE8020CEB0C9392309BE85E70AE791C4CBA29F79903278832C9"
    assert signed(content, "test-secret") == f'{{"Content":{content},"HashCode":"{code}"}}'.encode()


def test_a_subscription_is_tried_out_with_an_empty_post(exact, receiver):
    answer = subscribe(exact)
    assert (answer.status_code, receiver.got) == (201, [b""])
    assert answer.json()["d"]["CallbackURL"] == CALLBACK
    assert [row["Topic"] for row in exact.rows("webhooks/WebhookSubscriptions")] == ["SalesOrders"]


def test_a_callback_that_does_not_answer_gets_no_subscription(exact, receiver):
    receiver.status = 404
    answer = subscribe(exact)
    message = answer.json()["error"]["message"]["value"]
    assert (answer.status_code, message) == (500, "Invalid: Post to callback URL endpoint returns 404")
    assert exact.rows("webhooks/WebhookSubscriptions") == []


def test_one_subscription_for_each_topic(exact):
    subscribe(exact)
    again = subscribe(exact)
    assert (again.status_code, again.json()["error"]["message"]["value"]) == (500, "Data already exists")
    assert subscribe(exact, "Accounts").status_code == 201
    assert subscribe(exact, "Nonsense").status_code == 500


def test_a_change_is_told_thinly_and_signed(exact, receiver):
    subscribe(exact)
    order = exact.control("change", {"kind": "set_order", "fields": {"your_ref": "x"}})["order"]
    exact.control("webhooks", {"deliver": True})
    match = re.fullmatch(rb'\{"Content":(.*),"HashCode":"([0-9A-F]{64})"\}', receiver.got[-1])
    assert match
    assert hmac.new(b"sandbox", match[1], hashlib.sha256).hexdigest().upper().encode() == match[2]
    content = json.loads(match[1])
    assert list(content) == ["Topic", "ClientId", "Division", "Action", "Key", "ExactOnlineEndpoint", "EventCreatedOn"]
    assert (content["Action"], content["Key"]) == ("Update", order["id"])
    assert content["ExactOnlineEndpoint"].endswith(f"/api/v1/123456/salesorder/SalesOrders(guid'{order['id']}')")
    assert content["EventCreatedOn"].startswith("2026-06-25T12:")


def test_headers_and_lines_of_one_order_are_told_apart(exact, receiver):
    subscribe(exact)
    exact.control("change", {"kind": "place_order"})
    exact.control("webhooks", {"deliver": True})
    ends = [json.loads(body)["Content"]["ExactOnlineEndpoint"].split("/")[-1] for body in receiver.got[1:]]
    assert [end.split("(")[0] for end in ends] == ["SalesOrders", "SalesOrderLines"]


def test_deletions_are_told_with_the_key_of_what_is_gone(exact, receiver):
    subscribe(exact)
    exact.control("change", {"kind": "delete_order"})
    exact.control("webhooks", {"deliver": True})
    assert {json.loads(body)["Content"]["Action"] for body in receiver.got[1:]} == {"Delete"}


def test_a_failure_is_tried_ten_times_more_at_growing_distance(exact, receiver):
    subscribe(exact)
    exact.control("clock", {"speed": 0})
    receiver.status = 500
    exact.control("change", {"kind": "set_order", "fields": {"your_ref": "x"}})
    minutes, waited = [], 0
    for _ in range(3000):
        before = len(receiver.got)
        exact.control("webhooks", {"deliver": True})
        if len(receiver.got) > before:
            minutes.append(waited)
            waited = 0
        exact.control("clock", {"advance_seconds": 60})
        waited += 1
    assert minutes == [0, *(2**n for n in range(1, 11))]
    assert exact.control("webhooks")["lost"] == 1


def test_notifications_can_be_lost_doubled_and_turned_round(exact, receiver):
    subscribe(exact)
    exact.control("webhooks", {"skip": 1, "double": 1, "reverse": True})
    for text in ("a", "b", "c"):
        exact.control("change", {"kind": "set_order", "fields": {"your_ref": text}})
    assert exact.control("webhooks")["waiting"] == 3
    exact.control("webhooks", {"deliver": True})
    assert len(receiver.got) == 4


def test_a_real_callback_hears_of_changes_by_itself():
    got: queue.Queue[bytes] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        exact = Caller(simulated_exact_online(seeded_company(orders=5)))
        body = {"Topic": "SalesOrders", "CallbackURL": f"http://127.0.0.1:{server.server_port}/hook"}
        assert exact.http.post("/api/v1/123456/webhooks/WebhookSubscriptions", json=body).status_code == 201
        order = exact.control("change", {"kind": "set_order", "fields": {"your_ref": "x"}})["order"]
        assert got.get(timeout=5) == b""
        assert json.loads(got.get(timeout=5))["Content"]["Key"] == order["id"]
    finally:
        server.shutdown()
        server.server_close()


def test_a_deleted_subscription_hears_nothing(exact, receiver):
    key = subscribe(exact).json()["d"]["ID"]
    path = f"/api/v1/123456/webhooks/WebhookSubscriptions(guid'{key}')"
    assert exact.http.put(path, json={"CallbackURL": f"{CALLBACK}/2"}).status_code == 204
    assert exact.http.delete(path).status_code == 204
    exact.control("change", {"kind": "set_order", "fields": {"your_ref": "x"}})
    assert exact.control("webhooks")["waiting"] == 0
