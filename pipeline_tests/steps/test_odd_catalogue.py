"""Items, groups and customers as nobody should keep them: codes alike but for their case, forty groups on one order."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.company_rows import Item, ItemGroup
from pipeline_tests.steps.test_persons import organizations, persons
from pipeline_tests.world import World


@pytest.fixture
def world(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)
    return World(engine, company=seeded_company(orders=4, products=20))


def test_odd_items_groups_and_customers_all_arrive_and_a_second_run_writes_nothing(world: World):
    books = world.company
    groups = [ItemGroup(books.new_id(), f"G{number}", f"Groep {number}", False) for number in range(38)]
    groups += [ItemGroup(books.new_id(), code, f"Groep {code}", False) for code in ("alike", "ALIKE")]
    items = [Item(books.new_id(), f"art-{place}", f"Artikel {place}", group.id) for place, group in enumerate(groups)]
    items += [Item(books.new_id(), "ART-0", "Artikel 0 in hoofdletters", groups[0].id)]
    items += [Item(books.new_id(), "ZONDER", "Artikel zonder groep", None)]
    for table, rows in (("item_groups", groups), ("items", items)):
        for row in rows:
            books.add(table, row)
    first = next(books.accounts.rows[one.account_id] for one in books.contacts)
    second = replace(first, id=books.new_id(), code="ANDERS", name="Zelfde adres B.V.")  # with the same e-mail address
    books.add("accounts", second)
    contact = next(one for one in books.contacts if one.account_id == first.id)
    twin = replace(contact, id=books.new_id(), account_id=second.id, hid=9_999)
    books.add("contacts", twin)
    order = books.place_order(second.id, [(item.id, 1, 10.0) for item in items])
    world.sync()

    deal = world.deals()[order.id]
    shown = deal["custom_fields"]
    assert (first.email == second.email, len(set(shown["Artikelgroepen"]))) == (True, 40)
    assert set(shown["Artikelgroepen"]) == {group.description for group in groups}
    assert (shown["Hoofdgroep"], deal["value"], len(deal["products"])) == ("Groep 0", 420, 42)
    products = {one["custom_fields"]["Exact item-ID"]: one for one in world.control("state?only=products")["products"]}
    assert [products[item.id]["code"] for item in items] == [item.code for item in items]
    assert products[items[-1].id]["custom_fields"]["Artikelgroep"] is None
    there = organizations(world)
    assert there[first.id] != there[second.id]
    assert {persons(world)[one.id]["org_id"] for one in (contact, twin)} == {there[first.id], there[second.id]}
    asked = world.requests()
    world.sync()
    assert world.requests() == asked
