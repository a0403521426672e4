"""Order lines → the rows of a deal, adding up to the order's amount to the cent."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from pipeline.domain.money import row_amount

SURCHARGE_CODE = "TOESLAG-KORTING"
SURCHARGE_NAME = "Toeslag/korting"
SURCHARGE_COMMENT = "verschil"


@dataclass(frozen=True)
class OrderLine:
    """A line as `erp.order_lines` knows it."""

    line_id: str
    line_number: int
    product_id: str
    item_group_code: str | None
    quantity: Decimal
    net_price: Decimal


@dataclass(frozen=True)
class DealRow:
    """One row on a deal. `row_key` says for which line it stands, `product_key` which product it shows."""

    row_key: str
    product_key: str
    quantity: Decimal
    item_price: Decimal
    comments: str

    @property
    def exact(self) -> Decimal:
        """Quantity times price, not rounded."""
        return self.quantity * self.item_price

    @property
    def amount(self) -> Decimal:
        """What the row adds to the deal's value."""
        return row_amount(self.quantity, self.item_price)


def deal_rows(lines: Iterable[OrderLine], amount_excl_vat: Decimal, *, rounded_once: bool = False) -> list[DealRow]:
    """One row a line in line order, and a last one for what the lines leave of the amount.

    `rounded_once`: the account rounds the sum of a deal instead of each of its rows.
    """
    ordered = sorted(lines, key=lambda line: (line.line_number, line.line_id))
    rows = [_row(line) for line in ordered if line.quantity]
    left = amount_excl_vat - sum((row.exact if rounded_once else row.amount for row in rows), Decimal(0))
    if rows and left:
        rows.append(DealRow(SURCHARGE_CODE, SURCHARGE_CODE, Decimal(1), left, SURCHARGE_COMMENT))
    return rows


def _row(line: OrderLine) -> DealRow:
    """A return (a quantity below zero) keeps its quantity without the sign and turns its price."""
    sign = -1 if line.quantity < 0 else 1
    comments = f"{line.line_number} · {line.item_group_code or '-'}"
    return DealRow(line.line_id, line.product_id, sign * line.quantity, sign * line.net_price, comments)
