"""Pipedrive's burst window, kept from this side; when a refused request may be sent again.

The window rolls over two seconds and counts requests; a slot is taken from the sending until two seconds behind the
answer, so that it is free on Pipedrive's clock too. The day's tokens are counted in `ledger.py`.
"""

import random
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from threading import Condition

import httpx

from pipeline.errors import Blocked, BudgetSpent
from pipeline.pipedrive.ledger import Ledger
from pipeline.retry import Attempt, Policy, is_broken

WINDOW = 2.0  # seconds
FILL = 0.95  # share of the window that is used
SEARCHES = 10  # a window, on every plan
SMALLEST_PLAN = 20  # requests a window, assumed after a 429 that says nothing
MOST_ATTEMPTS = 5
_SEARCH = re.compile(r".*/(itemSearch(/field)?|search)")


class BurstWindow:
    """Lets requests through as fast as the window allows; without a known limit all of them."""

    def __init__(self, limit: int | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._limit = clock, limit
        self._answered: deque[float] = deque()
        self._in_flight = 0
        self._closed_until = 0.0
        self._changed = Condition()

    def enter(self) -> None:
        """Waits for a slot and takes it."""
        with self._changed:
            while (wait := self._seconds_until_free()) > 0:
                self._pause(wait)
            self._in_flight += 1

    def leave(self, status: int, headers: Mapping[str, str]) -> None:
        """Gives the slot back two seconds from now, and learns from the answer."""
        with self._changed:
            self._in_flight -= 1
            self._answered.append(self._clock())
            told = headers.get("x-ratelimit-limit", "")
            if told.isdigit():
                self._limit = int(told)
            elif status == 429 and self._limit is None:
                self._limit = SMALLEST_PLAN
            if status == 429 or headers.get("x-ratelimit-remaining") == "0":
                self._closed_until = self._clock() + reset_seconds(headers)
            self._changed.notify_all()

    def _pause(self, seconds: float) -> None:
        self._changed.wait(seconds)

    def _seconds_until_free(self) -> float:
        now = self._clock()
        while self._answered and self._answered[0] <= now - WINDOW:
            self._answered.popleft()
        if self._closed_until > now:
            return self._closed_until - now
        if self._limit is None or self._in_flight + len(self._answered) < max(1, int(self._limit * FILL)):
            return 0.0
        return self._answered[0] + WINDOW - now if self._answered else WINDOW


class MeteredTransport(httpx.BaseTransport):
    """Sends each request, a repeated one too, through its window, and books what was answered."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        ledger: Ledger,
        *,
        window: Callable[[int | None], BurstWindow] = BurstWindow,
    ) -> None:
        self._inner, self._ledger = inner, ledger
        self._burst, self._searches = window(None), window(SEARCHES)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request, when its turn has come."""
        window = self._searches if _SEARCH.fullmatch(request.url.path) else self._burst
        window.enter()
        status, headers = 0, {}
        try:
            response = self._inner.handle_request(request)
            response.read()
            status, headers = response.status_code, dict(response.headers)  # of httpx each look takes a while
        except httpx.RequestError as problem:
            if not isinstance(problem, httpx.ConnectError | httpx.ConnectTimeout):
                self._ledger.book(request.method, request.url.path, {})  # it may have been carried out
            raise
        finally:
            window.leave(status, headers)
        if status != 429:
            self._ledger.book(request.method, request.url.path, headers)
        return response

    def close(self) -> None:
        """Closes the connections underneath."""
        self._inner.close()


def reset_seconds(headers: Mapping[str, str]) -> float:
    """Seconds until the window is free: the header tells them relative to now, never above the window."""
    told = headers.get("x-ratelimit-reset", "")
    return min(float(told), 2 * WINDOW) if told.replace(".", "", 1).isdigit() else WINDOW


def retry_policy(jitter: Callable[[], float] = random.random) -> Policy:
    """When a request may be sent again. A refused one was not carried out; a write without an answer may have been.

    Raises BudgetSpent when the day's tokens are gone and Blocked when Pipedrive shuts the token out.
    """

    def seconds_to_wait(attempt: Attempt) -> float | None:
        if attempt.status == 403 and "html" in attempt.headers.get("content-type", ""):
            raise Blocked("Pipedrive blocks this API token for asking too fast (403 page); nothing more is sent today.")
        if attempt.status == 429:
            return _after_429(attempt) + jitter()
        repeatable = attempt.method in {"GET", "PATCH", "DELETE"}
        if repeatable and is_broken(attempt.status) and attempt.number < MOST_ATTEMPTS:
            return 0.3 * 2.0**attempt.number + jitter()
        return None

    return seconds_to_wait


def _after_429(attempt: Attempt) -> float:
    """Tells the daily limit from the burst limit by what the answer says, and by waiting."""
    left_today = attempt.headers.get("x-daily-ratelimit-token-remaining")
    burst_left = attempt.headers.get("x-ratelimit-remaining", "")
    says_daily = left_today == "0" or (burst_left.isdigit() and int(burst_left) >= 1)
    most = 4 if burst_left or left_today else 2  # without headers a window that was waited for is all there is to tell
    if says_daily or attempt.number >= most:
        raise BudgetSpent("Pipedrive's tokens for today are used up; it goes on after the reset.", is_told=True)
    return reset_seconds(attempt.headers)
