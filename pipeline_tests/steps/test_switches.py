"""Whatever the vendors do where nobody knows: one journey, once for every other answer of every switch.

A switch that a simulator gets (`docs/`, "What nobody could establish") gets its answers here.
"""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.errors import RetryLater
from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.company_rows import Order
from pipeline.steps.audit import audit
from pipeline_tests.steps.expected import Expected, assert_deals_show_the_orders, assert_nothing_is_left
from pipeline_tests.steps.test_journeys import assert_all_equal
from pipeline_tests.world import World

EXACT_SWITCHES: list[dict[str, Any]] = [
    {"require_filter": True},
    {"bare_list_up_to": 59},
    {"bare_list_on_later_pages": False},
    {"strict_filter_flags": False},
    {"sync_header_has_own_id": False},
    {"deleted_order_key": "ID"},
    {"header_discount": "percent"},
    {"line_amount_includes_vat": True},
    {"sync_timestamp_field": "TimestampAsBigInt"},
    {"webhook_creates_as": "Create"},
    {"webhook_price_topic": "SalesItemPrices"},
    {"functions_take_filters": True},
    {"token_calls_per_day": 200},
    {"case_sensitive_paths": False},
    {"missing_field_status": 400},
    {"early_refresh_status": 401},
    {"used_token_status": 400},
    {"hr_rights": False},
    {"inventory_feeds_licensed": False},
    {"headers_on_429": False},
    {"retry_after_on_429": True},
    {"body_of_429": "Too many requests"},
    {"headers_when_blocked": True},
    {"body_of_401": "Unauthorized"},
    {"daily_reset_zone": "Europe/Amsterdam"},
    {"refresh_ends_access_token": True},
    {"header_status_follows": "delivery"},
    {"services_are_delivered": True},
    {"receivables_are_negative": True},
    {"unknown_reference": "null"},
    {"sync_stops_at_in_flight": True},
    {"sync_type_prefix": ""},
    {"webhook_ends_after_retries": True},
    {"webhooks_tell_own_writes": False},
    {"webhook_requires_https": True},
    {"webhook_timeout_seconds": 30},
    {"missing_filter_text": "…"},
]
PIPEDRIVE_SWITCHES: list[dict[str, Any]] = [
    {"query_token": "refused"},
    {"deal_add_time": "ignored"},
    {"deal_add_time": "taken"},
    {"won_time_on_create": "ignored"},
    {"won_time_on_create": "refused"},
    {"close_time_years": 10},
    {"value_with_products": "ignored"},
    {"value_with_products": "taken"},
    {"value_after_last_product": "kept"},
    {"patch_value_resets": True},
    {"lines_touch_deal": True},
    {"currency_with_products": "refused"},
    {"recalculation_seconds": 5.0},
    {"rounding": "deal"},
    {"exclusive_tax_in_sum": True},
    {"amount_discount": "unit"},
    {"negative_quantity": True},
    {"bulk_is_atomic": False},
    {"products_per_deal": 200},
    {"products_on_won_deals": False},
    {"products_on_archived_deals": True},
    {"unarchive": "with_edits"},
    {"frozen_edit_status": 403},
    {"deleted_get": 404},
    {"second_delete": 410},
    {"not_found_code": None},
    {"unknown_v2_path": "json"},
    {"field_problem_names_code": False},
    {"unknown_custom_field": "ignored"},
    {"empty_custom_fields": "null"},
    {"deal_nulls": "omitted"},
    {"null_clears": False},
    {"nameless_persons": "taken"},
    {"category_as": "label"},
    {"title_limit": None},
    {"comments_limit": 255},
    {"note_limit": 1_000},
    {"notes_per_deal": 100},
    {"over_limit": "clamped"},
    {"list_end": "omitted"},
    {"list_end": "bare"},
    {"cursor_lifetime_seconds": 1.0},
    {"fresh_in_updated_since": False},
    {"search_lag_seconds": 0.0},
    {"search_lag_seconds": 9.0},
    {"list_lag_seconds": 5.0},
    {"field_search_shape": "items"},
    {"search_paging": "start"},
    {"short_429_body": True},
    {"retry_after": 1},
    {"charge_refused": True},
    {"daily_overdraft": True},
    {"server_zone": "America/Los_Angeles"},
    {"daily_headers": False},
    {"headers_missing_after_pause": 3},
    {"daily_writes": 10_000},
    {"search_in_burst": True},
    {"storm_refusals": None},
    {"storm_seconds": 60.0},
    {"storm_block_seconds": 600.0},
    {"bulk_delete_cost": 15},
]
ALONE = {"close_time_years", "null_clears", "rounding", "products_on_archived_deals"}
NOTICED_BY_AN_AUDIT = {"rounding", "products_on_archived_deals"}  # no answer to a write tells
LONG_AGO = date(2012, 2, 29)


# What an account with that answer can't show by its nature, and of which deals; the rest of them arrives all the same.
IMPOSSIBLE: dict[str, tuple[str, Callable[[dict[str, Any]], bool]]] = {
    "close_time_years": ("won_time", lambda picture: picture["custom_fields"]["Orderdatum"] == LONG_AGO.isoformat()),
    "null_clears": ("expected_close_date", lambda picture: picture["expected_close_date"] is None),
    "rounding": ("rows", lambda picture: has_parts_of_a_cent(picture["rows"])),  # the last row takes them up
}


def has_parts_of_a_cent(rows: Iterable[tuple[str, float, float]]) -> bool:
    amounts = [Decimal(str(quantity)) * Decimal(str(price)) for _, quantity, price in rows]
    return any(amount != amount.quantize(Decimal("0.01")) for amount in amounts)


def written_until_it_works(world: World) -> None:
    """Writes what waits, and as often again as lost answers and a day not known to have begun ask for."""
    for _ in range(5):
        try:
            if not world.write().stopped:
                return
        except RetryLater:
            continue
    raise AssertionError("it never came through")


def place(world: World, *lines: tuple[int, float, float], **fields: Any) -> Order:
    """An order of the first customer; a line is the place of its item in the catalogue, quantity and price."""
    items = list(world.company.items.rows)
    account = next(iter(world.company.accounts.rows))
    return world.company.place_order(
        account, [(items[item], quantity, price) for item, quantity, price in lines], **fields
    )


def company_of_long_ago() -> Company:
    """Ten orders of long ago, which the changes feed tells nothing of any more, and room for new ones."""
    company = seeded_company(orders=10, products=20)
    company.last_version += 10_000
    return company


def world_before_its_first_sync(engine: Engine, monkeypatch: pytest.MonkeyPatch, **sides: Any) -> World:
    """Of that company, where waiting takes no time."""
    world = World(engine, company=company_of_long_ago(), **sides)
    monkeypatch.setattr("time.sleep", world.wait)
    return world


def a_day_of_work(world: World) -> None:
    """What people do in the ERP in a day, to orders of every kind."""
    company = world.company
    first, second, third, fourth, won, *_ = company.orders.rows
    several, emptied = (order for order in company.orders if order.your_ref in ("zeven regels", "een regel"))
    company.change_line(several.lines[1].id, quantity=7)
    company.remove_line(several.lines[0].id)
    company.add_line(several.id, several.lines[-1].item_id, 2, 3.5)
    company.cancel(first)
    company.set_status(second, 21, 21, 21)
    company.change_order(third, currency="USD", rate=0.9, your_ref=None, delivery_date=None)
    company.delete_order(fourth)
    company.reopen(won)
    company.remove_line(emptied.lines[0].id)
    place(world, (0, 3, 12.5), (1, 1, 99.95), (0, -1, 12.5), (2, 0, 5), (3, 2, 0), discount=0.1, your_ref="INK-7")
    place(world, (4, 1, 1.004), (5, 1, 1.004))
    place(world, *((item, 2, 4.25) for item in range(10, 18)), your_ref="acht regels")
    old = place(world, (6, 1, 30), order_date=LONG_AGO)
    company.set_status(old.id, 21, 21, 21)


def journey(world: World, expected: Expected) -> None:
    """A first load, a day of work whose tokens end, a morning of lost answers, and some more work."""
    company = world.company
    place(world, *((item, item + 1, 10 + item) for item in range(7)), delivery_date=None, your_ref="zeven regels")
    place(world, (8, 2, 20), charges=7.5, your_ref="een regel")
    world.sync()
    expected.follow()
    a_day_of_work(world)
    expected.follow()
    refused = world.deals()[next(iter(company.orders.rows))]["id"]
    world.control("fault", {"kind": "daily_429", "times": 50, "path": f"/api/v2/deals/{refused}"})
    world.wait(900)
    assert world.sync().stopped
    world.control_off("fault")
    world.control("clock", {"advance_days": 1})
    for path in ("/api/v2/deals", "/products/bulk"):
        world.control("fault", {"kind": "drop_after", "method": "POST", "path": path})
    written_until_it_works(world)
    finished = company.orders.rows[list(company.orders.rows)[1]]
    company.change_line(finished.lines[0].id, quantity=3)
    company.delete_order(next(order.id for order in company.orders if order.your_ref == "acht regels"))
    world.wait(900)
    world.sync()
    expected.follow()
    world.wait(60)


def bundled(answers: list[dict[str, Any]], size: int = 24) -> list[dict[str, Any]]:
    """Answers to different questions, several to a journey; those that make something impossible by themselves."""
    bundles: list[dict[str, Any]] = []
    for answer in answers:
        alone = answer.keys() & ALONE
        roomy = (one for one in bundles if len(one) < size and not one.keys() & (answer.keys() | ALONE))
        bundle = None if alone else next(roomy, None)
        if bundle is None:
            bundles.append(dict(answer))
        else:
            bundle |= answer
    return bundles


@pytest.mark.parametrize("erp", [{}, *bundled(EXACT_SWITCHES)], ids=str)
def test_the_journey_ends_the_same_whatever_exact_does_where_nobody_knows(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, erp: dict[str, Any]
):
    world = world_before_its_first_sync(engine, monkeypatch, erp=erp, account={"daily_tokens": 1_000_000})
    expected = Expected(world)
    journey(world, expected)
    assert_deals_show_the_orders(expected)
    assert_all_equal(world)
    assert_nothing_is_left(world)


@pytest.mark.parametrize("account", bundled(PIPEDRIVE_SWITCHES), ids=str)
def test_the_journey_ends_the_same_whatever_pipedrive_does_where_nobody_knows(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, account: dict[str, Any]
):
    usual = {"daily_tokens": 1_000_000, "search_lag_seconds": 3.0}
    world = world_before_its_first_sync(engine, monkeypatch, account=usual | account)
    expected = Expected(world)
    journey(world, expected)
    if account.keys() & NOTICED_BY_AN_AUDIT:
        audit(world.engine, world.pipedrive_client, world.config, full=True, daily_tokens=1_000_000)
        world.sync()
    impossible = [IMPOSSIBLE[switch] for switch in account if switch in IMPOSSIBLE]
    for name, concerns in impossible:
        for picture in expected.pictures.values():
            if concerns(picture):
                del picture[name]
    assert_deals_show_the_orders(expected)
    assert_all_equal(world)
    assert_nothing_is_left(world, impossible=[name for name, _ in impossible])


@pytest.mark.parametrize("account", [{}, {"frozen_edit_status": 403}, {"products_on_archived_deals": True}], ids=str)
def test_an_archived_deal_comes_out_of_the_archive_when_its_order_changes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, account: dict[str, Any]
):
    world = world_before_its_first_sync(engine, monkeypatch, account=account)
    order = place(world, (0, 1, 10), (1, 2, 5))
    world.sync()
    world.control("change", {"kind": "edit_deal", "id": world.deals()[order.id]["id"], "fields": {"is_archived": True}})
    world.company.change_line(order.lines[0].id, quantity=3)
    world.sync()
    if account.keys() & NOTICED_BY_AN_AUDIT:
        audit(world.engine, world.pipedrive_client, world.config, full=False, daily_tokens=1_000_000)
    expected = Expected(world)
    expected.follow()
    assert_deals_show_the_orders(expected)
    assert not world.deals()[order.id]["is_archived"]
    assert_nothing_is_left(world)


@pytest.mark.parametrize("account", [{}, {"not_found_code": None}, {"second_delete": 410}], ids=str)
def test_rows_that_somebody_took_off_a_deal_stop_nothing_when_their_lines_change(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, account: dict[str, Any]
):
    world = world_before_its_first_sync(engine, monkeypatch, account=account)
    order = place(world, (0, 1, 10), (1, 2, 5), (2, 2, 5))
    world.sync()
    for row in world.deals()[order.id]["products"][1:]:
        world.control("change", {"kind": "delete_deal_product", "id": row["id"]})
    world.company.change_line(order.lines[1].id, quantity=3)
    world.company.remove_line(order.lines[2].id)
    world.sync()
    expected = Expected(world)
    expected.follow()
    assert_deals_show_the_orders(expected)
    assert_nothing_is_left(world)


def test_an_order_with_more_lines_than_a_deal_holds_is_shown_with_its_reason_and_the_others_go_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    world = world_before_its_first_sync(engine, monkeypatch, account={"products_per_deal": 40})
    long = place(world, *((number % 20, 1, 10) for number in range(41)))
    world.sync()
    expected = Expected(world)
    expected.follow()
    expected.pictures[long.id]["rows"] = []
    assert_deals_show_the_orders(expected)
    held = world.ask("SELECT order_number, reason FROM crm.held_orders")
    assert [row.order_number for row in held] == [str(long.number)]
    assert "at most 40 products" in held[0].reason
