"""What a client sends in a body: parsed, checked against the fields of the resource, refused where it does not fit."""

import base64
import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, get_type_hints

from pipeline.sandbox.company_table import Table
from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.field_lists import Field
from pipeline.sandbox.exact_online.resources import Kept, Resource
from pipeline.sandbox.exact_online.settings import Settings
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
    """Fields that Exact works with and the sandbox works out are refused aloud instead of dropped in silence."""
    kept = {name for name in fields if isinstance(resource.columns.get(name), Kept)}
    strange = set(fields) - set(known) - {resource.key} - kept
    if strange:
        raise Refusal(501, f"The sandbox does not keep {', '.join(sorted(strange))} of {resource.path}.")


def require(sent: dict[str, Any], name: str, status: int) -> Any:
    """A mandatory field; the vendor's messages are in the user's language."""
    if sent.get(name) in (None, "", []):
        raise Refusal(status, f"Verplicht: {name}")
    return sent[name]


def checked_references(fields: dict[str, Any], tables: Mapping[str, Table[Any]], settings: Settings) -> None:
    """GUIDs of rows that have to exist; what one from nowhere does is a setting."""
    for name, table in tables.items():
        if fields.get(name) is not None and fields[name] not in table:
            if settings.unknown_reference != "null":
                raise Refusal(500, f"Ongeldig: {name}")
            fields[name] = None


def assign(row: Any, fields: dict[str, Any], names: Mapping[str, str]) -> None:
    """Sets what was sent: in the row's own attribute, or among what is only kept for the client to read again."""
    for name, value in fields.items():
        if name not in names:
            row.extra = {**(row.extra or {}), name: value}
        elif value is not None:
            setattr(row, names[name], value)
        else:
            setattr(row, names[name], _emptied(type(row), names[name], getattr(row, names[name])))


def _emptied(kind: type, name: str, now: Any) -> Any:
    """What null makes of an attribute: null, else what a new row has, else nothing changes."""
    if isinstance(None, get_type_hints(kind)[name]):
        return None
    default = next(part.default for part in dataclasses.fields(kind) if part.name == name)
    return now if default is dataclasses.MISSING else default


def _parsed(described: Field, value: Any) -> Any:
    try:
        return _PARSERS[described.type](value)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise Refusal(400, f"Error processing request stream. Error in value of '{described.name}'.") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _content(value: Any) -> str:
    """A file travels as base64."""
    base64.b64decode(_text(value), validate=True)
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


def _whole(bits: int) -> Callable[[Any], int]:
    """An integer that fits."""

    def parse(value: Any) -> int:
        number = _number(value)
        if not isinstance(number, int) or abs(number) >= 2 ** (bits - 1):
            raise TypeError(value)
        return number

    return parse


def _byte(value: Any) -> int:
    number = int(_number(value))
    if not 0 <= number <= 255 or number != _number(value):
        raise ValueError(value)
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
    "bin": _content,
    "dt": _day,
    "dbl": _number,
    "i16": _whole(16),
    "i32": _whole(32),
    "i64": _whole(64),
    "byte": _byte,
    "bool": _flag,
}
