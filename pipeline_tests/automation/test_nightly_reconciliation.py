"""The job `reconciliation` as Dagster runs it: what it finds, what it costs, and what its checks say."""

from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy import text

from pipeline.automation.jobs import catalogue_delta, history_onwards, orders_delta, reconciliation
from pipeline.automation.schedules import nightly_reconciliation, requests
from pipeline.definitions import defs
from pipeline_tests.automation.factory import run
from pipeline_tests.steps.test_switches import Expected, assert_deals_show_the_orders, place
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_sync

ALL_EXPLAINED, SAME_REVENUE = "every_difference_is_explained", "revenue_by_month_is_the_same"
NONE_OVERLOOKED = {
    "every_difference_has_a_month": (
        True,
        "WARN",
        "no orders that differ in a month that marts.reconciliation does not show",
    )
}


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    with worlds.after(first_sync(orders=40, products=40)) as world:
        yield world


def checked(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str, str]]:
    """Of each check whether it passed, how bad it is, and what it says; what nothing explains fails the run."""
    evaluations = result.get_asset_check_evaluations()
    assert result.success == all(one.passed for one in evaluations if one.check_name == ALL_EXPLAINED)
    return {one.check_name: (one.passed, one.severity.value, one.description or "") for one in evaluations}


def first_shown(result: dg.ExecuteInProcessResult, check: str) -> list[str]:
    found = next(one for one in result.get_asset_check_evaluations() if one.check_name == check)
    return str(found.metadata["first"].value).split("\n")[2:]  # below the names of its columns


def break_deals(world: World, *, up_to: int) -> None:
    """So many deals are forgotten, and nothing waits for them."""
    with world.engine.begin() as tx:
        gone = "SELECT order_id FROM crm.deals ORDER BY order_date, order_id LIMIT :most"
        for table in ("deal_products", "deals"):
            tx.execute(text(f"DELETE FROM pipedrive.{table} WHERE order_id IN ({gone})"), {"most": up_to})


def test_a_night_on_which_all_is_well(world: World):
    before = world.client.calls
    result = run(world, reconciliation.name)
    assert checked(result) == NONE_OVERLOOKED | {
        ALL_EXPLAINED: (True, "ERROR", "no orders that differ and nothing explains it"),
        SAME_REVENUE: (True, "WARN", "no months worth something else on the way"),
    }
    assert world.client.calls - before == 3  # forty orders, what is open, and the feed whose night it is
    (totals,) = result.asset_materializations_for_node("exact_online__order_totals")
    said = {name: value.value for name, value in totals.metadata.items()}
    figures = {"orders": 40, "read_again": 0, "gone": 0, "exact_calls": 1, "rows_changed": 40, "dagster/row_count": 40}
    assert said | figures == said


def test_a_night_finds_what_no_feed_told_of_and_explains_it(world: World):
    place(world, (3, 2, 8))
    world.company.last_version += 100_000
    with world.engine.begin() as tx:
        far = {"far": str(world.company.last_version), "further": world.company.last_version}
        tx.execute(text("UPDATE state.watermarks SET seen_up_to = :far WHERE feed <> 'item_groups'"), far)
        tx.execute(text("UPDATE state.remembered SET value = to_jsonb(:further) WHERE name LIKE '% settled'"), far)
    assert checked(run(world, reconciliation.name)) == NONE_OVERLOOKED | {
        ALL_EXPLAINED: (True, "ERROR", "no orders that differ and nothing explains it"),
        SAME_REVENUE: (False, "WARN", "1 months worth something else on the way"),
    }
    world.sync()
    expected = Expected(world)
    expected.follow()
    assert_deals_show_the_orders(expected)
    assert all(passed for passed, *_ in checked(run(world, reconciliation.name)).values())


def test_a_difference_that_nothing_explains_fails_both_checks_and_is_named(world: World):
    break_deals(world, up_to=1)
    result = run(world, reconciliation.name)
    assert checked(result) == NONE_OVERLOOKED | {
        ALL_EXPLAINED: (False, "ERROR", "1 orders that differ and nothing explains it"),
        SAME_REVENUE: (False, "ERROR", "1 months worth something else on the way"),
    }
    oldest = world.ask("SELECT order_number, value FROM crm.deals ORDER BY order_date, order_id LIMIT 1")[0]
    (named,) = first_shown(result, ALL_EXPLAINED)
    assert named.startswith(f"| nl | {oldest.order_number} | ")
    assert named.endswith(f"| not in Pipedrive | EUR | {oldest.value} | {oldest.value} | {oldest.value} |  |")


def test_ten_orders_are_named_of_many(world: World):
    break_deals(world, up_to=14)
    result = run(world, reconciliation.name)
    assert checked(result)[ALL_EXPLAINED] == (False, "ERROR", "14 orders that differ and nothing explains it")
    assert len(first_shown(result, ALL_EXPLAINED)) == 10


def test_a_compare_that_fails_is_a_failed_run_with_its_sentence(world: World):
    world.control_exact("fault", {"path": "bulk/SalesOrder", "kind": "status", "status": 400, "times": 9})
    failed = run(world, reconciliation.name)
    said = [event.step_failure_data.user_failure_data for event in failed.all_events if event.is_step_failure]
    assert [data.description[:26] for data in said if data] == ["Exact Online answered 400 "]
    assert world.ask("SELECT count(*) AS n FROM marts.reconciliation")[0].n == 0


@pytest.mark.parametrize("job", [orders_delta.name, catalogue_delta.name, history_onwards.name])
def test_no_poll_reconciles(job: str):
    keys = {key.to_user_string() for key in defs.resolve_job_def(job).asset_layer.executable_asset_keys}
    assert "marts/revenue_per_category" in keys
    assert keys.isdisjoint({"marts/differences", "marts/reconciliation", "exact_online/order_totals"})


def test_the_checks_of_deals_still_run_with_a_poll(world: World):
    place(world, (3, 2, 8))
    names = set(checked(run(world, orders_delta.name)))
    assert {"deal_values_equal_order_values", "rows_add_up_to_the_order", "nothing_was_refused"} <= names
    assert names.isdisjoint({ALL_EXPLAINED, SAME_REVENUE})


def test_it_comes_every_night_after_the_maintenance_unless_the_last_one_still_runs():
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        found = requests(context, reconciliation.name)
        assert isinstance(found, list)
        assert [request.partition_key for request in found] == ["nl"]
        started, tags = dg.DagsterRunStatus.STARTED, {"dagster/partition": "nl"}
        instance.add_run(dg.DagsterRun(job_name=reconciliation.name, status=started, tags=tags))
        assert isinstance(requests(context, reconciliation.name), dg.SkipReason)
    when = (nightly_reconciliation.cron_schedule, nightly_reconciliation.execution_timezone)
    assert when == ("30 2 * * *", "Europe/Amsterdam")
    assert nightly_reconciliation.name in {schedule.name for schedule in defs.schedules or []}
