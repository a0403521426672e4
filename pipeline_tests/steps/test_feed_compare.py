"""What no feed told of customers, contacts, items, prices and invoices is found at night, one feed after another."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Table

from pipeline.errors import GiveUp
from pipeline.exact_online import feeds
from pipeline.exact_online.feeds import Feed
from pipeline.steps.feed_compare import Compared, compare_feed, is_its_night
from pipeline.warehouse.tables import exact_online as tables
from pipeline_tests.steps.test_persons import one_contact, one_that_did_not_order, organizations, persons
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_sync

FEEDS: dict[str, tuple[Feed, Table]] = {
    "accounts": (feeds.ACCOUNTS, tables.accounts),
    "contacts": (feeds.CONTACTS, tables.contacts),
    "items": (feeds.ITEMS, tables.items),
    "item_prices": (feeds.ITEM_PRICES, tables.item_prices),
    "sales_invoices": (feeds.SALES_INVOICES, tables.sales_invoices),
}
NOTHING = (0, 0)


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    with worlds.after(first_sync(orders=10, products=20)) as world:
        yield world


def compare(world: World, name: str) -> Compared:
    return compare_feed(world.engine, world.client, "nl", *FEEDS[name], today=world.company.clock.today)


def compare_all(world: World) -> dict[str, Compared]:
    return {name: compare(world, name) for name in FEEDS}


def product(world: World, item: str) -> dict:
    there = world.control("state?only=products")["products"]
    return next(one for one in there if one["custom_fields"]["Exact item-ID"] == item)


def test_what_is_gone_untold_is_treated_like_what_was_deleted_and_what_was_passed_over_follows(world: World):
    books = world.company
    invoiced = [order for order in books.orders if books.invoices_of.get(order.id)]
    billed = max(invoiced, key=lambda order: books.invoices_of[order.id][0].timestamp)
    bills, contact, customer = books.invoices_of[billed.id], one_contact(world), one_that_did_not_order(world)
    theirs = {one.id for one in books.contacts if one.account_id == customer.account_id}
    gone, fallen, renamed = list(books.items.rows)[-3:]
    prices = [price for price in books.prices if price.item_id == fallen and price.account_id is None]
    for table, key in [
        ("contacts", contact.id),
        ("accounts", customer.account_id),
        ("items", gone),
        *(("prices", price.id) for price in prices),
        *(("invoice_lines", line.id) for bill in bills for line in bill.lines),
        *(("invoices", bill.id) for bill in bills),
    ]:
        getattr(books, table).remove(key)  # with no entry among the deletions
    books.items.rows[renamed].description = "Anders genoemd"  # with no new row version
    found = compare_all(world)
    assert {name: (one.corrected, one.gone) for name, one in found.items()} == {
        "accounts": (0, 1),
        "contacts": (0, 1),
        "items": (1, 1),
        "item_prices": (0, len(prices)),
        "sales_invoices": (0, sum(1 + len(bill.lines) for bill in bills)),
    }
    world.sync()
    assert persons(world)[contact.id]["org_id"] is None
    assert {persons(world)[key]["org_id"] for key in theirs} == {None}
    assert customer.account_id in organizations(world)  # nothing is ever deleted in Pipedrive
    assert (product(world, gone)["custom_fields"]["Artikelstatus"], len(prices) > 0) == ("Vervallen", True)
    assert product(world, fallen)["prices"][0]["price"] == books.items.rows[fallen].standard_price
    assert product(world, renamed)["name"] == "Anders genoemd"
    assert world.deals()[billed.id]["custom_fields"]["Betaalstatus"] is None
    calls, asked = world.client.calls, world.requests()
    assert {name: (one.corrected, one.gone) for name, one in compare_all(world).items()} == dict.fromkeys(
        FEEDS, NOTHING
    )
    assert (world.client.calls - calls, world.requests(), world.ask("SELECT * FROM state.pending")) == (5, asked, [])


def test_an_answer_of_next_to_nothing_takes_nothing_out_and_an_unread_feed_is_not_compared(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pipeline.steps.feed_compare.MOST_GONE", 2)
    for key in list(world.company.contacts.rows):
        world.company.contacts.remove(key)
    known = world.ask("SELECT count(*) AS n FROM exact_online.contacts")[0].n
    with pytest.raises(GiveUp, match=f"shows 0 rows of sync/CRM/Contacts, and {known} that are known here"):
        compare(world, "contacts")
    assert world.ask("SELECT count(*) AS n FROM exact_online.contacts")[0].n == known > 2
    fresh = compare_feed(world.engine, world.client, "de", *FEEDS["items"], today=world.company.clock.today)
    assert fresh == Compared(0, 0, 0, 0)


def test_each_feed_has_its_night_once_in_five():
    nights = [
        [name for name, (feed, _) in FEEDS.items() if is_its_night(feed, date(2026, 12, 29) + timedelta(days=number))]
        for number in range(10)
    ]
    assert nights[:5] == nights[5:]
    assert sorted(nights[:5]) == [[name] for name in sorted(FEEDS)]
