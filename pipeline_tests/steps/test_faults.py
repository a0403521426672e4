"""Answers that never come, refusals, and hands in the CRM: never a second deal, and one bad record stops no other."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.errors import GiveUp, RetryLater
from pipeline.sandbox.company import seeded_company
from pipeline_tests.steps.test_journeys import assert_all_equal
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds


def a_landed_world(engine: Engine) -> World:
    company = seeded_company(orders=12, products=40)
    world = World(engine, company=company, account={"daily_tokens": 1_000_000})
    world.land()
    world.refresh()
    return world


@pytest.fixture
def landed(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose orders wait to be written for the first time."""
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)
    with worlds.after(a_landed_world) as world:
        yield world


def written_until_it_works(world: World) -> None:
    for _ in range(5):
        try:
            world.write()
        except RetryLater:
            continue
        return
    raise AssertionError("it never came through")


@pytest.mark.parametrize("kind", ["drop_after", "status_after", "truncate"])
@pytest.mark.parametrize(
    ("path", "times"),
    [
        ("/api/v2/deals", 3),
        ("/api/v2/organizations", 2),
        ("/api/v2/persons", 2),
        ("/api/v2/products", 2),
        ("/products/bulk", 2),
        ("/api/v2/deals/{id}/products", 2),
    ],
)
def test_a_write_whose_answer_is_lost_is_looked_up_and_never_done_twice(
    landed: World, kind: str, path: str, times: int
):
    landed.control("fault", {"kind": kind, "method": "POST", "path": path, "times": times, "after": 2, "status": 502})
    written_until_it_works(landed)
    state = landed.control("state")
    for records, recovery in (
        ("deals", "Exact order-ID"),
        ("products", "Exact item-ID"),
        ("organizations", "Exact account-ID"),
        ("persons", "Exact contact-ID"),
    ):
        keys = [record["custom_fields"][recovery] for record in state[records]]
        assert len(keys) == len(set(keys)), records
    assert len(state["deals"]) == 12
    assert_rows_are_the_wanted_ones(landed)
    assert_all_equal(landed)
    assert landed.ask("SELECT * FROM pipedrive.intents") == []


def assert_rows_are_the_wanted_ones(world: World) -> None:
    deals = world.deals()
    for row in world.ask(
        "SELECT order_id, array_agg(comments ORDER BY position) AS comments FROM crm.deal_products GROUP BY order_id"
    ):
        assert [shown["comments"] for shown in deals[row.order_id]["products"]] == row.comments


def test_a_burst_of_429_only_slows_it_down(landed: World):
    landed.control("fault", {"kind": "burst_429", "method": "POST", "path": "/api/v2/deals", "times": 2})
    report = landed.write()
    assert report.tallies["deals"].created == 12
    assert len(landed.slept) >= 2


def test_a_spent_day_stops_it_cleanly_and_nothing_is_in_doubt(landed: World):
    landed.control("fault", {"kind": "daily_429", "method": "POST", "path": "/api/v2/deals", "times": 20, "after": 7})
    report = landed.write()
    assert report.stopped
    assert report.tallies["deals"].left > 0
    assert landed.ask("SELECT * FROM pipedrive.intents WHERE kind = 'deals'") == []
    landed.control_off("fault")
    landed.write()
    assert len(landed.control("state")["deals"]) == 12
    assert_all_equal(landed)


def test_a_record_pipedrive_refuses_is_shown_with_its_reason_and_the_others_go_on(landed: World):
    landed.control(
        "fault", {"kind": "status_before", "method": "POST", "path": "/api/v2/deals", "times": 1, "status": 400}
    )
    report = landed.write()
    assert report.tallies["deals"].created == 11
    held = landed.ask("SELECT order_number, reason FROM crm.held_orders")
    assert len(held) == 1
    assert "400" in held[0].reason


def test_a_wrong_token_is_one_sentence(landed: World):
    landed.control(
        "fault", {"kind": "status_before", "method": "GET", "path": "/api/v1/users", "times": 1, "status": 401}
    )
    with pytest.raises(GiveUp, match="PIPEDRIVE_API_TOKEN"):
        landed.write()


def test_a_warehouse_that_forgot_everything_recognises_its_deals(engine: Engine, landed: World):
    landed.write()
    before = landed.control("state")
    landed_again = forgetful(landed)
    landed_again.sync()
    after = landed_again.control("state")
    for records in ("deals", "organizations", "persons", "products"):
        assert [record["id"] for record in after[records]] == [record["id"] for record in before[records]], records
    assert_rows_are_the_wanted_ones(landed_again)
    assert_all_equal(landed_again)


def forgetful(world: World) -> World:
    with world.engine.begin() as tx:
        for schema in ("exact_online", "erp", "crm", "pipedrive", "marts", "state"):
            names = tx.exec_driver_sql(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename <> 'alembic_version'", (schema,)
            )
            for (name,) in names.all():
                tx.exec_driver_sql(f"TRUNCATE {schema}.{name} CASCADE")
    return world


@pytest.fixture(scope="module")
def odd(shared_engine: Engine) -> World:
    """A world with one of everything that should not happen; the tests look at it and the last ones change it."""
    world = World(shared_engine, company=seeded_company(orders=20, odd=True, products=60))
    world.sync()
    return world


def order_called(world: World, what: str) -> Any:
    return next(order for order in world.company.orders.rows.values() if order.description == f"odd: {what}")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("unknown account", "not known"),
        ("unknown status combination", "no rule covers status complete, delivery open, invoice open"),
        ("account with shared code", "shares debtor code 99001"),
        ("account with no code", "has no debtor code"),
    ],
)
def test_what_cannot_be_decided_is_held_with_its_reason(odd: World, what: str, reason: str):
    order = order_called(odd, what)
    held = {row.order_id: row.reason for row in odd.ask("SELECT order_id, reason FROM crm.held_orders")}
    assert reason in held[order.id]
    assert order.id not in odd.deals()


@pytest.mark.parametrize(
    "what",
    [
        "item not in the catalogue",
        "no salesperson",
        "zero price",
        "zero quantity",
        "amount and no lines",
        "1,114 lines",
        "item without group",
        "NUL",
        "emoji",
        "5,000 characters",
        "item with strange text",
    ],
)
def test_odd_orders_that_can_be_decided_go_through(odd: World, what: str):
    order = order_called(odd, what)
    deal = odd.deals()[order.id]
    assert deal["value"] == pytest.approx(order.amount_excl, abs=0.001)
    lines = [line for line in order.lines if line.quantity]
    assert len([row for row in deal["products"] if row["comments"] != "verschil"]) == len(lines)
    assert len(deal["custom_fields"]["Klantreferentie"] or "") <= 255


def test_a_held_order_goes_through_by_itself_once_its_status_is_covered(odd: World):
    order = order_called(odd, "unknown status combination")
    odd.company.set_status(order.id, 20, 21, 12)
    odd.sync()
    assert odd.deals()[order.id]["stage"] == "Verzonden"
    assert order.id not in {row.order_id for row in odd.ask("SELECT order_id FROM crm.held_orders")}


def test_an_uncatalogued_item_becomes_a_product_that_ended(odd: World):
    order = order_called(odd, "item not in the catalogue")
    products = {product["custom_fields"]["Exact item-ID"]: product for product in odd.control("state")["products"]}
    product = products[order.lines[0].item_id]
    assert product["custom_fields"]["Artikelstatus"] == "Vervallen"
    assert product["custom_fields"]["Artikelgroep"] is None
