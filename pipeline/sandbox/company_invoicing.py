"""Deliveries, invoices and payments: what has to be booked so that they agree with how far an order has come.

An order's lines say how much of them is delivered and invoiced; here the paper that belongs to it is made.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.sandbox import company_stock
from pipeline.sandbox.company_clock import wall_ms
from pipeline.sandbox.company_ids import derived_id
from pipeline.sandbox.company_ordering import cents
from pipeline.sandbox.company_papers import (
    Attachment,
    Delivery,
    DeliveryLine,
    Document,
    Invoice,
    InvoiceLine,
    Receivable,
)
from pipeline.sandbox.company_rows import COMPLETE, Order, OrderLine

if TYPE_CHECKING:
    from pipeline.sandbox.company_state import Company

CREDIT_NOTE = 8021
SALES_INVOICE = 10  # type of document


def book(company: "Company", order: Order, day: date, *, deliveries: bool = True) -> None:
    """Books what is delivered and invoiced and not on paper yet."""
    if deliveries:
        _deliver(company, order, day)
    _bill(company, order, day)


def pay(company: "Company", receivable: Receivable, amount: float | None) -> Receivable:
    """A payment; a part of what is owed stays behind as a receivable of its own."""
    rest = 0 if amount is None else cents(receivable.amount - amount)
    if rest:
        receivable.amount = cents(receivable.amount - rest)
        _owe(company, receivable.invoice, rest)
    receivable.paid_on = company.clock.today
    return company.touch("receivables", receivable)


def payment_days(order: Order) -> int:
    """Payment conditions are named after their days."""
    return int(order.payment_condition) if order.payment_condition.isdigit() else 30


def _deliver(company: "Company", order: Order, day: date) -> None:
    papers = company.deliveries_of.get(order.id, [])
    missing = _missing(order, papers, lambda line: line.delivered)
    if any(quantity * line.quantity < 0 for line, quantity in missing):  # a delivery was taken back: the papers go
        for paper in list(papers):
            take_back(company, paper)
        missing = _missing(order, (), lambda line: line.delivered)
    if not missing:
        return
    delivery = Delivery(company.new_id(), len(company.deliveries) + 1, order, day)
    delivery.tracking_number = f"3S{company.random.randrange(10**9):09d}"
    for line, quantity in missing:
        number = len(delivery.lines) + 1
        delivery.lines.append(DeliveryLine(company.new_id(), delivery, number, line, quantity))
    company.deliveries_of.setdefault(order.id, []).append(delivery)
    made = _moment(company, day)
    company.add("deliveries", delivery, at_ms=made)
    for part in delivery.lines:
        company.add("delivery_lines", part, at_ms=made)
        company_stock.move(company, part.order_line.item_id, -part.quantity, order.warehouse_id)


def take_back(company: "Company", paper: Delivery) -> None:
    """A delivery that is undone: its papers go, the goods come back."""
    for part in paper.lines:
        company_stock.move(company, part.order_line.item_id, part.quantity, paper.order.warehouse_id)
        company.delete("delivery_lines", part.id)
    company.delete("deliveries", paper.id)
    company.deliveries_of[paper.order.id].remove(paper)


def _bill(company: "Company", order: Order, day: date) -> None:
    """An invoice over what is missing, a credit note over what was billed too much. The last one makes up the cents."""
    papers = company.invoices_of.get(order.id, [])
    missing = _missing(order, papers, lambda line: line.invoiced)
    billed = sum(paper.amount_excl for paper in papers)
    complete_without_lines = not order.lines and order.invoice_status == COMPLETE and cents(order.amount_excl - billed)
    if not missing and not complete_without_lines:
        return
    amount = sum(cents(quantity * line.net_price) for line, quantity in missing)
    if order.invoice_status == COMPLETE:
        amount = order.amount_excl - billed
    elif all(not line.invoiced for line in order.lines):
        amount = -billed
    invoice = _invoice(company, order, day, cents(amount))
    for line, quantity in missing:
        part = InvoiceLine(company.new_id(), invoice, len(invoice.lines) + 1, line, quantity, 0)
        part.amount = cents(quantity * line.net_price)
        invoice.lines.append(company.add("invoice_lines", part, at_ms=invoice.created_ms))


def _invoice(company: "Company", order: Order, day: date, amount: float) -> Invoice:
    due = day + timedelta(days=payment_days(order))
    number = 26_700_000 + len(company.invoices) + 1
    invoice = Invoice(company.new_id(), number, order, day, due, amount, cents(amount * (1 + order.vat_rate)))
    if amount < 0:
        invoice.type = CREDIT_NOTE
    company.invoices_of.setdefault(order.id, []).append(invoice)
    company.add("invoices", invoice, at_ms=_moment(company, day))
    _file(company, invoice)
    _owe(company, invoice, invoice.amount_incl)
    return invoice


def document_id(invoice: Invoice) -> str:
    """The GUID of the document that shows an invoice."""
    return derived_id("document", invoice.id)


def _file(company: "Company", invoice: Invoice) -> None:
    """The invoice as a document with its file."""
    word = "Creditnota" if invoice.type == CREDIT_NOTE else "Factuur"
    hid = len(company.documents) + 1
    document = Document(
        document_id(invoice), hid, f"{word} {invoice.number}", SALES_INVOICE, invoice.invoice_date,
        invoice.order.account_id,
    )  # fmt: skip
    document.amount, document.currency = invoice.amount_incl, invoice.order.currency
    document.invoice_number, document.order_number = invoice.number, invoice.order.number
    company.add("documents", document, at_ms=invoice.created_ms)
    content = f"%PDF-1.4 {document.subject}".encode()
    file = Attachment(derived_id("file", document.id), document, f"{word}_{invoice.number}.pdf", content)
    company.add("attachments", file, at_ms=invoice.created_ms)


def _owe(company: "Company", invoice: Invoice, amount: float) -> Receivable:
    row = Receivable(company.new_id(), len(company.receivables) + 1, invoice, amount)
    return company.add("receivables", row, at_ms=_moment(company, invoice.invoice_date))


def _moment(company: "Company", day: date) -> int:
    """Four in the afternoon of that day, or now when that is still to come."""
    return min(wall_ms(day, 16), company.clock.now_ms)


def _missing(
    order: Order, papers: Iterable[Any], reached: Callable[[OrderLine], float]
) -> list[tuple[OrderLine, float]]:
    """Lines on which more (or less) was done than the papers say, and by how much."""
    booked: dict[str, float] = {}
    for paper in papers:
        for part in paper.lines:
            booked[part.order_line.id] = booked.get(part.order_line.id, 0) + part.quantity
    differences = [(line, round(reached(line) - booked.get(line.id, 0), 6)) for line in order.lines]
    return [(line, difference) for line, difference in differences if difference]
