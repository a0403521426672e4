from datetime import date, timedelta
from decimal import Decimal

import pytest

from pipeline.domain.payment import Invoice, Term, payment_status

TODAY = date(2026, 7, 1)
PAST, FUTURE = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


def term(amount: object, due: date | None = FUTURE, currency: str = "EUR") -> Term:
    return Term(currency, Decimal(str(amount)), due)


def paid(due: date | None = PAST, currency: str = "EUR") -> Term:
    return Term(currency, Decimal(0), due, is_paid=True)


def invoice(amount: object, *terms: Term, due: date | None = FUTURE, currency: str = "EUR") -> Invoice:
    return Invoice(currency, Decimal(str(amount)), due, terms)


CASES = {
    "no invoice": ([], None),
    "an invoice of which nothing is paid": ([invoice(100, term(100))], "open"),
    "due today is not late": ([invoice(100, term(100, TODAY))], "open"),
    "due yesterday is late": ([invoice(100, term(100, PAST))], "late"),
    "without a due date it is never late": ([invoice(100, term(100, None), due=None)], "open"),
    "all paid": ([invoice(100, paid())], "paid"),
    "paid in part, the rest not due": ([invoice(100, paid(), term(60))], "partial"),
    "paid in part, the rest late": ([invoice(100, paid(), term(60, PAST))], "late"),
    "paid in part on one and the same term": ([invoice(100, term(60))], "partial"),
    "a cent is open": ([invoice(100, paid(), term("0.01"))], "partial"),
    "a cent is late": ([invoice(100, paid(), term("0.01", PAST))], "late"),
    "two terms, one late": ([invoice(100, term(50, PAST), term(50))], "late"),
    "two terms, none paid": ([invoice(100, term(50), term(50))], "open"),
    "paid too much": ([invoice(100, paid(), term(-5))], "paid"),
    "one overpayment settles another invoice": ([invoice(100, paid(), term(-50)), invoice(50, term(50))], "paid"),
    "of three invoices one paid": ([invoice(10, paid()), invoice(20, term(20)), invoice(30, term(30))], "partial"),
    "of three invoices one late": ([invoice(10, paid()), invoice(20, term(20)), invoice(30, term(30, PAST))], "late"),
    "three invoices paid": ([invoice(10, paid()), invoice(20, paid()), invoice(30, paid())], "paid"),
    "credited in full, neither settled": ([invoice(100, term(100)), invoice(-100, term(-100))], "paid"),
    "credited in full after it was late": ([invoice(100, term(100, PAST)), invoice(-100, term(-100))], "paid"),
    "credited in full, the credit note's date gone by": (
        [invoice(100, term(100)), invoice(-100, term(-100, PAST))],
        "paid",
    ),
    "credited in full and both settled": ([invoice(100, paid()), invoice(-100, paid())], "paid"),
    "credited in part": ([invoice(100, term(100)), invoice(-30, term(-30))], "partial"),
    "credited in part, the rest late": ([invoice(100, term(100, PAST)), invoice(-30, term(-30))], "late"),
    "a credit note settles what was due first": (
        [invoice(40, term(40, PAST)), invoice(60, term(60)), invoice(-40, term(-40))],
        "partial",
    ),
    "a credit note paid out, the invoice open": ([invoice(100, term(100)), invoice(-30, paid())], "partial"),
    "paid and then credited": ([invoice(100, paid()), invoice(-30, term(-30, PAST))], "paid"),
    "a credit note alone": ([invoice(-30, term(-30, PAST))], "paid"),
    "an invoice over nothing": ([invoice(0)], "paid"),
    "no term known yet": ([invoice(100)], "open"),
    "no term known and late": ([invoice(100, due=PAST)], "late"),
    "another currency, paid": ([invoice(100, paid(currency="USD"), currency="USD")], "paid"),
    "another currency, open": ([invoice(100, term(100, currency="USD"), currency="USD")], "open"),
    "a term in another currency than its invoice": ([invoice(100, term(90, currency="USD"))], "open"),
    "a credit in dollars settles no euros": (
        [invoice(100, term(100)), invoice(-100, term(-100, currency="USD"), currency="USD")],
        "partial",
    ),
}


@pytest.mark.parametrize(("invoices", "status"), CASES.values(), ids=CASES)
def test_what_the_payment_status_of_an_order_is(invoices: list[Invoice], status: str | None):
    assert payment_status(invoices, TODAY) == status


PARTS = {
    "open": invoice(100, term(100)),
    "overdue": invoice(50, term(50, PAST)),
    "paid": invoice(30, paid()),
    "credited": invoice(-20, paid()),
}
# The contract, word by word: late when anything open was due before today; else paid when nothing is open; else partial
# when something was paid or credited; else open.
EACH_COMBINATION = {
    "": None,
    "open": "open",
    "paid": "paid",
    "credited": "paid",
    "overdue": "late",
    "open paid": "partial",
    "open credited": "partial",
    "open overdue": "late",
    "paid credited": "paid",
    "paid overdue": "late",
    "credited overdue": "late",
    "open paid credited": "partial",
    "open paid overdue": "late",
    "open credited overdue": "late",
    "paid credited overdue": "late",
    "open paid credited overdue": "late",
}


@pytest.mark.parametrize(("parts", "status"), EACH_COMBINATION.items())
def test_each_combination_of_open_paid_credited_and_overdue(parts: str, status: str | None):
    assert payment_status([PARTS[part] for part in parts.split()], TODAY) == status


def test_a_day_that_passes_makes_it_late():
    bill = [invoice(100, term(100, TODAY))]
    assert payment_status(bill, TODAY) == "open"
    assert payment_status(bill, TODAY + timedelta(days=1)) == "late"
