"""Faults that can be ordered, one by one: what the client sees, and that the next answer is good again."""

import json

import httpx
import pytest

from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline.sandbox.exact_online.faults import AFTER, BEFORE
from pipeline_tests.sandbox.exact_transport import Caller

PATH = "salesorder/SalesOrders"


@pytest.fixture
def exact() -> Caller:
    return Caller(simulated_exact_online(seeded_company(orders=150)))


def order_fault(exact: Caller, kind: str, **more) -> None:
    exact.control("fault", {"path": PATH, "kind": kind, **more})


def read(exact: Caller) -> httpx.Response:
    return exact.get(PATH, select="OrderID")


FAMILIES = {
    "minute_limit": {f"x-ratelimit-minutely-{name}" for name in ("limit", "remaining", "reset")},
    "day_limit": {f"x-ratelimit-{name}" for name in ("limit", "remaining", "reset")},
}


@pytest.mark.parametrize("kind", ["minute_limit", "day_limit"])
def test_a_burst_of_429_has_the_headers_of_its_limit_and_no_body(exact, kind):
    order_fault(exact, kind, times=3)
    answers = [read(exact) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 429, 200]
    refused = answers[0]
    assert {name for name in refused.headers if name.startswith("x-ratelimit")} == FAMILIES[kind]
    remaining = next(value for name, value in refused.headers.items() if name.endswith("remaining"))
    reset = next(value for name, value in refused.headers.items() if name.endswith("reset"))
    now = json.loads(exact.http.get("/__sandbox/state").content)["now"]
    assert (remaining, refused.content) == ("0", b"")
    assert int(reset) % 60_000 == 0, now


def test_a_token_that_expires_on_the_second_page_can_be_renewed_at_once(exact):
    order_fault(exact, "expired_token", skip=1)
    first = read(exact)
    second = exact.get(first.json()["d"]["__next"])
    assert (first.status_code, second.status_code, second.content) == (200, 401, b"")
    assert exact.get("crm/Contacts", top="1").status_code == 401  # the token is gone for everything
    assert exact.refresh().status_code == 200
    assert exact.get(first.json()["d"]["__next"]).status_code == 200


def test_a_page_can_lead_to_itself(exact):
    first = read(exact).json()["d"]
    order_fault(exact, "same_page")
    second = exact.get(first["__next"]).json()["d"]
    assert second["__next"] == first["__next"]
    again = exact.get(second["__next"]).json()["d"]
    assert [row["OrderID"] for row in again["results"]] == [row["OrderID"] for row in second["results"]]
    assert again["__next"] != first["__next"]


@pytest.mark.parametrize(
    "path", ["salesorder/$metadata", "salesorder/SalesOrders/$count", "salesorder/SalesOrders?$top=1"]
)
def test_what_has_no_next_page_cannot_lead_to_itself(exact, path):
    before = exact.get(path).content
    exact.control("fault", {"path": "salesorder", "kind": "same_page"})
    assert exact.get(path).content == before


@pytest.mark.parametrize("kind", ["truncate", "glue", "empty", "malformed"])
def test_a_spoiled_page_has_status_200_and_is_no_json(exact, kind):
    order_fault(exact, kind)
    answer = read(exact)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert read(exact).json()


@pytest.mark.parametrize(("kind", "is_made"), [("status", 0), ("drop", 0), ("status_after", 1), ("drop_after", 1)])
def test_a_write_is_done_or_not_before_the_answer_is_lost(exact, kind, is_made):
    account = exact.get("crm/Accounts", top="1").json()["d"][0]["ID"]
    exact.control("fault", {"path": "crm/Contacts", "kind": kind, "method": "POST", "status": 502})
    body = {"Account": account, "LastName": "Hof"}
    statuses = []
    try:
        statuses.append(exact.http.post("/api/v1/123456/crm/Contacts", json=body).status_code)
    except httpx.ReadError:
        statuses.append(None)
    assert statuses == [502 if kind.startswith("status") else None]
    assert len(exact.rows("crm/Contacts", filter="LastName eq 'Hof'", select="ID")) == is_made


def test_a_403_gives_its_reason(exact):
    order_fault(exact, "status", status=403, reason="DivisionBlocked")
    answer = read(exact)
    assert (answer.status_code, answer.headers["Reason"]) == (403, "DivisionBlocked")


def test_an_answer_can_be_held_back():
    simulator = simulated_exact_online(seeded_company(orders=5))
    exact = Caller(simulator)
    order_fault(exact, "delay", seconds=7)
    assert [fault["seconds"] for fault in exact.control("fault")["waiting"]] == [7]
    assert read(exact).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "nonsense"},
        {"path": 5},
        {"times": 0},
        {"times": "2"},
        {"skip": -1},
        {"status": 99},
        {"status": None},
        {"seconds": "1"},
        {"seconds": -1},
        {"method": 1},
        {"body": {}},
        {"reason": "a\nb"},
        {"nonsense": 1},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(exact, wrong):
    body = {"path": PATH, "kind": "status", **wrong}
    assert exact.http.post("/__sandbox/fault", json=body).status_code == 400
    assert exact.control("fault")["waiting"] == []


def test_every_fault_is_tried_here():
    tried = {*FAMILIES, "expired_token", "same_page", "truncate", "glue", "empty", "malformed", "delay"}
    assert tried | {"status", "drop", "status_after", "drop_after"} == BEFORE | AFTER


def test_waiting_faults_can_be_taken_back(exact):
    order_fault(exact, "status", times=5)
    exact.control("fault", {"clear": True})
    assert read(exact).status_code == 200
