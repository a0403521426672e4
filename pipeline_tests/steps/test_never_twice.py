"""Rare coincidences of hands in Pipedrive and answers that are lost: nothing doubled, nothing forgotten."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, text

from pipeline.errors import GiveUp, RetryLater
from pipeline.sandbox.company import seeded_company
from pipeline.steps import apply as applying
from pipeline.steps.audit import audit
from pipeline_tests.steps.hands import assert_as_wanted, hand, one_of
from pipeline_tests.world import SETTINGS, World
from pipeline_tests.worlds import Worlds, first_sync


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    with worlds.after(first_sync(orders=12, products=40)) as world:
        yield world


def synced(engine: Engine, *, orders: int = 12, **sides: Any) -> World:
    world = World(engine, company=seeded_company(orders=orders, products=40), **sides)
    world.sync()
    return world


def audited(world: World, *, full: bool = False) -> None:
    audit(world.engine, world.pipedrive_client, world.config, full=full, daily_tokens=10_000_000)


def change(world: World, statement: str, **parameters: Any) -> None:
    with world.engine.begin() as tx:
        tx.execute(text(statement), parameters)


def living(world: World, kind: str) -> list[dict[str, Any]]:
    return [record for record in world.control("state")[kind] if not record.get("is_deleted")]


@pytest.mark.parametrize("status", [408, 500, 502])
def test_a_status_that_may_hide_a_deal_that_was_made_is_looked_into(engine: Engine, status: int):
    world = World(engine, company=seeded_company(orders=12, products=40))
    world.land()
    world.refresh()
    fault = {"kind": "status_after", "method": "POST", "path": "/api/v2/deals", "times": 1, "after": 2}
    world.control("fault", fault | {"status": status})
    world.write()
    assert len(living(world, "deals")) == 12
    assert_as_wanted(world)


def test_a_deal_that_was_restored_gets_the_rows_it_missed(world: World):
    audited(world)
    order, deal = one_of(world, "open")
    hand(world, "delete_deal", id=deal["id"])
    world.company.change_line(order.lines[0].id, quantity=9)
    world.sync()
    world.pipedrive.company.deals.rows[deal["id"]].is_deleted = False
    audited(world, full=True)
    assert world.ask("SELECT * FROM pipedrive.rejected") == []
    assert_as_wanted(world)


def test_deals_that_waited_for_an_organization_follow_also_when_its_answer_was_lost(engine: Engine):
    world = World(engine, company=seeded_company(orders=12, products=40))
    world.land()
    world.refresh()
    path = "/api/v2/organizations"
    world.control("fault", {"kind": "status_before", "method": "POST", "path": path, "times": 1, "status": 422})
    world.write()
    world.control("fault", {"kind": "drop_after", "method": "POST", "path": path, "times": 1})
    change(
        world,
        "INSERT INTO state.pending (stage, administration, key) SELECT 'pipedrive/organizations', administration, key "
        "FROM pipedrive.rejected WHERE kind = 'organizations'",
    )
    world.write()
    world.sync()
    assert len(world.deals()) == 12
    assert world.ask("SELECT * FROM pipedrive.rejected") == []
    assert_as_wanted(world)


def test_all_deals_of_a_customer_move_to_the_organization_that_was_made_again(engine: Engine):
    world = synced(engine, orders=30)
    order, deal = one_of(world, "open")
    same = [key for key, other in world.deals().items() if other["org_id"] == deal["org_id"]]
    hand(world, "delete_organization", id=deal["org_id"])
    world.company.place_order(order.account_id, [(order.lines[0].item_id, 3, 12.5)])
    world.sync()
    there = {world.deals()[key]["org_id"] for key in same}
    assert len(there) == 1
    assert there != {deal["org_id"]}


def test_an_organization_with_the_debtor_code_is_adopted_also_for_history(world: World):
    order, deal = one_of(world, "open")
    known = world.ask(
        "SELECT * FROM crm.organizations JOIN crm.deals USING (administration, customer_id) WHERE order_id = :order",
        order=order.id,
    )[0]
    hand(world, "delete_organization", id=deal["org_id"])
    fields = {"name": known.name, "custom_fields": {"Debiteurnummer": known.debtor_code}}
    adoptable = hand(world, "add_organization", fields=fields)
    world.company.place_order(order.account_id, [(order.lines[0].item_id, 3, 12.5)])
    world.land()
    world.refresh()
    change(world, "UPDATE crm.deals SET is_live = false")
    world.write()
    codes = [one["custom_fields"]["Debiteurnummer"] for one in living(world, "organizations")]
    assert codes.count(known.debtor_code) == 1
    linked = world.ask("SELECT org_id FROM pipedrive.organizations WHERE customer_id = :id", id=known.customer_id)
    assert linked[0].org_id == adoptable["id"]


def test_a_deal_in_doubt_is_found_by_its_number_when_the_field_of_the_keys_was_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    order, _ = one_of(world, "open")
    world.company.place_order(order.account_id, [(order.lines[0].item_id, 3, 12.5)])
    world.land()
    world.refresh()
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.steps.write_records.settle", _killed)
        with pytest.raises(KeyboardInterrupt):
            world.write()
    hand(world, "delete_field", entity="deal", field="Exact order-ID")
    world.write()
    assert len(living(world, "deals")) == 13
    assert_as_wanted(world)


def _killed(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_a_field_deleted_between_two_chunks_holds_nobody_and_reaches_everybody(engine: Engine):
    world = synced(engine, orders=40)
    for order in list(world.company.orders.rows.values()):
        fields = {"delivery_date": date(2031, 1, 5)} if order.number % 3 == 0 else {"your_ref": f"N{order.number}"}
        world.company.change_order(order.id, **fields)
    hand(world, "delete_field", entity="deal", field="Leverdatum")
    world.sync()
    assert world.ask("SELECT * FROM pipedrive.rejected") == []
    for row in world.ask("SELECT order_id, delivery_date FROM crm.deals"):
        shown = world.deals()[row.order_id]["custom_fields"]["Leverdatum"]
        assert shown == (row.delivery_date and row.delivery_date.isoformat())
    assert_as_wanted(world)


def test_another_name_of_the_pipeline_takes_all_deals_along(world: World):
    renamed = world.config.pipedrive.model_copy(update={"pipeline": "Orders"})
    world.config = world.config.model_copy(update={"pipedrive": renamed})
    world.sync()
    assert {deal["pipeline"] for deal in world.deals().values()} == {"Orders"}
    assert_as_wanted(world)


def test_a_product_in_doubt_belongs_to_the_administration_that_wants_it(engine: Engine):
    other = {"name": "de", "source": "exact_online", "division": 654321, "time_zone": "Europe/Berlin"}
    settings = SETTINGS | {"administrations": [*SETTINGS["administrations"], other]}
    world = World(engine, company=seeded_company(orders=12, products=40), settings=settings)
    world.land()
    world.refresh()
    world.control("fault", {"kind": "drop_after", "method": "POST", "path": "/api/v2/products", "times": 3})
    world.write()
    assert world.ask("SELECT DISTINCT administration FROM pipedrive.products") == [("nl",)]
    assert_as_wanted(world)


def test_a_won_deal_opened_for_its_rows_is_won_again_in_the_same_audit(engine: Engine):
    world = synced(engine, account={"products_on_won_deals": False})
    order, deal = one_of(world, "won")
    hand(world, "edit_deal_product", id=deal["products"][0]["id"], fields={"quantity": 77})
    audited(world, full=True)
    assert world.deals()[order.id]["status"] == "won"
    assert_as_wanted(world)


def test_one_refusal_on_a_won_deal_is_no_reason_to_open_all_others(world: World):
    order, deal = one_of(world, "won")
    path = f"/deals/{deal['id']}/products"
    world.control("fault", {"kind": "status_before", "path": path, "times": 20, "status": 422})
    world.company.change_line(order.lines[0].id, quantity=9)
    world.sync()
    assert world.ask("SELECT * FROM state.remembered WHERE name = 'pipedrive takes rows on open deals only'") == []


def test_an_account_that_refuses_to_archive_is_asked_once_a_day(engine: Engine):
    settings = SETTINGS | {"pipedrive": {"archive_after_months": 1}}
    world = World(engine, company=seeded_company(orders=30, products=40), settings=settings)
    world.sync()
    fault = {"kind": "status_before", "method": "PATCH", "path": "/api/v2/deals/{id}", "times": 10_000, "status": 400}
    world.control("fault", fault)
    change(world, "UPDATE pipedrive.deals SET is_archived = false")
    account, item = next(iter(world.company.accounts.rows)), next(iter(world.company.items.rows))
    asked = []
    for _ in range(2):
        world.company.place_order(account, [(item, 3, 12.5)])
        world.sync()
        asked.append(world.requests().get("PATCH /api/v2/deals/{id}", 0))
    assert asked[0] == asked[1]


def test_what_was_taken_is_remembered_even_when_the_schema_then_cannot_be_mended(world: World):
    orders = [order for order in world.company.orders.rows.values()][:6]
    for order in orders:
        world.company.change_order(order.id, your_ref="NIEUW")
    hand(world, "delete_field", entity="deal", field="Leverdatum")
    hand(world, "add_field", entity="deal", field="Leverdatum", type="varchar")
    world.company.change_order(orders[0].id, delivery_date=orders[0].order_date)
    with pytest.raises(GiveUp, match="rename that field"):
        world.sync()
    written = world.ask("SELECT count(*) AS deals FROM pipedrive.deals WHERE written::text LIKE '%NIEUW%'")[0].deals
    assert written == sum(deal["custom_fields"]["Klantreferentie"] == "NIEUW" for deal in world.deals().values())


def test_a_run_whose_lock_was_cut_stops_before_it_writes_on(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    world = World(engine, company=seeded_company(orders=12, products=40))
    world.land()
    world.refresh()
    cut = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database ON oid = database "
        "WHERE locktype = 'advisory' AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    before = applying.settle_doubts

    def then_cut(writer: Any) -> None:
        before(writer)
        change(world, cut)

    monkeypatch.setattr("pipeline.steps.apply.settle_doubts", then_cut)
    with pytest.raises(RetryLater, match="was cut"):
        world.write()
    assert living(world, "deals") == []
    monkeypatch.undo()
    world.write()
    assert_as_wanted(world)
