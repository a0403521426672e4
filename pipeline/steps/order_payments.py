"""What the payment status of deals is read from, and which deals a day that passed may have made late."""

from datetime import date

from sqlalchemy import Connection, text

from pipeline.warehouse import memory
from pipeline.warehouse.pending import QUEUED_AGAIN


def queue_what_falls_due(tx: Connection, administration: str, *, today: date) -> None:
    """Lets deals be decided anew of which something fell due since the last look; the first on a day looks."""
    fact = f"{administration} payments are of"
    before = memory.recall(tx, fact)
    if before == today.isoformat():
        return
    memory.note(tx, fact, today.isoformat())
    if before is not None:
        tx.execute(text(_QUEUE_DUE), {"administration": administration, "since": before, "today": today})


# Nothing is owed for a draft. A term is told by the invoice's number and by who ordered or pays.
TERMS_OF_ORDERS = """
SELECT billed.order_id, invoice.invoice_id, invoice.currency, invoice.amount_incl_vat, invoice.due_date,
    term.receivable_id, term.currency AS term_currency, term.amount, term.due_date AS term_due_date, term.is_paid
FROM erp.invoice_orders AS billed
JOIN erp.invoices AS invoice
    ON invoice.administration = billed.administration AND invoice.invoice_id = billed.invoice_id
LEFT JOIN erp.receivables AS term
    ON term.administration = invoice.administration AND term.invoice_number = invoice.invoice_number
    AND term.customer_id IN (invoice.customer_id, invoice.payer_id)
WHERE billed.administration = :administration AND billed.order_id = ANY(:keys)
    AND NOT invoice.is_deleted AND NOT invoice.is_draft
"""
_QUEUE_DUE = f"""
INSERT INTO state.pending (stage, administration, key)
SELECT DISTINCT 'crm/deals', billed.administration, billed.order_id FROM (
    SELECT invoice_id FROM erp.invoices WHERE administration = :administration
        AND due_date >= CAST(:since AS date) AND due_date < :today
    UNION SELECT invoice.invoice_id FROM erp.receivables AS term
    JOIN erp.invoices AS invoice
        ON invoice.administration = term.administration AND invoice.invoice_number = term.invoice_number
    WHERE term.administration = :administration AND NOT term.is_paid
        AND term.due_date >= CAST(:since AS date) AND term.due_date < :today) AS due
JOIN erp.invoice_orders AS billed ON billed.administration = :administration AND billed.invoice_id = due.invoice_id
ORDER BY 3 {QUEUED_AGAIN}
"""
