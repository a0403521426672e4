"""When Exact Online may be asked again: a table of what came back and what is done about it."""

import pytest

from pipeline.errors import BudgetSpent, RetryLater
from pipeline.exact_online.limits import minute_is_spent, retry_policy, seconds_until_reset
from pipeline.retry import Attempt

NOW = 1_782_345_630.0  # half a minute into a clock minute
RESET = {"x-ratelimit-minutely-reset": str(int((NOW + 30) * 1000))}
DAY = {"x-ratelimit-reset": str(int((NOW + 3600) * 1000))}


def wait(method: str, status: int, number: int = 1, headers: dict[str, str] | None = None) -> float | None:
    return retry_policy(lambda: NOW)(
        Attempt(method, "/api/v1/1/bulk/SalesOrder/SalesOrders", number, status, headers or {})
    )


@pytest.mark.parametrize(
    ("method", "status", "number", "expected"),
    [
        ("GET", 200, 1, None),
        ("GET", 0, 1, 1.0),
        ("GET", 408, 1, 1.0),
        ("GET", 500, 2, 2.0),
        ("GET", 502, 3, 4.0),
        ("GET", 503, 4, 8.0),
        ("GET", 504, 5, None),
        ("GET", 400, 1, None),
        ("GET", 401, 1, None),
        ("GET", 403, 1, None),
        ("GET", 404, 1, None),
        ("GET", 501, 1, None),
        ("POST", 0, 1, None),
        ("POST", 500, 1, None),
        ("POST", 503, 1, None),
        ("PUT", 503, 1, None),
    ],
)
def test_only_readings_are_repeated_after_a_fault(method: str, status: int, number: int, expected: float | None):
    assert wait(method, status, number) == expected


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_429_of_the_minute_waits_for_the_next_minute_whatever_was_asked(method: str):
    assert wait(method, 429, 1, RESET) == 31.0
    assert wait(method, 429, 2, RESET | DAY) == 31.0


def test_a_429_of_a_minute_that_is_over_by_our_clock_waits_for_the_same_second_of_the_next():
    assert wait("GET", 429, 1, {"x-ratelimit-minutely-reset": str(int((NOW - 10) * 1000))}) == 51.0


def test_a_429_without_a_word_waits_for_the_next_clock_minute():
    assert wait("GET", 429, 1) == 60 - NOW % 60 + 1


def test_a_429_of_the_day_says_that_the_day_is_over():
    with pytest.raises(BudgetSpent, match="today are used up"):
        wait("GET", 429, 1, DAY)


def test_a_429_that_does_not_end_is_not_asked_for_ever():
    with pytest.raises(RetryLater, match="keeps refusing"):
        wait("GET", 429, 3, RESET)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (str(int((NOW + 10) * 1000)), 11.0),
        (str(int((NOW - 10) * 1000)), 1.0),
        (str(int((NOW + 9999) * 1000)), 40.0),
        ("soon", 31.0),
        ("", 31.0),
    ],
    ids=["ahead", "past already", "by a clock hours ahead", "not a number", "empty"],
)
def test_how_long_until_the_minute_is_over(told: str, seconds: float):
    assert seconds_until_reset({"x-ratelimit-minutely-reset": told}, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "spent"),
    [({"x-ratelimit-minutely-remaining": "0"}, True), ({"x-ratelimit-minutely-remaining": "1"}, False), ({}, False)],
)
def test_a_minute_is_spent_when_nothing_remains(headers: dict[str, str], spent: bool):
    assert minute_is_spent(headers) is spent
