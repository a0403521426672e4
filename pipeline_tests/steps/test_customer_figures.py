"""What organizations show of their customers' orders: in step with the books, and with days and months that pass."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from pipeline.config import Config
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.company_rows import Order
from pipeline.steps import refresh_crm
from pipeline.steps.audit import audit
from pipeline_tests.steps.hands import hand
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_sync

CANCELLED = 45
CENT = Decimal("0.01")
CHANGE = "PATCH /api/v2/organizations/{id}"


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, company=seeded_company(orders=40, products=40))


@pytest.fixture
def synced(worlds: Worlds) -> Iterator[World]:
    with worlds.after(first_sync(orders=40, products=40)) as world:
        yield world


def shown(world: World) -> dict[str, dict[str, Any]]:
    """The custom fields of each organization in Pipedrive, by account."""
    organizations = world.control("state?only=organizations")["organizations"]
    return {one["custom_fields"]["Exact account-ID"]: one["custom_fields"] for one in organizations}


def money(amount: Any) -> Any:
    """A monetary value as the state shows it, to the cent."""
    return Decimal(str(amount["value"] if isinstance(amount, dict) else amount)).quantize(CENT)


def figures(fields: dict[str, Any]) -> tuple[Any, ...]:
    return (fields["Laatste order"], money(fields["Omzet 12 maanden"]), money(fields["Openstaand"]), fields["Slapend"])


def by_the_books(world: World, account_id: str, today: date) -> tuple[Any, ...]:
    """The same, from the ERP's own books."""
    placed = [order for order in world.company.orders if order.account_id == account_id]
    orders = [order for order in placed if order.status != CANCELLED]
    newest = max((order.order_date for order in orders), default=None)
    until = today.replace(day=1)
    counted = [order for order in orders if until.replace(year=until.year - 1) <= order.order_date < until]
    dormant = newest is None or (today - newest).days > world.config.dormant_after_days
    owed = [row for row in world.company.receivables if row.invoice.order in placed and row.paid_on is None]
    return (
        newest and newest.isoformat(),
        sum((home(order) for order in counted), Decimal(0)).quantize(CENT),
        sum((Decimal(str(row.amount)) for row in owed), Decimal(0)).quantize(CENT),
        "Ja" if dormant else "Nee",
    )


def home(order: Order) -> Decimal:
    """What an order is worth without VAT in the administration's currency."""
    value = Decimal(str(order.amount_excl))
    if order.currency != "EUR":
        rate = Decimal(str(round(order.amount_incl * order.rate, 2))) / Decimal(str(order.amount_incl))
        value *= rate
    return value.quantize(CENT, ROUND_HALF_UP)


def changed_by_a_refresh(world: World, **of: Any) -> set[str]:
    """The customers whose organization another decision changes."""
    query = "SELECT customer_id, organizations::text FROM crm.organizations"
    before = dict(world.ask(query))
    refresh_crm.refresh_organizations(world.engine, world.config, **of)
    return {customer for customer, row in world.ask(query) if before.get(customer) != row}


def test_organizations_are_made_with_what_the_books_say(synced: World):
    today = synced.company.clock.today
    there = shown(synced)
    assert set(there) == set(synced.company.accounts.rows)
    for account_id, fields in there.items():
        assert figures(fields) == by_the_books(synced, account_id, today)
    assert CHANGE not in synced.requests()


def test_a_quiet_run_decides_nothing_anew(synced: World):
    synced.sync()
    assert changed_by_a_refresh(synced) == set()
    assert CHANGE not in synced.requests()


def an_account(world: World, orders: int = 2) -> str:
    """A customer with so many orders that count."""
    counted = Counter(order.account_id for order in world.company.orders if order.status != CANCELLED)
    return next(account for account, count in counted.items() if count >= orders)


def test_a_new_order_costs_its_customer_one_change_of_two_fields(synced: World):
    account, item = an_account(synced), next(iter(synced.company.items.rows))
    synced.company.place_order(account, [(item, 2, 12.5)], order_date=synced.company.clock.today)
    synced.sync()
    assert shown(synced)[account]["Laatste order"] == synced.company.clock.today.isoformat()
    assert_all_as_in_the_books(synced)
    assert synced.requests()[CHANGE] == 1


@pytest.mark.parametrize("end", ["cancel", "delete_order"])
def test_an_order_that_was_cancelled_or_deleted_counts_no_more(synced: World, end: str):
    today = synced.company.clock.today
    account, item = an_account(synced), next(iter(synced.company.items.rows))
    placed = synced.company.place_order(account, [(item, 2, 500)], order_date=today.replace(day=1) - timedelta(days=3))
    synced.sync()
    with_it = figures(shown(synced)[account])
    getattr(synced.company, end)(placed.id)
    synced.sync()
    assert figures(shown(synced)[account])[1] == with_it[1] - 1000
    assert_all_as_in_the_books(synced)


def test_an_order_in_another_currency_counts_by_its_own_rate(synced: World):
    today = synced.company.clock.today
    account, item = an_account(synced), next(iter(synced.company.items.rows))
    before = figures(shown(synced)[account])[1]
    day = today.replace(day=1) - timedelta(days=3)
    order = synced.company.place_order(account, [(item, 3, 33.33)], order_date=day, currency="USD", rate=0.9137)
    synced.sync()
    assert figures(shown(synced)[account])[1] == before + home(order)
    assert shown(synced)[account]["Omzet 12 maanden"]["currency"] == "EUR"


@pytest.mark.parametrize("share", [1, 0.4], ids=["whole", "a part"])
def test_what_is_paid_is_no_longer_open(synced: World, share: float):
    row = next(row for row in synced.company.receivables if row.paid_on is None)
    account = row.invoice.order.account_id
    before = figures(shown(synced)[account])[2]
    synced.company.pay(row.id, None if share == 1 else round(row.amount * share, 2))
    synced.sync()
    assert figures(shown(synced)[account])[2] < before
    assert_all_as_in_the_books(synced)
    assert synced.requests()[CHANGE] == 1


def test_orders_that_move_to_the_account_another_was_merged_into_move_its_figures(synced: World):
    merged, other = an_account(synced), next(iter(synced.company.accounts.rows))
    for order in [order for order in synced.company.orders if order.account_id == merged]:
        synced.company.change_order(order.id, account_id=other)
    synced.company.delete("accounts", merged)
    synced.sync()
    there = shown(synced)
    assert figures(there[merged]) == (None, Decimal("0.00"), Decimal("0.00"), "Ja")
    assert figures(there[other])[:2] == by_the_books(synced, other, synced.company.clock.today)[:2]


def test_a_day_changes_only_customers_who_fall_asleep_on_it(synced: World):
    today = synced.company.clock.today
    account = an_account(synced)
    newest = date.fromisoformat(shown(synced)[account]["Laatste order"])
    awake = newest + timedelta(days=synced.config.dormant_after_days)
    changed_by_a_refresh(synced, today=max(awake, today))
    assert changed_by_a_refresh(synced, today=max(awake, today) + timedelta(days=1)) == {
        other
        for other, fields in shown(synced).items()
        if fields["Laatste order"] == newest.isoformat() and awake >= today
    }


def test_a_month_changes_only_customers_with_orders_in_what_it_moves(synced: World):
    today = synced.company.clock.today
    last = (today.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    changed_by_a_refresh(synced, today=last)
    touched = changed_by_a_refresh(synced, today=last + timedelta(days=1))
    accounts = synced.company.accounts.rows
    before = {account: by_the_books(synced, account, last) for account in accounts}
    after = {account: by_the_books(synced, account, last + timedelta(days=1)) for account in accounts}
    assert touched
    assert touched == {account for account in after if after[account][1::2] != before[account][1::2]}
    synced.write()
    assert {account: figures(fields) for account, fields in shown(synced).items()} == after
    assert synced.requests()[CHANGE] == len(touched)


def test_the_clock_of_the_administration_says_what_day_it_is(world: World):
    settings = world.settings["administrations"][0] | {"time_zone": "Pacific/Kiritimati"}
    eastern = Config.model_validate(world.settings | {"administrations": [settings]}).administrations[0]
    assert refresh_crm.administration_today(eastern) == datetime.now(ZoneInfo("Pacific/Kiritimati")).date()


def test_another_number_of_days_puts_other_customers_to_sleep(synced: World):
    days = {"dormant_after_days": 1}
    asleep = sum(fields["Slapend"] == "Ja" for fields in shown(synced).values())
    synced.config = Config.model_validate(synced.settings | days)
    synced.sync()
    assert_all_as_in_the_books(synced)
    assert sum(fields["Slapend"] == "Ja" for fields in shown(synced).values()) > asleep


@pytest.mark.parametrize(
    "fields",
    [
        {"Laatste order": "2001-01-01"},
        {"Omzet 12 maanden": None},
        {"Openstaand": {"value": 7, "currency": "EUR"}},
        {"Openstaand": {"value": 0, "currency": "USD"}},
        {"Slapend": None},
    ],
    ids=str,
)
def test_a_figure_changed_by_hand_is_put_back(synced: World, fields: dict[str, Any]):
    account = an_account(synced)
    before = shown(synced)[account]
    organizations = synced.control("state?only=organizations")["organizations"]
    org_id = next(one["id"] for one in organizations if one["custom_fields"]["Exact account-ID"] == account)
    hand(synced, "edit_organization", id=org_id, fields={"custom_fields": fields})
    found = audit(synced.engine, synced.pipedrive_client, synced.config, full=False, daily_tokens=10_000_000)
    assert found.fields[next(iter(fields))] == 1
    assert shown(synced)[account] == before


def assert_all_as_in_the_books(world: World) -> None:
    for account_id, fields in shown(world).items():
        assert figures(fields) == by_the_books(world, account_id, world.company.clock.today)
