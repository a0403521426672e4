"""Calls that are left: what answers say, what others took meanwhile, and clocks that differ."""

import pytest

from pipeline.domain.allowance import Allowance, Told, Window
from pipeline.errors import BudgetSpent

NOW = 1_782_345_630.0  # half a minute into a clock minute
END = NOW + 31
MIDNIGHT = NOW + 3600.0


def minute(left: int, ends: float = END, limit: int = 60) -> Window:
    return Window(limit, left, ends)


def test_before_the_first_answer_sixty_calls_fit_into_the_clock_minute():
    allowance = Allowance().at(NOW)
    for _ in range(60):
        allowance, wait = allowance.one_less(NOW, keep=0.0)
        assert wait == 0.0
    assert allowance.one_less(NOW, keep=0.0)[1] == 31.0


def test_a_new_minute_follows_the_last_one_at_the_same_second():
    allowance = Allowance(minute(0, ends=NOW - 61)).at(NOW)
    assert allowance.minute == minute(60, ends=NOW + 59)


@pytest.mark.parametrize(
    ("kept", "told", "after"),
    [
        (None, minute(50), minute(50)),
        (minute(10), minute(50), minute(10)),
        (minute(50), minute(10), minute(10)),
        (minute(50), minute(10, ends=NOW - 5), minute(50)),
        (minute(0, ends=NOW - 5), minute(50), minute(50)),
        (minute(50, ends=NOW + 5), minute(49), minute(49)),
        (minute(50), minute(90, limit=100), minute(90, limit=100)),
        (minute(50), None, minute(50)),
    ],
    ids=[
        "nothing was known",
        "others took some since",
        "others took some we do not know of",
        "an answer of the minute before",
        "our minute is over",
        "the same minute by a better clock",
        "another limit was agreed",
        "an answer without headers",
    ],
)
def test_the_fewer_calls_of_what_we_count_and_what_exact_says_are_left(
    kept: Window | None, told: Window | None, after: Window
):
    assert Allowance(kept).after(Told(told), NOW).minute == after


@pytest.mark.parametrize(
    ("left", "keep", "is_spent"), [(1, 0.0, False), (0, 0.0, True), (1001, 0.2, False), (1000, 0.2, True)]
)
def test_history_stops_at_the_share_that_is_kept_and_live_work_at_the_end_of_the_day(
    left: int, keep: float, is_spent: bool
):
    allowance = Allowance(minute(60), Window(5000, left, MIDNIGHT))
    if not is_spent:
        taken, _ = allowance.one_less(NOW, keep=keep)
        assert taken.day == Window(5000, left - 1, MIDNIGHT)
        return
    with pytest.raises(BudgetSpent, match=r"kept for live changes \(1,000 of 5,000 left\)" if keep else "used up; it"):
        allowance.one_less(NOW, keep=keep)


def test_nothing_is_known_of_the_next_day():
    assert Allowance(minute(60), Window(5000, 0, NOW)).at(NOW).day is None


def test_a_call_that_has_to_wait_takes_nothing_of_the_day():
    allowance = Allowance(minute(0), Window(5000, 10, MIDNIGHT))
    assert allowance.one_less(NOW, keep=0.0) == (allowance, 31.0)
