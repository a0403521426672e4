"""Money and quantities as exact decimals, rounded the way an invoice is."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def to_cents(amount: Decimal) -> Decimal:
    """The amount rounded to the cent, half a cent away from zero."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def row_amount(quantity: Decimal, price: Decimal) -> Decimal:
    """What a row of that quantity at that price is worth, to the cent."""
    return to_cents(quantity * price)
