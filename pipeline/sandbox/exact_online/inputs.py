"""What a client sends in a body: parsed, checked against the fields of the resource, refused where it does not fit."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.field_lists import Field
from pipeline.sandbox.exact_online.resources import Resource
from pipeline.sandbox.wire import Request

BAD_STREAM = "Error processing request stream. The request should be a valid top-level resource object."
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WIRE_DATE = re.compile(r"/Date\((-?\d+)\)/")
MAX_LENGTHS = {"Description": 60, "YourRef": 40, "PaymentReference": 25, "PaymentCondition": 10}  # of sales orders


def body_of(request: Request) -> dict[str, Any]:
    """The object in the body."""
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, BAD_STREAM) from error
    if not isinstance(found, dict):
        raise Refusal(400, BAD_STREAM)
    return found


def checked_fields(sent: dict[str, Any], resource: Resource, *, extra: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The plain fields that were sent, in the types the books use. `extra` are fields the caller reads himself."""
    found: dict[str, Any] = {}
    for name, value in sent.items():
        described = resource.list.fields.get(name)
        if name in extra or name == "__metadata":
            continue
        if described is None or not (described.is_settable or described.is_key):
            raise Refusal(400, f"The property '{name}' cannot be set on type '{resource.type_name}'.")
        found[name] = None if value is None else _parsed(described, value)
    return found


def keep_only(fields: dict[str, Any], known: Iterable[str], resource: Resource) -> None:
    """Fields that Exact keeps and the sandbox has no place for are refused aloud instead of dropped in silence."""
    strange = set(fields) - set(known) - {resource.key}
    if strange:
        raise Refusal(501, f"The sandbox does not keep {', '.join(sorted(strange))} of {resource.path}.")


def require(sent: dict[str, Any], name: str, status: int) -> Any:
    """A mandatory field; the vendor's messages are in the user's language."""
    if sent.get(name) in (None, "", []):
        raise Refusal(status, f"Verplicht: {name}")
    return sent[name]


def _parsed(described: Field, value: Any) -> Any:
    try:
        return _PARSERS[described.type](value)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise Refusal(400, f"Error processing request stream. Error in value of '{described.name}'.") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _guid(value: Any) -> str:
    if not _GUID.fullmatch(_text(value)):
        raise ValueError(value)
    return value.lower()


def _number(value: Any) -> float:
    """Numbers, also as text with a point; a decimal comma fails."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(value)
    number = float(value)
    if number != number or abs(number) > 1e15:
        raise ValueError(value)
    return int(number) if number == int(number) else number


def _whole(value: Any) -> int:
    number = _number(value)
    if not isinstance(number, int):
        raise TypeError(value)
    return number


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _day(value: Any) -> date:
    """ISO dates, the vendor's own notation, and `02/18/2016 00:00:00`, which its examples post."""
    text = _text(value)
    wire = _WIRE_DATE.fullmatch(text)
    if wire:
        return datetime.fromtimestamp(int(wire[1]) / 1000, UTC).date()
    if "/" in text:
        return datetime.strptime(text[:10], "%m/%d/%Y").replace(tzinfo=UTC).date()
    return datetime.fromisoformat(text).date()


_PARSERS = {
    "g": _guid,
    "s": _text,
    "bin": _text,
    "dt": _day,
    "dbl": _number,
    "i16": _whole,
    "i32": _whole,
    "i64": _whole,
    "byte": _whole,
    "bool": _flag,
}
