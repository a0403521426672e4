"""Invoices, receivables, deliveries, stock and people over the wire; nights on which clocks change; switches."""

from datetime import UTC, date, datetime

import pytest

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline_tests.sandbox.exact_transport import Caller

TODAY = date(2026, 6, 25)


@pytest.fixture(scope="module")
def company() -> Company:
    return seeded_company(orders=100, today=TODAY)


@pytest.fixture(scope="module")
def exact(company) -> Caller:
    return Caller(simulated_exact_online(company, limits=False))


def test_invoice_lines_lead_back_to_the_order(company, exact):
    order = next(order for order in company.orders if order.status == 21)
    hit = f"SalesOrder eq guid'{order.id}'"
    lines = exact.rows("salesinvoice/SalesInvoiceLines", filter=hit, select="SalesOrderLine,SalesOrderNumber,AmountFC")
    assert {line["SalesOrderLine"] for line in lines} == {line.id for line in order.lines}
    assert {line["SalesOrderNumber"] for line in lines} == {order.number}


def test_the_invoice_feed_mixes_headers_and_lines(company, exact):
    rows = exact.rows(
        "sync/SalesInvoice/SalesInvoices", filter="Timestamp gt 1", select="Timestamp,LineNumber,InvoiceID,ID"
    )
    assert sum(row["LineNumber"] == 0 for row in rows) == len(company.invoices)
    assert len(rows) == len(company.invoices) + len(company.invoice_lines)
    assert sorted(int(row["Timestamp"]) for row in rows) == [int(row["Timestamp"]) for row in rows]


def test_open_items_are_what_was_not_paid(company, exact):
    unpaid = {row.id for row in company.receivables if row.paid_on is None}
    assert {row["Id"] for row in exact.rows("read/financial/ReceivablesList")} == unpaid
    feed = exact.rows("sync/Cashflow/PaymentTerms", filter="Timestamp gt 1", select="ID,IsFullyPaid,Status,LineType")
    assert {row["ID"] for row in feed if not row["IsFullyPaid"]} == unpaid
    assert {(row["IsFullyPaid"], row["Status"], row["LineType"]) for row in feed} == {(True, 50, 20), (False, 20, 20)}
    assert exact.get("read/financial/ReceivablesList", filter="Amount gt 1").status_code == 400


def test_deliveries_lead_back_to_order_lines(company, exact):
    first = exact.get("salesorder/GoodsDeliveries", top="1").json()["d"][0]
    lines = exact.get(first["GoodsDeliveryLines"]["__deferred"]["uri"]).json()["d"]["results"]
    assert all(line["SalesOrderLineID"] in company.lines for line in lines)


def test_stock_is_called_differently_in_each_feed(exact):
    fields = {
        "sync/Inventory/StockPositions": "ItemId,CurrentStock,PlanningOut",
        "inventory/ItemWarehouses": "Item,CurrentStock",
    }
    for path, select in fields.items():
        assert exact.get(path, select=select, top="1").status_code == 200
    assert exact.get("inventory/Warehouses").json()["d"]["results"][0]["Code"] == "1"


def test_employees_tell_whose_guid_a_salesperson_is(company, exact):
    people = {row["User"]: row["BusinessEmail"] for row in exact.rows("payroll/Employees", select="User,BusinessEmail")}
    assert people["6f9619ff-8b86-d011-b42d-00cf4fc96406"] == "jonas@sandbox.example"
    assert {row["UserID"] for row in exact.rows("users/UserRoles")} == set(people)


def test_sync_timestamp_starts_a_feed_at_a_date(company, exact):
    path = "read/sync/Sync/SyncTimestamp?modified=datetime'2026-06-01'&endPoint='SalesOrderHeaders'"
    start = exact.get(path).json()["d"]["results"][0]["TimeStampAsBigInt"]
    wanted = {"filter": f"Timestamp gt {start}", "select": "OrderID"}
    found = {row["OrderID"] for row in exact.rows("sync/SalesOrder/SalesOrderHeaders", **wanted)}
    edge = datetime(2026, 5, 31, 22, tzinfo=UTC).timestamp() * 1000
    assert {order.id for order in company.orders if order.modified_ms >= edge} <= found
    assert exact.get(path.replace("SalesOrderHeaders", "Accounts")).status_code == 400


@pytest.mark.parametrize(
    ("moment", "wall"),
    [
        ("2026-03-29T00:59:59.500+00:00", "2026-03-29T01:59:59.500"),  # the last second of winter
        ("2026-03-29T01:00:00.500+00:00", "2026-03-29T03:00:00.500"),  # two o'clock does not exist
        ("2026-10-25T00:30:00.500+00:00", "2026-10-25T02:30:00.500"),  # half past two, the first time
        ("2026-10-25T01:30:00.500+00:00", "2026-10-25T02:30:00.500"),  # and again
        ("2027-03-28T01:00:00.500+00:00", "2027-03-28T03:00:00.500"),
    ],
)
def test_nights_on_which_clocks_change(moment, wall):
    company = seeded_company(orders=5, today=TODAY)
    company.clock.run_at(0)
    company.clock.stand_at(datetime.fromisoformat(moment))
    exact = Caller(simulated_exact_online(company, limits=False))
    order = company.change_order(next(iter(company.orders)).id, your_ref="nacht")
    ms = int(datetime.fromisoformat(f"{wall}+00:00").timestamp() * 1000)
    path = f"salesorder/SalesOrders(guid'{order.id}')"
    assert exact.get(path, select="Modified").json()["d"]["Modified"] == f"/Date({ms})/"
    assert len(exact.get("salesorder/SalesOrders", filter=f"Modified eq datetime'{wall}'", top="5").json()["d"]) == 1
    assert exact.get("/api/v1/current/Me", select="ServerTime").json()["d"]["results"][0]["ServerTime"] == wall[:19]


def first(company: Company, path: str, select: str, **settings) -> dict:
    exact = Caller(simulated_exact_online(company, limits=False, **settings))
    return exact.get(path, select=select, top="1").json()["d"][0]


def test_switches_for_what_nobody_could_establish():
    company = seeded_company(orders=60, today=TODAY)
    for order in company.orders:
        company.change_order(order.id, discount=0.05)
    assert first(company, "salesorder/SalesOrders", "Discount")["Discount"] == 0.05
    assert first(company, "salesorder/SalesOrders", "Discount", header_discount="percent")["Discount"] == 5
    header = first(company, "sync/SalesOrder/SalesOrderHeaders", "ID,OrderID", sync_header_has_own_id=False)
    assert header["ID"] == header["OrderID"]
    company.delete_order(header["OrderID"])
    gone = {"filter": "EntityType eq 32", "select": "EntityKey"}
    for key, same in (("OrderID", True), ("ID", False)):
        exact = Caller(simulated_exact_online(company, limits=False, deleted_order_key=key))
        assert (exact.rows("sync/Deleted", **gone)[0]["EntityKey"] == header["OrderID"]) is same
    excl = first(company, "salesorder/SalesOrderLines", "AmountFC,VATPercentage")
    incl = first(company, "salesorder/SalesOrderLines", "AmountFC", line_amount_includes_vat=True)
    assert incl["AmountFC"] == pytest.approx(excl["AmountFC"] * (1 + excl["VATPercentage"]), abs=0.01)


@pytest.mark.parametrize(
    ("settings", "path", "status"),
    [
        ({"require_filter": True}, "salesorder/SalesOrders", 400),
        ({"hr_rights": False}, "payroll/Employees?$select=User", 403),
        ({"inventory_feeds_licensed": False}, "sync/Inventory/StockPositions?$select=ItemId", 403),
        ({"case_sensitive_paths": False}, "SALESORDER/salesorders?$top=1", 200),
        ({"strict_filter_flags": False}, "salesorder/SalesOrders?$filter=AmountFC gt 1", 200),
        ({"wide_resources": frozenset()}, "crm/Accounts", 200),
        ({"bare_list_up_to": 59}, "salesorder/SalesOrders?$top=60", 200),
    ],
)
def test_switches_that_refuse_or_allow(company, settings, path, status):
    exact = Caller(simulated_exact_online(company, limits=False, **settings))
    assert exact.get(path).status_code == status


def test_metadata_describes_a_service(exact):
    answer = exact.get("salesorder/$metadata")
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert '<Property Name="OrderNumber" Type="Edm.Int32"' in answer.text
