"""Price lists, stock in two warehouses, units, documents and the functions that work things out, over the wire."""

import base64
from datetime import date

import pytest

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.company_prices import valid_price
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline_tests.sandbox.exact_transport import Caller

TODAY = date(2026, 6, 25)


@pytest.fixture(scope="module")
def company() -> Company:
    return seeded_company(orders=60, today=TODAY)


@pytest.fixture(scope="module")
def exact(company) -> Caller:
    return Caller(simulated_exact_online(company, limits=False))


@pytest.fixture
def fresh() -> Caller:
    return Caller(simulated_exact_online(seeded_company(orders=10, today=TODAY), limits=False))


def test_there_are_two_price_lists_one_over_groups_and_one_over_items(exact):
    lists = exact.rows("sales/SalesPriceLists", select="Code,Entity,Type")
    assert sorted((row["Code"], row["Entity"], row["Type"]) for row in lists) == [("GROOT", 2, 1), ("TUIN", 1, 1)]
    periods = exact.rows("sales/SalesPriceListPeriods", select="Type,StartDate,EndDate")
    assert sorted((row["Type"], row["EndDate"] is None) for row in periods) == [(1, True), (1, True), (2, False)]


def test_a_lists_rows_lead_by_discount_or_by_price(exact):
    rows = exact.rows("sales/SalesPriceListVolumeDiscounts")
    by_discount = [row for row in rows if row["EntryMethod"] == 1]
    by_price = [row for row in rows if row["EntryMethod"] == 2]
    assert all(row["ItemGroupCode"] and row["Discount"] and row["NewPrice"] is None for row in by_discount)
    assert all(row["ItemCode"] and row["NewPrice"] < row["BasePriceAmount"] for row in by_price)
    assert {row["Quantity"] for row in by_price} == {1, 12}
    feed = exact.rows("sync/Sales/SalesPriceListVolumeDiscounts", filter="Timestamp gt 1", select="ID,Timestamp")
    assert {row["ID"] for row in feed} == {row["ID"] for row in rows}


def test_a_customer_is_on_one_list_and_says_which(exact):
    linked = {row["ID"]: row["PriceList"] for row in exact.rows("sales/SalesPriceListLinkedAccounts")}
    accounts = {row["ID"]: row["PriceList"] for row in exact.rows("crm/Accounts", select="ID,PriceList")}
    assert linked == {key: price_list for key, price_list in accounts.items() if price_list}
    assert len(set(linked.values())) == 2
    assert len(linked) < len(accounts) / 2


def price(exact: Caller, item: str, account: str | None = None) -> dict:
    customer = f"&accountId=guid'{account}'" if account else ""
    rows = exact.get(f"read/logistics/SalesItemPrice?itemId=guid'{item}'{customer}").json()["d"]["results"]
    return rows[0]


def test_the_price_function_knows_agreements_lists_and_standard_prices(company, exact):
    listed = next(row for row in company.volume_discounts if row.item_id and row.period.kind == 1)
    customer = next(row for row in company.accounts if row.price_list_id == listed.period.price_list.id)
    item = next(
        row
        for row in company.items
        if row.id in {other.item_id for other in company.volume_discounts if other.period.kind == 1}
        and row.id not in {other.item_id for other in company.volume_discounts if other.period.kind == 2}
        and sum(p.item_id == row.id for p in company.prices) == 1
    )
    standard = price(exact, item.id)
    assert (standard["PriceExcludingVAT"], standard["ItemCode"]) == (item.standard_price, item.code)
    assert standard["PriceIncludingVAT"] == pytest.approx(item.standard_price * 1.21, abs=0.01)
    on_list = price(exact, item.id, customer.id)["PriceExcludingVAT"]
    assert on_list == pytest.approx(item.standard_price * 0.9, abs=0.01)
    agreed = next(row for row in company.prices if row.account_id)
    assert price(exact, agreed.item_id, agreed.account_id)["PriceExcludingVAT"] == agreed.price


def test_the_highest_quantity_reached_decides(company):
    broken = next(row for row in company.prices if row.quantity == 24)
    item = company.items.rows[broken.item_id]
    assert valid_price(company, item, quantity=24) == broken.price < valid_price(company, item, quantity=23)


@pytest.mark.parametrize("name", ["SalesItemPrice", "StockPosition"])
@pytest.mark.parametrize("query", ["", "?itemId=5", "?itemId=guid'x'"])
def test_functions_need_an_item(exact, name, query):
    assert exact.get(f"read/logistics/{name}{query}").status_code == 400


def test_a_function_about_an_unknown_item_answers_nothing(exact):
    path = "read/logistics/StockPosition?itemId=guid'00000000-0000-0000-0000-000000000001'"
    assert exact.get(path).json() == {"d": {"results": []}}


def test_units_are_those_that_items_are_sold_in(company, exact):
    units = {row["Code"].strip(): row["Main"] for row in exact.rows("logistics/Units")}
    assert set(units) == {item.unit for item in company.items}
    assert units["pc"] == 1


def test_stock_lies_in_two_warehouses_and_adds_up_to_the_items(company, exact):
    assert {row["Code"]: row["Main"] for row in exact.rows("inventory/Warehouses")} == {"1": 1, "2": 0}
    total: dict[str, float] = {}
    for row in exact.rows("inventory/ItemWarehouses", select="Item,CurrentStock,WarehouseCode"):
        total[row["Item"]] = total.get(row["Item"], 0) + row["CurrentStock"]
    assert total == {item.id: item.stock for item in company.items}


def test_a_delivery_takes_goods_out_of_the_main_warehouse_and_only_that_moves(fresh):
    feed = {"select": "Timestamp,ItemCode,CurrentStock,PlanningOut,WarehouseCode"}
    before = fresh.rows("sync/Inventory/StockPositions", filter="Timestamp gt 1", **feed)
    newest = max(int(row["Timestamp"]) for row in before)
    fresh.control("change", {"kind": "place_order", "lines": [{"item": "100-1000", "quantity": 7, "price": 1}]})
    assert fresh.rows("sync/Inventory/StockPositions", filter=f"Timestamp gt {newest}", **feed) == []
    fresh.control("change", {"kind": "deliver"})
    (moved,) = fresh.rows("sync/Inventory/StockPositions", filter=f"Timestamp gt {newest}", **feed)
    was = next(row for row in before if (row["ItemCode"], row["WarehouseCode"]) == ("100-1000", "1"))
    assert (moved["ItemCode"], moved["WarehouseCode"]) == ("100-1000", "1")
    assert (moved["CurrentStock"], moved["PlanningOut"]) == (was["CurrentStock"] - 7, was["PlanningOut"])
    fresh.control("change", {"kind": "reopen"})
    (back,) = fresh.rows("sync/Inventory/StockPositions", filter=f"Timestamp gt {moved['Timestamp']}", **feed)
    assert (back["CurrentStock"], back["PlanningOut"]) == (was["CurrentStock"], was["PlanningOut"] + 7)


def test_the_stock_function_sums_the_warehouses(fresh):
    item = fresh.get("logistics/Items", filter="Code eq '100-1000'", select="ID,Stock", top="1").json()["d"][0]
    fresh.control("change", {"kind": "set_row", "table": "items", "id": item["ID"], "fields": {"stock": 50}})
    fresh.control("change", {"kind": "place_order", "lines": [{"item": "100-1000", "quantity": 7, "price": 1}]})
    path = f"read/logistics/StockPosition?itemId=guid'{item['ID']}'&$select=InStock,ProjectedStock,PlanningOut"
    row = fresh.get(path).json()["d"]["results"][0]
    assert row["InStock"] == 50
    assert row["ProjectedStock"] == 50 - row["PlanningOut"]
    assert row["PlanningOut"] >= 7


def test_each_invoice_has_a_document_with_a_file(company, exact):
    invoice = next(iter(company.invoices))
    shown = exact.get(f"salesinvoice/SalesInvoices(guid'{invoice.id}')").json()["d"]
    document = exact.get(f"documents/Documents(guid'{shown['Document']}')").json()["d"]
    assert (document["Type"], document["SalesInvoiceNumber"]) == (10, invoice.number)
    assert document["Subject"] == shown["DocumentSubject"] == f"Factuur {invoice.number}"
    hit = {"filter": f"Document eq guid'{document['ID']}'"}
    (file,) = exact.rows("documents/DocumentAttachments", **hit)
    assert (len(base64.b64decode(file["Attachment"])), file["FileName"][-4:]) == (file["FileSize"], ".pdf")
    assert {row["ID"] for row in exact.rows("documents/DocumentTypes")} >= {10}


def test_documents_come_regular_in_bulk_and_in_sync(company, exact):
    assert len(exact.rows("documents/Documents", select="ID")) == len(company.invoices)
    assert len(exact.rows("bulk/Documents/Documents", select="ID")) == len(company.invoices)
    feed = exact.rows("sync/Documents/Documents", filter="Timestamp gt 1", select="ID,Timestamp")
    assert {row["ID"] for row in feed} == set(company.documents.rows)
    for path in ("bulk/Documents/DocumentAttachments", "sync/Documents/DocumentAttachments"):
        assert len(exact.rows(path, select="ID,AttachmentUrl,FileSize")) == len(company.invoices)


def test_what_leads_to_nothing_the_company_has_is_deferred_and_empty(company, exact):
    account = next(iter(company.accounts))
    path = f"crm/Accounts(guid'{account.id}')"
    deferred = exact.get(path).json()["d"]["BankAccounts"]["__deferred"]["uri"]
    assert exact.get(deferred).json() == {"d": {"results": []}}
    assert exact.get(path, expand="BankAccounts").json()["d"]["BankAccounts"] == {"results": []}


def test_all_divisions_of_the_licence_are_listed_too(exact):
    assert [row["Code"] for row in exact.rows("system/AllDivisions", select="Code")] == [123456]


def test_a_feed_of_something_the_company_does_not_have_starts_at_the_newest_version(company, exact):
    path = "read/sync/Sync/SyncTimestamp?modified=datetime'2026-06-01'&endPoint='Projects'"
    assert exact.get(path).json()["d"]["results"][0]["TimeStampAsBigInt"] == str(company.last_version)


@pytest.mark.parametrize(
    ("language", "words"),
    [("nl-NL", ("Compleet", "Binnen 30 dagen")), ("en-GB", ("Complete", "Within 30 days")), ("xx", None), ("", None)],
)
def test_descriptions_come_in_the_language_that_is_asked_for(exact, language, words):
    path = "/api/v1/123456/salesorder/SalesOrders?$filter=Status eq 21&$top=1"
    path += "&$select=StatusDescription,PaymentConditionDescription,Status"
    headers = {"Accept": "application/json", "CustomDescriptionLanguage": language}
    row = exact.http.get(path, headers=headers).json()["d"][0]
    found = (row["StatusDescription"], row["PaymentConditionDescription"])
    assert (found, row["Status"]) == (words or ("Complete", "Binnen 30 dagen"), 21)
