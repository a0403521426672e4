"""Three status words → one stage: the table of the contract, written out a second time, for every combination."""

from itertools import product

import pytest

from pipeline.domain.order_stage import Outcome, StatusRule, Word, outcome

# status, delivery, invoice → what becomes of the deal. `*` stands for any word; what no row names is not guessed.
CONTRACT = """
cancelled  *         *         lost
open       *         complete  won
partial    *         complete  won
complete   *         complete  won
open       complete  open      shipped
open       complete  partial   shipped
partial    complete  open      shipped
partial    complete  partial   shipped
complete   complete  open      shipped
complete   complete  partial   shipped
open       partial   open      backorder
open       partial   partial   backorder
partial    partial   open      backorder
partial    partial   partial   backorder
complete   partial   open      backorder
complete   partial   partial   backorder
open       open      open      new
open       open      partial   new
partial    open      open      new
partial    open      partial   new
"""
WORDS = ("open", "partial", "complete", "cancelled")


def expected(combination: tuple[str, str, str]) -> str | None:
    """What the contract says of the combination; None where it says not to guess."""
    rows = [line.split() for line in CONTRACT.split("\n") if line]
    found = {
        row[3] for row in rows if all(named in ("*", word) for named, word in zip(row[:3], combination, strict=True))
    }
    assert len(found) <= 1, f"the table above contradicts itself: {combination} {found}"
    return found.pop() if found else None


@pytest.mark.parametrize("combination", list(product(WORDS, repeat=3)), ids="-".join)
def test_every_combination_of_the_three_statuses_becomes_what_the_contract_says(combination: tuple[str, str, str]):
    assert outcome(*combination) == expected(combination)


def test_the_table_above_leaves_exactly_the_combinations_undecided_that_the_contract_does_not_name():
    undecided = [combination for combination in product(WORDS, repeat=3) if expected(combination) is None]
    assert len(undecided) == 3 * 4 * 4 - 3 * 4 - 3 * 2 * 2 - 2 * 2
    assert ("complete", "open", "open") in undecided
    assert ("open", "cancelled", "partial") in undecided


@pytest.mark.parametrize(
    ("words", "then"),
    [
        (("30", "open", "open"), None),
        (("none", "none", "none"), None),
        (("open", "30", "open"), None),
        (("open", "open", "30"), None),
        (("30", "30", "complete"), "won"),  # an invoice that is complete decides alone
        (("30", "complete", "open"), "shipped"),
        (("cancelled", "30", "30"), "lost"),
    ],
    ids=str,
)
def test_an_undocumented_code_is_never_taken_for_a_word_we_know(words: tuple[str, str, str], then: str | None):
    assert outcome(*words) == then


def rule(status: str, delivery: str, invoice: str, then: Outcome) -> StatusRule:
    """A rule whose words stand with a stroke between them; `any` covers everything."""
    named = [None if words == "any" else frozenset(words.split("|")) for words in (status, delivery, invoice)]
    return StatusRule(named[0], named[1], named[2], then)


@pytest.mark.parametrize(
    ("rules", "words", "then"),
    [
        pytest.param([], ("open", "open", "open"), None, id="no rules decide nothing"),
        pytest.param(
            [rule("any", "any", "any", Outcome.WON), rule("open", "any", "any", Outcome.NEW)],
            ("open", "open", "open"),
            "won",
            id="the first match wins",
        ),
        pytest.param(
            [rule("open", "any", "any", Outcome.NEW), rule("any", "any", "any", Outcome.WON)],
            ("complete", "open", "open"),
            "won",
            id="what the first leaves goes on to the second",
        ),
        pytest.param(
            [rule("open|partial", "partial|complete", "any", Outcome.BACKORDER)],
            ("partial", "complete", "cancelled"),
            "backorder",
            id="each of several words counts",
        ),
        pytest.param(
            [rule("open", "partial", "any", Outcome.BACKORDER)],
            ("open", "open", "open"),
            None,
            id="all three have to match",
        ),
        pytest.param([rule("any", "any", "any", Outcome.LOST)], ("77", "none", "x"), "lost", id="any covers any code"),
    ],
)
def test_rules_of_ones_own_decide_in_their_order(
    rules: list[StatusRule], words: tuple[str, str, str], then: str | None
):
    assert outcome(*words, rules) == then


def test_the_words_are_those_of_the_warehouse():
    assert {str(word) for word in Word} == set(WORDS)
