"""`erp.invoices`, `erp.invoice_orders` and `erp.receivables`: headers and lines apart, signs, what is open."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from pipeline.transform.invoices import to_invoice_orders, to_invoices, to_receivables
from pipeline.transform.payments import with_payment_statuses
from pipeline_tests.transform.frames import deletions, floats_in, frame, only_row, wall

HEADER: dict[str, Any] = {
    "administration": "nl",
    "id": "invoice-1",
    "timestamp": 100,
    "invoice_id": "invoice-1",
    "line_number": 0,
    "invoice_number": 26700001,
    "invoice_date": wall("2026-06-01"),
    "due_date": wall("2026-07-01"),
    "ordered_by": "customer-1",
    "invoice_to": "payer-1",
    "currency": "EUR",
    "amount_fc": Decimal("121.0000000001"),
    "amount_fc_excl_vat": Decimal("100"),
    "type": 8020,
    "status": 50,
    "sales_order": None,
    "modified": wall("2026-06-01 12:00"),
}
LINE = HEADER | {"id": "line-1", "line_number": 1, "amount_fc": Decimal("60"), "sales_order": "order-1"}
TERM: dict[str, Any] = {
    "administration": "nl",
    "id": "term-1",
    "timestamp": 100,
    "line_type": 20,
    "account": "payer-1",
    "invoice_number": 26700001,
    "due_date": wall("2026-07-01"),
    "currency": "USD",
    "amount_fc": Decimal("121"),
    "amount_dc": Decimal("108.90"),
    "transaction_amount_fc": Decimal("121"),
    "is_fully_paid": False,
    "status": 20,
    "last_payment_date": None,
    "modified": wall("2026-06-01 12:00"),
}
NOBODY = "00000000-0000-0000-0000-000000000000"


def feed(*rows: dict[str, Any]) -> pd.DataFrame:
    return frame(list(HEADER), rows)


def invoices(*rows: dict[str, Any], **deleted: int) -> pd.DataFrame:
    found = to_invoices(
        feed(*rows), deletions(**deleted), administration="nl", time_zone="Europe/Amsterdam", currency="EUR"
    )
    assert floats_in(found) == []
    return found


def orders(*rows: dict[str, Any], **deleted: int) -> dict[tuple[str, str], Decimal]:
    found = to_invoice_orders(feed(*rows), deletions(**deleted), administration="nl")
    return {(row["invoice_id"], row["order_id"]): row["amount_excl_vat"] for row in found.to_dict("records")}


def receivables(*changes: dict[str, Any], sign: int = 1, **deleted: int) -> pd.DataFrame:
    terms = frame(list(TERM), [TERM | change for change in changes])
    found = to_receivables(terms, deletions(**deleted), administration="nl", currency="EUR", sign=sign)
    assert floats_in(found) == []
    return found


def test_a_header_is_one_invoice_and_its_lines_are_none():
    assert only_row(invoices(HEADER, LINE)) == {
        "administration": "nl",
        "invoice_id": "invoice-1",
        "invoice_number": "26700001",
        "invoice_date": date(2026, 6, 1),
        "due_date": date(2026, 7, 1),
        "customer_id": "customer-1",
        "payer_id": "payer-1",
        "currency": "EUR",
        "amount_excl_vat": Decimal("100.00"),
        "amount_incl_vat": Decimal("121.00"),
        "kind": "invoice",
        "is_draft": False,
        "is_deleted": False,
        "modified_at": datetime(2026, 6, 1, 10, tzinfo=UTC),
    }


def test_lines_wait_for_their_header():
    assert len(invoices(LINE)) == 0
    assert orders(LINE) == {("invoice-1", "order-1"): Decimal("60.00")}


@pytest.mark.parametrize("amount", ["100", "-100"])
@pytest.mark.parametrize("kind", [8021, 8024])
def test_a_credit_note_is_below_zero_whatever_sign_it_came_with(kind: int, amount: str):
    header = HEADER | {"type": kind, "amount_fc_excl_vat": Decimal(amount), "amount_fc": Decimal(amount)}
    found = only_row(invoices(header))
    assert (found["kind"], found["amount_excl_vat"], found["amount_incl_vat"]) == ("credit", -100, -100)
    assert orders(header, LINE | {"type": kind, "amount_fc": Decimal(amount)}) == {("invoice-1", "order-1"): -100}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": 10}, {"is_draft": True}),
        ({"status": 20, "invoice_number": 0}, {"is_draft": True, "invoice_number": None}),
        ({"status": None, "invoice_number": None}, {"is_draft": False, "invoice_number": None}),
        ({"currency": None}, {"currency": "EUR"}),
        ({"amount_fc": None, "amount_fc_excl_vat": None}, {"amount_incl_vat": None, "amount_excl_vat": None}),
        ({"due_date": None, "invoice_date": None}, {"due_date": None, "invoice_date": None}),
        ({"ordered_by": NOBODY, "invoice_to": None}, {"customer_id": None, "payer_id": None}),
        ({"type": 8023}, {"kind": "invoice"}),
    ],
)
def test_what_is_missing_or_odd_on_an_invoice(change: dict[str, Any], expected: dict[str, Any]):
    found = only_row(invoices(HEADER | change))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(("deleted_at", "is_deleted"), [(99, False), (100, True), (101, True)])
def test_a_deletion_holds_when_it_is_not_older(deleted_at: int, is_deleted: bool):
    assert only_row(invoices(HEADER, invoice_1=deleted_at))["is_deleted"] is is_deleted


def test_an_invoice_is_for_the_orders_that_its_lines_name():
    lines = (
        LINE,
        LINE | {"id": "line-2", "amount_fc": Decimal("15")},
        LINE | {"id": "line-3", "amount_fc": Decimal("25"), "sales_order": "order-2"},
        LINE | {"id": "line-4", "sales_order": None},
        LINE | {"id": "line-5", "sales_order": NOBODY},
    )
    assert orders(HEADER, *lines) == {("invoice-1", "order-1"): 75, ("invoice-1", "order-2"): 25}
    assert orders(HEADER, *lines, line_3=100) == {("invoice-1", "order-1"): 75}


def test_a_term_says_what_is_open_in_both_currencies():
    assert only_row(receivables({})) == {
        "administration": "nl",
        "receivable_id": "term-1",
        "customer_id": "payer-1",
        "invoice_number": "26700001",
        "currency": "USD",
        "amount": Decimal("121.00"),
        "amount_home": Decimal("108.90"),
        "due_date": date(2026, 7, 1),
        "is_paid": False,
        "paid_on": None,
    }


@pytest.mark.parametrize(
    ("change", "is_paid", "amount"),
    [
        ({"is_fully_paid": True, "status": 50}, True, 0),
        ({"is_fully_paid": True}, True, 0),
        ({"status": 50}, True, 0),
        ({"status": 40}, False, 121),  # handed to the bank, not received
        ({"is_fully_paid": None}, False, 121),
        ({"amount_fc": Decimal("-5")}, False, -5),
        ({"amount_fc": None}, False, 0),
    ],
)
def test_what_is_open_of_a_term(change: dict[str, Any], is_paid: bool, amount: int):
    found = only_row(receivables(change))
    assert (found["is_paid"], found["amount"]) == (is_paid, amount)


def test_what_exact_writes_below_zero_is_turned_round():
    below = {"amount_fc": Decimal("-121"), "amount_dc": Decimal("-108.90")}
    found = only_row(receivables(below, sign=-1))
    assert (found["amount"], found["amount_home"]) == (Decimal("121.00"), Decimal("108.90"))


def test_a_term_that_was_deleted_is_none():
    assert len(receivables({}, term_1=100)) == 0
    assert len(receivables({}, term_1=99)) == 1
    assert len(receivables()) == 0


def test_an_order_without_an_invoice_has_no_payment_status_and_no_nan():
    names = ["order_id", "invoice_id", "currency", "amount_incl_vat", "due_date"]
    names += ["receivable_id", "term_currency", "amount", "term_due_date", "is_paid"]
    due = date(2026, 7, 1)
    row = ("order-1", "invoice-1", "EUR", Decimal(121), due, "term-1", "EUR", Decimal(121), due, False)
    without_term = ("order-2", "invoice-2", "EUR", Decimal(121), due, None, None, None, None, None)
    terms = frame(names, [dict(zip(names, values, strict=True)) for values in (row, without_term)])
    placed = frame(["order_id"], [{"order_id": f"order-{number}"} for number in (1, 2, 3)])
    assert list(with_payment_statuses(placed, terms, today=due)["payment_status"]) == ["open", "open", None]
