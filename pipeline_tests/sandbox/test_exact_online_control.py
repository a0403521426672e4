"""The paths under `/__sandbox/`: every change there is, and what the answers tell."""

import queue
import re
from datetime import date

import pytest

from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline.sandbox.exact_online.control_changes import CHANGES
from pipeline_tests.sandbox.exact_transport import Caller


@pytest.fixture
def exact() -> Caller:
    return Caller(simulated_exact_online(seeded_company(orders=20, today=date(2026, 6, 25)), limits=False))


def change(exact: Caller, kind: str, **more) -> dict:
    return exact.control("change", {"kind": kind, **more})


def test_an_order_can_be_taken_through_its_life(exact):
    lines = [{"item": "100-1000", "quantity": 4, "price": 2.5}, {"item": "110-1000", "quantity": 1, "price": 10}]
    placed = change(
        exact, "place_order", account="10001", lines=lines, fields={"your_ref": "PO", "order_date": "2026-06-01"}
    )
    number = placed["row"]["number"]
    assert (placed["row"]["amount_excl"], len(placed["order"]["lines"])) == (20, 2)
    steps = [
        ("deliver", {"share": 0.5}, (20, 20, 12)),
        ("deliver", {}, (20, 21, 12)),
        ("invoice", {}, (21, 21, 21)),
        ("reopen", {}, (12, 12, 12)),
        ("cancel", {}, (45, 45, 45)),
        ("set_status", {"status": [21, 12, 12]}, (21, 12, 12)),
    ]
    for kind, more, expected in steps:
        order = change(exact, kind, order=number, **more)["order"]
        assert (order["status"], order["delivery_status"], order["invoice_status"]) == expected
    change(exact, "delete_order", order=number)
    assert exact.rows("salesorder/SalesOrders", filter=f"OrderNumber eq {number}", select="OrderID") == []


def test_one_cancelled_line_leaves_the_rest_open_and_a_closed_order_is_complete(exact):
    lines = [{"item": "100-1000", "quantity": 4, "price": 2.5}, {"item": "110-1000", "quantity": 1, "price": 10}]
    change(exact, "place_order", account="10001", lines=lines)
    order = change(exact, "cancel_line", line=2)["order"]
    assert [line["status"] for line in order["lines"]] == [12, 45]
    assert (order["status"], order["delivery_status"], order["invoice_status"]) == (12, 12, 12)
    closed = change(exact, "close")["order"]
    assert (closed["status"], closed["lines"][0]["delivered"]) == (21, 0)


def test_lines_prices_and_payments_can_be_changed(exact):
    change(exact, "place_order", account="10001")
    assert change(exact, "add_line", quantity=2, price=7)["row"]["amount"] == 14
    assert change(exact, "edit_line", line=2, fields={"quantity": 3})["row"]["amount"] == 21
    assert change(exact, "remove_line", line=1)["row"]["amount_excl"] == 21
    change(exact, "invoice")
    assert change(exact, "pay", amount=1)["row"]["amount"] == 1
    assert change(exact, "rename_customer", account="10001", name="Anders B.V.")["row"]["name"] == "Anders B.V."
    row = change(exact, "set_order", fields={"discount": 0.1})["row"]
    assert row["amount_excl"] == 18.9


def test_any_row_can_be_changed_or_deleted(exact):
    item = exact.get("logistics/Items", top="1").json()["d"][0]["ID"]
    change(exact, "set_row", table="items", id=item, fields={"description": "Anders", "end_date": "2026-01-01"})
    shown = exact.get(f"logistics/Items(guid'{item}')").json()["d"]
    assert (shown["Description"], shown["EndDate"]) == ("Anders", "/Date(1767225600000)/")
    change(exact, "delete_row", table="items", id=item)
    assert exact.rows("sync/Deleted", filter="EntityType eq 9")[0]["EntityKey"] == item


def test_every_change_is_tried_here():
    tried = {
        "place_order",
        "deliver",
        "invoice",
        "reopen",
        "cancel",
        "set_status",
        "delete_order",
        "add_line",
        "edit_line",
    }
    tried |= {
        "cancel_line",
        "close",
        "remove_line",
        "pay",
        "rename_customer",
        "set_order",
        "set_row",
        "delete_row",
        "move_division",
    }
    assert tried == set(CHANGES)


def test_counters_tell_what_was_asked(exact):
    exact.control("counters", {})
    exact.get("crm/Accounts", top="1")
    exact.get("crm/Accounts(guid'00000000-0000-0000-0000-000000000000')")
    exact.refresh()
    assert exact.control("counters") == {"requests": {"crm/Accounts": 2}, "total": 2, "token_calls": 1}


def test_the_state_sums_up_the_books(exact):
    state = exact.control("state")["divisions"]["123456"]
    assert (state["rows"]["orders"], state["newest_order_number"]) == (20, 1020)
    assert state["amount_excl_vat"] > 0


def rows(exact: Caller) -> dict[str, int]:
    return exact.control("state")["divisions"]["123456"]["rows"]


def test_a_company_trades_by_itself_until_it_is_told_to_stop():
    simulator = simulated_exact_online(seeded_company(orders=20, today=date(2026, 6, 25)), limits=False)
    exact = Caller(simulator)
    news: queue.Queue[str] = queue.Queue()
    simulator.live(speed=20_000, told=news.put)
    assert re.fullmatch(r"(\d\d:00|night)  (order|invoice|customer|item) \S+ \w+", news.get(timeout=30))
    exact.control("live", {"events_per_minute": 60_000})  # another pace in place of the first
    before = rows(exact)["orders"]
    while rows(exact)["orders"] == before:
        pass
    exact.control("live", {"events_per_minute": 0})
    assert rows(exact) == rows(exact)


def test_the_clock_goes_whole_days_further_and_stands_where_it_is_put(exact):
    exact.control("clock", {"speed": 0, "stand_at": "2026-10-24T10:00:00+00:00"})
    assert exact.control("clock", {"advance_days": 2, "advance_seconds": 60}) == {"now": "2026-10-26T10:01:00+00:00"}
    assert exact.control("clock") == {"now": "2026-10-26T10:01:00+00:00"}


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999"])
@pytest.mark.parametrize("path", ["clock", "live", "webhooks", "fault"])
def test_what_is_no_number_is_refused(exact, path, number):
    names = ("advance_seconds", "speed", "seconds", "skip")
    body = "{" + ",".join(f'"{name}": {number}' for name in names) + "}"
    assert exact.http.post(f"/__sandbox/{path}", content=body).status_code == 400
    assert exact.get("crm/Contacts", top="1").status_code == 200


@pytest.mark.parametrize("body", [{"speed": 0}, {"speed": "fast"}, {"events_per_minute": "many"}])
def test_a_pace_that_makes_no_sense_is_refused(exact, body):
    assert exact.http.post("/__sandbox/live", json=body).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("change", {"kind": "nonsense"}),
        ("change", {"kind": "set_order", "fields": {"order_date": 5}}),
        ("change", {"kind": "set_order", "fields": {"lines": []}}),
        ("change", {"kind": "set_order", "fields": {"nonsense": 1}}),
        ("change", {"kind": "edit_line", "fields": {"quantity": "2"}}),
        ("change", {"kind": "edit_line", "fields": {"quantity": True}}),
        ("change", {"kind": "set_row", "table": "orders", "id": "x", "fields": {}}),
        ("change", {"kind": "set_status", "status": [12]}),
        ("change", {"kind": "deliver", "share": "half"}),
        ("change", {"kind": "rename_customer", "name": None}),
        ("change", {"kind": "deliver", "order": 1}),
        ("fault", {"path": "x", "kind": "nonsense"}),
        ("fault", {"path": "x", "kind": "status", "nonsense": 1}),
        ("clock", {"stand_at": "yesterday"}),
        ("clock", {"stand_at": "2199-01-01T00:00:00+00:00"}),
        ("clock", {"advance_seconds": "many"}),
        ("clock", {"advance_days": 10**9}),
        ("clock", {"advance_days": 3650, "stand_at": "2095-01-01T00:00:00+00:00"}),
        ("clock", {"speed": -(10**7)}),
        ("live", {"speed": 10**9}),
        ("webhooks", {"late": 1, "seconds": 10**12}),
    ],
)
def test_nonsense_is_refused(exact, path, body):
    assert exact.http.post(f"/__sandbox/{path}", json=body).status_code == 400
