"""Somebody else's client, the PyPI package `exactonline`, works against the simulator on a real port.

It knows the real service and is strict: `d` with nothing but results and __next, empty answers to PUT and DELETE,
resets in milliseconds. What it accepts, we did not make up to suit ourselves.
"""

import threading
import time
from collections.abc import Iterator

import exactonline.http
import pytest
import uvicorn
from exactonline.api import ExactApi
from exactonline.exceptions import ObjectDoesNotExist
from exactonline.http import HTTPError
from exactonline.resource import DELETE, GET, POST, PUT
from exactonline.storage.ini import IniStorage

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.exact_online import ExactOnlineSimulator, simulated_exact_online
from pipeline.sandbox.serving import asgi


@pytest.fixture(scope="module")
def company() -> Company:
    return seeded_company(orders=150)


@pytest.fixture(scope="module")
def simulator(company) -> ExactOnlineSimulator:
    return simulated_exact_online(company, functions_take_filters=True, bare_list_on_later_pages=False)


@pytest.fixture(scope="module")
def address(simulator) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(asgi(simulator), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def api(address, tmp_path_factory) -> ExactApi:
    exactonline.http.opt_secure.protocols = ("http", "https")
    path = tmp_path_factory.mktemp("exactonline") / "storage.ini"
    path.write_text(
        f"[server]\nauth_url = {address}/api/oauth2/auth\nrest_url = {address}/api\n"
        f"token_url = {address}/api/oauth2/token\n"
        "[application]\nbase_url = https://app.example\nclient_id = sandbox\nclient_secret = sandbox\n"
        "[transient]\nrefresh_token = sandbox\naccess_token = none\naccess_expiry = 0\n"
    )
    return ExactApi(storage=IniStorage(str(path)))


def test_it_logs_in_and_finds_its_division(api):
    choices, current = api.get_divisions()
    assert (choices, current) == ({123456: "Huis & Tafel B.V."}, 123456)
    api.set_division(current)
    assert api.storage.get_refresh_token() != "sandbox"


def test_it_reads_all_pages(api, company):
    api.set_division(123456)
    orders = api.restv1(GET("salesorder/SalesOrders?$select=OrderID,OrderNumber"))
    assert {order["OrderID"] for order in orders} == set(company.orders.rows)
    feed = api.restv1(GET("sync/SalesOrder/SalesOrderLines?$select=ID,Timestamp&$filter=Timestamp+gt+1"))
    assert {line["ID"] for line in feed} == set(company.lines.rows)
    hundred = api.restv1(GET("salesorder/SalesOrders?$select=OrderID&$top=100"))
    assert len(hundred) == 100


def test_it_finds_customers_by_padded_code(api, company):
    account = next(iter(company.accounts))
    assert [row["ID"] for row in api.relations.filter(relation_code=account.code)] == [account.id]
    assert len(api.contacts.filter(relation_code=account.code)) == sum(
        contact.account_id == account.id for contact in company.contacts
    )
    with pytest.raises(ObjectDoesNotExist):
        api.relations.get(relation_code="404")


def test_it_reads_long_or_chains_and_open_items(api, company):
    numbers = [invoice.number for invoice in company.invoices][:40]
    chain = "+or+".join(f"InvoiceNumber+eq+{number}" for number in numbers)
    found = api.restv1(GET(f"salesinvoice/SalesInvoices?$select=InvoiceNumber&$filter={chain}"))
    assert {row["InvoiceNumber"] for row in found} == set(numbers)
    account = next(row.invoice.order.account_id for row in company.receivables if row.paid_on is None)
    open_items = api.receivables.filter(relation_id=account)
    assert {row["Id"] for row in open_items} == {
        row.id for row in company.receivables if row.paid_on is None and row.invoice.order.account_id == account
    }


def test_it_creates_changes_and_deletes(api, company):
    account = next(iter(company.accounts))
    made = api.restv1(POST("crm/Contacts", {"Account": account.id, "LastName": "Hof"}))
    path = f"crm/Contacts(guid'{made['ID']}')"
    assert api.restv1(PUT(path, {"FirstName": "Noor"})) is None
    assert company.contacts.rows[made["ID"]].first_name == "Noor"
    assert api.restv1(DELETE(path)) is None
    assert made["ID"] not in company.contacts
    with pytest.raises(HTTPError):
        api.restv1(DELETE(path))


def test_it_renews_its_token_in_the_last_half_minute(api, simulator):
    before = api.storage.get_refresh_token()
    simulator.clock.advance(575)
    api.storage.set_access_expiry(int(time.time()) + 25)
    api.restv1(GET("logistics/ItemGroups?$select=ID"))
    assert api.storage.get_refresh_token() != before
    simulator.clock.advance(-575)


def test_it_waits_for_the_next_minute_when_told_to(api, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(api.limiter, "wait", waits.append)
    for _ in range(65):
        if waits:
            break
        try:
            api.restv1(GET("logistics/ItemGroups?$select=ID"))
        except HTTPError as error:
            assert error.code == 429  # noqa: PT017 - it retries at once, as the waiting is taken out
            break
    assert waits
    assert 0 < waits[0] <= 60
