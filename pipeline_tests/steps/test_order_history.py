"""Whole months: one, several with a gap, again, side by side, cut off in the middle, and what has no month."""

from datetime import date, timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.errors import PipelineError
from pipeline.exact_online.odata import nested_rows
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.company_rows import Order
from pipeline.steps.order_history import MonthsRead, figures_by_month, finish_history, land_history, next_month, window
from pipeline_tests.steps.test_switches import place
from pipeline_tests.world import SETTINGS, World

LONG_AGO, LEAP_DAY = date(2015, 1, 1), date(2020, 2, 29)
BULK = "bulk/SalesOrder/SalesOrders"


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, company=seeded_company(orders=40, products=40), erp={"large_page_size": 3})


def month_of(order: Order) -> date:
    return order.order_date.replace(day=1)


def months_with_orders(world: World) -> list[date]:
    return sorted({month_of(order) for order in world.company.orders})


def present(world: World) -> date:
    return window(world.config.administrations[0], 0)[-1]


def read(world: World, *months: date) -> MonthsRead:
    return land_history(world.engine, lambda _: world.client, world.config, {"nl": sorted(months)})


def landed(world: World) -> set[str]:
    return {row.order_id for row in world.ask("SELECT order_id FROM exact_online.order_history")}


def in_exact(world: World, *months: date) -> set[str]:
    return {order.id for order in world.company.orders if month_of(order) in months}


def test_one_month_brings_its_orders_with_their_lines_and_no_others(world: World):
    month = months_with_orders(world)[-2]
    found = read(world, month)
    orders = [order for order in world.company.orders if month_of(order) == month]
    assert landed(world) == {order.id for order in orders}
    assert (found.months["nl", month].orders, found.months["nl", month].lines) == (
        len(orders),
        sum(len(order.lines) for order in orders),
    )


def test_months_with_a_gap_between_them_leave_the_gap_alone(world: World):
    first, _, third, *_ = months_with_orders(world)
    read(world, first, third)
    assert landed(world) == in_exact(world, first, third)
    assert [row.month for row in world.ask("SELECT month FROM state.landed_months ORDER BY month")] == [first, third]


def test_a_month_without_orders_counts_as_read(world: World):
    found = read(world, LONG_AGO)
    assert figures_by_month(world.engine, world.config, found)["nl", LONG_AGO] == {
        "orders": 0,
        "lines": 0,
        "vanished": 0,
        "value_in_exact": "0",
        "orders_in_erp": 0,
        "value_in_erp": "0",
        "read_to_its_end": True,
    }
    assert world.ask("SELECT orders FROM state.landed_months")[0].orders == 0


def test_each_month_has_its_own_figures_beside_what_stands_in_erp(world: World):
    world.sync()
    in_dollars = place(world, (0, 1, 5), currency="USD", order_date=LEAP_DAY)
    months = [*window(world.config.administrations[0], 12), in_dollars.order_date.replace(day=1)]
    figures = figures_by_month(world.engine, world.config, read(world, *months))
    erp = world.ask("SELECT order_id FROM erp.orders")
    assert sum(found["orders_in_erp"] for found in figures.values()) == len(erp) == 40
    new = figures.pop(("nl", date(2020, 2, 1)))
    assert (new["value_in_exact"], new["value_in_erp"], new["orders_in_erp"]) == ("5.00 USD", "0", 0)
    assert {found["value_in_exact"] == found["value_in_erp"] for found in figures.values()} == {True}


def test_orders_that_vanished_vanish_here_with_their_month_and_nothing_else_changes(world: World):
    world.sync()
    gone = next(iter(world.company.orders))
    world.company.orders.remove(gone.id)
    found = read(world, *window(world.config.administrations[0], 12))
    vanished = {month: one.vanished for (_, month), one in found.months.items() if one.vanished}
    assert (vanished, found.changed) == ({month_of(gone): 1}, 0)
    world.refresh()
    assert [row.order_id for row in world.ask("SELECT order_id FROM erp.orders WHERE is_deleted")] == [gone.id]
    assert read(world, month_of(gone)).months["nl", month_of(gone)].vanished == 0


@pytest.mark.parametrize("old_month_first", [True, False])
def test_an_order_moved_to_another_month_is_there_once(world: World, old_month_first: bool):
    world.sync()
    moved = next(order for order in world.company.orders if order.status != 45)
    old, new = month_of(moved), next_month(month_of(moved))
    world.company.change_order(moved.id, order_date=new + timedelta(days=3))
    for month in (old, new) if old_month_first else (new, old):
        read(world, month)
    world.sync()
    row = world.ask("SELECT order_date, is_deleted FROM erp.orders WHERE order_id = :id", id=moved.id)
    assert [(one.order_date, one.is_deleted) for one in row] == [(new + timedelta(days=3), False)]
    assert world.ask("SELECT month FROM exact_online.order_history WHERE order_id = :id", id=moved.id)[0].month == new
    deal = world.deals()[moved.id]
    assert (deal["custom_fields"]["Orderdatum"], deal["status"] != "lost") == (str(new + timedelta(days=3)), True)
    assert len(world.deals()) == len(world.control("state")["deals"]) == 40


def cut_off_behind_sixty(lines: Any) -> list[dict[str, Any]] | None:
    """What an answer shows of expanded lines where it gives no more than sixty of them."""
    found = nested_rows(lines)
    return found if found is None or len(found) <= 60 else None


def test_many_orders_over_several_pages_with_lines_cut_off_arrive_whole(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipeline.steps.order_history.nested_rows", cut_off_behind_sixty)
    items = len(world.company.items.rows)
    for number in range(8):
        place(world, *[(line % items, 1, 2.5) for line in range(number * 20 + 1)], order_date=LEAP_DAY)
    found = read(world, LEAP_DAY.replace(day=1)).months["nl", LEAP_DAY.replace(day=1)]
    assert (found.orders, found.lines) == (8, sum(number * 20 + 1 for number in range(8)))
    assert (world.exact.calls[BULK], world.exact.calls["sync/SalesOrder/SalesOrderLines"]) == (3, 0)
    assert world.client.calls > 3 + 5
    lines = world.ask("SELECT sum(jsonb_array_length(lines)) AS n FROM exact_online.order_history")
    assert lines[0].n == found.lines


def test_a_reading_that_broke_off_goes_on_where_it_was(world: World):
    months = months_with_orders(world)[-4:]
    world.control_exact("fault", {"path": BULK, "skip": 2, "kind": "status", "status": 403, "times": 1})
    with pytest.raises(PipelineError):
        read(world, *months)
    assert 0 < len(landed(world)) < len(in_exact(world, *months))
    assert world.ask("SELECT count(*) AS n FROM state.landed_months")[0].n == 0
    assert set(finish_history(world.engine, world.client, world.config, "nl").orders) == {("nl", one) for one in months}
    assert landed(world) == in_exact(world, *months)
    assert finish_history(world.engine, world.client, world.config, "nl").months == {}


def test_two_readings_that_overlap_end_like_one(engine: Engine, world: World):
    months = months_with_orders(world)
    other = World(engine, company=world.company, erp={"large_page_size": 2})
    threads = [Thread(target=read, args=(world, *months[:-1])), Thread(target=read, args=(other, *months[1:]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert landed(world) == in_exact(world, *months)
    assert {row.month for row in world.ask("SELECT month FROM state.landed_months")} == set(months)
    expected = {(order.id, len(order.lines)) for order in world.company.orders}
    query = "SELECT order_id, jsonb_array_length(lines) AS lines FROM exact_online.order_history"
    assert {(row.order_id, row.lines) for row in world.ask(query)} == expected


def test_two_administrations_with_the_same_orders_keep_apart(engine: Engine):
    second: dict[str, Any] = SETTINGS["administrations"][0] | {"name": "be", "division": 654321}
    settings = SETTINGS | {"administrations": [*SETTINGS["administrations"], second]}
    world = World(engine, company=seeded_company(orders=12, products=20), settings=settings)
    other = World(engine, company=seeded_company(orders=12, products=20), settings=settings)
    other.company.orders.remove(list(other.company.orders)[-1].id)
    months = months_with_orders(world)
    clients = {"nl": world.client, "be": other.client}
    land_history(engine, clients.__getitem__, world.config, {"nl": months, "be": months})
    found = land_history(engine, clients.__getitem__, world.config, {"nl": months, "be": months})
    assert {name: sum(one.orders for (key, _), one in found.months.items() if key == name) for name in clients} == {
        "nl": 12,
        "be": 11,
    }
    counted = world.ask("SELECT administration, count(*) AS n FROM exact_online.order_history GROUP BY 1")
    assert {row.administration: row.n for row in counted} == {"nl": 12, "be": 11}


def test_an_order_dated_later_comes_with_the_present_month(world: World):
    later = place(world, (0, 1, 5), order_date=present(world) + timedelta(days=400))
    found = read(world, present(world))
    assert later.id in landed(world)
    assert found.months["nl", present(world)].orders == len(in_exact(world, present(world))) + 1
    world.sync()
    assert world.deals()[later.id]["custom_fields"]["Orderdatum"] == str(later.order_date)
    figures = figures_by_month(world.engine, world.config, read(world, present(world)))["nl", present(world)]
    assert (figures["orders"], figures["vanished"]) == (figures["orders_in_erp"], 0)


def test_an_order_of_1900_has_no_month_and_comes_as_a_change(world: World):
    old = place(world, (0, 1, 5), order_date=date(1900, 1, 1))
    world.sync()
    assert old.id not in landed(world)
    assert world.deals()[old.id]["custom_fields"]["Orderdatum"] == "1900-01-01"
    read(world, *window(world.config.administrations[0], 12))
    world.sync()
    assert world.deals()[old.id]["status"] == "open"
