"""Nothing slips past a watermark: what the feeds never told is found by comparing ids, or by going back."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, text

from pipeline.config import Config
from pipeline.errors import GiveUp
from pipeline.steps.division_move import read_again_if_needed
from pipeline.steps.order_compare import Compared, compare_orders
from pipeline_tests.steps.expected import assert_all_arrived
from pipeline_tests.steps.test_switches import (
    Expected,
    assert_deals_show_the_orders,
    company_of_long_ago,
    place,
)
from pipeline_tests.world import SETTINGS, World
from pipeline_tests.worlds import Worlds

BULK = "bulk/SalesOrder/SalesOrders"
DAY = 86_400.0


@pytest.fixture
def world(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with worlds.after(with_orders_of_today) as world:
        monkeypatch.setattr("time.sleep", world.wait)
        yield world


def with_orders_of_today(engine: Engine) -> World:
    """Synchronised, with some orders of today beside those of long ago."""
    world = World(engine, company=company_of_long_ago(), erp={"large_page_size": 4})
    for number in range(4):
        place(world, (number, 1, 5), (number + 1, 2, 5))
    world.sync()
    return world


def compare(world: World) -> Compared:
    return compare_orders(world.engine, world.client, world.config.administrations[0], months=12)


NOT_OF_ORDERS = "('item_groups', 'sales_invoices', 'payment_terms')"


def pass_over(world: World) -> None:
    """What just happened lies far behind the watermarks of all feeds but those of invoices: they never tell of it."""
    world.company.last_version += 100_000
    far = {"far": str(world.company.last_version), "further": world.company.last_version}
    with world.engine.begin() as tx:
        tx.execute(text(f"UPDATE state.watermarks SET seen_up_to = :far WHERE feed NOT IN {NOT_OF_ORDERS}"), far)
        settled = "name LIKE '% settled' AND name NOT LIKE '%invoices%' AND name NOT LIKE '%payment%'"
        tx.execute(text(f"UPDATE state.remembered SET value = to_jsonb(:further) WHERE {settled}"), far)


# --- the compare of ids ---


def test_a_compare_after_a_synchronisation_finds_nothing_and_takes_a_call_for_each_page(world: World):
    orders = len(world.company.orders)
    assert compare(world) == Compared(orders=orders, read=0, gone=0, calls=-(-orders // 4))


def test_an_order_that_no_feed_told_of_is_found_and_becomes_a_deal(world: World):
    missed = place(world, (5, 3, 12.5), (6, 1, 4))
    pass_over(world)
    world.sync()
    assert missed.id not in world.deals()
    assert compare(world).read == 1
    world.sync()
    assert_all_arrived(world)
    assert compare(world).read == 0


def test_an_order_whose_deletion_no_feed_told_of_is_found(world: World):
    expected = Expected(world)
    expected.follow()
    *_, first, second = world.company.orders.rows
    for order in (first, second):
        world.company.delete_order(order)
    pass_over(world)
    expected.follow()
    assert compare(world).gone == 2
    world.sync()
    assert_deals_show_the_orders(expected)


@pytest.mark.parametrize("what", ["status", "line added", "line removed", "line changed"])
def test_a_change_that_no_feed_told_of_is_found(world: World, what: str):
    order = list(world.company.orders)[-1]
    world.company.clock.advance(60)
    if what == "status":
        world.company.set_status(order.id, 21, 21, 21)
    elif what == "line added":
        world.company.add_line(order.id, order.lines[0].item_id, 2, 3.5)
    elif what == "line removed":
        world.company.remove_line(order.lines[0].id)
    else:
        world.company.change_line(order.lines[0].id, quantity=9)
    pass_over(world)
    assert compare(world).read == 1
    world.sync()
    assert_all_arrived(world)
    assert compare(world).read == 0


def test_a_header_that_the_feed_told_lately_and_passed_over_since_is_found(world: World):
    order = list(world.company.orders)[-1]
    world.company.change_order(order.id, your_ref="verteld")
    world.sync()
    world.company.clock.advance(60)
    marks = world.ask("SELECT administration, feed, seen_up_to FROM state.watermarks")
    settled = world.ask("SELECT name, value FROM state.remembered WHERE name LIKE '% settled'")
    world.company.set_status(order.id, 21, 21, 21)
    pass_over(world)
    with world.engine.begin() as tx:  # the reading counts as old as what is settled: older than what the feed told
        for row in settled:
            tx.execute(
                text("UPDATE state.remembered SET value = to_jsonb(CAST(:value AS bigint)) WHERE name = :name"),
                {"name": row.name, "value": min(int(row.value), int(marks[0].seen_up_to) - 500)},
            )
    assert compare(world).read == 1
    world.refresh()
    assert world.ask("SELECT status FROM erp.orders WHERE order_id = :id", id=order.id)[0].status == "complete"


def test_orders_on_their_way_are_not_read_again(world: World):
    place(world, (5, 3, 12.5))
    world.land()
    assert compare(world).read == 0


def test_a_compare_against_next_to_nothing_takes_nothing_out(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipeline.steps.order_compare.MOST_BY_ID", 3)
    for order in list(world.company.orders):
        world.company.orders.remove(order.id)
    with pytest.raises(GiveUp, match="shows 0 orders, and 14 that are known here"):
        compare(world)
    assert world.ask("SELECT count(*) AS n FROM erp.orders WHERE is_deleted")[0].n == 0


def test_more_differences_than_are_worth_single_calls_have_their_months_read(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pipeline.steps.order_compare.MOST_BY_ID", 3)
    for number in range(5):
        place(world, (number, 1, 7))
    pass_over(world)
    assert compare(world).read == 5
    this_month = date.today().replace(day=1).isoformat()  # noqa: DTZ011
    assert world.ask("SELECT value FROM state.remembered WHERE name = 'nl months to read'")[0].value == [this_month]


# --- going back ---


def test_a_division_that_moved_to_another_database_is_read_again(world: World):
    world.wait(7 * 3600)
    world.sync()
    world.company.move_division()
    expected = Expected(world)
    expected.follow()
    changed, deleted, *_ = list(world.company.orders.rows)[-2:]
    world.company.change_order(changed, your_ref="na de verhuizing")
    world.company.delete_order(deleted)
    place(world, (7, 2, 8))
    world.wait(7 * 3600)
    expected.follow()
    world.sync()
    assert_deals_show_the_orders(expected)
    place(world, (8, 1, 3))
    expected.follow()
    world.sync()
    assert_deals_show_the_orders(expected)
    assert compare(world).read == 0


def test_a_watermark_ahead_of_everything_exact_has_is_taken_back(world: World):
    place(world, (5, 3, 12.5))
    version = world.company.last_version
    pass_over(world)
    world.company.last_version = version  # a backup was put back
    world.wait(7 * 3600)
    place(world, (6, 1, 4))
    world.sync()
    assert_all_arrived(world)


def test_a_pipeline_that_stood_still_for_months_finds_what_was_deleted_meanwhile(world: World):
    expected = Expected(world)
    expected.follow()
    world.company.delete_order(list(world.company.orders.rows)[-1])
    world.wait(70 * DAY)
    world.consent_again()
    place(world, (6, 1, 4))
    expected.follow()
    world.sync()
    assert_deals_show_the_orders(expected)


def test_the_watermarks_are_looked_after_every_six_hours_for_two_calls(world: World):
    def look() -> int:
        return read_again_if_needed(world.engine, world.client, world.config, "nl")

    world.wait(7 * 3600)
    assert [look(), look()] == [2, 0]
    world.wait(7 * 3600)
    assert look() == 2
    assert world.ask("SELECT count(*) AS n FROM state.landed_months")[0].n > 0


def test_a_user_who_may_not_see_divisions_loses_nothing(world: World):
    world.control_exact("fault", {"path": "system/Divisions", "kind": "status", "status": 403, "times": 50})
    world.wait(7 * 3600)
    place(world, (6, 1, 4))
    world.sync()
    assert_all_arrived(world)


def test_a_name_that_gets_another_division_stops_instead_of_losing_every_deal(world: World):
    world.wait(7 * 3600)
    world.sync()
    nl = SETTINGS["administrations"][0] | {"division": 654321}
    world.config = Config.model_validate(SETTINGS | {"administrations": [nl]})
    with pytest.raises(GiveUp, match=r"from division 123456 so far, and pipeline\.yaml names 654321"):
        world.sync()
