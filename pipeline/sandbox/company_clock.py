"""The clock a simulated company lives by: real time, moved or sped up when a test or a demo asks for it.

No scheduling here; whoever wants something to happen later compares moments himself.
"""

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

COMPANY_ZONE = ZoneInfo("Europe/Amsterdam")


class SandboxClock:
    """Tells the time of the sandbox in milliseconds since 1970 (UTC)."""

    def __init__(self, *, start: datetime | None = None, speed: float = 1.0) -> None:
        self._real_zero = time.time()
        self._sandbox_zero = start.timestamp() if start else self._real_zero
        self._speed = speed

    @property
    def now_ms(self) -> int:
        """Now, for row versions and tokens."""
        return int((self._sandbox_zero + (time.time() - self._real_zero) * self._speed) * 1000)

    @property
    def now(self) -> datetime:
        """Now, for people."""
        return datetime.fromtimestamp(self.now_ms / 1000, UTC)

    @property
    def today(self) -> date:
        """The date on the company's wall calendar."""
        return self.now.astimezone(COMPANY_ZONE).date()

    def advance(self, seconds: float) -> None:
        """Jumps ahead (or back) without anybody having to wait."""
        self._sandbox_zero += seconds

    def run_at(self, speed: float) -> None:
        """From now on one real second is `speed` seconds here; 0 stands still."""
        self._sandbox_zero, self._real_zero = self.now_ms / 1000, time.time()
        self._speed = speed

    def stand_at(self, moment: datetime) -> None:
        """Puts the clock on one moment, for nights on which clocks change."""
        self._sandbox_zero, self._real_zero = moment.timestamp(), time.time()


def wall_ms(day: date, hour: int = 9, minute: int = 0) -> int:
    """The moment (UTC) at which the company's wall clock shows this time on this day."""
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=COMPANY_ZONE).timestamp() * 1000)
