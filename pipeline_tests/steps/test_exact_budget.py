"""The day's calls: history leaves a share to live changes, stops with a sentence, and goes on the next day."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.domain.allowance import CALLS_A_MINUTE
from pipeline.errors import BudgetSpent
from pipeline.sandbox.company import seeded_company
from pipeline.steps.order_history import finish_history, land_history, window
from pipeline_tests.steps.test_switches import place
from pipeline_tests.world import World

DAY = 86_400.0


@pytest.fixture
def begin(engine: Engine) -> Callable[..., World]:
    def begin(**erp: Any) -> World:
        world = World(engine, company=seeded_company(orders=20, products=20), erp={"limits": True, **erp})
        world.company.clock.run_at(0)
        return world

    return begin


def history(world: World) -> Any:
    months = window(world.config.administrations[0], 12)
    return land_history(world.engine, lambda _: world.client, world.config, {"nl": months})


def test_history_stops_at_its_share_and_what_landed_stays(begin: Callable[..., World]):
    world = begin(daily_limit=20, large_page_size=1)
    read = history(world)
    assert "kept for live changes (4 of 20 left)" in read.figures()["stopped"]
    assert read.calls == 17  # sixteen that were sent, and the one that was not
    assert world.ask("SELECT count(*) AS n FROM exact_online.order_history")[0].n == 15
    assert world.ask("SELECT count(*) AS n FROM state.landed_months")[0].n == 0


def test_live_changes_use_what_history_left(begin: Callable[..., World]):
    world = begin(daily_limit=20, large_page_size=1)
    history(world)
    with pytest.raises(BudgetSpent, match="used up; it goes on after the reset"):
        list(world.client.pages("sync/SalesOrder/SalesOrderLines", filter="Timestamp gt 0", select="ID"))
    assert world.exact.calls["sync/SalesOrder/SalesOrderLines"] == 4


def test_the_next_day_reads_the_months_that_were_left_and_then_nothing_is(begin: Callable[..., World]):
    world = begin(daily_limit=25, large_page_size=1)
    assert history(world).stopped
    world.wait(DAY)
    assert finish_history(world.engine, world.client, world.config, "nl").stopped is None
    assert world.ask("SELECT count(*) AS n FROM state.landed_months")[0].n == 13
    assert world.ask("SELECT count(*) AS n FROM exact_online.order_history")[0].n == 20
    calls = world.client.calls
    finish_history(world.engine, world.client, world.config, "nl")
    assert world.client.calls == calls


@pytest.mark.parametrize("skew", [0.0, 3600.0, -3600.0, 29.0])
def test_a_minute_that_is_full_is_waited_out_though_our_clock_is_another_one(engine: Engine, skew: float):
    erp = {"limits": True, "minutely_limit": 7, "large_page_size": 1}
    world = World(engine, company=seeded_company(orders=20, products=20), erp=erp, skew=skew)
    world.company.clock.run_at(0)
    place(world, (0, 1, 5))
    history(world)
    world.land()
    assert world.ask("SELECT count(*) AS n FROM exact_online.order_history")[0].n == 21
    assert world.ask("SELECT minute_limit AS n FROM state.exact_limits")[0].n == 7 != CALLS_A_MINUTE
