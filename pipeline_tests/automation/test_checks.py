"""Checks on the tables: on a healthy warehouse all pass; whoever breaks a rule fails its check, which names the row."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Connection, Engine, text

from pipeline.automation.checks import CHECKS, LIVE, NIGHTLY, RULES
from pipeline.automation.checks.rules import SHOWN, Weight
from pipeline.automation.jobs import orders_delta, tables_checked
from pipeline.sandbox.company import seeded_company
from pipeline.steps.migration import rebuild_migration
from pipeline.steps.order_compare import compare_orders
from pipeline.steps.reconciliation import reconcile
from pipeline.steps.token_usage import refresh_token_usage
from pipeline_tests.automation.broken_rules import ABOUT_TO_BE_WRITTEN, BROKEN, ORDER, PENDING, landed
from pipeline_tests.automation.factory import run
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds

BY_NAME = {rule.name: rule for rule in RULES}


def healthy(engine: Engine) -> World:
    """After a synchronisation and a night."""
    world = World(engine, company=seeded_company(orders=30))
    world.sync()
    compare_orders(engine, world.client, world.config.administrations[0], months=world.config.history.months)
    rebuild_migration(engine, world.config, 10_000_000)
    refresh_token_usage(engine)
    reconcile(engine)
    return world


@pytest.fixture(scope="module")
def world(worlds: Worlds) -> Iterator[World]:
    with worlds.after(healthy) as world:
        yield world


@pytest.fixture
def connection(world: World) -> Iterator[Connection]:
    """Whatever is broken through it is whole again afterwards."""
    with world.engine.connect() as connection:
        yield connection
        connection.rollback()


def said(rule: str, connection: Connection, world: World) -> tuple[bool, str, Any]:
    result = BY_NAME[rule].outcome(connection, world.config)
    assert "Ann" not in str(result.metadata)
    return bool(result.passed), str(result.metadata["first"].value), result.metadata["rows"].value


def failed_with(result: dg.ExecuteInProcessResult) -> list[str | None]:
    """The sentences of the steps that failed."""
    failures = (event.step_failure_data.user_failure_data for event in result.all_events if event.is_step_failure)
    return [failure.description for failure in failures if failure]


def test_on_a_healthy_warehouse_every_check_passes(world: World, connection: Connection):
    assert {rule.name: said(rule.name, connection, world) for rule in RULES} == dict.fromkeys(
        BY_NAME, (True, "none", 0)
    )


@pytest.mark.parametrize(("rule", "breaks", "name"), BROKEN, ids=[rule for rule, *_ in BROKEN])
def test_a_broken_rule_fails_its_check_which_names_the_row(
    rule: str, breaks: str, name: str, world: World, connection: Connection
):
    wanted = str(connection.execute(text(name)).scalar_one())
    for statement in breaks.split("; "):
        assert connection.execute(text(statement)).rowcount
    passed, shown, rows = said(rule, connection, world)
    assert (passed, wanted in shown) == (False, True), shown
    assert len(shown.splitlines()) - 2 == min(rows, SHOWN)


def test_every_rule_is_broken_above_but_the_one_of_the_plan():
    assert {rule for rule, *_ in BROKEN} == set(BY_NAME) - {"the_plan_has_room_for_deals"}


@pytest.mark.parametrize(("cap", "passes"), [(None, True), (1000, True), (10, False)])
def test_a_full_plan_is_told_of(cap: int | None, passes: bool, world: World, connection: Connection):
    config = world.config.model_copy(update={"pipedrive": world.config.pipedrive.model_copy(update={"deal_cap": cap})})
    result = BY_NAME["the_plan_has_room_for_deals"].outcome(connection, config)
    assert (result.passed, f"deal_cap is {cap or 'not set'}" in str(result.description)) == (passes, True)


@pytest.mark.parametrize(
    ("rule", "breaks", "waits"),
    [
        (
            "deal_values_equal_order_values",
            f"UPDATE erp.orders SET amount_excl_vat = amount_excl_vat + 1 WHERE order_id = {ORDER}",
            f"{ABOUT_TO_BE_WRITTEN}; {PENDING.format('crm/deals', ORDER)}",
        ),
        (
            "rows_add_up_to_the_order",
            f"UPDATE crm.deals SET value = value + 1 WHERE order_id = {ORDER}",
            f"{ABOUT_TO_BE_WRITTEN}; {PENDING.format('crm/deal_products', ORDER)}",
        ),
        (
            "revenue_per_customer_adds_up",
            f"UPDATE erp.orders SET amount_excl_vat = amount_excl_vat + 1 WHERE order_id = {ORDER}",
            PENDING.format("marts/revenue", ORDER),
        ),
        (
            "every_account_is_taken_in",
            landed("accounts", "id")[0],
            PENDING.format("erp/customers", "'lost'"),
        ),
    ],
)
def test_what_still_waits_breaks_no_rule(rule: str, breaks: str, waits: str, world: World, connection: Connection):
    for statement in f"{breaks}; {waits}".split("; "):
        connection.execute(text(statement))
    assert said(rule, connection, world)[0]


def test_wrong_money_is_not_written_and_fails_the_night_with_a_sentence(worlds: Worlds):
    with worlds.after(healthy) as world:
        with world.engine.begin() as tx:
            for statement in BROKEN[0][1].split("; "):
                tx.execute(text(statement))
        before = sum(world.requests().values())
        live, night = run(world, orders_delta.name), run(world, tables_checked.name)
        assert sum(world.requests().values()) == before
        deal = "1 deals worth another amount than their order"
        assert failed_with(live) == [
            f"{deal} (check deal_values_equal_order_values). The checks name the first of them."
        ]
        assert failed_with(night) == [
            f"{deal} (check every_deal_is_worth_its_order); 1 deals whose rows add up to another amount "
            "(check every_deal_adds_up). The checks name the first of them."
        ]
        broken = {one.check_name for one in night.get_asset_check_evaluations() if not one.passed}
        assert broken == {"every_deal_is_worth_its_order", "every_deal_adds_up"}
        assert {one.check_name for one in night.get_asset_check_evaluations()} >= {
            spec.name for bundle in NIGHTLY for spec in bundle.check_specs
        }
        with world.engine.begin() as tx:
            tx.execute(text(f"UPDATE crm.deals SET value = value - 0.01 WHERE order_id = {ORDER}"))
        assert run(world, orders_delta.name).success


def test_only_wrong_money_stops_a_run_and_a_live_run_has_few_checks():
    stopping = {rule.name for rule in RULES if rule.weight is Weight.BLOCKS}
    assert stopping == {"deal_values_equal_order_values", "rows_add_up_to_the_order", "no_two_orders_share_a_deal"}
    assert {spec.name for check in CHECKS for spec in check.check_specs} == set(BY_NAME)
    assert [len(list(check.check_specs)) for check in LIVE] == [2, 2, 3]
