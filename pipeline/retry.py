"""Retry as one transport: the same request again, when the policy of its vendor says so and after the wait it says.

How long to wait is decided by a pure function of each vendor (`exact_online/limits.py`, `pipedrive/limits.py`);
nothing else in the project repeats a request.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock

import httpx

from pipeline.errors import OutcomeUnknown, RetryLater
from pipeline.reaching import address_of, raise_if_unsendable, why_no_answer


@dataclass(frozen=True)
class Attempt:
    """What a policy may know: the method, how often it was sent, and what came back (status 0: no answer)."""

    method: str
    path: str
    number: int  # 1 for the first sending
    status: int
    headers: Mapping[str, str]


Policy = Callable[[Attempt], float | None]
"""Seconds to wait before sending again; None when the answer is final. May raise to stop the work."""


@dataclass
class Meter:
    """Counts requests that were sent, by method and path; safe to share between threads."""

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def count(self, request: httpx.Request) -> None:
        """Notes one request."""
        with self._lock:
            self.sent[request.method, request.url.path] += 1


class RetryTransport(httpx.BaseTransport):
    """Sends through another transport and repeats as the policy says.

    Raises RetryLater when no answer came and nothing can have happened, OutcomeUnknown when a write may have been done.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        policy: Policy,
        *,
        meter: Meter | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inner, self._policy, self._sleep = inner, policy, sleep
        self.meter = meter or Meter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request and as many repetitions as it takes."""
        number = 0
        while True:
            number += 1
            self.meter.count(request)
            response, problem = self._sent(request)
            status, headers = (response.status_code, response.headers) if response else (0, {})
            wait = self._policy(Attempt(request.method, request.url.path, number, status, headers))
            if wait is None:
                return response if response else self._no_answer(request, problem)
            if response:
                response.close()
            self._sleep(wait)

    def close(self) -> None:
        """Closes the connections underneath."""
        self._inner.close()

    def _sent(self, request: httpx.Request) -> tuple[httpx.Response | None, httpx.RequestError | None]:
        try:
            response = self._inner.handle_request(request)
            response.read()
        except httpx.RequestError as problem:  # a body that can't be unpacked counts as none
            raise_if_unsendable(request.url, problem)
            return None, problem
        return response, None

    def _no_answer(self, request: httpx.Request, problem: httpx.RequestError | None) -> httpx.Response:
        if isinstance(problem, httpx.ConnectError | httpx.ConnectTimeout) or request.method == "GET":
            raise RetryLater(why_no_answer(request.url, problem)) from None
        where = address_of(request.url)
        raise OutcomeUnknown(f"{request.method} {request.url.path} at {where} was sent and never answered") from None


def is_broken(status: int) -> bool:
    """Whether the other side is down or overloaded for now, so that a reading may simply be repeated."""
    return status in {0, 408, 500, 502, 503, 504}
