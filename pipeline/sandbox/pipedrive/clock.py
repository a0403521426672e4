"""The simulated company's clock, and how its moments are written. What happens when, others decide."""

import re
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 86_400
COMPANY_ZONE = "Europe/Amsterdam"


class Clock:
    """Runs with the machine's clock, or stands still, and can be moved forward either way."""

    def __init__(self, start: datetime | None = None, *, running: bool = True) -> None:
        self._running = running
        self._offset = 0.0 if running else time.time()
        if start is not None:
            self._offset = start.timestamp() - (time.time() if running else 0.0)
        self._second, self._text = -1, ""

    def now(self) -> float:
        """Seconds since 1970."""
        return (time.time() if self._running else 0.0) + self._offset

    def advance(self, seconds: float) -> None:
        """Moves the clock forward, and everything that waits for it."""
        self._offset += seconds

    def text(self) -> str:
        """The present second as v2 writes it; one string object for all rows of that second keeps them small."""
        second = int(self.now())
        if second != self._second:
            self._second, self._text = second, rfc3339(second)
        return self._text

    def is_near(self, day: str | None, *, years: int) -> bool:
        """Whether a day, if there is one, is no further from today than so many years."""
        if day is None:
            return True
        today = datetime.fromtimestamp(self.now(), UTC).date()
        return abs((date.fromisoformat(day) - today).days) <= 366 * years


def rfc3339(moment: float) -> str:
    """A moment as v2 writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def v1_text(text: str | None) -> str | None:
    """A v2 moment as v1 writes it."""
    return text.replace("T", " ").rstrip("Z") if text else text


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parsed_moment(text: str) -> str | None:
    """The moment in UTC, or None when it is not a whole-second RFC 3339 one: v2 takes no fractions and no blank."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def is_date(text: str) -> bool:
    """Whether the text is a day of the calendar, YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=8192)
def local_date(text: str | None) -> str | None:
    """The day of a moment in the company's zone."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(ZoneInfo(COMPANY_ZONE)).date().isoformat()
    except (ValueError, OverflowError):
        return text[:10]


def days_before(moment: float, days: int) -> str:
    """The moment so many days earlier, as v2 writes it."""
    return rfc3339(moment - timedelta(days=days).total_seconds())
