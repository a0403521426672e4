"""How an order's amounts and statuses follow from its lines. Pure arithmetic on rows; versions are not bumped here."""

import math
from collections.abc import Iterable

from pipeline.sandbox.company_rows import CANCELLED, COMPLETE, OPEN, PARTIAL, Order, OrderLine


def number(value: float) -> float:
    """Whole amounts travel as 100, not as 100.0."""
    whole = int(value)
    return whole if whole == value else value


def cents(value: float) -> float:
    """Rounds to the cent, half a cent away from zero."""
    return number(math.copysign(math.floor(abs(value) * 100 + 0.5 + 1e-7) / 100, value))


def total(order: Order) -> bool:
    """Puts the order's amounts right; says whether they were not. Lines know nothing of the header's discount."""
    before = (order.amount_discount, order.amount_excl, order.amount_incl)
    lines = cents(sum(line.amount for line in order.lines))
    order.amount_discount = cents(lines * order.discount)
    order.amount_excl = cents(lines - order.amount_discount + order.charges)
    order.amount_incl = cents(order.amount_excl * (1 + order.vat_rate))
    return before != (order.amount_discount, order.amount_excl, order.amount_incl)


def reckon_line(line: OrderLine) -> None:
    """Puts amount and statuses of one line right after a quantity or a price changed."""
    line.amount = cents(line.quantity * line.net_price)
    if line.status == CANCELLED:
        return
    line.delivery_status = _progress(line.delivered, line.quantity)
    line.invoice_status = _progress(line.invoiced, line.quantity)
    line.status = combined(line.delivery_status, line.invoice_status)


def force_line_status(line: OrderLine, status: int, delivery: int, invoice: int) -> None:
    """Puts a line in a status, with quantities that go with it."""
    line.status, line.delivery_status, line.invoice_status = status, delivery, invoice
    line.delivered = _quantity_at(delivery, line.quantity, line.delivered)
    line.invoiced = _quantity_at(invoice, line.quantity, line.invoiced)


def derive_status(order: Order) -> bool:
    """Header statuses from those of the lines; says whether they changed. An order without lines keeps its own."""
    if not order.lines:
        return False
    before = (order.status, order.delivery_status, order.invoice_status)
    order.delivery_status = over_lines(line.delivery_status for line in order.lines)
    order.invoice_status = over_lines(line.invoice_status for line in order.lines)
    all_cancelled = all(line.status == CANCELLED for line in order.lines)
    order.status = CANCELLED if all_cancelled else combined(order.delivery_status, order.invoice_status)
    return before != (order.status, order.delivery_status, order.invoice_status)


def combined(delivery: int, invoice: int) -> int:
    """The status over both dimensions: the rule is not documented, this one gives every known combination."""
    if delivery == OPEN and invoice == OPEN:
        return OPEN
    done = {COMPLETE, CANCELLED}
    return COMPLETE if delivery in done and invoice in done else PARTIAL


def over_lines(statuses: Iterable[int]) -> int:
    """What the header says when its lines say these."""
    seen = set(statuses)
    if len(seen) == 1:
        return seen.pop()
    seen.discard(CANCELLED)
    return seen.pop() if len(seen) == 1 else PARTIAL


def _progress(done: float, quantity: float) -> int:
    if not done:
        return OPEN
    return COMPLETE if abs(done) >= abs(quantity) else PARTIAL


def _quantity_at(status: int, quantity: float, now: float) -> float:
    if status == COMPLETE:
        return quantity
    if status == PARTIAL:
        half = quantity // 2
        return half if half not in (0, quantity) else number(quantity / 2)
    return 0 if status == OPEN else now
