"""Rate limits: calls per clock minute and per day for each division, and the block after too many errors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.wire import Response

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
COUNTED_ERRORS = {400, 401, 403, 404}
UNLIMITED = 1_000_000_000


@dataclass
class _Window:
    """Calls in the current window; a window ends on the clock, it does not slide."""

    end_of: Callable[[int], int]  # a moment -> when the window that it falls in ends
    limit: int
    ends: int = -1
    used: int = 0

    def at(self, now_ms: int) -> "_Window":
        ends = self.end_of(now_ms)
        if ends != self.ends:
            self.ends, self.used = ends, 0
        return self

    def headers(self, family: str) -> dict[str, str]:
        return {
            f"X-RateLimit-{family}Limit": str(self.limit),
            f"X-RateLimit-{family}Remaining": str(max(0, self.limit - self.used)),
            f"X-RateLimit-{family}Reset": str(self.ends),
        }


@dataclass
class _Errors:
    """Error answers of one endpoint; each block lasts twice as long as the one before."""

    moments: list[int] = field(default_factory=list)
    blocked_until: int = 0
    blocks: int = 0


class Limits:
    """Counts calls and errors; says when it is enough."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._windows: dict[int, tuple[_Window, _Window]] = {}
        self._errors: dict[tuple[int, str], _Errors] = {}
        self._day_zone = ZoneInfo(settings.daily_reset_zone)

    def _end_of_day(self, now_ms: int) -> int:
        """The next midnight where the vendor's day ends."""
        tomorrow = datetime.fromtimestamp(now_ms / 1000, self._day_zone).date() + timedelta(days=1)
        return int(datetime.combine(tomorrow, time(), self._day_zone).timestamp() * 1000)

    def refusal(self, division: int, endpoint: str, now_ms: int, *, daily: bool = True) -> Response | None:
        """A 429 with an empty body and the headers of only that limit, or nothing: then the call is counted."""
        minute, day = self._at(division, now_ms)
        if self._settings.limits:
            if self.is_blocked(division, endpoint, now_ms):
                return self.blocked(division, now_ms)
            if minute.used >= minute.limit:
                return self._too_many(minute, "Minutely-", now_ms)
            if daily and day.used >= day.limit:
                return self._too_many(day, "", now_ms)
        minute.used += 1
        day.used += daily
        return None

    def hit(self, division: int, now_ms: int, *, daily: bool) -> Response:
        """The same 429 whether or not the limit is reached, as if somebody else had used it up; nothing is counted."""
        limit = self._settings.daily_limit if daily else self._settings.minutely_limit
        window = _Window(self._end_of_day if daily else end_of_minute, limit, used=limit).at(now_ms)
        window.used = limit
        return self._too_many(window, "" if daily else "Minutely-", now_ms)

    def blocked(self, division: int, now_ms: int) -> Response:
        """The 429 of an endpoint that errors have closed."""
        headers = self.headers(division, now_ms) if self._settings.headers_when_blocked else {}
        return Response(429, headers, self._settings.body_of_429.encode())

    def _too_many(self, window: _Window, family: str, now_ms: int) -> Response:
        headers = window.headers(family) if self._settings.headers_on_429 else {}
        if self._settings.retry_after_on_429:
            headers["Retry-After"] = str(-(-(window.ends - now_ms) // 1000))
        return Response(429, headers, self._settings.body_of_429.encode())

    def headers(self, division: int, now_ms: int) -> dict[str, str]:
        """The six headers of every other answer."""
        minute, day = self._at(division, now_ms)
        return {**day.headers(""), **minute.headers("Minutely-")}

    def note(self, division: int, endpoint: str, status: int, now_ms: int) -> None:
        """Counts an error answer; one too many within an hour blocks the endpoint."""
        if status not in COUNTED_ERRORS or not self._settings.limits:
            return
        errors = self._errors.setdefault((division, endpoint), _Errors())
        errors.moments = [moment for moment in errors.moments if now_ms - moment < HOUR_MS] + [now_ms]
        if len(errors.moments) > self._settings.errors_per_hour:
            errors.blocked_until = now_ms + HOUR_MS * 2**errors.blocks
            errors.blocks += 1
            errors.moments = []

    def is_blocked(self, division: int, endpoint: str, now_ms: int) -> bool:
        """Whether errors have closed this endpoint."""
        errors = self._errors.get((division, endpoint))
        return self._settings.limits and errors is not None and now_ms < errors.blocked_until

    def _at(self, division: int, now_ms: int) -> tuple[_Window, _Window]:
        if division not in self._windows:
            limited = self._settings.limits
            minute = _Window(end_of_minute, self._settings.minutely_limit if limited else UNLIMITED)
            day = _Window(self._end_of_day, self._settings.daily_limit if limited else UNLIMITED)
            self._windows[division] = minute, day
        minute, day = self._windows[division]
        return minute.at(now_ms), day.at(now_ms)


def end_of_minute(now_ms: int) -> int:
    """The full minute that comes next."""
    return (now_ms // MINUTE_MS + 1) * MINUTE_MS
