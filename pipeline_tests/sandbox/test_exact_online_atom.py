"""Atom XML, for readers that do not ask for JSON: the same rows in another form."""

from datetime import date
from xml.etree import ElementTree

import pytest

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline_tests.sandbox.exact_transport import Caller

NAMES = {
    "a": "http://www.w3.org/2005/Atom",
    "d": "http://schemas.microsoft.com/ado/2007/08/dataservices",
    "m": "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata",
}
PROPERTIES = "a:content/m:properties/d:"


@pytest.fixture(scope="module")
def company() -> Company:
    return seeded_company(orders=70, today=date(2026, 6, 25), odd=True)


@pytest.fixture(scope="module")
def exact(company) -> Caller:
    return Caller(simulated_exact_online(company, limits=False))


def read(exact: Caller, path: str) -> ElementTree.Element:
    url = path if path.startswith("http") else f"/api/v1/123456/{path}"
    answer = exact.http.get(url, headers={"Accept": "*/*"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/atom+xml;charset=utf-8")
    return ElementTree.fromstring(answer.content)


def test_without_json_asked_for_pages_are_feeds_with_a_link_to_the_next(company, exact):
    first = read(exact, "salesorder/SalesOrders?$select=OrderID&$inlinecount=allpages")
    assert first.findtext("m:count", namespaces=NAMES) == str(len(company.orders))
    entries = first.findall("a:entry", NAMES)
    following = first.find("a:link[@rel='next']", NAMES)
    assert following is not None
    last = read(exact, following.attrib["href"])
    assert last.find("a:link[@rel='next']", NAMES) is None
    entries += last.findall("a:entry", NAMES)
    assert {entry.findtext(f"{PROPERTIES}OrderID", namespaces=NAMES) for entry in entries} == set(company.orders.rows)


def test_values_are_typed_and_dates_are_plain(company, exact):
    order = next(row for row in company.orders if row.your_ref is None)
    entry = read(exact, f"salesorder/SalesOrders(guid'{order.id}')")
    number, day, reference = (
        entry.find(f"{PROPERTIES}{name}", NAMES) for name in ("OrderNumber", "OrderDate", "YourRef")
    )
    assert (number.text, number.attrib) == (str(order.number), {f"{{{NAMES['m']}}}type": "Edm.Int32"})
    assert day.text == f"{order.order_date}T00:00:00"
    assert reference.attrib == {f"{{{NAMES['m']}}}null": "true"}
    assert entry.find("a:category", NAMES).attrib["term"] == "Exact.Web.Api.Models.SalesOrder"


def test_navigations_are_links_and_expanded_ones_hold_their_rows(company, exact):
    order = next(row for row in company.orders if len(row.lines) > 3)
    entry = read(exact, f"salesorder/SalesOrders(guid'{order.id}')?$expand=SalesOrderLines")
    link = entry.find("a:link[@title='SalesOrderLines']", NAMES)
    inside = link.findall(f"m:inline/a:feed/a:entry/{PROPERTIES}ID", NAMES)
    assert {found.text for found in inside} == {line.id for line in order.lines}
    assert len(read(exact, link.attrib["href"].split("/123456/")[1]).findall("a:entry", NAMES)) == len(order.lines)


def test_me_divisions_and_functions_come_in_atom_too(company, exact):
    me = exact.http.get("/api/v1/current/Me", headers={"Accept": "application/atom+xml"})
    assert ElementTree.fromstring(me.content).findtext(f"a:entry/{PROPERTIES}CurrentDivision", namespaces=NAMES)
    assert len(read(exact, "system/Divisions").findall("a:entry", NAMES)) == 1
    item = next(iter(company.items))
    stock = read(exact, f"read/logistics/StockPosition?itemId=guid'{item.id}'")
    assert stock.findtext(f"a:entry/{PROPERTIES}ItemId", namespaces=NAMES) == item.id


def test_every_resource_can_be_written_as_atom_whatever_its_texts(exact):
    resources = simulated_exact_online(seeded_company(orders=0)).divisions[123456].resources
    for path in resources:
        if not path.startswith("read/logistics"):
            fields = ",".join(resources[path].render)
            assert read(exact, f"{path}?$select={fields}") is not None
