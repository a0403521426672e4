"""Changes by hand are checked like anything else from outside: a row takes only fields it has, in their own types."""

import math
from datetime import date
from functools import cache
from typing import Any, get_type_hints

NOT_BY_HAND = {"id", "timestamp", "created_ms", "modified_ms", "extra", "lines", "order", "period", "invoice"}


def fitting(kind: type, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, dates read from text; ValueError for what a row of this kind cannot hold."""
    hints, found = _hints(kind), {}
    for name, value in fields.items():
        if name not in hints or name in NOT_BY_HAND:
            raise ValueError(f"{kind.__name__} has no field {name} to change")
        wanted = hints[name]
        if isinstance(value, str) and name.endswith(("_date", "_on")):
            value = date.fromisoformat(value)
        if not _fits(value, wanted):
            raise ValueError(f"{name} takes {wanted}, not {value!r}")
        found[name] = value
    return found


def amount(value: Any) -> float:
    """A number of things or of money."""
    if not _fits(value, float):
        raise ValueError(f"not a number: {value!r}")
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool):
        return wanted is bool
    if isinstance(value, int | float) and wanted in (float, float | None):
        return math.isfinite(value) and abs(value) < 1e15
    if isinstance(value, int) and abs(value) >= 2**31:
        return False
    return isinstance(value, wanted)
