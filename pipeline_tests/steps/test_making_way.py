"""A migration under way lets live changes go first, and polls leave history to it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.wire import Request, Response
from pipeline.steps.apply import apply
from pipeline.steps.outcomes import Report
from pipeline.steps.writer import LIVE, the_only_writer
from pipeline.warehouse.connection import is_taken
from pipeline_tests.world import World

ORDERS = 60
PATIENCE = 60.0  # seconds


class Gate:
    """A simulated Pipedrive that holds the n-th new deal back until somebody wants to write live changes."""

    def __init__(self, world: World, behind: int) -> None:
        self._simulator, self._engine, self._behind = world.pipedrive, world.engine, behind
        self._deals, self._lock, self.reached = 0, Lock(), Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._simulator, name)

    def __call__(self, request: Request) -> Response:
        if (request.method, request.path) == ("POST", "/api/v2/deals"):
            with self._lock:
                self._deals += 1
                is_the_one = self._deals == self._behind
            if is_the_one:
                self.reached.set()
                until(lambda: is_taken(self._engine, LIVE))
        return self._simulator(request)


def until(ask: Any) -> None:
    deadline = monotonic() + PATIENCE
    while not ask():
        assert monotonic() < deadline
        sleep(0.01)


@pytest.fixture
def world(engine: Engine) -> World:
    """History that landed, of which nothing is written."""
    world = World(engine, company=seeded_company(orders=ORDERS, products=30), account={"burst": 40})
    world.land()
    world.refresh()
    return world


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def write_live(world: World) -> Report:
    return apply(world.engine, world.pipedrive_client, world.config, daily_tokens=10**7, with_history=False)


def live(world: World) -> set[str]:
    return {row.order_id for row in world.ask("SELECT order_id FROM crm.deals WHERE is_live")}


def changed_order(world: World, reference: str) -> str:
    """The oldest order, whose deal history makes last, changed in Exact and on its way through the warehouse."""
    order = min(world.company.orders.rows.values(), key=lambda order: (order.order_date, order.number)).id
    world.control_exact("change", {"kind": "set_order", "order": order, "fields": {"your_ref": reference}})
    world.land()
    world.refresh()
    return order


def test_a_live_change_is_written_in_the_middle_of_a_migration_which_then_goes_on(
    world: World, aside: ThreadPoolExecutor
):
    world.pipedrive = gate = Gate(world, behind=20)  # pyright: ignore[reportAttributeAccessIssue]
    migration = aside.submit(world.write)
    assert gate.reached.wait(PATIENCE)
    order = changed_order(world, "in between")
    between = write_live(world)
    assert between.tallies["deals"].created >= 1
    assert between.tallies["deals"].left > 0
    assert "in between" in world.deals()[order]["custom_fields"].values()
    report = migration.result(PATIENCE)
    assert len(world.deals()) == ORDERS
    assert report.tallies["deals"].created + between.tallies["deals"].created == ORDERS
    assert report.tokens + between.tokens == world.control("ledger")["total"]
    assert world.write().tokens == 0


def test_a_poll_leaves_history_alone_and_writes_what_is_live(world: World):
    write_live(world)
    assert set(world.deals()) == live(world)
    order = changed_order(world, "live")
    assert write_live(world).changed("deals") == 1
    assert set(world.deals()) == live(world) >= {order}
    assert {row.order_id for row in world.ask("SELECT order_id FROM pipedrive.deal_products")} == live(world)


def test_what_only_the_catalogue_needs_comes_after_history(world: World):
    write_live(world)
    lines = "crm.deal_products JOIN crm.deals USING (administration, order_id)"
    needed = world.ask(f"SELECT DISTINCT product_key FROM {lines} WHERE is_live")
    assert 0 < len(world.control("state")["products"]) == len(needed) < 30
    world.write()
    world.company.rename_customer(next(iter(world.company.accounts.rows)), "Renamed")
    world.land()
    world.refresh()
    assert write_live(world).changed("organizations") == 1


def test_a_change_of_what_is_there_does_not_wait_for_the_end_of_a_migration(world: World):
    write_live(world)
    there = world.ask("SELECT customer_id FROM pipedrive.organizations ORDER BY customer_id LIMIT 1")[0].customer_id
    world.company.rename_customer(there, "Renamed")
    world.land()
    world.refresh()
    report = write_live(world)
    assert (report.tallies["organizations"].created, report.changed("organizations")) == (0, 1)
    assert report.tallies["deals"].left > 0


def test_two_polls_make_way_for_each_other_once_and_not_for_ever(world: World, aside: ThreadPoolExecutor):
    world.write()
    for account in world.company.accounts.rows:
        world.company.rename_customer(account, f"Renamed {account[:8]}")
    world.land()
    world.refresh()
    with the_only_writer(world.engine):  # until both stand in line: one with haste, the other behind it
        polls = [aside.submit(write_live, world) for _ in range(2)]
        until(lambda: is_taken(world.engine, LIVE))
    reports = [poll.result(PATIENCE) for poll in polls]
    assert sum(report.changed("organizations") for report in reports) == len(world.company.accounts.rows)


def test_two_that_migrate_do_not_make_way_for_each_other(world: World, aside: ThreadPoolExecutor):
    first, second = aside.submit(world.write), aside.submit(world.write)
    reports = [first.result(PATIENCE), second.result(PATIENCE)]
    assert sorted(report.changed("deals") for report in reports) == [0, ORDERS]
    assert len(world.control("state")["deals"]) == ORDERS


def test_a_leftover_too_small_for_the_next_order_does_not_hide_that_another_day_began(engine: Engine):
    world = World(engine, company=seeded_company(orders=20, products=30), account={"daily_tokens": 1_000})
    assert world.sync().stopped
    days = 0
    while world.write().stopped:
        world.wait(86_400)
        days += 1
        assert days < 10
    assert world.write().tokens == 0
    assert len(world.deals()) == 20
