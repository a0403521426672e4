"""Query parameters: text, checked and turned into values. Which ones an endpoint takes, it says itself."""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.sandbox.pipedrive.clock import parsed_moment
from pipeline.sandbox.pipedrive.refusals import invalid
from pipeline.sandbox.pipedrive.settings import Settings

Parser = Callable[[str], Any]
Query = Mapping[str, Parser]
_TRUE_FALSE = {"true": True, "false": False}


def words(text: str) -> str:
    """Any text."""
    return text


def filled(text: str) -> str:
    """Text with something in it."""
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def whole(text: str) -> int:
    """A number from 1 up."""
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:17]) < 2**53:
        raise ValueError("must be a positive integer")
    return int(text[:17])


def yes_no(text: str) -> bool:
    """true or false."""
    if text not in _TRUE_FALSE:
        raise ValueError("must be a boolean")
    return _TRUE_FALSE[text]


def one_zero(text: str) -> bool:
    """v1's way to say yes or no."""
    if text not in ("0", "1", "true", "false"):
        raise ValueError("must be a boolean")
    return text in ("1", "true")


def instant(text: str) -> str:
    """Whole-second RFC 3339; fractions and blanks are refused."""
    moment = parsed_moment(text)
    if moment is None:
        raise ValueError("is not a valid datetime")
    return moment


def whole_list(most: int) -> Parser:
    """Numbers joined by commas."""

    def parse(text: str) -> list[int]:
        numbers = [whole(part.strip()) for part in text.split(",")]
        if len(numbers) > most:
            raise ValueError(f"must have at most {most} items")
        return numbers

    return parse


def choice(*allowed: str) -> Parser:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of [{', '.join(allowed)}]")
        return text

    return parse


def choices(*allowed: str) -> Parser:
    """Some of a few words, joined by commas."""
    single = choice(*allowed)
    return lambda text: [single(part.strip()) for part in text.split(",")]


def keys(most: int) -> Parser:
    """Field codes joined by commas."""

    def parse(text: str) -> list[str]:
        found = [part.strip() for part in text.split(",") if part.strip()]
        if len(found) > most:
            raise ValueError(f"must have at most {most} items")
        return found

    return parse


def page(*sort_by: str, most: int = 500) -> Query:
    """What every list takes."""
    paging = {"limit": UpTo(most), "cursor": filled}
    if sort_by:
        paging |= {"sort_by": choice(*sort_by), "sort_direction": choice("asc", "desc")}
    return paging


class UpTo:
    """A number with a maximum, which the settings may turn into a clamp."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, text: str) -> int:
        return whole(text)


def from_zero(text: str) -> int:
    """A number from 0 up."""
    return 0 if text == "0" else whole(text)


V1_PAGE: Query = {"start": from_zero, "limit": UpTo(500)}


def parsed(pairs: list[tuple[str, str]], query: Query, settings: Settings) -> dict[str, Any]:
    """The query of a request as values; everything wrong with it in one refusal."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, text in pairs:
        parser = query.get(name)
        if parser is None:
            problems.append(f"{name}: Parameter '{name}' is not allowed for this request")
        elif name in values:
            problems.append(f"{name}: must be given once")
        else:
            try:
                values[name] = _within(parser, parser(text), settings)
            except ValueError as problem:
                problems.append(f"{name}: {problem}")
    if problems:
        raise invalid(problems)
    return values


def _within(parser: Parser, value: Any, settings: Settings) -> Any:
    if isinstance(parser, UpTo) and value > parser.most:
        if settings.over_limit == "refused":
            raise ValueError(f"must be less than or equal to {parser.most}")
        return parser.most
    return value
