"""What requests cost and how many are let through: the day's tokens, the two-second windows, the storm of 429s."""

from collections import Counter, defaultdict, deque
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.sandbox.pipedrive import refusals
from pipeline.sandbox.pipedrive.clock import Clock, rfc3339
from pipeline.sandbox.pipedrive.settings import Settings
from pipeline.sandbox.wire import Response

_WINDOW = 2.0
_PAUSE = 3600.0


class Window:
    """So many requests within any two seconds."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._times: deque[float] = deque()

    def left(self, now: float) -> int:
        """How many more would be let through at this moment."""
        while self._times and self._times[0] <= now - _WINDOW:
            self._times.popleft()
        return self.most - len(self._times)

    def take(self, now: float) -> None:
        """Counts a request."""
        self._times.append(now)

    def reset(self, now: float) -> int:
        """Whole seconds until there is room again, as the header tells it."""
        return max(1, round(self._times[0] + _WINDOW - now + 0.49)) if self._times else int(_WINDOW)


class Meter:
    """The company's token ledger and one caller's windows."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._zone = ZoneInfo(settings.server_zone)
        self._windows: dict[str, Window] = {}
        self._refusals: deque[float] = deque()
        self._blocked_until = 0.0
        self._day, self._day_ends = "", 0.0
        self._asked_at, self._bare_answers = float("-inf"), 0
        self._writes: Counter[str] = Counter()  # by day of UTC
        self.spent: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.total: Counter[str] = Counter()

    def admit(self, caller: str, cost: int, *, is_search: bool, is_write: bool = False) -> Response | None:
        """The refusal of a request that is over a limit; None lets it through and counts it in its window."""
        now = self._clock.now()
        if now < self._blocked_until and caller == self._settings.api_token:
            return refusals.blocked()
        self._note_pause(now)
        windows = self._windows_of(caller, is_search)
        if any(window.left(now) <= 0 for window in windows):
            return self.refuse(caller, is_search=is_search)
        if self._is_spent(cost) or (is_write and self._writes_left() == 0):
            return self.refuse(caller, is_search=is_search)
        for window in windows:
            window.take(now)
        if is_write and self._settings.daily_writes is not None:
            self._writes[rfc3339(now)[:10]] += 1
        return None

    def refuse(self, caller: str, *, is_search: bool, burst: bool = False, daily: bool = False) -> Response:
        """A 429; `burst` and `daily` make the headers say so though no limit was reached."""
        if caller == self._settings.api_token:  # apps are spared the wall
            self._watch_storm(self._clock.now())
        response = refusals.too_many(short=self._settings.short_429_body)
        response.headers |= self.headers(caller, is_search=is_search)
        if burst and self._settings.burst is not None:
            response.headers |= {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}
        if daily and self._settings.daily_headers and self._settings.daily_tokens is not None:
            response.headers["x-daily-ratelimit-token-remaining"] = "0"
        if self._settings.retry_after is not None:
            response.headers["retry-after"] = str(self._settings.retry_after)
        return response

    def charge(self, endpoint: str, cost: int) -> None:
        """Books a request that was answered."""
        day = self.today()
        self.spent[day][endpoint] += cost
        self.total[day] += cost

    def headers(self, caller: str, *, is_search: bool) -> dict[str, str]:
        """What every answer tells about the limits."""
        headers: dict[str, str] = {}
        windows = self._windows_of(caller, is_search)
        if windows and self._settings.burst is not None:
            now = self._clock.now()
            window = windows[0]
            headers["x-ratelimit-limit"] = str(window.most)
            headers["x-ratelimit-remaining"] = str(max(0, window.left(now)))
            headers["x-ratelimit-reset"] = str(window.reset(now))
        return headers | self._daily_headers(caller)

    def _daily_headers(self, caller: str) -> dict[str, str]:
        headers: dict[str, str] = {}
        limit, writes = self._settings.daily_tokens, self._writes_left()
        if writes is not None and caller == self._settings.api_token:
            headers["x-daily-requests-left"] = str(writes)
        if self._bare_answers > 0:
            self._bare_answers -= 1
        elif limit is not None and self._settings.daily_headers:
            headers["x-daily-ratelimit-token-limit"] = str(limit)
            headers["x-daily-ratelimit-token-remaining"] = str(max(0, limit - self.total[self.today()]))
        return headers

    def ledger(self) -> dict[str, Any]:
        """All that was spent, by day and endpoint."""
        endpoints: Counter[str] = Counter()
        for spent in self.spent.values():
            endpoints.update(spent)
        days = {day: {"total": self.total[day], "endpoints": dict(spent)} for day, spent in self.spent.items()}
        today = self.today()
        return {
            "total": sum(self.total.values()),
            "endpoints": dict(endpoints),
            "days": days,
            "today": today,
            "spent_today": self.total[today],
            "daily_tokens": self._settings.daily_tokens,
        }

    def today(self) -> str:
        """The day the budget belongs to, in the server's zone."""
        now = self._clock.now()
        if now >= self._day_ends:
            local = datetime.fromtimestamp(now, self._zone)
            self._day = local.date().isoformat()
            passed = local.hour * 3600 + local.minute * 60 + local.second
            # Read anew every quarter of an hour: days of 23 and 25 hours need no case of their own.
            self._day_ends = int(now) - passed % 900 + 900
        return self._day

    def _note_pause(self, now: float) -> None:
        if now - self._asked_at >= _PAUSE:
            self._bare_answers = self._settings.headers_missing_after_pause
        self._asked_at = now

    def _writes_left(self) -> int | None:
        most = self._settings.daily_writes
        return None if most is None else max(0, most - self._writes[rfc3339(self._clock.now())[:10]])

    def _is_spent(self, cost: int) -> bool:
        limit = self._settings.daily_tokens
        if limit is None:
            return False
        left = limit - self.total[self.today()]
        return left <= 0 or (left < cost and not self._settings.daily_overdraft)

    def _windows_of(self, caller: str, is_search: bool) -> list[Window]:
        settings = self._settings
        general = settings.oauth_burst if caller != settings.api_token else settings.burst
        limits = [("general", general)]
        if is_search:
            limits = [("search", settings.search_burst), *(limits if settings.search_in_burst else [])]
        found = []
        for kind, most in limits:
            if most is not None:
                key = f"{kind} {caller}"
                found.append(self._windows.get(key) or self._windows.setdefault(key, Window(most)))
        return found

    def _watch_storm(self, now: float) -> None:
        settings = self._settings
        self._refusals.append(now)
        while self._refusals and self._refusals[0] < now - settings.storm_seconds:
            self._refusals.popleft()
        if settings.storm_refusals is not None and len(self._refusals) >= settings.storm_refusals:
            self._blocked_until = now + settings.storm_block_seconds
            self._refusals.clear()
