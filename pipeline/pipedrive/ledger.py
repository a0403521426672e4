"""What was spent of the day's tokens, and what is left: from the answer headers, else from the price list."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from pipeline.domain.budget import history_may_spend
from pipeline.pipedrive.prices import kind, price


@dataclass
class Ledger:
    """Tokens of one run, and of the day as far as Pipedrive or an earlier run told. Safe to share between threads."""

    limit: int
    remaining: int
    keep_for_live: float = 0.0
    is_told: bool = False  # whether the limit came from Pipedrive
    day: str = ""  # the budget day it counts for
    burst: int | None = None  # requests in two seconds, as answers told; searches have a smaller window
    is_refused: bool = False  # whether it refused a request because the day's tokens are gone
    requests: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    _booked: Counter[str] = field(default_factory=Counter)
    _booked_tokens: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def book(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Notes an answered request."""
        tokens = price(method, path)
        told = headers.get("x-daily-ratelimit-token-remaining", "")
        limit = headers.get("x-daily-ratelimit-token-limit", "")
        with self._lock:
            self.requests[kind(method, path)] += 1
            self.tokens[kind(method, path)] += tokens
            if limit.isdigit():
                self.limit, self.is_told = int(limit), True
            window = headers.get("x-ratelimit-limit", "")
            if window.isdigit():
                self.burst = max(self.burst or 0, int(window))
            self.remaining = int(told) if told.isdigit() else self.remaining - tokens

    @property
    def spent(self) -> int:
        """Tokens spent in this run."""
        return sum(self.tokens.values())

    def unbooked(self) -> dict[str, tuple[int, int]]:
        """Requests and tokens by kind of request, since this was asked last."""
        with self._lock:
            new = {
                kind: (count - self._booked[kind], self.tokens[kind] - self._booked_tokens[kind])
                for kind, count in self.requests.items()
                if count > self._booked[kind]
            }
            self._booked, self._booked_tokens = self.requests.copy(), self.tokens.copy()
            return new

    def begin_day(self, day: str) -> None:
        """Another budget day has begun; where headers tell what is left, the next answer does."""
        with self._lock:
            if self.day not in {"", day} and not self.is_told:
                self.remaining, self.is_refused = self.limit, False
            self.day = day

    def exhaust(self) -> None:
        """Notes that Pipedrive said the day's tokens are gone, where its headers did not."""
        with self._lock:
            self.remaining, self.is_refused = 0, not self.is_told

    def answered(self) -> None:
        """Notes that Pipedrive answers again: a day that only a refusal ended is over."""
        with self._lock:
            if self.is_refused:
                self.remaining, self.is_refused = self.limit, False

    def may_spend(self, *, live: bool) -> int:
        """Tokens left for this kind of work today."""
        with self._lock:
            if live:
                return max(0, self.remaining)
            return history_may_spend(limit=self.limit, remaining=self.remaining, keep_for_live=self.keep_for_live)
