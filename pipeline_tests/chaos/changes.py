"""What happens to an order book between two synchronisations: a bit of everything that people do to orders."""

import random
from collections.abc import Iterator

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_rows import CANCELLED, COMPLETE, OPEN, Order

EVERYTHING = 40  # orders of which one lives through each kind of change


def busy_week(company: Company, *, seed: int = 1) -> None:
    """One or several orders for each kind of change, by how many orders there are."""
    draw = random.Random(seed)
    for _ in range(max(1, len(company.orders) // EVERYTHING)):
        orders = _shuffled(company, draw)
        _change_lines(company, orders, draw)
        _move(company, orders)
        company.change_order(next(orders).id, your_ref=f"INK-{draw.randrange(1000)}")
        company.change_order(next(orders).id, delivery_date=None)
        company.change_order(next(orders).id, charges=draw.choice((12.5, 0.01)))
        company.delete_order(next(orders).id)
        _come_in(company, draw)
    _rename(company, draw)


def _shuffled(company: Company, draw: random.Random) -> Iterator[Order]:
    orders = [order for order in company.orders if len(order.lines) > 1]
    draw.shuffle(orders)
    return iter(orders)


def _change_lines(company: Company, orders: Iterator[Order], draw: random.Random) -> None:
    items = list(company.items)
    changed, dearer, emptied, swapped, longer, shorter, turned = (next(orders) for _ in range(7))
    company.change_line(changed.lines[0].id, quantity=changed.lines[0].quantity + 3)
    company.change_line(dearer.lines[-1].id, net_price=draw.choice((9.995, 41.2)))
    company.change_line(emptied.lines[0].id, quantity=0)
    company.change_line(swapped.lines[0].id, item_id=draw.choice(items).id)
    for item in draw.sample(items, 6):
        company.add_line(longer.id, item.id, draw.randrange(1, 9), item.standard_price)
    company.add_line(shorter.id, items[0].id, 1, 2.5)
    for line in shorter.lines[:-1]:
        company.remove_line(line.id)
    company.remove_line(turned.lines[0].id)
    company.add_line(turned.id, items[1].id, -2, 4.75)


def _move(company: Company, orders: Iterator[Order]) -> None:
    """Forwards, backwards and out."""
    for status in ((20, 20, 12), (20, 21, 12), (21, 21, 21), (CANCELLED,) * 3, (OPEN,) * 3):
        company.set_status(next(orders).id, *status)
    closed = [order for order in company.orders if order.invoice_status in (COMPLETE, CANCELLED)]
    for order in closed[:2]:
        company.reopen(order.id)


def _come_in(company: Company, draw: random.Random) -> None:
    accounts = list(company.accounts.rows)
    items = draw.sample(list(company.items), 5)
    for size in (1, 5):
        lines = [(item.id, draw.randrange(1, 20), item.standard_price) for item in items[:size]]
        company.place_order(draw.choice(accounts), lines, discount=draw.choice((0, 0.05)))


def _rename(company: Company, draw: random.Random) -> None:
    account, item = draw.choice(list(company.accounts)), draw.choice(list(company.items))
    company.rename_customer(account.id, f"{account.name} (nieuw)")
    company.change("items", item.id, description=f"{item.description} XL", standard_price=item.standard_price + 1)
