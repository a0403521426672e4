"""Exact Online's limits: 60 calls a clock minute, 5,000 a day, ten refusals an hour; and when to ask again.

Every call takes its place in the minute before it is sent (`LimitedTransport`), so that a 429 is the exception.
"""

import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Protocol

import httpx

from pipeline.domain.allowance import SAFETY, Told, Window
from pipeline.errors import BudgetSpent, RetryLater
from pipeline.retry import Attempt, Policy, is_broken

MOST_ATTEMPTS = 5
KEEP = "keep_for_live"  # extension of a request: the share of the day's calls that it leaves alone
COUNTED = frozenset({400, 401, 403, 404})  # the refusals that close an endpoint when they are many
_MINUTE = 60.0
LONGEST_WAIT = _MINUTE + SAFETY
_KEY = re.compile(r"\([^)]*\)")


class Limits(Protocol):
    """What all processes of an administration may still send, and what was refused them."""

    def take(self, endpoint: str, told: Told, *, keep: float) -> float:
        """Takes one call, or says in how many seconds there may be one.

        Raises BudgetSpent when the day has none for this work, GiveUp when the endpoint refused too often.
        """
        ...

    def refused(self, endpoint: str, status: int, said: str) -> None: ...


class LimitedTransport(httpx.BaseTransport):
    """Sends through another transport when there is a call left, and waits for the next minute when there is none."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        limits: Limits,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._inner, self._limits, self._sleep, self._now = inner, limits, sleep, now
        self._told = Told()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request; those for tokens are not among the calls."""
        if not request.url.path.startswith("/api/v1/"):
            return self._inner.handle_request(request)
        endpoint = _KEY.sub("", request.url.path.removeprefix("/api/v1/"))
        while wait := self._limits.take(endpoint, self._told, keep=request.extensions.get(KEEP, 0.0)):
            self._sleep(wait)
        response = self._inner.handle_request(request)
        self._told = told(response.headers, self._now())
        if response.status_code in COUNTED:
            response.read()
            self._limits.refused(endpoint, response.status_code, reason_of(response))
        return response

    def close(self) -> None:
        """Closes the connections underneath."""
        self._inner.close()


def reason_of(response: httpx.Response) -> str:
    """Why Exact refused, in its own words; empty when it did not say."""
    try:
        return str(response.json()["error"]["message"]["value"])
    except (ValueError, KeyError, TypeError):
        return response.headers.get("reason", "")


def told(headers: Mapping[str, str], now: float) -> Told:
    """What the headers of an answer say of its minute and its day; on a 429 only those of the limit that was hit."""
    return Told(_window(headers, "x-ratelimit-minutely-", now), _window(headers, "x-ratelimit-", now))


def _window(headers: Mapping[str, str], family: str, now: float) -> Window | None:
    found = [headers.get(f"{family}{name}", "") for name in ("limit", "remaining", "reset")]
    if not all(text.isascii() and text.isdigit() for text in found):
        return None
    limit, left, reset = map(int, found)
    until = reset / 1000 - _exacts_now(headers, now)
    if family.endswith("minutely-"):
        until = _within_a_minute(until)
    return Window(limit, left, now + until + SAFETY)


def _exacts_now(headers: Mapping[str, str], now: float) -> float:
    """Exact's own clock as the answer shows it; ours where it does not."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return now


def _within_a_minute(seconds: float) -> float:
    """Clocks may be whole hours apart: only the place in the minute counts then. A minute just over is over."""
    return max(seconds, 0.0) if -_MINUTE < seconds <= _MINUTE else seconds % _MINUTE


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
    wait = seconds_until_reset(attempt.headers, now)
    # A minute that is over refuses nothing: then the clocks differ, and only the place in the minute is known.
    return wait if wait > SAFETY else (_reset(attempt.headers) - now) % _MINUTE + SAFETY


def seconds_until_reset(headers: Mapping[str, str], now: float) -> float:
    """How long until calls are free again: the header says it in epoch milliseconds, else the next clock minute."""
    reset = _reset(headers)
    if not reset:
        return _MINUTE - now % _MINUTE + SAFETY
    return _within_a_minute(reset - _exacts_now(headers, now)) + SAFETY


def _reset(headers: Mapping[str, str]) -> float:
    reset = headers.get("x-ratelimit-minutely-reset", "")
    return int(reset) / 1000 if reset.isascii() and reset.isdigit() else 0.0


def minute_is_spent(headers: Mapping[str, str]) -> bool:
    """Whether the next call this minute would be refused."""
    return headers.get("x-ratelimit-minutely-remaining") == "0"
