"""Which sales price holds on a day."""

from datetime import date
from decimal import Decimal

import pytest

from pipeline.domain.prices import ItemPrice, price_on

DAY = date(2026, 6, 25)


def entry(price: str, quantity: str = "1", start: str | None = None, end: str | None = None) -> ItemPrice:
    days = [day and date.fromisoformat(day) for day in (start, end)]
    return ItemPrice(Decimal(price), Decimal(quantity), days[0], days[1])


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        pytest.param([], None, id="none at all"),
        pytest.param([entry("5")], "5", id="without dates it always holds"),
        pytest.param([entry("5", end="2026-06-25")], "5", id="the last day is included"),
        pytest.param([entry("5", end="2026-06-24")], None, id="past"),
        pytest.param([entry("5", start="2026-06-25")], "5", id="the first day is included"),
        pytest.param([entry("5", start="2026-06-26")], None, id="not yet"),
        pytest.param([entry("4", "10"), entry("5", "1")], "5", id="the smallest quantity"),
        pytest.param(
            [entry("4", "10"), entry("5", "1", end="2026-06-01")], "4", id="the smallest quantity of those that hold"
        ),
        pytest.param(
            [entry("6", start="2026-06-01"), entry("7", start="2026-06-20"), entry("5", start="2026-01-01")],
            "7",
            id="among equals the latest start",
        ),
        pytest.param([entry("5"), entry("6", start="2020-01-01")], "6", id="no start is the earliest of all"),
        pytest.param([entry("9", "0"), entry("5", "1")], "9", id="quantity 0 is smaller than 1"),
        pytest.param([entry("0")], "0", id="a price of 0 is a price"),
    ],
)
def test_the_price_of_the_day(prices: list[ItemPrice], expected: str | None):
    wanted = None if expected is None else Decimal(expected)
    assert price_on(DAY, prices) == wanted
    assert price_on(DAY, prices[::-1]) == wanted
