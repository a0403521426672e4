"""Tables for analysts: revenue to the cent whichever way it changed, who went quiet, where orders stand, token use."""

import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from pipeline.config import Config
from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.company_rows import ItemGroup
from pipeline.sandbox.retail import company_from_retail
from pipeline.steps.dormant_customers import refresh_dormant_customers
from pipeline.steps.mart_stages import REVENUE
from pipeline.steps.order_status import rebuild_order_status
from pipeline.steps.revenue import MARTS, refresh_revenue
from pipeline.steps.token_usage import refresh_token_usage
from pipeline.warehouse.pending import note_waiting, noted_is_done
from pipeline_tests.steps.second_opinion import note_groups, revenue_in_the_books, revenue_in_the_marts
from pipeline_tests.world import SETTINGS, World

TODAY = date(2026, 3, 31)
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "online_retail_2009_2010.parquet"
CONFIG = Config.model_validate(SETTINGS)


def company() -> Company:
    """Real order lines where they lie beside the project, else made ones."""
    return company_from_retail(REAL, orders=40) if REAL.exists() else seeded_company(orders=40)


def marts(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        tables = [mart.table for mart in MARTS]
        return {table: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {table}")))) for table in tables}


def assert_a_full_rebuild_says_the_same(engine: Engine) -> None:
    """All three from nothing: the same rows."""
    before = marts(engine)
    with engine.begin() as tx:
        for table in ("state.counted_revenue", *before):
            tx.execute(text(f"DELETE FROM {table}"))
        tx.execute(
            text("INSERT INTO state.pending (stage, administration, key) "
                 "SELECT 'marts/revenue', administration, order_id FROM erp.orders")
        )  # fmt: skip
    refresh_revenue(engine)
    assert marts(engine) == before


def test_revenue_agrees_to_the_cent_with_a_second_opinion_whatever_happens_to_orders(engine: Engine):
    world, groups = World(engine, company=company()), {}
    books = world.company
    orders, items = list(books.orders.rows), list(books.items.rows)
    accounts = [one.id for one in books.accounts if one.status == "C"]

    def agreed() -> None:
        note_groups(books, groups)
        world.land()
        world.refresh()
        assert revenue_in_the_marts(world) == revenue_in_the_books(books, groups)

    agreed()
    books.cancel(orders[0])
    books.delete_order(orders[1])
    books.change_order(orders[2], order_date=books.orders.rows[orders[2]].order_date - timedelta(days=40))
    books.change_order(orders[3], account_id=accounts[-1], salesperson_id=None, charges=12.5)
    books.change_line(books.orders.rows[orders[4]].lines[0].id, quantity=-7)
    books.add_line(orders[5], items[0], 3, 1.115)
    books.remove_line(books.orders.rows[orders[6]].lines[0].id)
    books.place_order(accounts[0], [(items[1], -2, 9.99), (items[2], 1, 0.005)], currency="USD", rate=0.9)
    books.place_order(accounts[0], [])
    agreed()
    # Another group for an item: its lines keep theirs, and the view shows today's. Another name: one row, renamed.
    moved, other = items[0], books.add("item_groups", ItemGroup(books.new_id(), "NIEUW", "Nieuwe groep"))
    was = books.item_groups.rows[books.items.rows[moved].group_id].code
    books.change("items", moved, group_id=other.id)
    books.change("item_groups", next(iter(books.item_groups.rows)), description="Hernoemd")
    books.rename_customer(accounts[0], "Nieuwe Naam B.V.")
    books.reopen(orders[0])
    agreed()
    line = "SELECT * FROM marts.revenue_lines WHERE product_id = :item AND item_group_code <> item_group_code_today"
    shown = world.ask(line, item=moved)
    assert shown
    assert {(row.item_group_code, row.item_group_code_today, row.item_group_today) for row in shown} == {
        (was, "NIEUW", "Nieuwe groep")
    }
    code = next(iter(books.item_groups)).code
    named = "SELECT DISTINCT item_group FROM marts.revenue_per_category WHERE item_group_code = :code"
    assert [row.item_group for row in world.ask(named, code=code)] == ["Hernoemd"]
    customer = "SELECT DISTINCT customer FROM marts.revenue_per_customer WHERE customer_id = :id"
    assert [row.customer for row in world.ask(customer, id=accounts[0])] == ["Nieuwe Naam B.V."]
    by_category = "SELECT sum(revenue_excl_vat) AS value FROM marts.revenue_per_category WHERE item_group_code <> ''"
    by_line = "SELECT sum(revenue_excl_vat) AS value FROM marts.revenue_lines"
    assert world.ask(by_category) == world.ask(by_line)
    assert_a_full_rebuild_says_the_same(engine)


# --- without the way through the ERP: rows of erp as they may be ---


def put(engine: Engine, order: str, lines: list[tuple[str | None, str]], **fields: Any) -> None:
    """An order of erp with lines of item group and amount, in place of the one there was; the marts have to follow."""
    row = {"number": order, "date": TODAY, "customer": "c1", "seller": "s1", "currency": "EUR", "amount": None}
    row |= {"status": "open", "is_deleted": False, "with_vat": None, "home": None, **fields}
    if row["amount"] is None and lines:
        row["amount"] = sum(Decimal(amount) for _, amount in lines)
    with engine.begin() as tx:
        tx.execute(text("DELETE FROM erp.order_lines WHERE order_id = :id"), {"id": order})
        tx.execute(text(_PUT), {"id": order, **row})
        for number, (group, amount) in enumerate(lines, start=1):
            of = {"id": order, "line": f"{order}-{number}", "number": number, "group": group, "amount": amount}
            tx.execute(text(_PUT_LINE), of)
        tx.execute(text(_QUEUE), {"id": order, "customer": row["customer"]})


_PUT = """
INSERT INTO erp.orders (administration, order_id, order_number, order_date, customer_id, salesperson_id, currency,
    amount_excl_vat, amount_incl_vat, amount_incl_vat_home, status, delivery_status, invoice_status, is_deleted,
    is_live)
VALUES ('nl', :id, :number, :date, :customer, :seller, :currency, :amount, :with_vat, :home, :status, :status, :status,
    :is_deleted, true)
ON CONFLICT (administration, order_id) DO UPDATE SET order_date = excluded.order_date, currency = excluded.currency,
    customer_id = excluded.customer_id, salesperson_id = excluded.salesperson_id, status = excluded.status,
    amount_excl_vat = excluded.amount_excl_vat, is_deleted = excluded.is_deleted
"""
_PUT_LINE = """
INSERT INTO erp.order_lines (administration, line_id, order_id, line_number, quantity, net_price, amount_excl_vat,
    item_group_code, known_as_of) VALUES ('nl', :line, :id, :number, 1.50, 1, :amount, :group, 0)
"""
_QUEUE = """
INSERT INTO state.pending (stage, administration, key) SELECT stage, 'nl', key FROM (VALUES ('marts/revenue', :id),
    ('marts/dormant_customers', :customer), ('marts/order_status', 'all')) AS waits (stage, key) WHERE key IS NOT NULL
ON CONFLICT (stage, administration, key) DO UPDATE SET ticket = excluded.ticket
"""


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_changes_leaves_what_a_full_rebuild_makes(engine: Engine, seed: int):
    chance = random.Random(seed)
    for _ in range(12):
        for _ in range(chance.randrange(5)):
            lines = [
                (chance.choice(["10", "20", None]), f"{chance.randint(-99, 99)}.{chance.randint(0, 99):02}")
                for _ in range(chance.randrange(4))
            ]
            amount = chance.choice([None, Decimal("0.00"), Decimal("12.34")])
            fields = {
                "date": chance.choice([TODAY, date(2025, 12, 31), None]),
                "customer": chance.choice(["c1", "c2", None]),
                "seller": chance.choice(["s1", None]),
                "currency": chance.choice(["EUR", "USD"]),
                "status": chance.choice(["open", "complete", "cancelled"]),
                "is_deleted": chance.random() < 0.2,
            }
            put(engine, f"o{chance.randrange(6)}", lines, **fields, **({"amount": amount} if amount else {}))
        refresh_revenue(engine)
    assert_a_full_rebuild_says_the_same(engine)


def test_what_nothing_explains_has_a_row_of_its_own_and_an_order_counts_once_for_its_customer(engine: Engine):
    put(engine, "o1", [("10", "60"), ("10", "30"), (None, "5.05")], amount=Decimal("100.00"))
    put(engine, "o2", [("10", "-90")])  # a credit
    put(engine, "o3", [("10", "7")], currency="USD")
    put(engine, "o4", [], amount=Decimal("0.00"))
    put(engine, "o5", [("10", "1000")], status="cancelled")
    put(engine, "o6", [("20", "1000")], is_deleted=True)
    refresh_revenue(engine)
    with engine.connect() as connection:
        found = connection.execute(text(_CATEGORIES)).all()
        customers = connection.execute(text(_CUSTOMERS)).all()
    assert [tuple(row) for row in found] == [
        ("EUR", "", "Toeslag/korting", Decimal("4.95"), 1, 0, 0),
        ("EUR", "-", "-", Decimal("5.05"), 1, 1, Decimal("1.5")),
        ("EUR", "10", "10", Decimal(0), 2, 3, Decimal("4.5")),
        ("USD", "10", "10", Decimal(7), 1, 1, Decimal("1.5")),
    ]
    assert [tuple(row) for row in customers] == [
        ("EUR", Decimal(10), 3, 4, Decimal(6)),
        ("USD", Decimal(7), 1, 1, Decimal("1.5")),
    ]
    # Nothing new: nothing is done. All of them gone: nothing stays.
    assert refresh_revenue(engine) == {mart.table: 0 for mart in MARTS}
    for order in ("o1", "o2", "o3", "o4"):
        put(engine, order, [], is_deleted=True)
    refresh_revenue(engine)
    assert marts(engine) == {mart.table: [] for mart in MARTS}


_CATEGORIES = """
SELECT currency, item_group_code, item_group, revenue_excl_vat, orders, lines, quantity FROM marts.revenue_per_category
ORDER BY 1, 2
"""
_CUSTOMERS = "SELECT currency, revenue_excl_vat, orders, lines, quantity FROM marts.revenue_per_customer ORDER BY 1"


def test_an_empty_warehouse_has_empty_marts(engine: Engine):
    made = (
        refresh_revenue(engine),
        refresh_dormant_customers(engine, CONFIG),
        rebuild_order_status(engine, CONFIG),
        refresh_token_usage(engine),
    )
    assert made == ({mart.table: 0 for mart in MARTS}, 0, 0, 0)


# --- who went quiet ---


def days_ago(*days: int) -> list[date]:
    return [TODAY - timedelta(days=day) for day in days]


def test_a_customer_is_quiet_against_his_own_rhythm(engine: Engine):
    for customer, dates in {
        "weekly": days_ago(35, 28, 21, 21),  # two orders on one day are one occasion
        "yearly": days_ago(1000, 640, 275),
        "once": days_ago(30),
        "asleep": days_ago(500, 470, 440),
    }.items():
        for number, day in enumerate(dates):
            put(engine, f"{customer} {number}", [("10", "100")], date=day, customer=customer)
    put(engine, "dollars", [("10", "200")], customer="once", date=TODAY - timedelta(days=31), currency="USD",
        with_vat=Decimal(242), home=Decimal(121))  # fmt: skip
    put(engine, "cancelled", [("10", "1")], customer="once", status="cancelled")
    put(engine, "never", [("10", "1")], customer="never", status="cancelled")

    def rhythms(today: date = TODAY) -> dict[str, tuple[Any, ...]]:
        refresh_dormant_customers(engine, CONFIG, today={"nl": today})
        with engine.connect() as connection:
            found = connection.execute(text(_RHYTHMS)).all()
        return {row.customer_id: tuple(row[1:]) for row in found}

    assert rhythms() == {
        "weekly": (21, Decimal(7), Decimal(3), True, False, 4, Decimal(400), Decimal(400)),
        "yearly": (275, Decimal("362.5"), Decimal("0.8"), False, True, 3, Decimal(100), Decimal(100)),
        "once": (30, None, None, False, False, 2, Decimal(200), Decimal(200)),
        "asleep": (440, Decimal(30), Decimal("14.7"), True, True, 3, Decimal(0), Decimal(300)),
    }
    assert refresh_dormant_customers(engine, CONFIG, today={"nl": TODAY}) == 0
    put(engine, "awake", [("10", "50")], customer="asleep")
    assert refresh_dormant_customers(engine, CONFIG, today={"nl": TODAY}) == 1
    tomorrow = rhythms(TODAY + timedelta(days=1))
    assert (tomorrow["asleep"][0], tomorrow["weekly"][0], tomorrow["asleep"][3]) == (1, 22, False)


_RHYTHMS = """
SELECT customer_id, days_since_last_order, usual_days_between_orders, times_usual, is_quiet, is_dormant, orders,
    revenue_last_year_excl_vat, revenue_year_to_last_order_excl_vat FROM marts.dormant_customers
"""


# --- where orders stand, and what tokens went into ---


def test_orders_stand_by_stage_with_the_age_of_what_is_open(engine: Engine):
    world = World(engine, company=seeded_company(orders=20, products=20))
    world.sync()
    assert sorted(world.ask(_STAGES)) == sorted(world.ask(_STAGES_OF_DEALS))
    books, today = world.company, world.company.clock.today
    account, item = next(iter(books.accounts.rows)), next(iter(books.items.rows))
    books.place_order(account, [(item, 1, 10)], order_date=today - timedelta(days=31))
    world.land()
    world.refresh()
    aged = "SELECT sum(open_31_to_90_days) AS n FROM marts.order_status WHERE stage = 'new'"
    (found,) = world.ask(aged)
    assert [found] == world.ask(_NEW, first=today - timedelta(days=90), last=today - timedelta(days=31))
    assert found.n >= 1
    assert [tuple(row) for row in world.ask(_SHUT)] == [(0, None)]
    # Tokens: all that was booked, under a purpose each, beside the budget of their day.
    refresh_token_usage(engine)
    used = world.ask("SELECT sum(tokens) AS tokens, sum(requests) AS requests FROM marts.crm_token_usage")
    assert used == world.ask("SELECT sum(tokens) AS tokens, sum(requests) AS requests FROM pipedrive.token_usage")
    purposes = world.ask("SELECT purpose, budget FROM marts.crm_token_usage ORDER BY 1")
    names = ["deals", "organizations", "persons", "products", "rows of deals", "settings"]
    assert [tuple(row) for row in purposes] == [(name, 10_000_000) for name in names]
    assert refresh_token_usage(engine) == 0


_STAGES = "SELECT stage, sum(orders) AS orders, sum(value_excl_vat) AS value FROM marts.order_status GROUP BY stage"
_STAGES_OF_DEALS = """
SELECT CASE WHEN status = 'open' THEN stage ELSE status END AS stage, count(*) AS orders, sum(value) AS value
FROM crm.deals GROUP BY 1
"""
_NEW = """
SELECT count(*) AS n FROM crm.deals
WHERE status = 'open' AND stage = 'new' AND order_date BETWEEN :first AND :last
"""
_SHUT = """
SELECT sum(open_up_to_7_days + open_8_to_30_days + open_31_to_90_days + open_over_90_days) AS n,
    max(oldest_days) AS oldest FROM marts.order_status WHERE stage IN ('won', 'lost')
"""


def test_an_order_that_is_queued_while_the_marts_count_waits_for_nobody_and_stays_queued(engine: Engine):
    put(engine, "o1", [("10", "60")])
    put(engine, "o2", [("10", "30")])
    with engine.begin() as counting:
        assert note_waiting(counting, REVENUE, "changed_orders", "order_id") == 2
        put(engine, "o1", [("10", "61")])  # another run; it would hang here if it had to wait
        noted_is_done(counting, REVENUE, "changed_orders", "order_id")
    with engine.connect() as connection:
        assert connection.execute(
            text("SELECT key FROM state.pending WHERE stage = 'marts/revenue'")
        ).scalars().all() == ["o1"]
