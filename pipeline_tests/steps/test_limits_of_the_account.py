"""What an account allows: deals, tokens, requests; and what it refuses for everybody or for one record."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from pipeline.errors import Blocked, GiveUp
from pipeline.sandbox.company import seeded_company
from pipeline_tests.steps.hands import assert_as_wanted, hand, one_of
from pipeline_tests.world import SETTINGS, World
from pipeline_tests.worlds import Worlds, first_sync


@pytest.fixture
def world(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)
    with worlds.after(first_sync(orders=12, products=40)) as world:
        yield world


def test_old_deals_make_room_for_new_ones_under_the_cap(engine: Engine):
    world = World(
        engine,
        company=seeded_company(orders=20, products=40),
        settings=SETTINGS | {"pipedrive": {"deal_cap": 20}},
        account={"deal_cap": 20},
    )
    world.sync()
    account, item = next(iter(world.company.accounts.rows)), next(iter(world.company.items.rows))
    for _ in range(3):
        world.company.place_order(account, [(item, 3, 12.5)])
    world.sync()
    deals = world.control("state")["deals"]
    assert len(deals) == 23
    assert sum(deal["is_archived"] for deal in deals) == 3
    assert all(deal["status"] != "open" for deal in deals if deal["is_archived"])


def test_a_plan_that_is_full_pauses_new_deals_only_and_says_so(engine: Engine):
    world = World(engine, company=seeded_company(orders=12, products=40), account={"deal_cap": 12})
    world.sync()
    order, _ = one_of(world, "open")
    world.company.change_order(order.id, your_ref="NIEUW")
    account, item = next(iter(world.company.accounts.rows)), next(iter(world.company.items.rows))
    placed = [world.company.place_order(account, [(item, 3, 12.5)]) for _ in range(5)]
    before = world.requests()
    with pytest.raises(GiveUp, match="No further ones are made"):
        world.sync()
    assert world.deals()[order.id]["custom_fields"]["Klantreferentie"] == "NIEUW"
    assert world.requests()["POST /api/v2/deals"] - before["POST /api/v2/deals"] <= 5
    assert world.ask("SELECT * FROM pipedrive.intents WHERE kind = 'deals'") == []
    assert world.ask("SELECT * FROM pipedrive.rejected") == []
    for one in [deal for deal in world.deals().values() if deal["status"] != "open"][:5]:
        hand(world, "edit_deal", id=one["id"], fields={"is_archived": True})
    world.sync()
    assert {one.id for one in placed} <= set(world.deals())


def test_what_was_refused_is_tried_again_when_the_configuration_changes(world: World):
    order, _ = one_of(world, "open")
    world.control("fault", {"kind": "status_before", "method": "PATCH", "path": "/deals", "times": 1, "status": 422})
    world.company.change_order(order.id, your_ref="NIEUW")
    world.sync()
    assert len(world.ask("SELECT * FROM pipedrive.rejected")) == 1
    world.sync()
    world.config = world.config.model_copy(update={"dormant_after_days": 90})
    world.sync()
    assert world.deals()[order.id]["custom_fields"]["Klantreferentie"] == "NIEUW"
    assert world.ask("SELECT * FROM pipedrive.rejected") == []


def test_a_refusal_of_every_record_stops_the_run_and_holds_none(engine: Engine):
    world = World(engine, company=seeded_company(orders=12, products=40))
    world.land()
    world.refresh()
    fault = {"kind": "status_before", "path": "/api/v2/deals", "method": "POST", "times": 100, "status": 403}
    world.control("fault", fault)
    with pytest.raises(GiveUp, match="3 records in a row were refused alike"):
        world.write()
    assert world.ask("SELECT * FROM pipedrive.rejected") == []
    world.control_off("fault")
    world.write()
    assert_as_wanted(world)


def test_a_token_that_is_shut_out_asks_nothing_until_the_next_day(engine: Engine):
    account = {"daily_tokens": 400, "daily_headers": False, "storm_refusals": 1, "storm_block_seconds": 1e6}
    world = World(engine, company=seeded_company(orders=12, products=40), account=account)
    world.land()
    world.refresh()
    with pytest.raises(Blocked, match="asking too fast"):
        [world.write() for _ in range(2)]  # the day ends first, or the wall comes at once
    before = world.requests()
    with pytest.raises(Blocked, match="nothing is sent before"):
        world.write()
    assert world.requests() == before


def test_a_day_that_only_a_refusal_ended_is_over_once_pipedrive_answers_again(engine: Engine):
    world = World(
        engine,
        company=seeded_company(orders=12, products=40),
        account={"daily_tokens": 400, "daily_headers": False},
    )
    assert world.sync().stopped
    assert world.write().stopped
    while len(world.deals()) < 12:
        world.control("clock", {"advance_days": 1})
        world.write()
    assert world.ask("SELECT * FROM pipedrive.intents WHERE kind = 'deals'") == []
