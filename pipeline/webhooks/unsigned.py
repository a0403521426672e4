"""What anybody may send: how much of it is answered, and that a flood of it does not fill the log.

Signed notifications never pass here. Nothing of what was sent is written down, only how often which answer was given.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable

_LOG = logging.getLogger("pipeline")
A_MINUTE = 60.0


class TokenBucket:
    """Lets so many through at once and so many a second."""

    def __init__(self, *, a_second: float, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second, self._at_once, self._clock = a_second, at_once, clock
        self._left, self._at = float(at_once), clock()

    def take(self) -> bool:
        """Whether one more may pass."""
        now = self._clock()
        self._left = min(self._left + (now - self._at) * self._a_second, self._at_once)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Tally:
    """Counts what happens often and tells it in one line a minute, the first time at once."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._counts = clock, Counter[str]()
        self._told_at: float | None = None

    def count(self, what: str) -> None:
        """It happened once more."""
        self._counts[what] += 1
        if self._told_at is None or self._clock() - self._told_at >= A_MINUTE:
            self.tell()

    def tell(self) -> None:
        """Tells what was counted and begins anew."""
        if self._counts:
            _LOG.warning("webhooks: %s", "; ".join(f"{count} × {what}" for what, count in self._counts.items()))
            self._counts.clear()
            self._told_at = self._clock()
