"""The day on which work is done, found once more by spending tokens one piece at a time."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.budget import add_price
from pipeline.domain.forecast import Tokens, Work, days_until_done


def by_spending(work: list[Work], tokens: Tokens) -> list[int | None]:
    """The same, as a writer would find it out: a piece that does not fit waits for the next day."""
    found: list[int | None] = []
    day, left = 0, tokens.today
    for part in work:
        for _ in range(part.pieces):
            waited = 0
            while part.price > max(0, left - (0 if part.is_live else tokens.kept)):
                day, left, waited = day + 1, tokens.a_day, waited + 1
                if waited > 1:
                    return found + [None] * (len(work) - len(found))
            left -= part.price
        found.append(day)
    return found


@pytest.mark.parametrize(
    ("work", "tokens", "days"),
    [
        ([], Tokens(100, 100, 0), []),
        ([Work(5, 10)], Tokens(50, 50, 0), [0]),
        ([Work(5, 11)], Tokens(50, 50, 0), [1]),
        ([Work(5, 10), Work(5, 0), Work(5)], Tokens(50, 50, 0), [0, 0, 1]),
        ([Work(0, 7)], Tokens(0, 0, 0), [0]),
        ([Work(5, 100)], Tokens(0, 50, 0), [10]),
        ([Work(25, 3)], Tokens(40, 40, 0), [2]),  # fifteen of each day are too few for the next order
        ([Work(5, 2), Work(5, 8)], Tokens(60, 60, 40), [0, 2]),
        ([Work(5, 12, is_live=True), Work(5)], Tokens(60, 60, 40), [0, 1]),
        ([Work(5, 13, is_live=True), Work(5, 3)], Tokens(60, 60, 40), [1, 1]),
        ([Work(5, 13, is_live=True), Work(5, 4)], Tokens(60, 60, 40), [1, 2]),
        ([Work(5), Work(25), Work(5)], Tokens(60, 60, 40), [0, None, None]),  # the large order is in the way for ever
        ([Work(5)], Tokens(100, 100, 100), [None]),
        ([Work(25)], Tokens(30, 20, 0), [0]),
    ],
)
def test_the_day_each_work_is_done(work: list[Work], tokens: Tokens, days: list[int | None]):
    assert days_until_done(work, tokens) == days


WORK = st.lists(st.builds(Work, st.integers(0, 60), st.integers(0, 12), st.booleans()), max_size=8)
TOKENS = st.builds(Tokens, st.integers(0, 150), st.integers(0, 150), st.integers(0, 60))


@given(WORK, TOKENS)
def test_it_is_what_spending_piece_by_piece_comes_to(work: list[Work], tokens: Tokens):
    tokens = Tokens(min(tokens.today, tokens.a_day), tokens.a_day, tokens.kept)
    assert days_until_done(work, tokens) == by_spending(work, tokens)


@given(WORK, TOKENS)
def test_what_comes_later_is_not_done_earlier(work: list[Work], tokens: Tokens):
    days = days_until_done(work, tokens)
    reached = [day for day in days if day is not None]
    assert reached == sorted(reached)
    assert None not in days[: len(reached)]


@given(st.lists(st.integers(1, 300), min_size=50, max_size=400), st.randoms(use_true_random=False))
def test_orders_of_one_month_in_another_order_are_done_within_a_twentieth_of_the_days(
    lines: list[int], shuffled: Random
):
    tokens = Tokens(2_000, 2_500, 500)
    grouped = [Work(add_price(count), lines.count(count)) for count in sorted(set(lines))]
    shuffled.shuffle(lines)
    foreseen, real = days_until_done(grouped, tokens)[-1], by_spending([Work(add_price(n)) for n in lines], tokens)[-1]
    assert foreseen is not None
    assert real is not None
    assert abs(foreseen - real) <= max(1, real / 20)
