"""How Exact Online writes things: four shapes of `d`, local-time dates, text that PostgreSQL can't hold.

Exact speaks OData 2 (WCF Data Services). Nothing is asked here (`client.py`) and no field has a meaning here.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from pipeline.errors import RetryLater

_DATE = re.compile(r"/Date\((-?\d+)\)/")
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (Exact's milliseconds count its own wall clock, whatever the zone)


def rows_of(answer: Any) -> list[dict[str, Any]]:
    """The rows of an answer: `d` is a list, a page with `results`, or one entity.

    Raises RetryLater for an answer without `d`: Exact glues errors behind cut-off pages, and such a page is read again.
    """
    content = answer.get("d") if isinstance(answer, dict) else None
    if isinstance(content, list):
        return content
    if isinstance(content, dict):
        return content.get("results", [content])
    raise RetryLater("Exact Online answered 200 without data")


def next_page(answer: Any) -> str | None:
    """The address of the following page; None on the last."""
    content = answer["d"]
    return content.get("__next") if isinstance(content, dict) else None


def nested_rows(value: Any) -> list[dict[str, Any]] | None:
    """The rows of an expanded collection; None when it was not expanded or was cut off."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and "results" in value and not value.get("__next"):
        return value["results"]
    return None


def snake_case(field: str) -> str:
    """`AmountFCExclVat` → `amount_fc_excl_vat`."""
    return _WORD_STARTS.sub("_", field).lower()


def plain(value: Any) -> Any:
    """A value as the warehouse takes it: a date is a wall-clock datetime without a zone, text has no NUL."""
    if not isinstance(value, str):
        return value
    if value.startswith("/Date(") and (found := _DATE.fullmatch(value)):
        return _EPOCH + timedelta(milliseconds=int(found.group(1)))
    return storable(value)


def storable(text: str) -> str:
    """Text without what PostgreSQL refuses: NUL characters and halves of surrogate pairs."""
    text = text.replace("\x00", "") if "\x00" in text else text
    return text if text.isascii() else text.encode("utf-8", "ignore").decode("utf-8")


def record(row: dict[str, Any], fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The row's wanted fields under their column names; a field Exact left out is None."""
    return {column: plain(row.get(field)) for field, column in fields}


def datetime_literal(moment: date) -> str:
    """A date or wall-clock time as `$filter` takes it."""
    return f"datetime'{moment.isoformat() if isinstance(moment, datetime) else f'{moment.isoformat()}T00:00:00'}'"


def any_of(field: str, guids: Iterable[str]) -> str:
    """A filter for one of several ids; OData 2 has no `in`."""
    return " or ".join(f"{field} eq guid'{guid}'" for guid in guids)
