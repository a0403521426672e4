"""The sums of a deal's product lines: of one line, and of the deal. Cents, half of one away from zero."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pipeline.sandbox.pipedrive.rows import Deal, DealProduct
from pipeline.sandbox.pipedrive.settings import Settings

_ONE = Decimal(1)
_HUNDRED = Decimal(100)
_PER_YEAR = {"weekly": 52, "monthly": 12, "quarterly": 4, "semi-annually": 2, "annually": 1}


def price_line(line: DealProduct, settings: Settings) -> None:
    """Computes what the line adds to its deal."""
    exact = _exact_cents(line, settings)
    line.cents = int(exact.quantize(_ONE, ROUND_HALF_UP))
    line.exact_cents = exact if settings.rounding == "deal" else 0


def figures(deal: Deal, settings: Settings) -> tuple[Any, Any, Any, Any]:
    """Value, ACV, ARR and MRR the deal should show."""
    if not deal.lines:
        kept = deal.value if settings.value_after_last_product == "kept" else 0
        return kept, None, None, None
    value = money(_total_cents(deal, settings))
    if not settings.recurring_revenue:
        return value, None, None, None
    yearly = _yearly_cents(deal)
    once = sum(line.cents for line in deal.lines if line.is_enabled and line.billing_frequency == "one-time")
    return value, money(once + yearly) if yearly else value, money(yearly), money(round(yearly / 12))


def money(cents: int) -> int | float:
    """Whole amounts are sent without a fraction."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def _exact_cents(line: DealProduct, settings: Settings) -> Decimal:
    quantity, price = Decimal(repr(line.quantity)), Decimal(repr(line.item_price))
    amount = quantity * price * _HUNDRED
    if line.discount:
        amount -= _discount(amount, quantity, line, settings)
    if line.tax and line.tax_method == "exclusive" and settings.exclusive_tax_in_sum:
        amount += amount * Decimal(repr(line.tax)) / _HUNDRED
    return amount


def _discount(amount: Decimal, quantity: Decimal, line: DealProduct, settings: Settings) -> Decimal:
    discount = Decimal(repr(line.discount))
    if line.discount_type == "percentage":
        return amount * discount / _HUNDRED
    return discount * _HUNDRED * (quantity if settings.amount_discount == "unit" else 1)


def _total_cents(deal: Deal, settings: Settings) -> int:
    enabled = [line for line in deal.lines if line.is_enabled]
    if settings.rounding == "deal":
        total = sum((line.exact_cents for line in enabled), Decimal(0))
    else:
        total = Decimal(sum(line.cents for line in enabled))
    for discount in deal.discounts:
        amount = Decimal(repr(discount["amount"]))
        total -= total * amount / _HUNDRED if discount["type"] == "percentage" else amount * _HUNDRED
    return int(total.quantize(_ONE, ROUND_HALF_UP))


def _yearly_cents(deal: Deal) -> int:
    recurring = (line for line in deal.lines if line.is_enabled and line.billing_frequency in _PER_YEAR)
    return sum(line.cents * _PER_YEAR[line.billing_frequency] for line in recurring)
