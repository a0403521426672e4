"""`erp.invoices`, `erp.invoice_orders` and `erp.receivables` from Exact Online's invoices and terms of payment."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline.transform.exact_values import amount, day, each, instant, reference, trimmed

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without

HEADER = 0  # the line number of a header
CREDIT_NOTES = {8021, 8024}
PROCESSED, MATCHED = 50, 50
_NOTHING = Decimal("0.00")


def to_invoices(
    feed: pd.DataFrame, deletions: pd.DataFrame, *, administration: str, time_zone: str, currency: str
) -> pd.DataFrame:
    """One row an invoice whose header is known.

    `feed` has the columns of `exact_online.sales_invoices`, all rows of the invoices; `deletions` has `entity_key` and
    `timestamp`. A credit note is below zero, whatever sign it came with. `currency` is the administration's.
    """
    import pandas as pd

    headers = feed.loc[[number == HEADER for number in feed["line_number"]], :]
    zone = ZoneInfo(time_zone)
    is_credit = [kind in CREDIT_NOTES for kind in headers["type"]]
    columns = {
        "administration": [administration] * len(headers),
        "invoice_id": headers["invoice_id"],
        "invoice_number": each(headers["invoice_number"], _number),
        "invoice_date": each(headers["invoice_date"], day),
        "due_date": each(headers["due_date"], day),
        "customer_id": each(headers["ordered_by"], reference),
        "payer_id": each(headers["invoice_to"], reference),
        "currency": each(headers["currency"], lambda code: trimmed(code) or currency),
        "amount_excl_vat": _signed(headers["amount_fc_excl_vat"], is_credit),
        "amount_incl_vat": _signed(headers["amount_fc"], is_credit),
        "kind": ["credit" if credit else "invoice" for credit in is_credit],
        "is_draft": each(headers["status"], lambda status: status is not None and status < PROCESSED),
        "is_deleted": _gone(headers, deletions),
        "modified_at": each(headers["modified"], lambda moment: instant(moment, zone)),
    }
    return pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in columns.items()})


def to_invoice_orders(feed: pd.DataFrame, deletions: pd.DataFrame, *, administration: str) -> pd.DataFrame:
    """One row an invoice and order, from the lines that are not deleted; frames as for `to_invoices`."""
    import pandas as pd

    gone = _gone(feed, deletions)
    types = {row.invoice_id: row.type for row in feed.itertuples(index=False) if row.line_number == HEADER}
    sums: dict[tuple[str, str], Decimal] = {}
    for line, is_gone in zip(feed.itertuples(index=False), gone, strict=True):
        order_id = reference(line.sales_order)
        if line.line_number == HEADER or is_gone or order_id is None:
            continue
        key = (line.invoice_id, order_id)
        sums[key] = sums.get(key, Decimal(0)) + Decimal(line.amount_fc or 0)
    columns = {
        "administration": [administration] * len(sums),
        "invoice_id": [invoice_id for invoice_id, _ in sums],
        "order_id": [order_id for _, order_id in sums],
        "amount_excl_vat": _signed(sums.values(), [types.get(invoice_id) in CREDIT_NOTES for invoice_id, _ in sums]),
    }
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def to_receivables(
    terms: pd.DataFrame, deletions: pd.DataFrame, *, administration: str, currency: str, sign: int
) -> pd.DataFrame:
    """One row a term of payment that is not deleted.

    `terms` has the columns of `exact_online.payment_terms`; `sign` is -1 where Exact writes what is owed below zero.
    `currency` is the administration's.
    """
    import pandas as pd

    there = terms.loc[[not gone for gone in _gone(terms, deletions)], :]
    paid = [
        bool(is_paid) or status == MATCHED
        for is_paid, status in zip(there["is_fully_paid"], there["status"], strict=True)
    ]
    columns = {
        "administration": [administration] * len(there),
        "receivable_id": there["id"],
        "customer_id": each(there["account"], reference),
        "invoice_number": each(there["invoice_number"], _number),
        "currency": each(there["currency"], lambda code: trimmed(code) or currency),
        "amount": _open(there["amount_fc"], paid, sign),
        "amount_home": _open(there["amount_dc"], paid, sign),
        "due_date": each(there["due_date"], day),
        "is_paid": paid,
        "paid_on": each(there["last_payment_date"], day),
    }
    return pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in columns.items()})


def _number(number: int | None) -> str | None:
    """The number as people write it; Exact sends 0 or nothing before there is one."""
    return str(number) if number else None


def _signed(amounts: Iterable[Decimal | int | None], is_credit: list[bool]) -> list[Decimal | None]:
    found = [amount(value) for value in amounts]
    return [
        -abs(value) if credit and value is not None else value for value, credit in zip(found, is_credit, strict=True)
    ]


def _open(amounts: Iterable[Decimal | int | None], paid: list[bool], sign: int) -> list[Decimal]:
    return [
        _NOTHING if is_paid else sign * (amount(value) or _NOTHING)
        for value, is_paid in zip(amounts, paid, strict=True)
    ]


def _gone(rows: pd.DataFrame, deletions: pd.DataFrame) -> list[bool]:
    """Whether each row was deleted since it had its version."""
    deleted = dict(zip(deletions["entity_key"], deletions["timestamp"], strict=True))
    return [deleted.get(key, -1) >= version for key, version in zip(rows["id"], rows["timestamp"], strict=True)]
