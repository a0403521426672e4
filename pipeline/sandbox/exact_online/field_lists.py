"""Which fields every resource has, read from `fields.txt`. No values: `columns_*.py` say where those come from."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

COMPLEX_TYPE = "."  # a type with its namespace is an object within the row; the sandbox has none to show
SCALAR_TYPES = {"g", "s", "dt", "dbl", "i16", "i32", "i64", "byte", "bool", "bin"}
_FIELD = re.compile(r"(?P<name>\w+):(?P<type>[\w.]+)(?P<flags>[!*^~]*)")


@dataclass(frozen=True)
class Field:
    """One field of a resource, with the flags of the vendor's reference."""

    name: str
    type: str
    is_key: bool
    is_mandatory: bool
    is_settable: bool
    is_filterable: bool

    @property
    def is_navigation(self) -> bool:
        return self.type not in SCALAR_TYPES and COMPLEX_TYPE not in self.type


@dataclass(frozen=True)
class FieldList:
    """All fields of one resource in documented order, and the methods it takes."""

    methods: frozenset[str]
    fields: dict[str, Field]

    @property
    def has_filter_flags(self) -> bool:
        """Some pages of the reference have no column for filters: then nothing is said about any field."""
        return any(field.is_filterable for field in self.fields.values())


@cache
def field_lists() -> dict[str, FieldList]:
    """Path of the resource -> its fields."""
    text = files("pipeline.sandbox.exact_online").joinpath("fields.txt").read_text(encoding="utf-8")
    found = {}
    for block in re.split(r"^\[", text, flags=re.MULTILINE)[1:]:
        head, _, body = block.partition("\n")
        path, _, methods = head.partition("] ")
        fields = {match["name"]: _field(match) for match in _FIELD.finditer(body)}
        found[path] = FieldList(frozenset(methods.split(",")), fields)
    return found


def _field(match: re.Match[str]) -> Field:
    flags = match["flags"]
    return Field(match["name"], match["type"], "!" in flags, "*" in flags, "^" in flags, "~" in flags)
