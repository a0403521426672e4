"""`erp.invoices`, `erp.invoice_orders` and `erp.receivables` take in what landed of invoices and payments."""

from sqlalchemy import Connection, Engine, text

from pipeline.config import Administration
from pipeline.steps.refresh_erp import vanished
from pipeline.transform.invoices import to_invoice_orders, to_invoices, to_receivables
from pipeline.warehouse import memory
from pipeline.warehouse.pending import QUEUED_AGAIN, queue, work_off
from pipeline.warehouse.reading import frame, rows
from pipeline.warehouse.tables import erp
from pipeline.warehouse.writing import remove, upsert


def refresh_invoices(engine: Engine, administration: Administration) -> int:
    """Takes in invoices and returns how many changed."""

    def step(tx: Connection, name: str, keys: list[str]) -> int:
        of = {"administration": name, "keys": keys}
        invoices = to_invoices(
            frame(tx, _LANDED_INVOICES, of),
            frame(tx, _DELETED_INVOICES, of),
            administration=name,
            time_zone=administration.time_zone,
            currency=administration.currency,
        )
        changed = upsert(tx, erp.invoices, rows(invoices))
        changed += vanished(tx, erp.invoices, of, invoices["invoice_id"])
        queue(tx, ("crm/deals",), name, [row.order_id for row in tx.execute(text(_ORDERS_OF_INVOICES), of)])
        return changed

    return work_off(engine, "erp/invoices", administration.name, step)


def refresh_invoice_orders(engine: Engine, administration: Administration) -> int:
    """Takes in for which orders invoices are, and returns how many of these changed; the orders need not be there."""

    def step(tx: Connection, name: str, keys: list[str]) -> int:
        of = {"administration": name, "keys": keys}
        wanted = to_invoice_orders(
            frame(tx, _LANDED_INVOICES, of), frame(tx, _DELETED_INVOICES, of), administration=name
        )
        there = set(zip(wanted["invoice_id"], wanted["order_id"], strict=True))
        known = tx.execute(text(_KNOWN_INVOICE_ORDERS), of).all()
        gone = [row for row in known if (row.invoice_id, row.order_id) not in there]
        remove(tx, erp.invoice_orders, ({"administration": name, **row._mapping} for row in gone))
        queue(tx, ("crm/deals",), name, {row.order_id for row in gone})
        changed = upsert(tx, erp.invoice_orders, rows(wanted), pending=("crm/deals",), pending_key="order_id")
        return changed + len(gone)

    return work_off(engine, "erp/invoice_orders", administration.name, step)


def refresh_receivables(engine: Engine, administration: Administration) -> int:
    """Takes in terms of payment and returns how many changed; one that is deleted is removed."""

    def step(tx: Connection, name: str, keys: list[str]) -> int:
        of = {"administration": name, "keys": keys}
        before = tx.execute(text(_KNOWN_RECEIVABLES), of).all()
        wanted = to_receivables(
            frame(tx, "SELECT * FROM exact_online.payment_terms WHERE administration = :administration "
                      "AND id = ANY(:keys)", of),
            frame(tx, _DELETED_TERMS, of),
            administration=name,
            currency=administration.currency,
            sign=_sign(tx, of),
        )  # fmt: skip
        gone = {row.receivable_id for row in before} - set(wanted["receivable_id"])
        remove(tx, erp.receivables, ({"administration": name, "receivable_id": key} for key in gone))
        changed = upsert(tx, erp.receivables, rows(wanted))
        customers = {*wanted["customer_id"], *(row.customer_id for row in before)} - {None}
        numbers = {*wanted["invoice_number"], *(row.invoice_number for row in before)} - {None}
        orders = tx.execute(text(_ORDERS_OF_NUMBERS), {"administration": name, "numbers": list(numbers)})
        queue(tx, ("crm/organizations",), name, customers)
        queue(tx, ("crm/deals",), name, [row.order_id for row in orders])
        return changed + len(gone)

    return work_off(engine, "erp/receivables", administration.name, step)


def _sign(tx: Connection, of: dict) -> int:
    """1, or -1 where Exact writes what is owed below zero: told by the first terms whose invoices are known."""
    fact = f"{of['administration']} sign of what is owed"
    known = memory.recall(tx, fact)
    if known is not None:
        return known
    found = tx.execute(text(_SIGN), of).scalar_one()
    if found:
        memory.note(tx, fact, int(found))
    if found == -1:  # those before were taken for the usual
        tx.execute(text(_ALL_TERMS), of)
    return int(found or 1)


_OF_INVOICES = "administration = :administration AND invoice_id = ANY(:keys)"
_LANDED_INVOICES = f"SELECT * FROM exact_online.sales_invoices WHERE {_OF_INVOICES}"
# A deletion may name a line, or a header by its id.
_DELETED_INVOICES = f"""
SELECT gone.entity_key, max(gone.timestamp) AS timestamp FROM exact_online.deletions AS gone
WHERE gone.administration = :administration AND gone.entity_type = '13'
    AND gone.entity_key IN (SELECT id FROM exact_online.sales_invoices WHERE {_OF_INVOICES}
        UNION SELECT invoice_id FROM exact_online.sales_invoices WHERE {_OF_INVOICES})
GROUP BY gone.entity_key
"""
_DELETED_TERMS = """
SELECT entity_key, max(timestamp) AS timestamp FROM exact_online.deletions
WHERE administration = :administration AND entity_type = '10' AND entity_key = ANY(:keys) GROUP BY entity_key
"""
_ORDERS_OF_INVOICES = f"SELECT DISTINCT order_id FROM erp.invoice_orders WHERE {_OF_INVOICES}"
_KNOWN_INVOICE_ORDERS = f"SELECT invoice_id, order_id FROM erp.invoice_orders WHERE {_OF_INVOICES}"
_KNOWN_RECEIVABLES = """
SELECT receivable_id, customer_id, invoice_number FROM erp.receivables
WHERE administration = :administration AND receivable_id = ANY(:keys)
"""
_ORDERS_OF_NUMBERS = """
SELECT DISTINCT billed.order_id FROM erp.invoices AS invoice
JOIN erp.invoice_orders AS billed
    ON billed.administration = invoice.administration AND billed.invoice_id = invoice.invoice_id
WHERE invoice.administration = :administration AND invoice.invoice_number = ANY(:numbers)
"""
_SIGN = """
SELECT sign(sum(sign(term.transaction_amount_fc) * sign(invoice.amount_incl_vat)))
FROM exact_online.payment_terms AS term
JOIN erp.invoices AS invoice ON invoice.administration = term.administration
    AND invoice.invoice_number = CAST(term.invoice_number AS text)
    AND abs(invoice.amount_incl_vat) = round(abs(term.transaction_amount_fc), 2)
WHERE term.administration = :administration AND term.id = ANY(:keys) AND invoice.kind = 'invoice'
"""
_ALL_TERMS = f"""
INSERT INTO state.pending (stage, administration, key)
SELECT 'erp/receivables', administration, id FROM exact_online.payment_terms WHERE administration = :administration
ORDER BY id {QUEUED_AGAIN}
"""
