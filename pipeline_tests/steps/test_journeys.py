"""Orders on their way from the ERP to the CRM: what changes there arrives here, and nothing is written twice."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from pipeline.domain.budget import add_price
from pipeline.sandbox.company import seeded_company
from pipeline_tests.world import SETTINGS, World
from pipeline_tests.worlds import Worlds, first_sync


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, company=seeded_company(orders=40, products=60))


@pytest.fixture
def synced(worlds: Worlds) -> Iterator[World]:
    with worlds.after(first_sync(orders=40, products=60)) as world:
        yield world


def writes(world: World) -> dict[str, int]:
    return {request: times for request, times in world.requests().items() if not request.startswith("GET")}


def new_writes(world: World, before: dict[str, int]) -> dict[str, int]:
    return {
        request: times - before.get(request, 0)
        for request, times in writes(world).items()
        if times != before.get(request)
    }


def an_order(world: World, status: tuple[int, int, int]) -> str:
    return next(
        order.id
        for order in world.company.orders.rows.values()
        if (order.status, order.delivery_status, order.invoice_status) == status and len(order.lines) > 1
    )


def assert_all_equal(world: World) -> None:
    """Every deal in Pipedrive is worth what its order is, row by row."""
    deals = world.deals()
    wanted = world.ask("SELECT order_id, value FROM crm.deals")
    assert {row.order_id for row in wanted} == set(deals)
    for row in wanted:
        assert Decimal(str(deals[row.order_id]["value"])).quantize(Decimal("0.01")) == row.value, row.order_id


def test_every_order_becomes_one_deal_worth_the_same(synced: World):
    deals = synced.deals()
    assert len(deals) == len(synced.control("state")["deals"]) == 40
    for order in synced.company.orders.rows.values():
        deal = deals[order.id]
        assert deal["value"] == pytest.approx(order.amount_excl, abs=0.001)
        assert deal["custom_fields"]["Ordernummer"] == str(order.number)
        assert deal["custom_fields"]["Orderdatum"] == order.order_date.isoformat()
    assert_all_equal(synced)


def test_a_second_run_writes_nothing_and_asks_pipedrive_nothing(synced: World):
    asked, calls = synced.requests(), synced.client.calls
    report = synced.sync()
    assert synced.requests() == asked
    assert report.tokens == 0
    assert report.tallies["deals"].unchanged == 40
    assert synced.client.calls - calls == 10


def test_the_first_load_costs_the_floor_and_the_setup(world: World):
    report = world.sync()
    rows = world.ask("SELECT count(*) AS rows FROM crm.deal_products GROUP BY administration, order_id")
    records = sum(report.tallies[kind].created for kind in ("organizations", "persons", "products", "deals"))
    floor = 5 * records + sum(add_price(row.rows) for row in rows)
    setup = sum(tokens for request, tokens in world_tokens(world).items() if "Fields" in request or request in SETUP)
    assert report.tokens == floor + setup


SETUP = {
    "GET /api/v1/users",
    "GET /api/v2/pipelines",
    "POST /api/v2/pipelines",
    "GET /api/v2/stages",
    "POST /api/v2/stages",
    "GET /api/v2/organizations",
}


def world_tokens(world: World) -> dict[str, int]:
    return {row.request: row.tokens for row in world.ask("SELECT request, tokens FROM pipedrive.token_usage")}


def test_a_new_order_reaches_pipedrive_with_its_rows_in_line_order(synced: World):
    account, items = next(iter(synced.company.accounts.rows)), list(synced.company.items.rows)
    lines = [(items[0], 3, 12.5), (items[1], 1, 99.95), (items[0], -1, 12.5), (items[2], 0, 5), (items[3], 2, 0)]
    order = synced.company.place_order(account, lines, your_ref="INK-7", discount=0.1)
    report = synced.sync()
    deal = synced.deals()[order.id]
    assert report.tallies["deals"].created == 1
    assert [(row["quantity"], row["item_price"], row["comments"].split(" · ")[0]) for row in deal["products"]] == [
        (3, 12.5, "1"),
        (1, 99.95, "2"),
        (1, -12.5, "3"),
        (2, 0, "5"),
        (1, pytest.approx(order.amount_excl - 124.95), "verschil"),
    ]
    assert deal["custom_fields"]["Klantreferentie"] == "INK-7"
    assert (deal["status"], deal["stage"]) == ("open", "Nieuw")
    assert_all_equal(synced)


@pytest.mark.parametrize(
    ("status", "then"),
    [
        ((12, 12, 12), ("open", "Nieuw")),
        ((20, 20, 12), ("open", "Wacht op backorder")),
        ((20, 21, 12), ("open", "Verzonden")),
        ((21, 21, 21), ("won", "Verzonden")),
        ((45, 45, 45), ("lost", "Verzonden")),
    ],
)
def test_a_deal_moves_in_both_directions(synced: World, status: tuple[int, int, int], then: tuple[str, str]):
    order = an_order(synced, (21, 21, 21))
    for step in (status, (12, 12, 12), status):
        synced.company.set_status(order, *step)
        synced.sync()
        if step == status:
            expected = then if step != (45, 45, 45) else ("lost", synced.deals()[order]["stage"])
            assert (synced.deals()[order]["status"], synced.deals()[order]["stage"]) == expected
        else:
            assert (synced.deals()[order]["status"], synced.deals()[order]["stage"]) == ("open", "Nieuw")
    assert len(synced.deals()) == 40


def test_a_won_deal_is_won_at_noon_on_its_order_date(synced: World):
    order = synced.company.orders.rows[an_order(synced, (21, 21, 21))]
    deal = synced.deals()[order.id]
    assert deal["won_time"] == f"{order.order_date.isoformat()}T12:00:00Z"


def test_one_status_change_is_one_request(synced: World):
    order = an_order(synced, (12, 12, 12))
    before = writes(synced)
    synced.company.set_status(order, 20, 21, 12)
    report = synced.sync()
    assert new_writes(synced, before) == {"PATCH /api/v2/deals/{id}": 1}
    assert report.tokens == 5


def test_a_changed_line_is_patched_a_new_one_added_and_a_removed_one_deleted(synced: World):
    order = synced.company.orders.rows[an_order(synced, (12, 12, 12))]
    before = writes(synced)
    synced.company.change_line(order.lines[0].id, quantity=order.lines[0].quantity + 1)
    synced.sync()
    assert new_writes(synced, before).get("PATCH /api/v2/deals/{id}/products/{id}") == 1
    before = writes(synced)
    synced.company.add_line(order.id, next(iter(synced.company.items.rows)), 2, 3.5)
    synced.sync()
    assert new_writes(synced, before).get("POST /api/v2/deals/{id}/products", 0) >= 1
    synced.company.remove_line(order.lines[0].id)
    synced.sync()
    assert len([row for row in synced.deals()[order.id]["products"] if row["comments"] != "verschil"]) == len(
        order.lines
    )
    assert_all_equal(synced)


def test_an_order_deleted_in_the_erp_is_a_lost_deal_that_keeps_the_rest(synced: World):
    order = an_order(synced, (12, 12, 12))
    before = synced.deals()[order]
    synced.company.delete_order(order)
    synced.sync()
    deal = synced.deals()[order]
    assert (deal["status"], deal["lost_reason"]) == ("lost", "Verwijderd in Exact")
    assert (deal["value"], deal["title"], len(deal["products"])) == (
        before["value"],
        before["title"],
        len(before["products"]),
    )


def test_an_order_deleted_before_it_had_a_deal_gets_none(synced: World):
    account, item = next(iter(synced.company.accounts.rows)), next(iter(synced.company.items.rows))
    order = synced.company.place_order(account, [(item, 1, 5)])
    synced.company.delete_order(order.id)
    synced.sync()
    assert order.id not in synced.deals()


def test_a_renamed_customer_renames_open_deals_and_leaves_closed_ones(synced: World):
    titles = {order: deal["title"] for order, deal in synced.deals().items()}
    customer = synced.company.orders.rows[an_order(synced, (12, 12, 12))].account_id
    synced.company.rename_customer(customer, "Nieuwe Naam B.V.")
    synced.sync()
    for order, deal in synced.deals().items():
        is_theirs = synced.company.orders.rows[order].account_id == customer
        renamed = deal["title"].endswith("Nieuwe Naam B.V.")
        assert renamed == (is_theirs and deal["status"] == "open")
        assert renamed or deal["title"] == titles[order]


def test_history_is_in_the_same_state_whichever_way_it_came(synced: World):
    """An order that arrives by the changes feed alone looks like one that was read with its month."""
    old = synced.company.place_order(
        next(iter(synced.company.accounts.rows)),
        [(item, 2, 4.25) for item in list(synced.company.items.rows)[:6]],
        order_date=date(2020, 2, 29),
        discount=0.05,
    )
    synced.sync()
    deal = synced.deals()[old.id]
    assert len(deal["products"]) == 7
    assert deal["custom_fields"]["Orderdatum"] == "2020-02-29"
    assert_all_equal(synced)


def test_revenue_per_category_adds_up_to_the_orders_by_month(synced: World):
    by_month = synced.ask(
        "SELECT month, sum(revenue_excl_vat) AS revenue FROM marts.revenue_per_category GROUP BY month ORDER BY month"
    )
    expected: dict[date, Decimal] = {}
    for order in synced.company.orders.rows.values():
        if order.status != 45:
            month = order.order_date.replace(day=1)
            amount = Decimal(str(order.amount_excl)).quantize(Decimal("0.01"))
            expected[month] = expected.get(month, Decimal(0)) + amount
    assert {row.month: row.revenue for row in by_month} == expected


def test_owners_follow_the_salesperson_and_fall_back_to_the_tokens_own_user(synced: World):
    state = synced.control("state")
    users = {user["id"]: user["email"] for user in state["users"]}
    deals = synced.deals()
    for order in synced.company.orders.rows.values():
        manager = synced.company.accounts.rows[order.account_id].account_manager_id
        salespeople = SETTINGS["salespeople"]
        expected = salespeople.get(order.salesperson_id) or salespeople.get(manager) or "admin@sandbox.example"
        owner = deals[order.id]["owner_id"]
        assert users.get(owner, owner) == expected


def test_the_budget_stops_the_history_and_the_next_day_goes_on(world: World):
    world.land()
    world.refresh()
    first = world.write(daily_tokens=500)
    assert first.stopped
    assert 0 < first.tallies["deals"].left < 40
    assert first.tokens <= 500
    second = world.write(daily_tokens=10_000_000)
    assert second.stopped is None
    assert second.tallies["deals"].left == 0
    assert len(world.control("state")["deals"]) == 40
    assert_all_equal(world)
