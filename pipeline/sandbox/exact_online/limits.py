"""Rate limits: calls per clock minute and per day for each division, and the block after too many errors."""

from dataclasses import dataclass, field

from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.wire import Response

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
COUNTED_ERRORS = {400, 401, 403, 404}
UNLIMITED = 1_000_000_000


@dataclass
class _Window:
    """Calls in the current window; a window begins on the clock, it does not slide."""

    length_ms: int
    limit: int
    number: int = -1
    used: int = 0

    def at(self, now_ms: int) -> "_Window":
        if now_ms // self.length_ms != self.number:
            self.number, self.used = now_ms // self.length_ms, 0
        return self

    def headers(self, family: str) -> dict[str, str]:
        return {
            f"X-RateLimit-{family}Limit": str(self.limit),
            f"X-RateLimit-{family}Remaining": str(max(0, self.limit - self.used)),
            f"X-RateLimit-{family}Reset": str((self.number + 1) * self.length_ms),
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

    def refusal(self, division: int, endpoint: str, now_ms: int, *, daily: bool = True) -> Response | None:
        """A 429 with an empty body and the headers of only that limit, or nothing: then the call is counted."""
        minute, day = self._at(division, now_ms)
        if self._settings.limits:
            if self.is_blocked(division, endpoint, now_ms):
                return Response(429)
            if minute.used >= minute.limit:
                return Response(429, minute.headers("Minutely-"))
            if daily and day.used >= day.limit:
                return Response(429, day.headers(""))
        minute.used += 1
        day.used += daily
        return None

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
            minute = _Window(MINUTE_MS, self._settings.minutely_limit if limited else UNLIMITED)
            self._windows[division] = minute, _Window(DAY_MS, self._settings.daily_limit if limited else UNLIMITED)
        minute, day = self._windows[division]
        return minute.at(now_ms), day.at(now_ms)
