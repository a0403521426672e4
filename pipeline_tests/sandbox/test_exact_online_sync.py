"""The sync feeds over time: what changes, what is deleted, what is still being written, and a division that moves."""

from datetime import date

import pytest

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline_tests.sandbox.exact_transport import Caller

TODAY = date(2026, 6, 25)


@pytest.fixture(scope="module")
def company() -> Company:
    return seeded_company(orders=150, today=TODAY)


@pytest.fixture(scope="module")
def exact(company: Company) -> Caller:
    return Caller(simulated_exact_online(company, limits=False))


def test_sync_shows_a_changed_row_once_with_a_later_version(exact):
    newest = max(int(row["Timestamp"]) for row in exact.rows("sync/SalesOrder/SalesOrderHeaders", select="Timestamp"))
    later = {"filter": f"Timestamp gt {newest}", "select": "Timestamp,OrderID,ID,DeliveryStatus"}
    assert exact.rows("sync/SalesOrder/SalesOrderHeaders", **later) == []
    changed = exact.control("change", {"kind": "set_status", "status": [20, 20, 12]})["order"]
    exact.control("change", {"kind": "set_order", "fields": {"your_ref": "nieuw"}})
    rows = exact.rows("sync/SalesOrder/SalesOrderHeaders", **later)
    assert [(row["OrderID"], row["DeliveryStatus"]) for row in rows] == [(changed["id"], 20)]
    assert rows[0]["ID"] != rows[0]["OrderID"]


def test_a_header_change_leaves_the_lines_and_a_note_on_a_line_leaves_the_header(company, exact):
    order = next(order for order in company.orders if order.lines)
    versions = [line.timestamp for line in order.lines]
    company.change_order(order.id, your_ref="x")
    assert [line.timestamp for line in order.lines] == versions
    header = order.timestamp
    company.change_line(order.lines[0].id, notes="x")
    assert order.lines[0].timestamp > header == order.timestamp


def test_deletions_stand_in_their_own_feed_for_two_months():
    company = seeded_company(orders=10, today=TODAY)
    exact = Caller(simulated_exact_online(company, limits=False))
    order = next(iter(company.orders))
    company.delete_order(order.id)
    rows = exact.rows("sync/Deleted", filter="Timestamp gt 1 and EntityType eq 32", select="EntityKey,EntityType")
    assert [(row["EntityKey"], row["EntityType"]) for row in rows] == [(order.id, 32)]
    assert len(exact.rows("sync/Deleted", filter="Timestamp gt 1")) == 1 + len(order.lines)
    assert exact.get(f"salesorder/SalesOrders(guid'{order.id}')").status_code == 404
    exact.control("clock", {"advance_seconds": 62 * 86400})
    consent_again(exact)
    assert exact.rows("sync/Deleted", filter="Timestamp gt 1") == []


def consent_again(exact: Caller) -> None:
    """After more than thirty days a person must log in anew."""
    asked = {"client_id": "sandbox", "response_type": "code", "redirect_uri": "https://app.example/cb"}
    code = exact.http.get("/api/oauth2/auth", params=asked).headers["Location"].split("code=")[1]
    form = {"grant_type": "authorization_code", "client_id": "sandbox", "client_secret": "sandbox", "code": code}
    answer = exact.http.post("/api/oauth2/token", data={**form, "redirect_uri": "https://app.example/cb"})
    exact.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def test_an_unfinished_transaction_shows_its_rows_behind_the_watermark(company, exact):
    exact.control("change", {"kind": "set_order", "fields": {"your_ref": "traag"}, "in_flight": True})
    later = exact.control("change", {"kind": "set_order", "order": 1001, "fields": {"your_ref": "snel"}})["row"][
        "timestamp"
    ]
    feed = {"filter": f"Timestamp gt {later - 2}", "select": "YourRef"}
    assert [row["YourRef"] for row in exact.rows("sync/SalesOrder/SalesOrderHeaders", **feed)] == ["snel"]
    exact.control("commit", {})
    assert [row["YourRef"] for row in exact.rows("sync/SalesOrder/SalesOrderHeaders", **feed)] == ["traag", "snel"]


def test_a_moved_division_has_other_versions_and_says_so():
    company = seeded_company(orders=10, today=TODAY)
    exact = Caller(simulated_exact_online(company, limits=False))
    assert (
        exact.get("system/Divisions", select="DivisionMoveDate").json()["d"]["results"][0]["DivisionMoveDate"] is None
    )
    before = max(order.timestamp for order in company.orders)
    exact.control("change", {"kind": "move_division"})
    rows = exact.rows("sync/SalesOrder/SalesOrderHeaders", filter="Timestamp gt 1", select="Timestamp")
    assert len(rows) == 10
    assert all(int(row["Timestamp"]) < before for row in rows)
    assert exact.get("system/Divisions", select="DivisionMoveDate").json()["d"]["results"][0]["DivisionMoveDate"]
