"""What else a client may write: addresses, items, prices, deliveries, documents; and what is refused."""

from datetime import date

import httpx
import pytest

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline_tests.sandbox.exact_transport import Caller

TODAY = date(2026, 6, 25)
NOWHERE = "00000000-0000-0000-0000-000000000009"


@pytest.fixture
def company() -> Company:
    return seeded_company(orders=20, today=TODAY)


@pytest.fixture
def exact(company) -> Caller:
    return Caller(simulated_exact_online(company, limits=False))


def send(exact: Caller, method: str, path: str, body: object = None) -> httpx.Response:
    return exact.http.request(method, f"/api/v1/123456/{path}", json=body, headers={"Accept": "application/json"})


def test_the_same_address_is_not_made_twice(company, exact):
    account = next(iter(company.accounts)).id
    body = {"Account": account, "Type": 3, "AddressLine1": "Kade 1", "City": "Breda", "Postcode": "4811 AA"}
    first = send(exact, "POST", "crm/Addresses", body)
    again = send(exact, "POST", "crm/Addresses", body)
    other = send(exact, "POST", "crm/Addresses", {**body, "AddressLine1": "Kade 2"})
    assert [answer.status_code for answer in (first, again, other)] == [201, 201, 201]
    assert first.json()["d"]["ID"] == again.json()["d"]["ID"] != other.json()["d"]["ID"]
    path = f"crm/Addresses(guid'{first.json()['d']['ID']}')"
    assert send(exact, "PUT", path, {"City": "Tilburg", "Country": "BE"}).status_code == 204
    shown = exact.get(path, select="City,Country").json()["d"]
    assert (shown["City"], shown["Country"]) == ("Tilburg", "BE ")
    assert send(exact, "DELETE", path).status_code == 204
    assert exact.rows("sync/Deleted", filter="EntityType eq 3")[0]["EntityKey"] == first.json()["d"]["ID"]


def test_the_account_follows_its_main_visit_address(company, exact):
    address = next(row for row in company.addresses if row.kind == 1)
    assert send(exact, "PUT", f"crm/Addresses(guid'{address.id}')", {"City": "Tilburg"}).status_code == 204
    assert company.accounts.rows[address.account_id].city == "Tilburg"
    assert send(exact, "DELETE", f"crm/Addresses(guid'{address.id}')").status_code == 500


def test_a_new_item_is_echoed_as_nulls_and_gets_its_price_from_the_prices(company, exact):
    answer = send(
        exact, "POST", "logistics/Items", {"Code": "NIEUW", "Description": "Nieuw artikel", "IsStockItem": True}
    )
    key = answer.json()["d"]["ID"]
    assert (answer.status_code, answer.json()["d"]["Code"]) == (201, None)
    price = send(exact, "POST", "logistics/SalesItemPrices", {"Item": key, "Price": 12.5}).json()["d"]
    item = exact.get(f"logistics/Items(guid'{key}')").json()["d"]
    assert (item["Code"], item["StandardSalesPrice"], item["ItemGroupCode"]) == ("NIEUW", 12.5, "100")
    assert len(exact.rows("inventory/ItemWarehouses", filter=f"Item eq guid'{key}'", select="ID")) == 2
    path = f"logistics/SalesItemPrices(guid'{price['ID']}')"
    assert send(exact, "PUT", path, {"Price": 13}).status_code == 204
    assert exact.get(f"logistics/Items(guid'{key}')").json()["d"]["StandardSalesPrice"] == 13
    assert send(exact, "DELETE", path).status_code == 204
    assert send(exact, "DELETE", f"logistics/Items(guid'{key}')").status_code == 204
    gone = exact.rows("sync/Deleted", select="EntityType")
    assert sorted(row["EntityType"] for row in gone) == [8, 9, 15, 15, 19, 19]


def test_goods_deliveries_move_an_order_on(company, exact):
    order = company.place_order(next(iter(company.accounts)).id, [(next(iter(company.items)).id, 4, 12.5)])
    part = {"SalesOrderLineID": order.lines[0].id, "QuantityDelivered": 3}
    body = {"DeliveryDate": "2026-06-24", "TrackingNumber": "3S1", "Description": "deel", "GoodsDeliveryLines": [part]}
    made = send(exact, "POST", "salesorder/GoodsDeliveries", body)
    shown = made.json()["d"]
    assert (made.status_code, shown["TrackingNumber"], shown["Description"]) == (201, "3S1", "deel")
    assert (order.delivery_status, order.lines[0].delivered) == (20, 3)
    assert send(exact, "POST", "salesorder/GoodsDeliveries", body).status_code == 500  # only one is left
    path = f"salesorder/GoodsDeliveries(guid'{shown['EntryID']}')"
    assert send(exact, "PUT", path, {"TrackingNumber": "3S2"}).status_code == 204
    assert exact.get(path, select="TrackingNumber").json()["d"]["TrackingNumber"] == "3S2"
    company.change_order(order.id, approval_status=0)
    part["QuantityDelivered"] = 1
    assert send(exact, "POST", "salesorder/GoodsDeliveries", body).status_code == 500  # not approved


def test_documents_and_their_files_are_echoed_in_full(company, exact):
    body = {"Subject": "Offerte", "Type": 55, "Account": next(iter(company.accounts)).id, "Language": "nl-NL"}
    made = send(exact, "POST", "documents/Documents", body)
    shown = made.json()["d"]
    assert (made.status_code, shown["Subject"], shown["TypeDescription"], shown["Language"]) == (
        201,
        "Offerte",
        "Diversen",
        "nl-NL",
    )
    file = {"Document": shown["ID"], "FileName": "o.txt", "Attachment": "aGFsbG8="}
    kept = send(exact, "POST", "documents/DocumentAttachments", file)
    assert (kept.status_code, kept.json()["d"]["FileSize"]) == (201, 5)
    path = f"documents/Documents(guid'{shown['ID']}')"
    assert send(exact, "PUT", path, {"Subject": "Order"}).status_code == 204
    assert send(exact, "DELETE", path).status_code == 204
    gone = exact.rows("sync/Deleted", filter="Timestamp gt 1", select="EntityType")
    assert [row["EntityType"] for row in gone] == [4, 6]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("crm/Addresses", {"City": "Breda"}, 500),
        ("crm/Addresses", {"Account": NOWHERE}, 500),
        ("crm/Addresses", {"Account": "ACCOUNT", "Type": 9}, 500),
        ("logistics/Items", {"Code": "X"}, 500),
        ("logistics/Items", {"Code": "100-1000", "Description": "bestaat"}, 500),
        ("logistics/Items", {"Code": "X", "Description": "x" * 61}, 500),
        ("logistics/Items", {"Code": "X", "Description": "x", "ItemGroup": NOWHERE}, 500),
        ("logistics/Items", {"Code": "X", "Description": "x", "Stock": 5}, 400),
        ("logistics/SalesItemPrices", {"Price": 5}, 500),
        ("logistics/SalesItemPrices", {"Item": NOWHERE}, 500),
        ("logistics/SalesItemPrices", {"Item": "ITEM", "Price": "5,0"}, 400),
        ("salesorder/GoodsDeliveries", {}, 500),
        ("salesorder/GoodsDeliveries", {"DeliveryDate": "2026-06-24", "GoodsDeliveryLines": []}, 500),
        ("salesorder/GoodsDeliveries", {"DeliveryDate": "2026-06-24", "GoodsDeliveryLines": {}}, 400),
        ("salesorder/GoodsDeliveries", {"DeliveryDate": "2026-06-24", "GoodsDeliveryLines": [{}]}, 500),
        ("documents/Documents", {"Type": 10}, 500),
        ("documents/Documents", {"Subject": "x", "Type": 9}, 500),
        ("documents/Documents", {"Subject": "x", "Type": 10, "Account": NOWHERE}, 500),
        ("documents/DocumentAttachments", {"FileName": "x"}, 500),
        ("documents/DocumentAttachments", {"Document": NOWHERE, "FileName": "x", "Attachment": "aGFsbG8="}, 500),
        ("documents/DocumentAttachments", {"Document": NOWHERE, "FileName": "x", "Attachment": "%"}, 400),
    ],
)
def test_other_wrong_bodies_are_refused_and_change_nothing(company, exact, path, body, status):
    known = {"ACCOUNT": next(iter(company.accounts)).id, "ITEM": next(iter(company.items)).id}
    before = company.last_version
    answer = send(exact, "POST", path, {name: known.get(str(value), value) for name, value in body.items()})
    assert (answer.status_code, "error" in answer.json()) == (status, True)
    assert company.last_version == before
