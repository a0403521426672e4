"""The simulated wholesaler: the same seed gives the same books, the books add up, changes leave versions behind."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.company_day import TradingDay
from pipeline.sandbox.company_hours import BusinessHours
from pipeline.sandbox.company_orders import COMBINATIONS
from pipeline.sandbox.retail import company_from_retail

TODAY = date(2026, 6, 25)


@pytest.fixture(scope="module")
def company() -> Company:
    return seeded_company(today=TODAY)


def test_the_same_seed_gives_the_same_company(company):
    def facts(found: Company) -> list:
        return [(order.id, order.number, order.amount_excl, order.account_id) for order in found.orders]

    again = seeded_company(today=TODAY)
    assert facts(again) == facts(company)
    assert facts(seeded_company(today=TODAY, seed=2)) != facts(company)


def test_every_status_combination_occurs_and_old_orders_are_mostly_complete(company):
    found = [(order.status, order.delivery_status, order.invoice_status) for order in company.orders]
    assert set(found) == set(COMBINATIONS)
    assert found.count((21, 21, 21)) > len(found) / 2


def test_what_a_wholesalers_books_contain(company):
    orders = list(company.orders)
    assert (len(orders), len(company.accounts), len(company.items), len(company.item_groups)) == (400, 80, 200, 15)
    assert {account.country for account in company.accounts} == {"NL", "DE"}
    assert len({account.code for account in company.accounts}) == 80
    assert {order.salesperson_id for order in orders} == {*company.salespeople.rows, None}
    assert min(order.order_date for order in orders) < date(2025, 8, 1)
    assert max(order.order_date for order in orders) <= TODAY
    assert any(order.delivery_date is None for order in orders)
    assert any(order.your_ref for order in orders)
    assert any(line.quantity < 0 for line in company.lines)
    assert any(len({line.item_id for line in order.lines}) < len(order.lines) for order in orders)
    assert all(1 <= len(order.lines) <= 31 for order in orders)


def test_every_order_can_be_followed_to_customer_and_items(company):
    assert all(order.account_id in company.accounts for order in company.orders)
    assert all(line.item_id in company.items for line in company.lines)
    assert all(item.group_id in company.item_groups for item in company.items)


def test_lines_do_not_always_add_up_to_the_order(company):
    off = [order for order in company.orders if round(sum(x.amount for x in order.lines) - order.amount_excl, 2)]
    assert {bool(order.discount) for order in off} == {True, False}


def test_standard_prices_have_no_account_and_a_few_agreements_do(company):
    prices = list(company.prices)
    assert {price.item_id for price in prices if price.account_id is None} == set(company.items.rows)
    assert any(price.account_id for price in prices)
    assert any(price.quantity > 1 for price in prices)
    assert any(price.end_date and price.end_date < TODAY for price in prices)
    assert any(price.start_date and price.start_date > TODAY for price in prices)


def test_invoices_and_payments_agree_with_the_orders(company):
    for order in company.orders:
        invoices = company.invoices_of.get(order.id, [])
        if order.invoice_status == 21:
            assert sum(invoice.amount_excl for invoice in invoices) == pytest.approx(order.amount_excl)
        if order.invoice_status == 12:
            assert not invoices
    owed: dict[str, float] = {}
    for row in company.receivables:
        owed[row.invoice.id] = owed.get(row.invoice.id, 0) + row.amount
    assert all(owed[invoice.id] == pytest.approx(invoice.amount_incl) for invoice in company.invoices)
    assert 0 < sum(row.paid_on is None for row in company.receivables) < len(company.receivables) / 3


def test_taking_an_invoice_back_makes_a_credit_note():
    company = seeded_company(orders=20, today=TODAY)
    order = next(order for order in company.orders if order.status == 21)
    company.reopen(order.id)
    first, credit = company.invoices_of[order.id]
    assert (credit.type, credit.amount_excl) == (8021, -first.amount_excl)
    assert company.deliveries_of[order.id] == []


def test_partial_deliveries_and_payments_split():
    company = seeded_company(orders=0, today=TODAY)
    order = company.place_order(next(iter(company.accounts)).id, [(next(iter(company.items)).id, 10, 3)])
    company.deliver(order.id, 0.5)
    assert (order.status, order.delivery_status, order.lines[0].delivered) == (20, 20, 5)
    company.deliver(order.id)
    assert (order.delivery_status, len(company.deliveries_of[order.id])) == (21, 2)
    company.invoice(order.id)
    assert (order.status, order.invoice_status) == (21, 21)
    row = next(iter(company.receivables))
    company.pay(row.id, 10)
    assert sorted((part.amount, part.paid_on) for part in company.receivables) == [(10, TODAY), (26.3, None)]


def test_line_changes_move_the_header_only_when_it_differs():
    company = seeded_company(orders=1, today=TODAY)
    order = company.place_order(next(iter(company.accounts)).id, [(next(iter(company.items)).id, 2, 5)])
    before = order.timestamp
    company.change_line(order.lines[0].id, description="anders")
    assert order.timestamp == before
    company.change_line(order.lines[0].id, quantity=3)
    assert (order.amount_excl, order.timestamp > before) == (15, True)
    company.add_line(order.id, order.lines[0].item_id, 1, 4)
    company.remove_line(order.lines[0].id)
    assert order.amount_excl == 4


def test_odd_cases_are_all_there():
    company = seeded_company(orders=30, today=TODAY, odd=True)
    odd = {order.description for order in company.orders if (order.description or "").startswith("odd: ")}
    assert len(odd) == 15
    assert max(len(order.lines) for order in company.orders) == 1114


def test_a_trading_day_keeps_the_books_in_order():
    company, seconds = seeded_company(orders=40, today=TODAY), iter(range(0, 100_000, 60))
    day = TradingDay(company, events_per_minute=10, now=lambda: next(seconds))
    assert [day.pass_time() for _ in range(20)] == [10] * 20
    kinds = {what.split()[-1] for what in day.happened}
    assert {"placed", "delivered", "invoiced", "paid", "changed", "restocked"} <= kinds
    assert len(company.orders) > 60


@pytest.mark.parametrize(
    ("speed", "seconds", "events", "hour"),
    [
        (60, 0, 0, "08:00"),
        (60, 60, 15, "09:00"),  # an hour of business in a minute
        (60, 90, 30, "09:00"),
        (60, 600, 247.5, "night"),
        (60, 660, 250, "08:00"),  # a day with its short night, and on
        (60, 6600, 2500, "08:00"),
        (1, 39600, 250, "08:00"),
    ],
)
def test_business_has_its_hours(speed, seconds, events, hour):
    hours = BusinessHours(speed=speed)
    assert hours.events_by(seconds) == pytest.approx(events)
    assert hours.hour_at(seconds) == hour


def test_a_day_can_follow_business_hours_and_catches_up_in_steps():
    company, seconds = seeded_company(orders=20, today=TODAY), iter((0, 60, 66_000, 66_000))
    day = TradingDay(company, hours=BusinessHours(speed=60), now=lambda: next(seconds))
    assert [day.pass_time(), day.pass_time(), day.pass_time()] == [15, 100, 100]


def test_deliveries_take_stock_and_the_past_took_none():
    company = seeded_company(orders=40, today=TODAY)
    assert all(item.stock >= 0 for item in company.items)
    item = next(iter(company.items))
    before = item.stock
    order = company.place_order(next(iter(company.accounts)).id, [(item.id, 5, 3)])
    assert item.stock == before
    company.deliver(order.id)
    assert item.stock == before - 5
    assert sum(row.quantity for row in company.stock if row.item_id == item.id) == item.stock
    company.reopen(order.id)
    assert item.stock == before
    company.change("items", item.id, stock=7)
    assert sum(row.quantity for row in company.stock if row.item_id == item.id) == 7


RETAIL = [
    ("489434", "85123a", "WHITE HEART T-LIGHT", 6, "2009-12-01 08:00", 2.95, 13085, "United Kingdom"),
    ("489434", "21232", "STRAWBERRY BOX", 3, "2009-12-01 08:00", 1.255, 13085, "United Kingdom"),
    ("489435", "85123A", "WHITE HEART T-LIGHT", 12, "2009-12-02 09:00", 2.95, 13086, "Netherlands"),
    ("C489436", "85123A", "WHITE HEART T-LIGHT", -12, "2009-12-03 09:00", 2.95, 13086, "Netherlands"),
    ("C489437", "85123A", "WHITE HEART T-LIGHT", -1, "2009-12-03 09:00", 2.95, 13085, "United Kingdom"),
    ("A489438", "B", "Adjust bad debt", 1, "2009-12-04 09:00", -100.0, None, "United Kingdom"),
    ("489439", "POST", None, 1, "2009-12-04 10:00", 0.0, None, "United Kingdom"),
]


@pytest.fixture
def retail_file(tmp_path: Path) -> Path:
    names = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "CustomerID", "Country"]
    rows = pd.DataFrame(RETAIL, columns=names)
    rows["InvoiceDate"] = pd.to_datetime(rows["InvoiceDate"])
    rows["CustomerID"] = rows["CustomerID"].astype("Int32")
    path = tmp_path / "retail.parquet"
    rows.to_parquet(path)
    return path


def test_real_lines_become_orders(retail_file):
    company = company_from_retail(retail_file, today=TODAY)
    orders = {order.number: order for order in company.orders}
    assert sorted(orders) == [489434, 489435, 489439]
    assert [orders[number].status for number in sorted(orders)] == [21, 45, 21]
    assert orders[489434].amount_excl == 21.47  # 17.70 + 3.765, each line rounded
    assert [line.net_price for line in orders[489434].lines] == [2.95, 1.255]
    assert {item.code for item in company.items} == {"85123A", "21232", "POST"}
    assert company.accounts.rows[orders[489439].account_id].name == "Kasverkoop"
    last = max(order.order_date for order in company.orders)
    assert 0 <= (TODAY - last).days < 7
    assert last.weekday() == date(2009, 12, 4).weekday()


def test_only_the_newest_orders_are_kept(retail_file):
    company = company_from_retail(retail_file, orders=1, today=TODAY)
    assert [order.number for order in company.orders] == [489439]
