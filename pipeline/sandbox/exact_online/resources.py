"""What a resource is: where it stands, which rows it shows, which fields they have and how those are read.

The resources themselves are put together in `catalogue.py`; reading a page of one is `reading.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Protocol

from pipeline.sandbox.exact_online.field_lists import FieldList, field_lists
from pipeline.sandbox.exact_online.filters import FilterField
from pipeline.sandbox.exact_online.values import WallClock, readers

Read = Callable[[Any], Any]
Columns = Mapping[str, Read]  # field name -> how to get it from a row
EMPTY_VALUES: dict[str, Any] = {"byte": 0, "bool": False}


@dataclass(frozen=True)
class Kept:
    """A field that is only kept, for whoever set it to read again."""

    name: str
    empty: Any = None

    def __call__(self, row: Any) -> Any:
        return row.extra.get(self.name, self.empty) if row.extra else self.empty


class Rows(Protocol):
    """Where a resource's rows come from; a table of the company, or something that looks like one."""

    def get(self, key: Any) -> Any: ...

    def in_key_order(self, after: Any = None) -> Iterator[Any]: ...

    def changed_since(self, version: int) -> Iterator[Any]: ...


@dataclass(frozen=True)
class KeptOr(Kept):
    """A field that the vendor fills in where nobody has set it."""

    otherwise: Read = field(kw_only=True)

    def __call__(self, row: Any) -> Any:
        found = row.extra.get(self.name) if row.extra else None
        return self.otherwise(row) if found is None else found


@dataclass(frozen=True)
class Navigation:
    """A field that leads to rows of another resource."""

    to: str  # path of the resource whose fields an expanded row has; empty: nothing the sandbox has rows of
    rows: Callable[[Any], Iterable[Any]]


@dataclass
class Resource:
    """One resource of one division."""

    path: str
    type_name: str
    key: str  # field
    rows: Rows
    columns: Columns
    clock: WallClock
    navigations: Mapping[str, Navigation] = field(default_factory=dict)
    indexes: Mapping[str, Callable[[Any], Iterable[Any]]] = field(default_factory=dict)
    key_is_guid: bool = True
    listed_as: str = ""  # the field list to follow, when not that of the path itself

    def __post_init__(self) -> None:
        self.list: FieldList = field_lists()[self.listed_as or self.path]
        self.compare: dict[str, Read] = {}
        self.render: dict[str, Read] = {}
        nowhere = Navigation("", lambda row: ())
        unknown = {name: nowhere for name, described in self.list.fields.items() if described.is_navigation}
        self.navigations = {**unknown, **self.navigations}
        for name, described in self.list.fields.items():
            if not described.is_navigation:
                read = self.columns.get(name) or constant(EMPTY_VALUES.get(described.type))
                self.compare[name], self.render[name] = readers(described.type, read, self.clock)

    @property
    def is_sync(self) -> bool:
        return self.path.startswith("sync/")

    @property
    def is_bulk(self) -> bool:
        return self.path.startswith("bulk/")

    @property
    def is_regular(self) -> bool:
        return not self.is_sync and not self.is_bulk

    def key_of(self, row: Any) -> Any:
        """The value that pages are ordered by when nobody asks for another order."""
        return self.compare[self.key](row)

    def filter_fields(self, *, strict: bool) -> dict[str, FilterField]:
        """Fields that a filter may name here: on the sync feeds one, elsewhere those flagged for it."""
        if self.is_sync:
            names = {"Timestamp", "EntityType"} if self.path == "sync/Deleted" else {"Timestamp"}
        elif not strict or not self.list.has_filter_flags or self.path.endswith(("crm/Contacts", "CRM/Contacts")):
            names = set(self.compare)  # nothing reliable is documented: every plain field
        else:
            names = {name for name, described in self.list.fields.items() if described.is_filterable}
            names |= {self.key, "Modified"}
        return {
            name: FilterField(self.list.fields[name].type, self.compare[name]) for name in names if name in self.compare
        }


def constant(value: Any) -> Read:
    """A field that is the same in every row."""
    return lambda row: value


def plain(**names: str) -> dict[str, Read]:
    """Fields that are an attribute of the row."""
    return {name: attrgetter(attribute) for name, attribute in names.items()}
