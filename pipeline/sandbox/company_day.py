"""A wholesaler's day: orders come in, are delivered, invoiced, paid, changed and now and then cancelled.

For demos and long runs. Who calls decides how time passes; what happens follows from the seed.
"""

import random
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from pipeline.sandbox import company_stock
from pipeline.sandbox.company_hours import BusinessHours
from pipeline.sandbox.company_ordering import cents
from pipeline.sandbox.company_rows import CANCELLED, COMPLETE, OPEN, Order
from pipeline.sandbox.company_state import Company

SCARCE, RESTOCKED = 12, 240
RECENT = 200  # orders that something may still happen to
REMEMBERED = 10_000
MOST_AT_ONCE = 100  # whoever falls behind catches up in steps, so that others get a turn


class TradingDay:
    """Makes things happen in the books of a company: so many a minute, or as business hours have it."""

    def __init__(
        self,
        company: Company,
        *,
        events_per_minute: float = 6.0,
        hours: BusinessHours | None = None,
        seed: int = 1,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._company, self._now = company, now
        pace = events_per_minute / 60
        self._events_by: Callable[[float], float] = hours.events_by if hours else lambda seconds: seconds * pace
        self._random = random.Random(seed)
        self._started = now()
        self.happened: deque[str] = deque(maxlen=REMEMBERED)  # what, in order
        self._count = 0
        self._events: dict[Callable[[], str | None], int] = {  # and how often
            self._order: 40, self._deliver: 22, self._invoice: 18, self._pay: 10, self._edit: 6,
            self._restock: 4, self._cancel: 2, self._rename: 2,
        }  # fmt: skip

    def pass_time(self) -> int:
        """Lets everything happen that is due by now; says how much that was."""
        due = int(self._events_by(self.seconds)) - self._count
        for _ in range(min(due, MOST_AT_ONCE)):
            self.happen()
        return max(min(due, MOST_AT_ONCE), 0)

    @property
    def seconds(self) -> float:
        """Real time since this began."""
        return self._now() - self._started

    def happen(self) -> str:
        """One event; where the one drawn is not possible, an order comes in."""
        what = self._random.choices([*self._events], [*self._events.values()])[0]() or self._order()
        self._count += 1
        self.happened.append(what)
        return what

    def _order(self) -> str:
        company, draw = self._company, self._random
        items = draw.sample(list(company.items), draw.choice((1, 2, 3, 5, 8)))
        lines = [(item.id, draw.choice((1, 2, 4, 6, 12, 24)), item.standard_price) for item in items]
        order = company.place_order(
            draw.choice([row.id for row in company.accounts if row.status == "C"]),
            lines,
            delivery_date=company.clock.today + timedelta(days=draw.randrange(2, 15)),
            salesperson_id=draw.choice([*company.salespeople.rows, None]),
        )
        return f"order {order.number} placed"

    def _deliver(self) -> str | None:
        order = self._one(lambda order: order.delivery_status not in (COMPLETE, CANCELLED) and bool(order.lines))
        if order is None:
            return None
        self._company.deliver(order.id, self._random.choice((0.5, 1, 1, 1)))
        return f"order {order.number} delivered"

    def _invoice(self) -> str | None:
        order = self._one(lambda order: order.delivery_status == COMPLETE and order.invoice_status != COMPLETE)
        if order is None:
            return None
        self._company.invoice(order.id)
        return f"order {order.number} invoiced"

    def _pay(self) -> str | None:
        unpaid = [row for row in self._company.receivables if row.paid_on is None and row.amount > 0]
        if not unpaid:
            return None
        row = self._random.choice(unpaid[-RECENT:])
        part = cents(row.amount / 2) if self._random.random() < 0.2 else None
        self._company.pay(row.id, part)
        return f"invoice {row.invoice.number} paid"

    def _edit(self) -> str | None:
        order = self._one(lambda order: order.status == OPEN and bool(order.lines))
        if order is None:
            return None
        line = self._random.choice(order.lines)
        self._company.change_line(line.id, quantity=line.quantity + self._random.choice((1, 2, 6)))
        return f"order {order.number} changed"

    def _cancel(self) -> str | None:
        order = self._one(lambda order: order.status == OPEN)
        if order is None:
            return None
        self._company.cancel(order.id)
        return f"order {order.number} cancelled"

    def _rename(self) -> str:
        account = self._random.choice(list(self._company.accounts))
        base = account.name.removesuffix(" (nieuw)")
        self._company.rename_customer(account.id, base if base != account.name else f"{base} (nieuw)")
        return f"customer {account.code} renamed"

    def _restock(self) -> str | None:
        """Goods come in for an item that is nearly sold out; from whom is none of this company's books."""
        scarce = [item for item in self._company.items if item.is_stock_item and item.stock < SCARCE]
        if not scarce:
            return None
        item = self._random.choice(scarce)
        company_stock.move(self._company, item.id, RESTOCKED)
        return f"item {item.code} restocked"

    def _one(self, fits: Callable[[Order], bool]) -> Order | None:
        found = [order for order in list(self._company.orders)[-RECENT:] if fits(order)]
        return self._random.choice(found) if found else None
