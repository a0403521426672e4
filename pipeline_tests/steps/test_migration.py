"""How far each month is on its way into Pipedrive, and the day that is named for it, beside what then happens."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from pipeline.sandbox.company import seeded_company
from pipeline.steps.migration import Migration, rebuild_migration
from pipeline.steps.outcomes import KINDS
from pipeline.steps.plan import plan
from pipeline_tests.steps.test_switches import place
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_reading

PLENTY = 10_000_000
DAY = 1_000  # tokens


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    """Landed and refreshed; nothing is written yet."""
    with worlds.after(first_reading(orders=40, products=40)) as world:
        yield world


def migration(world: World, daily_tokens: int = PLENTY) -> Migration:
    return rebuild_migration(world.engine, world.config, daily_tokens)


def total(found: Migration, column: str) -> Any:
    return sum(row[column] or 0 for row in found.months)


def test_before_anything_is_written_all_of_it_is_to_go(world: World):
    found = migration(world)
    assert [row["month"] for row in found.months] == sorted({row["month"] for row in found.months}, reverse=True)
    assert len(found.months) >= 13
    sums = {column: total(found, column) for column in ("orders_in_exact", "orders", "deals_to_go", "deals")}
    assert sums == {"orders_in_exact": 40, "orders": 40, "deals_to_go": 40, "deals": 0}
    assert found.planned
    today = found.planned.today
    assert {(row["deals_on"], row["done_on"]) for row in found.months if row["orders"]} == {(today, today)}


def test_what_was_to_go_is_what_writing_it_costs(world: World):
    planned = plan(world.engine, world.config, PLENTY)
    foreseen = {kind: planned.as_dict()[kind]["create"] for kind in KINDS}
    of_months = sum(part.tokens for part in planned.to_go if part.month)
    assert total(migration(world), "tokens_to_go") == of_months
    report = world.write()
    assert {kind: report.tallies[kind].created for kind in KINDS} == foreseen
    assert 0 <= report.tokens - planned.tokens <= 100  # the pipeline, its stages and what reading the account costs


def test_when_all_is_written_nothing_is_to_go_and_no_day_is_named(world: World):
    world.write()
    found = migration(world)
    assert {row["tokens_to_go"] for row in found.months} == {0}
    assert {(row["deals_on"], row["done_on"]) for row in found.months} == {(None, None)}
    assert total(found, "deals") == total(found, "orders") == 40
    assert found.figures() == {"tokens_to_go": 0}


def test_a_changed_row_of_a_deal_that_is_there_is_planned_at_the_price_of_the_change(world: World):
    world.write()
    order = next(order for order in world.company.orders if len(order.lines) > 1 and order.status == 12)
    world.company.change_line(order.lines[0].id, quantity=7)
    world.land()
    world.refresh()
    found = migration(world)
    assert found.planned
    (rows,) = [part for part in found.planned.to_go if part.kind == "deal_products"]
    assert (rows.month, rows.pieces) == (order.order_date.replace(day=1), 1)
    assert total(found, "rows_to_go") == 1
    planned, report = found.planned.tokens, world.write()
    assert 0 < report.tokens <= planned


def tomorrow(world: World) -> None:
    """The next day begins, at Pipedrive and by our calendar."""
    world.wait(86_400)
    budget = """UPDATE state.remembered SET value = value || '{"day": "2000-01-01"}' WHERE name = 'pipedrive budget'"""
    with world.engine.begin() as tx:
        tx.execute(text(budget))


def test_the_day_that_was_named_at_the_start_is_the_day_it_is_done(engine: Engine):
    account = {"daily_tokens": DAY}
    world = World(engine, company=seeded_company(orders=150, products=40), account=account)
    world.land()
    world.refresh()
    found = migration(world, DAY)
    assert found.planned
    done_on = found.planned.done_on
    assert done_on
    named, days = (done_on - found.planned.today).days, 0
    while world.write(DAY).stopped:
        days += 1
        tomorrow(world)
        assert days < 3 * named
    assert named >= 5
    assert abs(days - named) <= max(1, named / 20)
    assert total(migration(world, DAY), "tokens_to_go") == 0


def test_newer_months_are_done_before_older_ones_and_deals_before_rows(world: World):
    found = migration(world, 400)
    waiting = [row for row in found.months if row["deals_to_go"]]
    days = [row["deals_on"] for row in waiting]
    assert days == sorted(days)
    assert [row["done_on"] for row in waiting] == sorted(row["done_on"] for row in waiting)
    assert max(days) <= min(row["done_on"] for row in waiting)
    assert waiting[0]["done_on"] < waiting[-1]["done_on"]


@pytest.mark.parametrize("daily_tokens", [0, 4])
def test_a_budget_smaller_than_one_piece_names_no_day_and_says_so(world: World, daily_tokens: int):
    found = migration(world, daily_tokens)
    assert {(row["deals_on"], row["done_on"]) for row in found.months} == {(None, None)}
    assert found.figures()["expected_on"].startswith("never")
    assert plan(world.engine, world.config, daily_tokens).as_dict()["done_on"] is None


def test_an_idle_run_leaves_the_table_alone_and_a_new_order_does_not(world: World):
    world.write()
    assert migration(world).rebuilt
    assert not migration(world).rebuilt
    place(world, (0, 1, 5))
    world.sync()
    found = migration(world)
    assert found.rebuilt
    assert total(found, "deals") == 41
    idle = migration(world)
    assert (idle.rebuilt, idle.months) == (0, found.months)


def test_an_empty_warehouse_has_no_months(engine: Engine):
    world = World(engine, company=seeded_company(orders=1, products=20))
    assert migration(world).months == []


def test_a_deleted_order_and_one_without_a_deal_are_told_apart(world: World):
    world.write()
    gone = next(iter(world.company.orders))
    never = place(world, (0, 1, 5))
    world.company.delete_order(never.id)
    world.company.delete_order(gone.id)
    world.land()
    world.refresh()
    found = migration(world)
    assert total(found, "orders") == total(found, "deals") == 39
    assert total(found, "deals_to_go") == 1  # lost
