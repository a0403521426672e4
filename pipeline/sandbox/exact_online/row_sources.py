"""Where resources get rows from that are not simply a table of the company."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.exact_online.resources import Rows
from pipeline.sandbox.exact_online.settings import Settings

DELETED_KEPT_MS = 61 * 86_400_000  # the log of deletions goes back two months


class Committed:
    """A table as the sync feeds show it: without rows whose transaction has not ended."""

    def __init__(self, company: Company, rows: Rows, settings: Settings) -> None:
        self._company, self._rows = company, rows
        self._stops = settings.sync_stops_at_in_flight

    def get(self, key: Any) -> Any:
        return self._rows.get(key)

    def in_key_order(self, after: Any = None) -> Iterator[Any]:
        return self._rows.in_key_order(after)

    def changed_since(self, version: int) -> Iterator[Any]:
        return self._visible(self._rows.changed_since(version))

    def _visible(self, found: Iterator[Any]) -> Iterator[Any]:
        hidden = self._company.in_flight
        if not hidden:
            return found
        if self._stops:
            first = min(hidden)
            return (row for row in found if row.timestamp < first)
        return (row for row in found if row.timestamp not in hidden)


class KeptDeletions(Committed):
    """The log of deletions, without what was deleted more than two months ago."""

    def changed_since(self, version: int) -> Iterator[Any]:
        oldest = self._company.clock.now_ms - DELETED_KEPT_MS
        return (row for row in super().changed_since(version) if row.deleted_ms >= oldest)


class Divisions:
    """The companies themselves, as rows."""

    def __init__(self, companies: Mapping[int, Company]) -> None:
        self._companies = companies

    def get(self, key: Any) -> Company | None:
        return self._companies.get(key)

    def in_key_order(self, after: Any = None) -> Iterator[Company]:
        return (self._companies[code] for code in sorted(self._companies) if after is None or code > after)

    def changed_since(self, version: int) -> Iterator[Company]:
        return iter(())


class Merged(Committed):
    """Two tables in one feed, as invoices and their lines are."""

    def __init__(self, company: Company, settings: Settings, *tables: Rows) -> None:
        super().__init__(company, tables[0], settings)
        self._tables = tables

    def changed_since(self, version: int) -> Iterator[Any]:
        found = heapq.merge(*(table.changed_since(version) for table in self._tables), key=lambda row: row.timestamp)
        return self._visible(found)


class Listed:
    """Rows that something else lists: they are few, and sorted whenever they are asked for."""

    def __init__(self, rows: Callable[[], Iterable[Any]], key: Callable[[Any], Any]) -> None:
        self._rows, self._key = rows, key

    def get(self, key: Any) -> Any:
        return next((row for row in self._rows() if self._key(row) == key), None)

    def in_key_order(self, after: Any = None) -> Iterator[Any]:
        found = sorted(self._rows(), key=self._key)
        return iter(found) if after is None else (row for row in found if self._key(row) > after)

    def changed_since(self, version: int) -> Iterator[Any]:
        found = [row for row in self._rows() if row.timestamp > version]
        return iter(sorted(found, key=lambda row: row.timestamp))
