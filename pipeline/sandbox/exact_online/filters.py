"""`$filter`: from text to a test on rows, the part of OData v2 that Exact is known to understand.

Comparisons, `and`, `or`, parentheses, `trim`, `substringof` and `startswith`; anything else is refused. Which rows
there are and how they are paged is not decided here (`reading.py`).
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.values import wall_ms_of_literal

_TOKEN = re.compile(
    r"\s*(?:(?P<guid>guid'(?P<guid_text>[^']*)')"
    r"|(?P<datetime>[dD]ate[tT]ime'(?P<datetime_text>[^']*)')"
    r"|(?P<string>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)[LlMmDdFf]?(?![\w.])"
    r"|(?P<name>[A-Za-z_]\w*(?:/\w+)*)"
    r"|(?P<sign>[(),]))"
)
LARGEST_NUMBER = 2**63
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DEEPEST = 50  # parentheses within parentheses
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_KIND_OF_TYPE = {"g": "guid", "s": "string", "dt": "datetime", "bool": "bool", "bin": "string"}
_FUNCTIONS: dict[str, tuple[tuple[str, ...], str, Callable[..., Any]]] = {
    "trim": (("string",), "string", lambda text: text.strip()),
    "substringof": (("string", "string"), "bool", lambda part, text: part in text),
    "startswith": (("string", "string"), "bool", lambda text, start: text.startswith(start)),
}


@dataclass
class Expression:
    """A part of a filter: what kind of value it has and how to get it from a row."""

    kind: str
    get: Callable[[Any], Any]
    field_name: str | None = None  # set when it is a plain field
    constant: Any = None
    is_constant: bool = False
    pins: dict[str, frozenset] = field(default_factory=dict)  # rows that pass have one of these values in this field
    floors: dict[str, Any] = field(default_factory=dict)  # rows that pass have at least this value in this field


@dataclass(frozen=True)
class FilterField:
    """What a filter may do with a field: its type and how to read it."""

    type: str
    get: Callable[[Any], Any]


class FilterParser:
    """Reads one filter from left to right, building the test as it goes."""

    def __init__(self, text: str, fields: Mapping[str, FilterField]) -> None:
        self._text = text
        self._fields = fields
        self._tokens = self._cut(text)
        self._place = self._depth = 0

    def parse(self) -> Expression:
        """The whole filter; it must come to yes or no."""
        expression = self._either()
        if self._peek() is not None:
            raise self._mistake("something stands behind its end")
        if expression.kind != "bool":
            raise self._mistake("it is not a condition")
        return expression

    def literal(self) -> Expression:
        """One literal and nothing else, as in a `$skiptoken`."""
        found = self._operand()
        if self._peek() is not None or not found.is_constant:
            raise self._mistake("not one literal")
        return found

    def _cut(self, text: str) -> list[tuple[str, str]]:
        tokens, place = [], 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if not match or match.lastgroup is None:
                raise self._mistake(f"syntax error at position {place}")
            kind = next(k for k in ("guid", "datetime", "string", "number", "name", "sign") if match[k] is not None)
            tokens.append((kind, match[f"{kind}_text"] if kind in ("guid", "datetime") else match[kind]))
            place = match.end()
        return tokens

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        if token is None:
            raise self._mistake("it ends too early")
        self._place += 1
        return token

    def _take_if(self, *wanted: str) -> str | None:
        token = self._peek()
        if token and token[0] in ("name", "sign") and token[1] in wanted:
            self._place += 1
            return token[1]
        return None

    def _either(self) -> Expression:
        parts = [self._both()]
        while self._take_if("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else _or(self._conditions(parts))

    def _both(self) -> Expression:
        parts = [self._comparison()]
        while self._take_if("and"):
            parts.append(self._comparison())
        return parts[0] if len(parts) == 1 else _and(self._conditions(parts))

    def _conditions(self, parts: list[Expression]) -> list[Expression]:
        if any(part.kind != "bool" for part in parts):
            raise self._mistake("'and' and 'or' need conditions on both sides")
        return parts

    def _comparison(self) -> Expression:
        left = self._operand()
        sign = self._take_if(*_COMPARISONS)
        if not sign:
            return left
        right = self._operand()
        if "null" not in (left.kind, right.kind) and left.kind != right.kind:
            raise self._mistake(f"operator '{sign}' does not fit types {left.kind} and {right.kind}")
        return _compare(left, sign, right)

    def _operand(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._mistake("too many parentheses")
        found = self._one_operand()
        self._depth -= 1
        return found

    def _one_operand(self) -> Expression:
        kind, text = self._take()
        if kind == "sign" and text == "(":
            inside = self._either()
            if not self._take_if(")"):
                raise self._mistake("a parenthesis is not closed")
            return inside
        if kind == "name":
            return self._named(text)
        return self._literal(kind, text)

    def _named(self, name: str) -> Expression:
        if self._take_if("("):
            return self._call(name)
        if name in ("true", "false"):
            return _constant("bool", name == "true")
        if name == "null":
            return _constant("null", None)
        found = self._fields.get(name)
        if found is None:
            raise self._mistake(f"no property '{name}' that can be filtered on")
        return Expression(_KIND_OF_TYPE.get(found.type, "number"), found.get, field_name=name)

    def _call(self, name: str) -> Expression:
        if name not in _FUNCTIONS:
            raise self._mistake(f"unknown function '{name}'")
        wanted, kind, work = _FUNCTIONS[name]
        arguments = [self._operand()]
        while self._take_if(","):
            arguments.append(self._operand())
        if not self._take_if(")") or tuple(argument.kind for argument in arguments) != wanted:
            raise self._mistake(f"wrong arguments for '{name}'")
        return Expression(kind, _call_on_row(work, [argument.get for argument in arguments], kind))

    def _literal(self, kind: str, text: str) -> Expression:
        try:
            return _constant(kind, _LITERALS[kind](text))
        except (ValueError, KeyError) as error:
            raise self._mistake(f"not a {kind}: {text}") from error

    def _mistake(self, what: str) -> Refusal:
        return Refusal(400, f"Error in query syntax: $filter={self._text}: {what}.")


def _guid(text: str) -> str:
    if not _GUID.fullmatch(text):
        raise ValueError(text)
    return text.lower()


def _number(text: str) -> float:
    number = int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    if abs(number) >= LARGEST_NUMBER:
        raise ValueError(text)
    return number


_LITERALS: dict[str, Callable[[str], Any]] = {
    "guid": _guid,
    "datetime": wall_ms_of_literal,
    "string": lambda text: text[1:-1].replace("''", "'"),
    "number": _number,
}


def _constant(kind: str, value: Any) -> Expression:
    return Expression(kind, lambda row: value, constant=value, is_constant=True)


def _call_on_row(work: Callable[..., Any], gets: list[Callable], kind: str) -> Callable[[Any], Any]:
    def call(row: Any) -> Any:
        arguments = [get(row) for get in gets]
        if any(argument is None for argument in arguments):
            return False if kind == "bool" else None
        return work(*arguments)

    return call


def _compare(left: Expression, sign: str, right: Expression) -> Expression:
    if left.is_constant and not right.is_constant:
        mirrored = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}.get(sign, sign)
        return _compare(right, mirrored, left)
    get, value, work = left.get, right.get, _COMPARISONS[sign]
    test: Callable[[Any], bool]
    if right.is_constant and right.constant is not None:
        constant = right.constant
        if sign in ("eq", "ne"):
            test = lambda row: work(get(row), constant)  # noqa: E731
        else:
            test = lambda row: (found := get(row)) is not None and work(found, constant)  # noqa: E731
    else:
        test = lambda row: _compare_nullable(work, sign, get(row), value(row))  # noqa: E731
    expression = Expression("bool", test)
    if left.field_name and right.is_constant:
        if sign == "eq":
            expression.pins = {left.field_name: frozenset([right.constant])}
        if sign in ("gt", "ge") and right.constant is not None:
            expression.floors = {left.field_name: right.constant}
    return expression


def _compare_nullable(work: Callable[[Any, Any], bool], sign: str, left: Any, right: Any) -> bool:
    if sign in ("eq", "ne"):
        return work(left, right)
    return left is not None and right is not None and work(left, right)


def _and(parts: list[Expression]) -> Expression:
    tests = [part.get for part in parts]
    both = Expression("bool", lambda row: all(test(row) for test in tests))
    for part in parts:
        both.pins.update(part.pins)
        for name, floor in part.floors.items():
            both.floors[name] = max(floor, both.floors.get(name, floor))
    return both


def _or(parts: list[Expression]) -> Expression:
    tests = [part.get for part in parts]
    either = Expression("bool", lambda row: any(test(row) for test in tests))
    for name in set.intersection(*(set(part.pins) for part in parts)):
        either.pins[name] = frozenset().union(*(part.pins[name] for part in parts))
    for name in set.intersection(*(set(part.floors) for part in parts)):
        either.floors[name] = min(part.floors[name] for part in parts)
    return either
