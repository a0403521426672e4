"""How single values travel: dates, 64-bit integers, padded codes, and the literals of a `$filter`.

Exact writes dates as `/Date(ms)/`: milliseconds on the wall clock of the administration, read as if it were UTC.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

HOUR_MS = 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
EMPTY_GUID = "00000000-0000-0000-0000-000000000000"


class WallClock:
    """Moments (milliseconds, UTC) and dates -> the milliseconds that Exact writes."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self._offsets: dict[int, int] = {}
        self._texts: dict[int, str] = {}

    def wall_ms(self, value: Any) -> int | None:
        """What the wall clock shows; a date is its midnight."""
        if value is None:
            return None
        if isinstance(value, date):
            return (value.toordinal() - _EPOCH_DAY) * 86_400_000
        hour = value // HOUR_MS
        offset = self._offsets.get(hour)
        if offset is None:
            offset = self._offsets[hour] = self._offset(hour)
        return value + offset

    def moment_ms(self, wall: datetime) -> int:
        """The moment at which the wall clock shows this; in the repeated hour of October the first one."""
        return int(wall.replace(tzinfo=self.zone).timestamp() * 1000)

    def text(self, value: Any) -> str | None:
        """The value as it travels, slashes not yet escaped."""
        wall = self.wall_ms(value)
        return None if wall is None else f"/Date({wall})/"

    def _offset(self, hour: int) -> int:
        moment = datetime.fromtimestamp(hour * 3600, UTC)
        offset = moment.astimezone(self.zone).utcoffset()
        return 0 if offset is None else int(offset.total_seconds() * 1000)


def readers(field_type: str, read: Callable[[Any], Any], clock: WallClock) -> tuple[Callable, Callable]:
    """For one field: the value that filters compare, and the value that travels."""
    if field_type == "dt":
        return (lambda row: clock.wall_ms(read(row))), (lambda row: clock.text(read(row)))
    if field_type == "i64":
        return read, lambda row: _int64(read(row))
    return read, read


def wall_ms_of_literal(text: str) -> int:
    """`2026-01-01T00:00:00` -> milliseconds on the wall clock."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError("Exact's dates carry no zone")
    return (moment.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


def literal_of_wall_ms(wall: int) -> str:
    """The way back, for the `$skiptoken`."""
    moment = (_EPOCH + timedelta(milliseconds=wall)).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def padded_code(code: str | None) -> str | None:
    """Codes of accounts are 18 characters, blanks in front."""
    return None if code is None else code.rjust(18)


def padded(text: str | None, width: int) -> str | None:
    """Countries, languages and units are filled up with blanks."""
    return None if text is None else text.ljust(width)


def _int64(value: int | None) -> str | None:
    """Exact sends Int64 as text."""
    return None if value is None else str(value)
