"""What a client may write: contacts, accounts, orders; what the answers look like and what is refused."""

from datetime import date

import httpx
import pytest

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline_tests.sandbox.exact_transport import Caller

TODAY = date(2026, 6, 25)


@pytest.fixture
def company() -> Company:
    return seeded_company(orders=20, today=TODAY)


@pytest.fixture
def exact(company) -> Caller:
    return Caller(simulated_exact_online(company, limits=False))


def send(exact: Caller, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
    wanted = {"Accept": "application/json", **headers}
    return exact.http.request(method, f"/api/v1/123456/{path}", json=body, headers=wanted)


def test_a_new_contact_is_echoed_as_nulls_with_its_id(company, exact):
    account = next(iter(company.accounts)).id
    body = {"Account": account, "FirstName": "Noor", "LastName": "Hof", "Email": "noor@klant.example"}
    answer = send(exact, "POST", "crm/Contacts", body)
    shown = answer.json()["d"]
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"crm/Contacts(guid'{shown['ID']}')")
    assert (shown["LastName"], shown["AccountIsCustomer"]) == (None, False)
    found = exact.get(f"crm/Contacts(guid'{shown['ID']}')").json()["d"]
    assert (found["FullName"], found["BusinessEmail"], found["AccountIsCustomer"]) == ("Noor Hof", body["Email"], True)


def test_an_update_answers_nothing_unless_asked(company, exact):
    contact = next(iter(company.contacts))
    path = f"crm/Contacts(guid'{contact.id}')"
    answer = send(exact, "PUT", path, {"Mobile": "+31 6 1", "BirthDate": "1980-02-03"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert exact.get(path, select="Mobile,BirthDate").json()["d"]["BirthDate"] == "/Date(318384000000)/"
    shown = send(exact, "PUT", path, {"Mobile": "+31 6 2"}, Prefer="return=representation")
    assert (shown.status_code, shown.json()["d"]["Mobile"]) == (200, "+31 6 2")


def test_a_deleted_contact_is_gone_and_logged(company, exact):
    contact = next(iter(company.contacts))
    assert send(exact, "DELETE", f"crm/Contacts(guid'{contact.id}')").status_code == 204
    assert send(exact, "DELETE", f"crm/Contacts(guid'{contact.id}')").status_code == 404
    assert exact.rows("sync/Deleted", filter="EntityType eq 5")[0]["EntityKey"] == contact.id


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"LastName": "Zonder relatie"}, 500),
        ({"Account": "6f9619ff-8b86-d011-b42d-00cf4fc96401", "LastName": "Onbekende relatie"}, 500),
        ({"Account": "no guid", "LastName": "x"}, 400),
        ({"Account": None, "Nonsense": 1}, 400),
        ({"LastName": "x", "FullName": "only to read"}, 400),
        ({"LastName": 5}, 400),
        ([], 400),
    ],
)
def test_wrong_contacts_are_refused_and_change_nothing(company, exact, body, status):
    before = company.last_version
    answer = send(exact, "POST", "crm/Contacts", body)
    assert (answer.status_code, "error" in answer.json()) == (status, True)
    assert company.last_version == before


def order_body(company: Company, **fields) -> dict:
    account, item = next(iter(company.accounts)), next(iter(company.items))
    return {"OrderedBy": account.id, "SalesOrderLines": [{"Item": item.id, "Quantity": 4, "NetPrice": 12.5}], **fields}


def test_a_new_order_is_echoed_in_full(company, exact):
    answer = send(exact, "POST", "salesorder/SalesOrders", order_body(company, YourRef="PO-1", OrderDate="2026-06-20"))
    shown = answer.json()["d"]
    assert answer.status_code == 201
    assert (shown["Status"], shown["ApprovalStatus"], shown["AmountFCExclVat"]) == (12, 1, 50)
    assert shown["OrderDate"] == "/Date(1781913600000)/"
    assert "__deferred" in shown["SalesOrderLines"]
    lines = exact.rows("salesorder/SalesOrderLines", filter=f"OrderID eq guid'{shown['OrderID']}'")
    assert [(line["UnitPrice"], line["NetPrice"], line["AmountFC"]) for line in lines] == [(0, 12.5, 50)]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"OrderedBy": None}, 500),
        ({"SalesOrderLines": []}, 500),
        ({"SalesOrderLines": {"results": []}}, 400),
        ({"SalesOrderLines": [{"Quantity": 1}]}, 500),
        ({"SalesOrderLines": [{"Item": "6f9619ff-8b86-d011-b42d-00cf4fc96401"}]}, 500),
        ({"Status": 21}, 400),
        ({"Discount": "0,05"}, 400),
        ({"YourRef": "x" * 41}, 500),
        ({"OrderDate": "gisteren"}, 400),
        ({"OrderNumber": 1001}, 500),
        ({"AmountDiscount": 5}, 501),
        ({"ApprovalStatus": 3}, 500),
        ({"WarehouseID": "6f9619ff-8b86-d011-b42d-00cf4fc96401"}, 500),
        ({"ShippingMethod": 5}, 400),
        ({"ApprovalStatus": 99_999}, 400),
    ],
)
def test_wrong_orders_are_refused_and_change_nothing(company, exact, fields, status):
    before = company.last_version
    assert send(exact, "POST", "salesorder/SalesOrders", order_body(company, **fields)).status_code == status
    assert company.last_version == before


def test_orders_are_changed_completed_and_then_closed_to_changes(company, exact):
    key = send(exact, "POST", "salesorder/SalesOrders", order_body(company)).json()["d"]["OrderID"]
    path = f"salesorder/SalesOrders(guid'{key}')"
    assert send(exact, "PUT", path, {"YourRef": "anders", "Discount": 0.1}).status_code == 204
    assert exact.get(path).json()["d"]["AmountFCExclVat"] == 45
    line = company.orders.rows[key].lines[0].id
    assert send(exact, "PUT", f"salesorder/SalesOrderLines(guid'{line}')", {"Quantity": 8}).status_code == 204
    assert exact.get(path).json()["d"]["AmountFCExclVat"] == 90
    done = {"OrderID": key, "CompleteDelivery": True, "CompleteInvoice": True}
    answer = send(exact, "POST", "salesorder/CompleteSalesOrder", done)
    assert (answer.status_code, answer.json()["d"]["ErrorMessage"]) == (201, None)
    assert exact.get(path).json()["d"]["Status"] == 21
    assert send(exact, "PUT", path, {"YourRef": "te laat"}).status_code == 500
    assert send(exact, "POST", "salesorder/CompleteSalesOrder", {"OrderID": "x"}).json()["d"]["ErrorMessage"]


def test_an_order_is_deleted_only_while_untouched(company, exact):
    key = send(exact, "POST", "salesorder/SalesOrders", order_body(company)).json()["d"]["OrderID"]
    company.deliver(key, 0.5)
    assert send(exact, "DELETE", f"salesorder/SalesOrders(guid'{key}')").status_code == 500
    company.reopen(key)
    assert send(exact, "DELETE", f"salesorder/SalesOrders(guid'{key}')").status_code == 204
    assert key in {row["EntityKey"] for row in exact.rows("sync/Deleted", filter="EntityType eq 32")}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "logistics/ItemGroups", 405),
        ("POST", "bulk/CRM/Contacts", 405),
        ("PATCH", "crm/Contacts(guid'6f9619ff-8b86-d011-b42d-00cf4fc96401')", 405),
        ("PUT", "crm/Contacts", 405),
        ("DELETE", "sync/CRM/Contacts(1L)", 405),
        ("POST", "inventory/Warehouses", 501),
    ],
)
def test_methods_that_do_not_fit(exact, method, path, status):
    assert send(exact, method, path, {}).status_code == status


def test_accounts_get_the_next_code_and_no_code_twice(company, exact):
    answer = send(exact, "POST", "crm/Accounts", {"Name": "Nieuw B.V.", "Status": "C"})
    found = exact.get(f"crm/Accounts(guid'{answer.json()['d']['ID']}')").json()["d"]
    assert (answer.json()["d"]["Name"], found["Name"], found["Code"].strip()) == (None, "Nieuw B.V.", "10021")
    assert send(exact, "POST", "crm/Accounts", {"Name": "Dubbel", "Code": "10021"}).status_code == 500


def test_a_new_order_takes_over_what_the_customer_has(company, exact):
    account = next(row for row in company.accounts if row.main_contact_id)
    company.change("accounts", account.id, payment_condition="14")
    other = next(row for row in company.accounts if row is not account)
    send(exact, "PUT", f"crm/Accounts(guid'{account.id}')", {"InvoiceAccount": other.id})
    shown = send(exact, "POST", "salesorder/SalesOrders", order_body(company, OrderedBy=account.id)).json()["d"]
    address = company.addresses.rows[shown["DeliveryAddress"]]
    assert (address.account_id, address.kind) == (account.id, 4)
    assert (shown["PaymentCondition"], shown["OrderedByContactPerson"]) == ("14", account.main_contact_id)
    assert (shown["DeliverTo"], shown["InvoiceTo"], shown["InvoiceToName"]) == (account.id, other.id, other.name)
    assert (shown["DeliveryDate"], shown["WarehouseCode"]) == (shown["OrderDate"], "1")


def test_fields_that_nothing_reads_are_kept(company, exact):
    key = "6f9619ff-8b86-d011-b42d-00cf4fc96409"
    body = order_body(company, ShippingMethod=key, PaymentReference="RF18")
    body["SalesOrderLines"][0]["CostCenter"] = "VERKOOP"
    shown = send(exact, "POST", "salesorder/SalesOrders", body).json()["d"]
    assert (shown["ShippingMethod"], shown["PaymentReference"]) == (key, "RF18")
    path = f"salesorder/SalesOrders(guid'{shown['OrderID']}')"
    assert send(exact, "PUT", path, {"PaymentReference": "RF19"}).status_code == 204
    again = exact.get(path, expand="SalesOrderLines").json()["d"]
    assert (again["ShippingMethod"], again["PaymentReference"]) == (key, "RF19")
    assert again["SalesOrderLines"]["results"][0]["CostCenter"] == "VERKOOP"


def test_an_order_can_leave_from_the_other_warehouse(company, exact):
    other = next(row for row in company.warehouses if not row.is_main)
    shown = send(exact, "POST", "salesorder/SalesOrders", order_body(company, WarehouseID=other.id)).json()["d"]
    item = company.orders.rows[shown["OrderID"]].lines[0].item_id

    def lying() -> dict[str, float]:
        return {row.warehouse_id: row.quantity for row in company.stock if row.item_id == item}

    before = lying()
    company.deliver(shown["OrderID"])
    assert lying() == {**before, other.id: before[other.id] - 4}
    assert exact.rows("salesorder/GoodsDeliveries", select="WarehouseCode,EntryNumber")[-1]["WarehouseCode"]
