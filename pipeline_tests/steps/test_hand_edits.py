"""Hands in the CRM: what people change, archive, delete and merge is noticed, put right or shown, and never doubled."""

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.steps.audit import Audit, audit
from pipeline_tests.steps.hands import assert_as_wanted, hand, one_of
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_sync


@pytest.fixture
def world(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)
    with worlds.after(first_sync(orders=12, products=40)) as world:
        yield world


def audited(world: World, *, full: bool = False) -> Audit:
    return audit(world.engine, world.pipedrive_client, world.config, full=full, daily_tokens=10_000_000)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"title": "Mijn bestelling"}, "title"),
        ({"currency": "USD"}, "currency"),
        ({"expected_close_date": "2031-01-01"}, "expected_close_date"),
        ({"status": "lost", "lost_reason": "te duur"}, "status"),
        ({"stage_id": 1}, "pipeline_id"),
        ({"custom_fields": {"Ordernummer": "1"}}, "Ordernummer"),
        ({"custom_fields": {"Exact order-ID": None}}, "Exact order-ID"),
        ({"custom_fields": {"Leverstatus": None}}, "Leverstatus"),
        ({"custom_fields": {"Artikelgroepen": None}}, "Artikelgroepen"),
    ],
    ids=str,
)
def test_a_field_of_the_erp_is_put_back(world: World, fields: dict[str, Any], shown: str):
    order, deal = one_of(world, "open")
    before = world.deals()[order.id]
    hand(world, "edit_deal", id=deal["id"], fields=fields)
    found = audited(world)
    assert found.fields[shown] == 1
    assert found.report.tallies["deals"].updated == 1
    after = {one["id"]: one for one in world.control("state")["deals"]}[deal["id"]]
    ours = (
        "title",
        "status",
        "stage",
        "value",
        "currency",
        "owner",
        "expected_close_date",
        "custom_fields",
        "products",
    )
    assert {name: after[name] for name in ours} == {name: before[name] for name in ours}
    assert_as_wanted(world)
    assert not audited(world).differing


def test_what_belongs_to_the_sales_team_is_left_alone(world: World):
    _, deal = one_of(world, "open")
    hand(world, "edit_deal", id=deal["id"], fields={"probability": 70})
    before = world.requests()
    assert not audited(world).differing
    writes = {request: times for request, times in world.requests().items() if not request.startswith("GET")}
    assert writes == {request: times for request, times in before.items() if not request.startswith("GET")}


def test_rows_that_were_added_changed_and_taken_off_are_put_right(world: World):
    _, deal = one_of(world, "open", lines=3)
    first, second, *_ = deal["products"]
    hand(world, "add_deal_product", deal_id=deal["id"], fields={"product_id": first["product_id"], "item_price": 100})
    hand(world, "edit_deal_product", id=first["id"], fields={"quantity": 77})
    hand(world, "delete_deal_product", id=second["id"])
    found = audited(world)
    assert found.fields["rows"] == 1
    assert_as_wanted(world)
    row = world.ask("SELECT found FROM pipedrive.drift WHERE field = 'rows'")
    assert row[0].found == "1 added, 1 removed, 1 changed"


def test_a_tax_or_discount_on_a_row_is_taken_off_again(world: World):
    _, deal = one_of(world, "open")
    hand(world, "edit_deal_product", id=deal["products"][0]["id"], fields={"discount": 10})
    assert audited(world).fields["rows"] == 1
    assert_as_wanted(world)


def test_an_edit_that_leaves_the_value_alone_is_found_by_a_full_audit(world: World):
    _, deal = one_of(world, "open")
    hand(world, "edit_deal_product", id=deal["products"][0]["id"], fields={"comments": "van mij"})
    assert audited(world, full=True).fields["rows"] == 1
    assert_as_wanted(world)


@pytest.mark.parametrize("full", [False, True], ids=["changes", "full"])
def test_a_deal_that_was_deleted_waits_for_a_person_and_is_never_made_again(world: World, full: bool):
    audited(world)
    order, deal = one_of(world, "open")
    hand(world, "delete_deal", id=deal["id"])
    audited(world, full=full)
    world.company.change_line(order.lines[0].id, quantity=9)
    world.sync()
    held = world.ask("SELECT reason FROM crm.held_orders WHERE order_id = :order", order=order.id)
    assert f"deal {deal['id']} was deleted" in held[0].reason
    assert len(world.control("state")["deals"]) == 12


def test_a_deleted_deal_is_noticed_when_its_order_changes_and_the_others_go_on(world: World):
    order, deal = one_of(world, "open")
    other = next(one for one in world.company.orders.rows.values() if one.id != order.id)
    hand(world, "delete_deal", id=deal["id"])
    world.company.change_order(order.id, your_ref="NIEUW")
    world.company.change_line(order.lines[0].id, quantity=9)
    world.company.change_order(other.id, your_ref="OOK NIEUW")
    world.sync()
    assert world.deals()[other.id]["custom_fields"]["Klantreferentie"] == "OOK NIEUW"
    assert "was deleted" in world.ask("SELECT reason FROM crm.held_orders")[0].reason
    before = world.requests()
    world.sync()
    assert world.requests() == before


def test_a_deal_merged_into_another_one_of_the_same_order_is_followed(world: World):
    order, deal = one_of(world, "open")
    copy = hand(world, "add_deal", fields={"title": "kopie", "custom_fields": {"Exact order-ID": order.id}})
    hand(world, "merge_deals", id=deal["id"], into=copy["id"])
    world.company.change_line(order.lines[0].id, quantity=9)
    world.sync()
    assert world.deals()[order.id]["id"] == copy["id"]
    assert_as_wanted(world)


def test_a_copy_of_a_deal_is_closed_and_reported_and_the_first_is_kept(world: World):
    order, deal = one_of(world, "open")
    copy = hand(world, "add_deal", fields={"title": "kopie", "custom_fields": {"Exact order-ID": order.id}})
    audited(world)
    deals = {one["id"]: one for one in world.control("state")["deals"]}
    assert (deals[copy["id"]]["status"], deals[copy["id"]]["lost_reason"]) == ("lost", f"Dubbel van deal {deal['id']}")
    assert deals[deal["id"]]["status"] == "open"
    assert [row.kept_id for row in world.ask("SELECT kept_id FROM pipedrive.duplicates")] == [deal["id"]]


@pytest.mark.parametrize("kind", ["organization", "product"])
def test_what_an_order_needs_and_somebody_deleted_is_made_again(world: World, kind: str):
    order, deal = one_of(world, "open")
    gone = deal["org_id"] if kind == "organization" else deal["products"][0]["product_id"]
    hand(world, f"delete_{kind}", id=gone)
    item = order.lines[0].item_id
    placed = world.company.place_order(order.account_id, [(item, 3, 12.5), (item, 1, 2.5)])
    world.sync()
    fresh = world.deals()[placed.id]
    assert gone not in (fresh["org_id"], *(row["product_id"] for row in fresh["products"]))
    assert fresh["value"] == pytest.approx(40)
    assert world.ask("SELECT * FROM pipedrive.rejected") == []


def test_an_archived_deal_comes_out_when_its_order_changes(world: World):
    order, deal = one_of(world, "won")
    hand(world, "edit_deal", id=deal["id"], fields={"is_archived": True})
    world.company.change_line(order.lines[0].id, quantity=9)
    world.sync()
    assert not world.deals()[order.id]["is_archived"]
    assert_as_wanted(world)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("delete_field", {"entity": "deal", "field": "Leverstatus"}),
        ("delete_field", {"entity": "deal", "field": "Exact order-ID"}),
        ("rename_field", {"entity": "deal", "field": "Exact order-ID", "name": "Order"}),
        ("delete_option", {"entity": "deal", "field": "Leverstatus", "option": "Open"}),
        ("rename_option", {"entity": "deal", "field": "Leverstatus", "option": "Open", "name": "Nog open"}),
        ("rename_pipeline", {"id": 2, "name": "Orders"}),
        ("rename_stage", {"id": 6, "name": "Neu"}),
        ("delete_stage", {"id": 7}),
        ("deactivate_user", {"user": "sanne@sandbox.example"}),
    ],
    ids=str,
)
def test_a_schema_somebody_changed_is_mended_and_no_record_is_doubled(world: World, kind: str, wanted: dict[str, Any]):
    before = {order: _shown(deal) for order, deal in world.deals().items()}
    order, _ = one_of(world, "open")
    hand(world, kind, **wanted)
    placed = world.company.place_order(
        next(iter(world.company.accounts.rows)), [(next(iter(world.company.items.rows)), 3, 12.5)]
    )
    world.company.change_order(order.id, your_ref="NIEUW")
    world.sync()
    audited(world)
    after = {order: _shown(deal) for order, deal in world.deals().items()}
    assert len(world.control("state")["deals"]) == 13
    assert world.ask("SELECT kind, reason FROM pipedrive.rejected") == []
    assert placed.id in after
    for key, deal in before.items():
        assert after[key] == (deal | {"Klantreferentie": "NIEUW"} if key == order.id else deal), key
    assert_as_wanted(world)


def _shown(deal: dict[str, Any]) -> dict[str, Any]:
    return deal["custom_fields"] | {"pipeline": deal["pipeline"], "stage": deal["stage"], "status": deal["status"]}
