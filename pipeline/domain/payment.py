"""How far an order's invoices are paid: the rule behind "Betaalstatus".

What is open is told term by term; credit notes and overpayments are open amounts below zero. Nothing is converted:
what is open in one currency is settled by what is credited in that currency.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

_NEVER = date.max


class PaymentStatus(StrEnum):
    """The words of `crm.deals.payment_status`."""

    OPEN = "open"
    PARTIAL = "partial"
    PAID = "paid"
    LATE = "late"


@dataclass(frozen=True)
class Term:
    """A part of an invoice that falls due on one day; `amount` is what is open of it, 0 once it is settled."""

    currency: str
    amount: Decimal
    due_date: date | None
    is_paid: bool = False


@dataclass(frozen=True)
class Invoice:
    """An invoice that was sent, or a credit note, whose amount is below zero; its terms as far as they are known."""

    currency: str
    amount_incl_vat: Decimal
    due_date: date | None
    terms: tuple[Term, ...] = ()

    @property
    def open_terms(self) -> tuple[Term, ...]:
        """What is open of it: all of it as long as no term is known, for then no payment was seen either."""
        if not self.terms:
            return (Term(self.currency, self.amount_incl_vat, self.due_date),)
        return tuple(term for term in self.terms if not term.is_paid)


def payment_status(invoices: Sequence[Invoice], today: date) -> PaymentStatus | None:
    """The payment status over all invoices of an order; None while there is none. `today` is the administration's.

    Late comes before all else. What is credited or was paid too much settles what was due first.
    """
    if not invoices:
        return None
    left = _left_open(term for invoice in invoices for term in invoice.open_terms)
    if any((term.due_date or _NEVER) < today for term in left):
        return PaymentStatus.LATE
    if not left:
        return PaymentStatus.PAID
    return PaymentStatus.PARTIAL if any(_is_begun(invoice) for invoice in invoices) else PaymentStatus.OPEN


def _left_open(terms: Iterable[Term]) -> list[Term]:
    """The terms that are still to be paid when what is credited has settled those that were due first."""
    by_currency: dict[str, list[Term]] = defaultdict(list)
    for term in terms:
        by_currency[term.currency].append(term)
    left = []
    for currency, its_terms in by_currency.items():
        credit = -sum((term.amount for term in its_terms if term.amount < 0), Decimal(0))
        for term in sorted(its_terms, key=lambda term: term.due_date or _NEVER):
            amount = max(term.amount, Decimal(0))
            settled = min(amount, credit)
            credit -= settled
            if amount > settled:
                left.append(Term(currency, amount - settled, term.due_date))
    return left


def _is_begun(invoice: Invoice) -> bool:
    """Whether something was paid or credited: a credit note, a settled term, or less open than was invoiced."""
    if invoice.amount_incl_vat < 0 or any(term.is_paid or term.amount < 0 for term in invoice.terms):
        return True
    still_open = sum((term.amount for term in invoice.open_terms if term.currency == invoice.currency), Decimal(0))
    return all(term.currency == invoice.currency for term in invoice.terms) and still_open < invoice.amount_incl_vat
