"""`$skiptoken`: the place where the next page starts, written as literals of the order and the key of the last row."""

from typing import Any

from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.filters import Expression, FilterParser
from pipeline.sandbox.exact_online.resources import Resource
from pipeline.sandbox.exact_online.values import literal_of_wall_ms

Order = list[tuple[str, bool]]


def token_of(row: Any, resource: Resource, order: Order) -> str:
    """The place behind this row."""
    names = [*(name for name, _ in order), resource.key]
    return ",".join(_literal(resource.compare[name](row), resource.list.fields[name].type) for name in names)


def read_token(text: str, resource: Resource, order: Order) -> list[Any]:
    """The values of the row behind which to go on; whoever builds tokens himself gets what he deserves."""
    literals = [_parsed(part, text) for part in _split(text)]
    names = [*(name for name, _ in order), resource.key]
    if len(literals) != len(names):
        raise Refusal(400, f"Bad Request - Error in query syntax: $skiptoken={text}.")
    for name, literal in zip(names, literals, strict=True):
        if literal.kind not in ("null", _kind(resource.list.fields[name].type)):
            raise Refusal(400, f"Bad Request - Error in query syntax: $skiptoken={text}.")
    if literals[-1].kind == "null":
        raise Refusal(400, f"Bad Request - Error in query syntax: $skiptoken={text}.")
    return [literal.constant for literal in literals]


def _literal(value: Any, field_type: str) -> str:
    if value is None:
        return "null"
    if field_type == "g":
        return f"guid'{value}'"
    if field_type == "dt":
        return f"datetime'{literal_of_wall_ms(value)}'"
    if field_type == "bool":
        return "true" if value else "false"
    if field_type in ("s", "bin"):
        return "'" + value.replace("'", "''") + "'"
    return f"{value}L" if field_type == "i64" else str(value)


def _parsed(part: str, whole: str) -> Expression:
    try:
        return FilterParser(part, {}).literal()
    except Refusal as error:
        raise Refusal(400, f"Bad Request - Error in query syntax: $skiptoken={whole}.") from error


def _kind(field_type: str) -> str:
    return {"g": "guid", "dt": "datetime", "bool": "bool", "s": "string", "bin": "string"}.get(field_type, "number")


def _split(text: str) -> list[str]:
    """Commas separate, except inside quotes."""
    parts, quoted = [""], False
    for letter in text:
        quoted ^= letter == "'"
        if letter == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
