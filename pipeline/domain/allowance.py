"""How many calls a source still takes in its clock minute and its day. Counting only; who shares it is the warehouse's.

Moments are seconds since 1970 on our own clock: an answer says how long its windows last, and clocks differ.
"""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pipeline.errors import BudgetSpent

MINUTE = 60.0
CALLS_A_MINUTE = 60  # until an answer says otherwise
SAFETY = 1.0  # seconds behind the end of a window, since two clocks are never quite alike


@dataclass(frozen=True)
class Window:
    """A minute or a day: calls it takes, calls that are left, and when it ends."""

    limit: int
    left: int
    ends: float


@dataclass(frozen=True)
class Told:
    """What one answer said of its minute and its day."""

    minute: Window | None = None
    day: Window | None = None


@dataclass(frozen=True)
class Allowance:
    """What all processes together may still send."""

    minute: Window | None = None
    day: Window | None = None

    def after(self, told: Told, now: float) -> "Allowance":
        """With what an answer said. Fewer calls are left than it says where others were sent since."""
        return Allowance(_merged(self.minute, told.minute, now), _merged(self.day, told.day, now))

    def at(self, now: float) -> "Allowance":
        """The windows of now: a minute follows the last one at the same second, of the next day nothing is known."""
        day = self.day if self.day and self.day.ends > now else None
        return Allowance(_minute_of(self.minute, now), day)

    def one_less(self, now: float, *, keep: float) -> tuple["Allowance", float]:
        """One call taken, or the seconds until there may be one.

        `keep`: the share of the day that this kind of work leaves to others. Raises BudgetSpent when the day has no
        more for it.
        """
        minute, day = self.minute or _minute_of(None, now), self.day
        if day and day.left <= int(day.limit * keep):
            raise BudgetSpent(_spent(day, keep))
        if minute.left <= 0:
            return self, max(minute.ends - now, 0.0)
        less_day = replace(day, left=day.left - 1) if day else None
        return Allowance(replace(minute, left=minute.left - 1), less_day), 0.0


def _merged(kept: Window | None, told: Window | None, now: float) -> Window | None:
    if told is None or (told.ends <= now and kept is not None and kept.ends > now):
        return kept
    if kept is None or kept.ends <= now or kept.limit != told.limit:
        return told
    return replace(told, left=min(kept.left, told.left))


def _minute_of(last: Window | None, now: float) -> Window:
    if last is None or last.ends > now + MINUTE + SAFETY:  # the clock was put back since: that minute is long over
        limit = last.limit if last else CALLS_A_MINUTE
        return Window(limit, limit, now - now % MINUTE + MINUTE + SAFETY)
    if last.ends > now:
        return last
    return Window(last.limit, last.limit, last.ends + MINUTE * (math.floor((now - last.ends) / MINUTE) + 1))


def _spent(day: Window, keep: float) -> str:
    reset = f"{datetime.fromtimestamp(day.ends, UTC):%H:%M} UTC"
    if day.left <= 0:
        return f"Exact Online's calls for today are used up; it goes on after the reset at {reset}."
    return (
        f"Exact Online's calls for today are used up but for the share that is kept for live changes "
        f"({day.left:,} of {day.limit:,} left); history goes on after the reset at {reset}."
    )
