"""Twelve months of orders of the simulated wholesaler: what was ordered, and how far each order has come."""

from datetime import date, timedelta

from pipeline.sandbox import company_ordering
from pipeline.sandbox.company_clock import wall_ms
from pipeline.sandbox.company_ordering import cents
from pipeline.sandbox.company_rows import Item, Order
from pipeline.sandbox.company_state import Company

# Every combination of status, delivery and invoice that orders were seen in, and its share among fresh and older ones.
FRESH_DAYS = 21
COMBINATIONS = ((12, 12, 12), (20, 20, 12), (20, 21, 12), (20, 20, 20), (21, 21, 21), (20, 12, 21), (45, 45, 45))
FRESH_SHARES = (45, 15, 15, 8, 10, 5, 2)
OLDER_SHARES = (1, 1, 2, 1, 91, 1, 3)
LINE_COUNTS = (1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 14, 20, 30)
QUANTITIES = (1, 2, 3, 4, 6, 6, 8, 12, 12, 24, 36, 48)


def take_orders(company: Company, count: int) -> None:
    """Orders over the last twelve months, the oldest first, so that numbers and versions grow with time."""
    days = sorted(company.random.randrange(365) for _ in range(count))[::-1]
    for place, days_ago in enumerate(days):
        order = take_order(company, company.clock.today - timedelta(days=days_ago), place)
        advance(company, order, days_ago, place)


def take_order(company: Company, day: date, place: int) -> Order:
    """One order as it comes in; every so many carry something special."""
    accounts, items = list(company.accounts.rows), list(company.items)
    draw = company.random
    chosen = draw.sample(items, min(draw.choice(LINE_COUNTS), len(items)))
    if place % 11 == 6:
        chosen.append(chosen[0])  # the same item on two lines
    lines = [(item.id, draw.choice(QUANTITIES), _price(company, item)) for item in chosen]
    if place % 17 == 9:
        lines[-1] = (lines[-1][0], -lines[-1][1], lines[-1][2])  # a return traded in
    account_id = draw.choice(accounts)
    return company.place_order(
        account_id,
        lines,
        order_date=day,
        delivery_date=None if place % 19 == 4 else day + timedelta(days=draw.randrange(2, 21)),
        salesperson_id=None if place % 7 == 3 else draw.choice(list(company.salespeople.rows)),
        your_ref=f"PO-{day:%y}{draw.randrange(10_000):04d}" if draw.random() < 0.4 else None,
        description=draw.choice((None, None, "Voorjaarsorder", "Nalevering", "Webshop")),
        discount=draw.choice((0.02, 0.05, 0.1)) if place % 9 == 5 else 0,
        charges=draw.choice((7.5, 12.95, 0.01, -0.02)) if place % 8 == 2 else 0,
        at_ms=min(wall_ms(day, draw.randrange(8, 18), draw.randrange(60)), company.clock.now_ms),
    )


def advance(company: Company, order: Order, days_ago: int, place: int) -> None:
    """Brings an order to where an order of its age would be; the first ones show every combination."""
    shares = FRESH_SHARES if days_ago <= FRESH_DAYS else OLDER_SHARES
    combination = company.random.choices(COMBINATIONS, shares)[0]
    if place % 57 < len(COMBINATIONS) and place < 2 * 57:
        combination = COMBINATIONS[place % 57]
    if combination == (12, 12, 12):
        return
    later = company.random.randrange(1, max(2, min(days_ago, 30)))
    handled = min(order.order_date + timedelta(days=later), company.clock.today)
    company.set_status(order.id, *combination, on=handled)
    _receive_money(company, order)
    order.modified_ms = min(order.created_ms + later * 86_400_000, company.clock.now_ms)
    for line in order.lines:
        line.modified_ms = order.modified_ms


def _receive_money(company: Company, order: Order) -> None:
    """Most invoices that are due have been paid, some in part, some not at all; a few are paid early."""
    for invoice in company.invoices_of.get(order.id, []):
        receivable = next(row for row in company.receivables.recent() if row.invoice is invoice)
        due = (company.clock.today - invoice.due_date).days > 0
        fate = company.random.random()
        if fate < (0.93 if due else 0.25):
            company.pay(receivable.id)
            receivable.paid_on = min(invoice.due_date, company.clock.today)
        elif fate > 0.98:
            company.pay(receivable.id, cents(receivable.amount * 0.4))


def _price(company: Company, item: Item) -> float:
    """Mostly the standard price, sometimes an agreed one, sometimes with three decimals."""
    factor = company.random.choice((1, 1, 1, 0.95, 0.9))
    if company.random.random() < 0.03:
        return company_ordering.number(round(item.standard_price * factor + 0.001, 3))
    return company_ordering.cents(item.standard_price * factor)
