"""Dutch and English for pages that people read: words by key, and numbers, amounts and days as each writes them.

Which words a page has is said by `verify_words.py` and `report_words.py`; here are those that several use.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

Pair = tuple[str, str]  # Dutch, English


class Language(StrEnum):
    """A language a page is written in."""

    NL = "nl"
    EN = "en"


SHARED: dict[str, Pair] = {
    "administration": ("Administratie", "Administration"),
    "status": ("Status", "Status"),
    "delivery": ("Levering", "Delivery"),
    "invoice": ("Factuur", "Invoice"),
    "count_orders": ("Orders", "Orders"),
    "reason": ("Reden", "Reason"),
    "salesperson": ("Verkoper", "Salesperson"),
    "month": ("Maand", "Month"),
    "deals": ("Deals", "Deals"),
    "not_told": ("onbekend", "unknown"),
    "none": ("geen", "none"),
    "open": ("open", "open"),
    "partial": ("deels", "partial"),
    "complete": ("volledig", "complete"),
    "cancelled": ("geannuleerd", "cancelled"),
    "new": ("open, nieuw", "open, new"),
    "backorder": ("open, wacht op backorder", "open, backorder"),
    "shipped": ("open, verzonden", "open, shipped"),
    "won": ("gewonnen", "won"),
    "lost": ("verloren", "lost"),
    "customer": ("Klant", "Customer"),
    "debtor_code": ("Debiteurnummer", "Debtor code"),
    "order_number": ("Ordernummer", "Order number"),
    "undated": ("zonder datum", "without a date"),
}
_REASONS = (
    (r"the customer has no debtor code", r"de klant heeft geen debiteurnummer"),
    (
        r"the customer shares debtor code (.*) with (\d+) more",
        r"de klant deelt debiteurnummer \1 met nog \2",
    ),
    (r"its customer is not known in the administration", r"de klant is niet bekend in de administratie"),
    (r"(\d+) of its lines name no item", r"\1 van de regels noemen geen artikel"),
    (r"it has no amount", r"er is geen bedrag"),
    (
        r"no rule covers status (.*), delivery (.*), invoice (.*); add one to status_rules",
        r"geen regel voor status \1, levering \2, factuur \3; voeg die toe aan status_rules",
    ),
)
_MONTHS = {
    Language.NL: ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
    Language.EN: ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_DUTCH_MARKS = {ord(","): ".", ord("."): ","}
UNDATED = date(1900, 1, 1)  # the month of orders without a date


def words(own: Mapping[str, Pair]) -> Callable[..., str]:
    """How a page says things: `said(language, key, **values)` with its own words and the shared ones.

    A key without a word, such as a status nobody documented, stays as it is.
    """
    known = SHARED | dict(own)

    def said(language: Language, key: str, **values: object) -> str:
        dutch, english = known.get(key, (key, key))
        chosen = dutch if language == Language.NL else english
        return chosen.format(**values) if values else chosen

    return said


def reason(language: Language, sentence: str) -> str:
    """Why an order waits, in that language."""
    for english, dutch in _REASONS if language == Language.NL else ():
        if found := re.fullmatch(english, sentence):
            return found.expand(dutch)
    return sentence


def number(language: Language, value: float | Decimal | None) -> str:
    """A number with its thousands apart, as the language writes them."""
    if value is None:
        return words({})(language, "not_told")
    return _marked(language, f"{value:,.0f}" if value == int(value) else f"{value:,.1f}")


def amount(language: Language, value: Decimal | int | None) -> str:
    """An amount of money to the cent; nothing where there is none."""
    return "" if value is None else _marked(language, f"{value:,.2f}")


def share(language: Language, value: Decimal | None) -> str:
    """A part of one as a percentage with a decimal; nothing where there is none."""
    return "" if value is None else f"{_marked(language, f'{value * 100:.1f}')}%"


def day(value: date | None) -> str:
    """A day as 31-12-2026, in both languages; nothing where there is none."""
    return "" if value is None else f"{value:%d-%m-%Y}"


def month(language: Language, value: date) -> str:
    """A month as `dec 2026`."""
    if value == UNDATED:
        return words({})(language, "undated")
    return f"{_MONTHS[language][value.month - 1]} {value.year}"


def short_month(language: Language, value: date) -> str:
    """A month as `dec 26`, for below a column."""
    if value == UNDATED:
        return "?"
    return f"{_MONTHS[language][value.month - 1]} {value:%y}"


def _marked(language: Language, shown: str) -> str:
    return shown.translate(_DUTCH_MARKS) if language == Language.NL else shown
