"""When a wholesaler is busy: a curve over the day, passed through so many times as fast as real days pass.

For watching: a day starts when the shop opens, and a night is over after an hour (of that faster time), so that nobody
has to sit through fourteen quiet ones. The clock on the wall stays real; only what happens comes closer together.
"""

from collections.abc import Sequence

OPENS = 8
# What happens in each hour from opening on, as shares of the day; the last is the night, quiet but for web orders.
SHARES = (6, 12, 15, 13, 7, 10, 13, 12, 8, 3, 1)
EVENTS_A_DAY = 250.0
HOUR = 3600.0


class BusinessHours:
    """How much has happened by some moment, in events since the first opening."""

    def __init__(
        self, *, speed: float = 60.0, events_a_day: float = EVENTS_A_DAY, shares: Sequence[float] = SHARES
    ) -> None:
        if speed <= 0:
            raise ValueError("speed is more than 0")
        self._speed = speed
        self._by_hour = [share / sum(shares) * events_a_day for share in shares]

    def events_by(self, seconds: float) -> float:
        """After so many real seconds."""
        days, hours = divmod(seconds * self._speed / HOUR, len(self._by_hour))
        whole, part = int(hours), hours % 1
        today = sum(self._by_hour[:whole]) + part * self._by_hour[whole]
        return days * sum(self._by_hour) + today

    def hour_at(self, seconds: float) -> str:
        """The hour on the shop's wall, for people who watch."""
        hour = int(seconds * self._speed / HOUR) % len(self._by_hour)
        return "night" if hour == len(self._by_hour) - 1 else f"{OPENS + hour:02d}:00"
