"""The payment status of orders, from their invoices and what is open of these."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.domain.payment import Invoice, Term, payment_status

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without


def with_payment_statuses(orders: pd.DataFrame, terms: pd.DataFrame, *, today: date) -> pd.DataFrame:
    """The orders with a column `payment_status`, None where no invoice is known; `terms` and `today` as below."""
    import pandas as pd

    statuses = to_payment_statuses(terms, today=today)
    of_each = pd.Series([statuses.get(order_id) for order_id in orders["order_id"]], orders.index, dtype=object)
    return orders.assign(payment_status=of_each)


def to_payment_statuses(terms: pd.DataFrame, *, today: date) -> dict[str, str]:
    """The status of each order that has an invoice, by order_id.

    `terms` has one row an order, invoice and term, or one without a term where none is known: `order_id`, `invoice_id`,
    `currency`, `amount_incl_vat`, `due_date` of the invoice, and `receivable_id`, `term_currency`, `amount`,
    `term_due_date`, `is_paid`. `today` is the administration's.
    """
    headers: dict[str, dict[str, tuple[str, Decimal, date | None]]] = defaultdict(dict)
    of_invoice: dict[tuple[str, str], list[Term]] = defaultdict(list)
    for row in terms.itertuples(index=False):
        headers[row.order_id][row.invoice_id] = (row.currency, row.amount_incl_vat or Decimal(0), row.due_date)
        if row.receivable_id is not None:
            term = Term(row.term_currency, row.amount, row.term_due_date, row.is_paid)
            of_invoice[row.order_id, row.invoice_id].append(term)
    found = {}
    for order_id, invoices in headers.items():
        told = [Invoice(*header, tuple(of_invoice[order_id, key])) for key, header in invoices.items()]
        found[order_id] = str(payment_status(told, today))
    return found
