"""What Exact Online's codes, blanks and wall-clock times mean, value by value."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.domain.money import CENT, row_amount, to_cents
from pipeline.domain.order_stage import Word

_WORDS = {12: Word.OPEN, 20: Word.PARTIAL, 21: Word.COMPLETE, 45: Word.CANCELLED}
_NO_REFERENCE = "00000000-0000-0000-0000-000000000000"


def each(values: Iterable[Any], meaning: Callable[[Any], Any]) -> list[Any]:
    """The meaning of each value as it is: `Series.map` would make a column of texts or times, with NaN for None."""
    return [meaning(value) for value in values]


def word(code: int | None) -> str:
    """The word for a status code; a code without one stays what it is, so that no rule covers it by accident."""
    return "none" if code is None else str(_WORDS.get(code, code))


def trimmed(value: str | None) -> str | None:
    """Text without the blanks Exact pads codes with; None when nothing is left."""
    return (value or "").strip() or None


def reference(guid: str | None) -> str | None:
    """A reference to another record; the all-zero id means none."""
    return None if guid in {None, "", _NO_REFERENCE} else guid


def day(moment: datetime | None) -> date | None:
    """The calendar day of a date-only field: midnight on the wall clock, which no time zone may shift."""
    return moment.date() if moment else None


def instant(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """The moment in UTC of a wall-clock time."""
    return moment.replace(tzinfo=zone).astimezone(UTC) if moment else None


def amount(value: Decimal | int | None) -> Decimal | None:
    """An amount to the cent: Exact sends doubles, with their noise."""
    return None if value is None else to_cents(Decimal(value))


def line_amount(told: Decimal, quantity: Decimal, net_price: Decimal) -> Decimal:
    """A line's amount without VAT, to the cent.

    Nobody could establish whether AmountFC of an order line holds VAT; NetPrice holds none, so that what is more than
    it explains is VAT.
    """
    explained = row_amount(quantity, net_price)
    return to_cents(told) if abs(told) <= abs(explained) + CENT else explained
