"""What the simulated Exact Online answers to readers: shapes, pages, filters, encodings, and what it refuses."""

import json
from datetime import UTC, date, datetime

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


def test_a_collection_comes_in_results_and_its_last_page_has_no_next(exact):
    first = exact.get("salesorder/SalesOrders", select="OrderID").json()["d"]
    assert set(first) == {"results", "__next"}
    assert len(first["results"]) == 60
    assert len(exact.rows("salesorder/SalesOrders", select="OrderID")) == 150
    last = exact.get(exact.get(first["__next"]).json()["d"]["__next"]).json()["d"]
    assert set(last) == {"results"}


@pytest.mark.parametrize(("top", "is_bare"), [("1", True), ("60", True), ("61", False), ("100", False)])
def test_a_small_top_gives_a_bare_list(exact, top, is_bare):
    assert isinstance(exact.get("salesorder/SalesOrders", select="OrderID", top=top).json()["d"], list) is is_bare


def test_an_empty_answer_keeps_its_shape(exact):
    nothing = {"filter": "OrderNumber eq 1", "select": "OrderID"}
    assert exact.get("salesorder/SalesOrders", **nothing).json() == {"d": {"results": []}}
    assert exact.get("salesorder/SalesOrders", top="5", **nothing).json() == {"d": []}


def test_the_next_link_repeats_the_options_and_carries_the_rest_of_top(exact):
    link = exact.get("salesorder/SalesOrders", select="OrderID", filter="Status ge 12", top="100").json()["d"]["__next"]
    assert link.startswith("http://exact.sandbox.example/api/v1/123456/salesorder/SalesOrders?$select=OrderID&$filter=")
    assert "&$top=40&$skiptoken=guid'" in link
    assert len(exact.get(link).json()["d"]) == 40


def test_pages_in_another_order_show_every_row_once(exact):
    rows = exact.rows("salesorder/SalesOrders", select="OrderID,OrderDate", orderby="OrderDate desc")
    dates = [int(row["OrderDate"][6:-2]) for row in rows]
    assert len({row["OrderID"] for row in rows}) == 150
    assert dates == sorted(dates, reverse=True)
    by_text = exact.rows("crm/Accounts", select="ID,Website", orderby="Website,Name desc")
    assert by_text[0]["Website"] is None


def test_bulk_and_sync_pages_hold_a_thousand(company, exact):
    bulk = exact.get("bulk/SalesOrder/SalesOrderLines", select="ID").json()["d"]
    sync = exact.get("sync/SalesOrder/SalesOrderLines", select="ID,Timestamp", filter="Timestamp gt 1").json()["d"]
    assert (len(bulk["results"]), len(sync["results"])) == (1000, 1000)
    rows = exact.rows("sync/SalesOrder/SalesOrderLines", select="ID,Timestamp", filter="Timestamp gt 1L")
    assert len({row["ID"] for row in rows}) == len(company.lines)
    assert all(isinstance(row["Timestamp"], str) for row in rows)


def test_counts_are_text(company, exact):
    assert exact.get("salesorder/SalesOrders/$count").text == "150"
    assert exact.get("salesorder/SalesOrders/$count", filter="Status eq 99").text == "0"
    order = next(order for order in company.orders if len(order.lines) > 3)
    below = f"salesorder/SalesOrders(guid'{order.id}')/SalesOrderLines/$count"
    assert exact.get(below).text == str(len(order.lines))
    assert exact.get(f"salesorder/SalesOrders(guid'{order.id}')/$count").status_code == 404
    counted = exact.get("salesorder/SalesOrders", top="0", inlinecount="allpages").json()["d"]
    assert counted == {"results": [], "__count": "150"}


def test_dates_are_the_wall_clock_with_escaped_slashes(company, exact):
    order = next(order for order in company.orders if order.order_date.month == 6)
    raw = exact.get(f"salesorder/SalesOrders(guid'{order.id}')").text
    midnight = int(datetime.combine(order.order_date, datetime.min.time(), UTC).timestamp() * 1000)
    assert f'"OrderDate":"\\/Date({midnight})\\/"' in raw
    assert f'"Created":"\\/Date({order.created_ms + 7_200_000})\\/"' in raw  # summer: two hours ahead of UTC
    hit = f"OrderID eq guid'{order.id}' and OrderDate eq datetime'{order.order_date}T00:00:00'"
    assert len(exact.get("salesorder/SalesOrders", filter=hit, top="1").json()["d"]) == 1


def test_codes_are_padded_and_filtered_with_their_blanks(exact):
    account = exact.get("crm/Accounts", top="1").json()["d"][0]
    assert (len(account["Code"]), len(account["Country"]), account["Code"][0]) == (18, 3, " ")
    code = account["Code"].strip()

    def found(text: str) -> int:
        return len(exact.get("crm/Accounts", filter=text, select="ID", top="5").json()["d"])

    assert (found(f"Code eq '{code}'"), found(f"Code eq '{account['Code']}'"), found(f"trim(Code) eq '{code}'")) == (
        0,
        1,
        1,
    )


def test_navigations_are_deferred_until_expanded(company, exact):
    order = next(order for order in company.orders if len(order.lines) > 3)
    deferred = exact.get(f"salesorder/SalesOrders(guid'{order.id}')").json()["d"]["SalesOrderLines"]
    followed = exact.get(deferred["__deferred"]["uri"]).json()["d"]["results"]
    assert {row["ID"] for row in followed} == {line.id for line in order.lines}
    path = "bulk/SalesOrder/SalesOrders"
    wanted = {"select": "OrderID,SalesOrderLines/ID,SalesOrderLines/NetPrice", "filter": f"OrderID eq guid'{order.id}'"}
    shown = exact.get(path, expand="SalesOrderLines", **wanted).json()["d"]["results"][0]
    assert set(shown["SalesOrderLines"]["results"][0]) == {"__metadata", "ID", "NetPrice"}
    assert exact.get(path, **wanted).status_code == 400


@pytest.mark.parametrize(
    ("resource", "has", "lacks"),
    [
        ("salesorder/SalesOrderLines", "OrderStatus", "Status"),
        ("bulk/SalesOrder/SalesOrderLines", "NetPrice", "QuantityDelivered"),
        ("sync/SalesOrder/SalesOrderLines", "Status", "OrderStatus"),
        ("sync/Logistics/Items", "ItemGroupCode", "StandardSalesPrice"),
        ("salesorder/SalesOrders", "Discount", "Timestamp"),
    ],
)
def test_each_resource_has_its_own_fields(exact, resource, has, lacks):
    assert exact.get(resource, select=has, top="1").status_code == 200
    assert exact.get(resource, select=lacks, top="1").status_code == 400


@pytest.mark.parametrize(
    "text",
    [
        "Status eq 12 and (DeliveryStatus eq 12 or InvoiceStatus eq 20)",
        "YourRef ne null",
        "startswith(YourRef,'PO-')",
        "substringof('O-2',YourRef)",
        "OrderDate ge DateTime'2026-01-01T00:00:00' and OrderDate lt datetime'2026-02-01'",
        "12 eq Status",
        "Salesperson eq guid'6F9619FF-8B86-D011-B42D-00CF4FC96401'",
    ],
)
def test_filters_that_are_understood(exact, text):
    answer = exact.get("salesorder/SalesOrders", filter=text, select="OrderID", top="60")
    assert answer.status_code == 200, answer.text
    assert answer.json()["d"]


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "Nonsense eq 1"},
        {"filter": "AmountFC eq 1"},  # not flagged for filters
        {"filter": "Status eq '12'"},
        {"filter": "Status eq 12 and"},
        {"filter": "OrderDate gt 2026-01-01"},
        {"filter": "OrderID eq guid'12'"},
        {"filter": "OrderDate gt datetime'yesterday'"},
        {"filter": "Status in (12,20)"},
        {"filter": "contains(YourRef,'PO')"},
        {"filter": "Status"},
        {"filter": "SalesOrderLines/ID eq guid'6f9619ff-8b86-d011-b42d-00cf4fc96401'"},
        {"select": "Nonsense"},
        {"expand": "OrderedBy"},
        {"expand": "SalesOrderLines", "select": "SalesOrderLines/Nonsense"},
        {"filter": "Status gt 1e400"},
        {"filter": f"Status gt {'9' * 30}"},
        {"top": "-1"},
        {"top": "many"},
        {"orderby": "Nonsense"},
        {"limit": "5"},
        {"skiptoken": "12"},
    ],
)
def test_what_is_not_understood_is_refused_with_the_error_body(exact, options):
    answer = exact.get("salesorder/SalesOrders", **options)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message"}
    assert answer.json()["error"]["message"]["value"]


@pytest.mark.parametrize(
    ("resource", "options"),
    [
        ("bulk/SalesOrder/SalesOrders", {}),
        ("bulk/SalesOrder/SalesOrders", {"select": "*"}),
        ("sync/Logistics/Items", {"filter": "Timestamp gt 1"}),
        ("sync/Logistics/Items", {"filter": "Timestamp gt 1", "select": "*"}),
        ("crm/Accounts", {}),
        ("sync/SalesOrder/SalesOrderHeaders", {"filter": "OrderNumber eq 1001"}),
        ("sync/SalesOrder/SalesOrderHeaders", {"filter": "Modified gt datetime'2026-01-01'"}),
        ("sync/SalesOrder/SalesOrderHeaders", {"skip": "10"}),
        ("sync/Deleted", {"filter": "DeletedDate gt datetime'2026-01-01'"}),
    ],
)
def test_bulk_and_sync_have_stricter_rules(exact, resource, options):
    assert exact.get(resource, **options).status_code == 400


def test_me_tells_the_division_and_the_local_time(company, exact):
    me = exact.get("/api/v1/current/Me", select="CurrentDivision,ServerTime,ServerUtcOffset,Legislation,EmployeeID")
    found = me.json()["d"]["results"][0]
    assert (found["CurrentDivision"], found["ServerUtcOffset"], found["Legislation"]) == (123456, 7200, "1")
    assert found["ServerTime"].startswith("2026-06-25T12:")


def test_several_divisions_are_listed_and_a_foreign_one_is_forbidden():
    companies = {123456: seeded_company(orders=5), 654321: seeded_company(orders=6, seed=2)}
    exact = Caller(simulated_exact_online(companies))
    rows = exact.rows("system/Divisions", select="Code,Hid,Current")
    assert [(row["Code"], row["Hid"], row["Current"]) for row in rows] == [(123456, "1", True), (654321, "2", False)]
    assert len(exact.rows("/api/v1/654321/salesorder/SalesOrders", select="OrderID")) == 6
    foreign = exact.get("/api/v1/999999/salesorder/SalesOrders")
    assert (foreign.status_code, foreign.headers["Reason"]) == (403, "NoDivisionAccess")


@pytest.mark.parametrize(
    "path",
    [
        "salesorder/Nonsense",
        "salesorder/salesorders",
        "webhooks/WebhookTopics",
        "salesorder/SalesOrders(guid'00000000-0000-0000-0000-000000000001')",
        "nonsense",
    ],
)
def test_unknown_paths_and_keys_are_not_found(exact, path):
    assert exact.get(path).status_code == 404


def test_whole_amounts_are_integers(exact):
    lines = exact.rows("salesorder/SalesOrderLines", select="Quantity,AmountFC")
    assert all(isinstance(line["Quantity"], int) for line in lines if line["Quantity"] == int(line["Quantity"]))


def test_strange_text_survives_the_wire():
    company = seeded_company(orders=10, today=TODAY, odd=True)
    exact = Caller(simulated_exact_online(company, limits=False))
    rows = exact.rows("salesorder/SalesOrders", filter="startswith(Description,'odd')", select="Description,YourRef")
    texts = {row["Description"]: row["YourRef"] for row in rows}
    assert "\x00" in texts["odd: NUL"]
    assert "🎄" in texts["odd: emoji"]
    assert len(texts["odd: 5,000 characters"]) == 5000
    big = next(order for order in company.orders if order.description == "odd: 1,114 lines")
    assert len(exact.rows("salesorder/SalesOrderLines", filter=f"OrderID eq guid'{big.id}'", select="ID")) == 1114


def test_metadata_names_each_row(company, exact):
    order = next(iter(company.orders))
    shown = json.loads(exact.get(f"salesorder/SalesOrders(guid'{order.id}')", select="OrderNumber").text)["d"]
    assert shown["__metadata"]["type"] == "Exact.Web.Api.Models.SalesOrder"
    assert shown["__metadata"]["uri"].endswith(f"/api/v1/123456/salesorder/SalesOrders(guid'{order.id}')")
    assert set(shown) == {"__metadata", "OrderNumber"}
