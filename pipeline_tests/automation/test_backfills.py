"""Months read through Dagster: each partition has figures of its own, and each month its place on the way onwards."""

from datetime import UTC, date, datetime
from typing import Any, cast

import dagster as dg
import pytest
from sqlalchemy import Engine

from pipeline.assets import exact_online
from pipeline.automation.jobs import history_onwards
from pipeline.automation.partitions import month_key
from pipeline.automation.running import chosen_months
from pipeline.config import Config
from pipeline.errors import GiveUp
from pipeline.resources import ExactOnline
from pipeline.sandbox.company import seeded_company
from pipeline.steps.order_history import window
from pipeline_tests.automation.factory import run
from pipeline_tests.world import SETTINGS, World

ADMINISTRATION = Config.model_validate(SETTINGS).administrations[0]
MIGRATION = dg.AssetKey(["marts", "migration"])
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, company=seeded_company(orders=30, products=20))


def partitions(world: World, first: str, last: str) -> dict[str, dict[str, Any]]:
    """One run over those partitions, and what each of them says."""
    resources = {
        "engine": world.engine,
        "configuration": world.config,
        "exact": ExactOnline(lambda _: world.client),
    }
    ends = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            cast(list[dg.AssetsDefinition], [exact_online.order_history]),
            instance=instance,
            resources=resources,
            run_config=QUIET,
            tags=ends,
        )
    events = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    return {str(event.partition): {name: value.value for name, value in event.metadata.items()} for event in events}


def test_each_partition_of_a_run_tells_its_own_orders_and_all_of_them_the_calls_of_the_run(world: World):
    months = window(world.config.administrations[0], 12)
    calls = world.client.calls
    said = partitions(world, month_key("nl", months[0]), month_key("nl", months[-1]))
    assert set(said) == {month_key("nl", month) for month in months}
    orders = {key: 0 for key in said}
    lines = dict(orders)
    for order in world.company.orders:
        key = month_key("nl", order.order_date.replace(day=1))
        orders[key] += 1
        lines[key] += len(order.lines)
    assert {key: found["orders"] for key, found in said.items()} == orders
    assert {key: found["lines"] for key, found in said.items()} == lines
    assert {found["exact_calls"] for found in said.values()} == {world.client.calls - calls}
    assert {found["read_to_its_end"] for found in said.values()} == {True}
    assert {found["orders_in_erp"] for found in said.values()} == {0}


def test_a_single_partition_has_its_figures_and_erp_beside_them_once_it_went_on(world: World):
    month = month_key("nl", window(world.config.administrations[0], 2)[0])
    before = partitions(world, month, month)[month]
    world.sync()
    after = partitions(world, month, month)[month]
    assert (after["orders_in_erp"], after["value_in_erp"]) == (before["orders"], before["value_in_exact"])
    assert before["orders"] > 0


def test_a_reading_that_the_budget_ended_says_which_months_it_did_not_finish(engine: Engine):
    world = World(
        engine,
        company=seeded_company(orders=20, products=20),
        erp={"limits": True, "daily_limit": 20, "large_page_size": 1},
    )
    world.company.clock.run_at(0)
    months = window(world.config.administrations[0], 12)
    said = partitions(world, month_key("nl", months[0]), month_key("nl", months[-1]))
    assert {found["read_to_its_end"] for found in said.values()} == {False}
    assert {"kept for live changes" in found["stopped"] for found in said.values()} == {True}


def test_the_months_on_their_way_are_shown_with_what_the_day_rests_on(engine: Engine):
    world = World(engine, company=seeded_company(orders=30, products=20), account={"daily_tokens": 400})
    world.land()
    world.refresh()
    assert world.write(400).stopped
    said = said_of_migration(world)
    assert said["tokens_to_go"] > 0
    assert date.fromisoformat(said["expected_on"]) > datetime.now(UTC).date()
    assert "320 tokens a day" in said["assumption"]
    months = said["months"].splitlines()
    assert len(months) == 2 + said["dagster/row_count"] <= 26
    assert months[2].startswith(f"| {window(world.config.administrations[0], 0)[-1]:%Y-%m} | nl |")


def test_when_nothing_is_to_go_the_months_are_shown_without_a_day(world: World):
    world.sync()
    said = said_of_migration(world)
    assert (said["tokens_to_go"], said["rows_changed"], "expected_on" in said) == (0, said["dagster/row_count"], False)
    again = said_of_migration(world)
    assert (again["months"], again["rows_changed"]) == (said["months"], 0)


def said_of_migration(world: World) -> dict[str, Any]:
    result = run(world, history_onwards.name, layers=["marts"])
    assert result.success
    (event,) = [event for event in result.get_asset_materialization_events() if event.asset_key == MIGRATION]
    return {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}


# --- which months a person asks for ---


def test_both_ends_are_among_the_months_and_the_present_one_is_the_last_if_none_is_named():
    administration = ADMINISTRATION
    assert chosen_months(administration, "2019-11", "2020-02") == [
        date(2019, 11, 1),
        date(2019, 12, 1),
        date(2020, 1, 1),
        date(2020, 2, 1),
    ]
    present = window(administration, 0)[-1]
    assert chosen_months(administration, f"{present:%Y-%m}", None) == [present]
    assert chosen_months(administration, "2010-01", None)[0] == date(2010, 1, 1)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2019-13", None, "--from 2019-13 is not a month: write year and month, such as 2019-01."),
        ("2019-1", None, "--from 2019-1 is not a month"),
        ("٢٠١٩-٠١", None, "is not a month"),
        ("0000-01", None, "is not a month"),
        ("2019-01", "12-2019", "--to 12-2019 is not a month"),
        ("2020-02", "2020-01", "--from 2020-02 lies behind --to 2020-01: write the earlier month after --from."),
        ("2019-01", "2999-01", "--to 2999-01 lies in the future"),
        ("2999-01", None, "--from 2999-01 lies behind --to"),
        ("2009-12", None, "history begins with 2010-01"),
    ],
)
def test_what_is_no_range_of_months_is_one_sentence_that_says_what_to_write(
    first: str, last: str | None, sentence: str
):
    with pytest.raises(GiveUp, match=sentence):
        chosen_months(ADMINISTRATION, first, last)
