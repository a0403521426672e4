"""Exact Online's limits: 60 calls a clock minute, 5,000 a day, both told in answer headers; and when to ask again."""

import time
from collections.abc import Callable, Mapping

from pipeline.errors import BudgetSpent, RetryLater
from pipeline.retry import Attempt, Policy, is_broken

MOST_ATTEMPTS = 5
_MINUTE = 60.0
_SAFETY = 1.0  # seconds behind a reset, since the two clocks differ a little


def retry_policy(now: Callable[[], float] = time.time) -> Policy:
    """When a request to Exact may be sent again. After a fault only readings are; a 429 was not carried out."""

    def seconds_to_wait(attempt: Attempt) -> float | None:
        if attempt.status == 429:
            return _after_429(attempt, now())
        if attempt.method == "GET" and is_broken(attempt.status) and attempt.number < MOST_ATTEMPTS:
            return 0.5 * 2.0**attempt.number
        return None

    return seconds_to_wait


def _after_429(attempt: Attempt, now: float) -> float:
    """On a 429 Exact sends only the headers of the limit that was hit, and sometimes none."""
    if "x-ratelimit-minutely-reset" not in attempt.headers and "x-ratelimit-reset" in attempt.headers:
        raise BudgetSpent("Exact Online's calls for today are used up; it goes on after the reset.")
    if attempt.number >= 3:
        raise RetryLater(
            f"Exact Online keeps refusing {attempt.path} with 429; asking more would only lengthen its block"
        )
    return seconds_until_reset(attempt.headers, now)


def seconds_until_reset(headers: Mapping[str, str], now: float) -> float:
    """How long until calls are free again: the header says it in epoch milliseconds, else the next clock minute."""
    told = headers.get("x-ratelimit-minutely-reset", "")
    reset = int(told) / 1000 if told.isdigit() else now - now % _MINUTE + _MINUTE
    return min(max(reset - now, 0.0), 2 * _MINUTE) + _SAFETY


def minute_is_spent(headers: Mapping[str, str]) -> bool:
    """Whether the next call this minute would be refused."""
    return headers.get("x-ratelimit-minutely-remaining") == "0"
