"""Hands in the simulated Pipedrive, an order with its deal, and whether all stands as it should."""

from typing import Any

from pipeline_tests.steps.test_faults import assert_rows_are_the_wanted_ones
from pipeline_tests.steps.test_journeys import assert_all_equal
from pipeline_tests.world import World


def hand(world: World, kind: str, **wanted: Any) -> dict[str, Any]:
    return world.control("change", {"kind": kind, **wanted})


def one_of(world: World, status: str, lines: int = 2) -> tuple[Any, dict[str, Any]]:
    """An order and its deal, in that status and with at least so many rows."""
    for order in world.company.orders.rows.values():
        deal = world.deals()[order.id]
        if deal["status"] == status and len(deal["products"]) >= lines:
            return order, deal
    raise AssertionError(f"no {status} deal with {lines} rows")


def assert_as_wanted(world: World) -> None:
    """One deal an order with the right rows and worth, and another run has nothing to do."""
    live = [deal for deal in world.control("state?only=deals")["deals"] if not deal["is_deleted"]]
    keys = [deal["custom_fields"]["Exact order-ID"] for deal in live]
    assert len(keys) == len(set(keys))
    assert_rows_are_the_wanted_ones(world)
    assert_all_equal(world)
    before = world.requests()
    world.sync()
    assert world.requests() == before
