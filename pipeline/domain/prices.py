"""Which sales price of an item holds today."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class ItemPrice:
    """A sales price without an account: for everybody, from a quantity on, in a period whose ends are included."""

    price: Decimal
    quantity: Decimal
    start_date: date | None
    end_date: date | None

    def holds_on(self, day: date) -> bool:
        """Whether the day lies in the price's period."""
        return (self.start_date is None or self.start_date <= day) and (self.end_date is None or day <= self.end_date)


def sales_price(day: date, prices: Iterable[ItemPrice], standard: Decimal | None) -> Decimal | None:
    """The price of that day: a sales price where one holds, else what the item itself carries."""
    found = price_on(day, prices)
    return standard if found is None else found


def price_on(day: date, prices: Iterable[ItemPrice]) -> Decimal | None:
    """The price of the smallest quantity valid on that day; among equals the one that started last."""
    valid = [price for price in prices if price.holds_on(day)]
    if not valid:
        return None
    return min(valid, key=lambda price: (price.quantity, -(price.start_date or date.min).toordinal())).price
