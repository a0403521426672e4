"""Webhooks on their way through a run: when they count as handled, and what a run asks Exact for."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from pipeline.automation.jobs import catalogue_delta, orders_delta
from pipeline.sandbox.company import seeded_company
from pipeline.steps import landing
from pipeline_tests.automation.factory import caught_up, run, told, unhandled
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds

LANDING = ("exact_online",)


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    with worlds.after(small_and_caught_up) as world:
        yield world


def small_and_caught_up(engine: Engine) -> World:
    return caught_up(World(engine, company=seeded_company(orders=12, products=20)))


def an_order(world: World) -> str:
    return next(iter(world.company.orders.rows))


def calls_of(world: World, job: str) -> int:
    before = world.client.calls
    assert run(world, job, layers=LANDING).success
    return world.client.calls - before


def minutes_pass(world: World, minutes: int) -> None:
    world.wait(minutes * 60)
    with world.engine.begin() as tx:
        tx.execute(
            text("UPDATE state.watermarks SET read_at = read_at - CAST(:so AS interval)"), {"so": f"{minutes} min"}
        )


def test_a_run_handles_the_webhooks_and_the_deal_changes(world: World):
    order = an_order(world)
    world.control_exact("change", {"kind": "set_order", "order": order, "fields": {"your_ref": "as told"}})
    told(world.engine, order)
    assert run(world, orders_delta.name).success
    assert unhandled(world.engine) == []
    assert "as told" in str(world.deals()[order]["custom_fields"].values())


def test_a_webhook_that_comes_between_the_readings_waits_for_the_next_run(world: World):
    order = an_order(world)
    told(world.engine, "before")
    landing.land_order_changes(world.engine, world.client, world.config.administrations[0])
    told(world.engine, "between")
    landing.land_order_line_changes(world.engine, world.client, "nl")
    told(world.engine, "later")
    landing.land_deletions(world.engine, world.client, "nl")
    assert unhandled(world.engine) == ["between", "later"]
    assert order in world.deals()
    assert run(world, orders_delta.name, layers=LANDING).success
    assert unhandled(world.engine) == []


def test_deletions_read_alone_handle_nothing_that_headers_and_lines_have_not_seen(world: World):
    told(world.engine, "one")
    landing.land_deletions(world.engine, world.client, "nl")
    landing.land_order_changes(world.engine, world.client, world.config.administrations[0])
    landing.land_deletions(world.engine, world.client, "nl")
    assert unhandled(world.engine) == ["one"]
    landing.land_order_line_changes(world.engine, world.client, "nl")
    landing.land_deletions(world.engine, world.client, "nl")
    assert unhandled(world.engine) == []


@pytest.mark.parametrize("path", ["SalesOrderHeaders", "SalesOrderLines", "sync/Deleted"])
def test_a_run_that_fails_in_any_feed_leaves_them_for_the_next(world: World, path: str):
    told(world.engine, "one", "two")
    world.control_exact("fault", {"kind": "status", "path": path, "times": 1, "status": 403})
    assert not run(world, orders_delta.name, layers=LANDING).success
    assert unhandled(world.engine) == ["one", "two"]
    assert run(world, orders_delta.name, layers=LANDING).success
    assert unhandled(world.engine) == []


def test_a_thousand_webhooks_cost_as_many_calls_as_one(world: World):
    told(world.engine, *(f"{number}" for number in range(1000)))
    assert calls_of(world, orders_delta.name) == 3
    assert unhandled(world.engine) == []


@pytest.mark.parametrize("topic", ["Items", "Accounts", "Contacts"])
def test_a_webhook_about_the_catalogue_is_worth_a_call(world: World, topic: str):
    told(world.engine, "one", topic=topic)
    world.control_exact("counters", {})
    assert calls_of(world, orders_delta.name) == 4
    assert any(path.endswith(topic) for path in world.control_exact("counters")["requests"])
    assert unhandled(world.engine) == []
    assert calls_of(world, orders_delta.name) == 3


def test_a_webhook_on_an_invoice_brings_its_statuses_to_the_deal_within_the_run(world: World):
    books = world.company
    order = books.place_order(next(iter(books.accounts)).id, [(next(iter(books.items)).id, 4, 25.0)])
    for kind in ("deliver", "invoice"):
        world.control_exact("change", {"kind": kind, "order": order.number})
    invoice = books.invoices_of[order.id][0]
    books.change("invoices", invoice.id, status=20, number=None)  # a draft, for which nothing is owed yet
    world.sync()
    assert world.deals()[order.id]["custom_fields"]["Betaalstatus"] is None
    books.change("invoices", invoice.id, status=50, number=26_799_999)
    assert calls_of(world, orders_delta.name) == 3
    told(world.engine, invoice.id, topic="SalesInvoices")
    before = world.client.calls
    assert run(world, orders_delta.name).success
    assert (world.client.calls - before, unhandled(world.engine)) == (5, [])
    fields = world.deals()[order.id]["custom_fields"]
    assert (fields["Factuurstatus"], fields["Betaalstatus"]) == ("Gefactureerd", "Open")
    assert calls_of(world, orders_delta.name) == 3


def test_a_contact_that_a_webhook_told_of_is_followed_in_the_next_run(world: World):
    (row,) = world.ask("SELECT contact_id, person_id FROM pipedrive.persons ORDER BY contact_id LIMIT 1")
    fields = {"last_name": "Van Buiten"}
    change = {"kind": "set_row", "table": "contacts", "id": row.contact_id, "fields": fields}
    world.control_exact("change", change)
    assert run(world, orders_delta.name).success
    assert "Van Buiten" not in str(world.control("state?only=persons"))
    told(world.engine, "one", topic="Contacts")
    assert run(world, orders_delta.name).success
    names = {one["id"]: one["name"] for one in world.control("state?only=persons")["persons"]}
    assert names[row.person_id].endswith("Van Buiten")


@pytest.mark.parametrize("topic", ["StockPositions", "GoodsDeliveries"])
def test_a_webhook_that_no_feed_reads_waits_for_nothing(world: World, topic: str):
    told(world.engine, "one", topic=topic)
    assert unhandled(world.engine) == []


def forgotten(world: World, kind: str, tables: dict[str, str]) -> str:
    """The key of a record that no table knows, as if it were new; its feed tells of it after all that was read."""
    (row,) = world.ask(f"SELECT {kind} AS key FROM exact_online.{tables['from']} ORDER BY id LIMIT 1")
    with world.engine.begin() as tx:
        for table, column in tables.items():
            if table != "from":
                tx.execute(text(f"DELETE FROM {table} WHERE {column} = :key"), {"key": row.key})
    return row.key


def order_of_a_new_customer(world: World) -> dict:
    tables = {"from": "order_changes", "exact_online.accounts": "id", "erp.customers": "customer_id"}
    account = forgotten(world, "ordered_by", tables)
    world.control_exact("change", {"kind": "rename_customer", "account": account, "name": "Nieuw B.V."})
    return {"account": account}


def order_of_a_new_item(world: World) -> dict:
    tables = {"from": "items", "exact_online.items": "id", "erp.products": "product_id"}
    item = forgotten(world, "id", tables)
    world.control_exact("change", {"kind": "set_row", "table": "items", "id": item, "fields": {"description": "New"}})
    return {"lines": [{"item": item, "quantity": 2, "price": 5}]}


@pytest.mark.parametrize("prepared", [order_of_a_new_customer, order_of_a_new_item])
def test_an_order_of_a_customer_or_an_item_not_known_yet_becomes_a_deal_in_the_same_run(
    world: World, prepared: Callable[[World], dict]
):
    placed = world.control_exact("change", {"kind": "place_order", **prepared(world)})
    assert run(world, orders_delta.name).success
    assert placed["order"]["id"] in world.deals(), placed
    assert world.ask("SELECT count(*) FROM erp.order_lines WHERE item_group_code IS NULL")[0][0] == 0


def test_the_catalogue_is_read_again_when_its_own_poll_stays_away(world: World):
    assert calls_of(world, orders_delta.name) == 3
    minutes_pass(world, 21)
    assert calls_of(world, orders_delta.name) == 8


def test_an_idle_day_of_polls_costs_at_most_1850_calls_which_leaves_150_for_the_night(world: World):
    calls = 0
    for minute in (0, 5, 10):  # a quarter of an hour stands for all: nothing in it depends on which it is
        calls += calls_of(world, orders_delta.name)
        calls += calls_of(world, catalogue_delta.name) if minute == 0 else 0
        minutes_pass(world, 5)
    assert calls == 3 * 3 + 10
    assert calls * 96 <= 1850


def test_a_run_that_finds_nothing_new_needs_no_frame(world: World, monkeypatch: pytest.MonkeyPatch):
    def made(*_: object, **__: object) -> None:
        raise AssertionError("pandas takes half a second to import, and a run that changes nothing did without")

    monkeypatch.setattr("pandas.DataFrame.__init__", made)
    assert run(world, orders_delta.name).success
