"""What "Betaalstatus" of each order should be, worked out from the ERP's own books and from nothing in between."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_papers import Invoice, Receivable

PROCESSED = 50


def payments_in_the_books(company: Company, today: date | None = None) -> dict[str, str]:
    """By order, of those that have an invoice; one without lines names no order."""
    day = today or datetime.now(ZoneInfo("Europe/Amsterdam")).date()
    terms: dict[str, list[Receivable]] = defaultdict(list)
    for row in company.receivables:
        terms[row.invoice.id].append(row)
    invoices: dict[str, list[Invoice]] = defaultdict(list)
    for invoice in company.invoices:
        if invoice.lines and invoice.status == PROCESSED:
            invoices[invoice.order.id].append(invoice)
    return {
        order_id: _status([row for invoice in sent for row in terms[invoice.id]], day)
        for order_id, sent in invoices.items()
    }


def _status(terms: list[Receivable], today: date) -> str:
    still_open = sorted((row for row in terms if row.paid_on is None), key=lambda row: row.invoice.due_date)
    credited = -sum(_cents(row) for row in still_open if row.amount < 0)
    late = left = Decimal(0)
    for row in (row for row in still_open if row.amount > 0):
        rest = max(_cents(row) - credited, Decimal(0))
        credited = max(credited - _cents(row), Decimal(0))
        left += rest
        late += rest if row.invoice.due_date < today else 0
    if late:
        return "Te laat"
    if not left:
        return "Betaald"
    return "Deels betaald" if len(still_open) < len(terms) or any(row.amount < 0 for row in terms) else "Open"


def _cents(row: Receivable) -> Decimal:
    return Decimal(str(round(row.amount, 2)))
