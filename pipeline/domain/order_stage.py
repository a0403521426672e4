"""Three status words of an order → what becomes of its deal.

Add a rule here when sales reads a combination of statuses differently; add a word when an ERP knows one more.
How a source's codes become words is its transform's business, how stages are called in Pipedrive is configuration.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Word(StrEnum):
    """How far an order, its delivery or its invoicing has come."""

    OPEN = "open"
    PARTIAL = "partial"
    COMPLETE = "complete"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What a combination of statuses makes of the deal: one of three open stages, or closed."""

    NEW = "new"
    BACKORDER = "backorder"
    SHIPPED = "shipped"
    WON = "won"
    LOST = "lost"


Words = frozenset[str] | None  # None: any word, also one that was never documented


@dataclass(frozen=True)
class StatusRule:
    """One row of the table: it holds when each of the three words is among those it names."""

    status: Words
    delivery: Words
    invoice: Words
    then: Outcome

    def covers(self, status: str, delivery: str, invoice: str) -> bool:
        """Whether this row decides that combination."""
        pairs = ((self.status, status), (self.delivery, delivery), (self.invoice, invoice))
        return all(named is None or word in named for named, word in pairs)


_ANY = None
_NOT_INVOICED = frozenset({Word.OPEN, Word.PARTIAL})

DEFAULT_RULES: tuple[StatusRule, ...] = (
    StatusRule(frozenset({Word.CANCELLED}), _ANY, _ANY, Outcome.LOST),
    StatusRule(_ANY, _ANY, frozenset({Word.COMPLETE}), Outcome.WON),
    StatusRule(_ANY, frozenset({Word.COMPLETE}), _NOT_INVOICED, Outcome.SHIPPED),
    StatusRule(_ANY, frozenset({Word.PARTIAL}), _NOT_INVOICED, Outcome.BACKORDER),
    StatusRule(frozenset({Word.OPEN, Word.PARTIAL}), frozenset({Word.OPEN}), _NOT_INVOICED, Outcome.NEW),
)


def outcome(status: str, delivery: str, invoice: str, rules: Iterable[StatusRule] = DEFAULT_RULES) -> Outcome | None:
    """What the first rule that covers the three words says; None where none does, and nothing is guessed."""
    decided = deciding_rule(status, delivery, invoice, rules)
    return decided[1].then if decided else None


def deciding_rule(
    status: str, delivery: str, invoice: str, rules: Iterable[StatusRule] = DEFAULT_RULES
) -> tuple[int, StatusRule] | None:
    """The first rule that covers the three words, with its place in the list, from 1 on; None where none does."""
    numbered = enumerate(rules, start=1)
    return next(((place, rule) for place, rule in numbered if rule.covers(status, delivery, invoice)), None)
