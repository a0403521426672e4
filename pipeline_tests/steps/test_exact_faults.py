"""Exact breaks in the middle of a reading, or its clocks do something odd: whole journeys that must lose nothing."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.errors import BudgetSpent, GiveUp, OutcomeUnknown, RetryLater
from pipeline_tests.steps.expected import assert_all_arrived
from pipeline_tests.steps.test_switches import (
    place,
    world_before_its_first_sync,
)
from pipeline_tests.world import World

FEEDS = (
    "bulk/SalesOrder/SalesOrders",
    "bulk/SalesOrder/SalesOrderLines",
    "sync/SalesOrder/SalesOrderHeaders",
    "sync/SalesOrder/SalesOrderLines",
    "sync/Deleted",
    "sync/CRM/Accounts",
    "sync/Logistics/Items",
    "sync/Logistics/SalesItemPrices",
    "logistics/ItemGroups",
)
FAULTS: list[dict[str, Any]] = [
    {"kind": "status", "status": 408},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503, "body": "<html>Service Unavailable</html>"},
    {"kind": "status_after", "status": 500},
    {"kind": "drop"},
    {"kind": "drop_after"},
    {"kind": "truncate"},
    {"kind": "glue"},
    {"kind": "empty"},
    {"kind": "malformed"},
    {"kind": "minute_limit"},
]
NEVER_ENDS = 50  # times


@pytest.fixture
def small_pages(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> World:
    """A first synchronisation ahead, in which every feed has a second page and the feeds tell of deletions."""
    erp = {"page_size": 3, "large_page_size": 4}
    world = world_before_its_first_sync(engine, monkeypatch, erp=erp)
    for number in range(5):
        world.company.delete_order(place(world, (number, 1, 5), (number + 1, 1, 5)).id)
        place(world, (number, 1, 5), (number + 1, 2, 5), discount=0.1, order_date=date(2020, 1, 1 + number))
    return world


def order_faults(world: World, fault: dict[str, Any], page: int, feeds: tuple[str, ...] = FEEDS) -> None:
    for path in feeds:
        world.control_exact("fault", {"path": path, "skip": page - 1, **fault})


@pytest.mark.parametrize("turn", range(0, len(FAULTS), 6))
def test_readings_that_break_on_their_first_and_second_page_are_repeated_and_nothing_is_missing(
    small_pages: World, turn: int
):
    faults = itertools.cycle(FAULTS[turn:] + FAULTS[:turn])  # each feed breaks in two ways, each way in some feeds
    for feed, page in itertools.product(FEEDS, (1, 2)):
        order_faults(small_pages, next(faults), page, (feed,))
    small_pages.sync()
    assert small_pages.control_exact("fault")["waiting"] == []
    assert_all_arrived(small_pages)


@pytest.mark.parametrize("feed", ["bulk/SalesOrder/SalesOrders", "sync/Deleted"])
def test_a_feed_that_stays_broken_stops_the_run_and_the_next_one_goes_on(small_pages: World, feed: str):
    order_faults(small_pages, {"kind": "truncate", "times": NEVER_ENDS}, 2, (feed,))
    with pytest.raises(RetryLater, match="broken page"):
        small_pages.sync()
    small_pages.control_exact("fault", {"clear": True})
    small_pages.sync()
    assert_all_arrived(small_pages)


@pytest.mark.parametrize("feed", ["bulk/SalesOrder/SalesOrders", "sync/SalesOrder/SalesOrderHeaders"])
def test_a_page_that_leads_to_itself_ends_the_reading_instead_of_going_round(small_pages: World, feed: str):
    order_faults(small_pages, {"kind": "same_page", "times": NEVER_ENDS}, 1, (feed,))
    with pytest.raises(GiveUp, match="sent us back to a page"):
        small_pages.sync()
    assert small_pages.exact.calls[feed] <= 3  # the third asks whether the watermark holds
    small_pages.control_exact("fault", {"clear": True})
    small_pages.sync()
    assert_all_arrived(small_pages)


def test_a_token_that_ends_between_two_pages_is_renewed_and_the_page_read_again(small_pages: World):
    clock = small_pages.company.clock
    clock.run_at(0)
    list(small_pages.client.pages("logistics/ItemGroups", select="ID", filter="Modified ge datetime'2000-01-01'"))
    clock.advance(572)  # late enough for a new token, too early to ask for one beforehand
    order_faults(small_pages, {"kind": "status", "status": 401}, 2, ("sync/SalesOrder/SalesOrderLines",))
    small_pages.sync()
    assert_all_arrived(small_pages)


def test_sixty_calls_a_minute_only_slow_it_down(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    erp = {"limits": True, "minutely_limit": 6, "page_size": 3, "large_page_size": 4}
    world = world_before_its_first_sync(engine, monkeypatch, erp=erp)
    world.sync()
    assert any(seconds > 1 for seconds in world.slept)
    assert_all_arrived(world)


def test_a_day_whose_calls_end_stops_it_and_the_next_day_goes_on(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    erp = {"limits": True, "daily_limit": 13}  # a first synchronisation takes fifteen, a later one thirteen at most
    world = world_before_its_first_sync(engine, monkeypatch, erp=erp)
    place(world, (0, 1, 5))
    with pytest.raises(BudgetSpent, match="calls for today are used up"):
        world.sync()
    world.wait(86_400)
    world.sync()
    world.wait(86_400)
    assert_all_arrived(world)


@pytest.mark.parametrize(
    ("versions_passing", "at_in_flight"), [(0, {}), (10_000, {}), (10_000, {"sync_stops_at_in_flight": True})], ids=str
)
def test_a_transaction_that_ends_late_is_not_lost_behind_the_watermark(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, versions_passing: int, at_in_flight: dict[str, Any]
):
    world = world_before_its_first_sync(engine, monkeypatch, erp=at_in_flight)
    place(world, (0, 1, 5))
    world.sync()
    changed = next(order for order in world.company.orders if order.lines)
    with world.company.slow_transaction():
        place(world, (1, 1, 5), (2, 3, 7))
        world.company.change_line(changed.lines[0].id, quantity=11)
    for _ in range(2):
        world.company.last_version += versions_passing
        place(world, (3, 1, 5))
        world.wait(300)
        world.sync()
    world.company.commit()
    world.sync()
    assert_all_arrived(world)


def half_an_hour_before_the_clocks_change(month: int) -> datetime:
    """Next year, on the last Sunday of March or October, at 00:30 UTC."""
    last = date(datetime.now(UTC).year + 1, month, 31)
    return datetime.combine(last - timedelta(days=(last.weekday() + 1) % 7), time(0, 30), UTC)


@pytest.mark.parametrize("month", [3, 10])
def test_nothing_is_lost_in_a_night_on_which_clocks_change(engine: Engine, monkeypatch: pytest.MonkeyPatch, month: int):
    world = world_before_its_first_sync(engine, monkeypatch)
    company, groups = world.company, [*world.company.item_groups]
    world.sync()
    company.clock.run_at(0)
    company.clock.stand_at(half_an_hour_before_the_clocks_change(month))
    world.consent_again()
    for step in range(4):  # every 20 minutes; in autumn the wall clock shows the same hour twice
        place(world, (step, 1, 5 + step))
        company.change("item_groups", groups[step].id, description=f"Groep {step}")
        world.sync()
        world.wait(1200)
    assert_all_arrived(world)


@pytest.mark.parametrize("skew", [3600.0, -3600.0])
def test_nothing_is_lost_when_our_clock_is_an_hour_off(engine: Engine, monkeypatch: pytest.MonkeyPatch, skew: float):
    erp = {"limits": True, "minutely_limit": 9}
    world = world_before_its_first_sync(engine, monkeypatch, erp=erp, skew=skew)
    world.company.clock.run_at(0)
    for number in range(3):
        place(world, (number, 1, 5 + number))
        world.sync()
        world.wait(300)
    assert_all_arrived(world)


def test_a_token_endpoint_that_answers_with_nothing_stops_the_run_and_the_next_one_goes_on(small_pages: World):
    small_pages.control_exact("fault", {"path": "oauth2/token", "kind": "status", "status": 200, "body": ""})
    with pytest.raises(RetryLater, match="answered 200 without tokens"):
        small_pages.sync()
    small_pages.sync()
    assert_all_arrived(small_pages)


def test_a_refresh_whose_answer_was_lost_needs_a_person_and_then_nothing_is_missing(small_pages: World):
    small_pages.sync()
    place(small_pages, (3, 2, 9))
    small_pages.wait(600)
    small_pages.control_exact("fault", {"path": "oauth2/token", "kind": "drop_after"})
    with pytest.raises(OutcomeUnknown, match="sent and never answered"):
        small_pages.sync()
    with pytest.raises(GiveUp, match=r"Old refresh token used.* Run `pipeline connect exact`"):
        small_pages.sync()
    small_pages.consent_again()
    small_pages.sync()
    assert_all_arrived(small_pages)
