"""One table of the company's database: rows by GUID, and in which order they last changed.

Row versions are handed out by the company (`company_state.py`); nothing here knows what a row means.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar


class Versioned(Protocol):
    """What a table asks of its rows."""

    id: Any
    timestamp: int


Row = TypeVar("Row", bound=Versioned)


class Table(Generic[Row]):
    """Rows by GUID. Versions only ever grow, so the log of changes is sorted by itself."""

    def __init__(self) -> None:
        self.rows: dict[Any, Row] = {}
        self._keys: list[Any] | None = None  # sorted, made when first asked for
        self._log: list[Row] = []
        self._versions: list[int] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def get(self, key: Any) -> Row | None:
        """The row of this GUID, or nothing."""
        return self.rows.get(key)

    @property
    def newest_version(self) -> int:
        """Of the latest row that came or changed."""
        return self._versions[-1] if self._versions else 0

    def put(self, row: Row) -> None:
        """Takes a row in, new or changed, under the version it already carries."""
        if row.id not in self.rows:
            self.rows[row.id] = row
            if self._keys is not None:
                insort(self._keys, row.id)
        self._log.append(row)
        self._versions.append(row.timestamp)
        if len(self._log) > 2 * len(self.rows) + 1000:
            self.rewrite_log()

    def remove(self, key: Any) -> None:
        """Forgets a row."""
        del self.rows[key]
        if self._keys is not None:
            del self._keys[bisect_left(self._keys, key)]

    def in_key_order(self, after: Any = None) -> Iterator[Row]:
        """Rows sorted by GUID, from behind `after` on."""
        if self._keys is None:
            self._keys = sorted(self.rows)
        start = 0 if after is None else bisect_right(self._keys, after)
        keys, rows = self._keys, self.rows
        return (rows[keys[place]] for place in range(start, len(keys)))

    def changed_since(self, version: int) -> Iterator[Row]:
        """Rows with a later version, each once, the longest unchanged first."""
        for place in range(bisect_right(self._versions, version), len(self._log)):
            row = self._log[place]
            if row.timestamp == self._versions[place] and self.rows.get(row.id) is row:
                yield row

    def recent(self) -> Iterator[Row]:
        """Rows from the latest change backwards."""
        for place in range(len(self._log) - 1, -1, -1):
            if self._log[place].timestamp == self._versions[place]:
                yield self._log[place]

    def rewrite_log(self) -> None:
        """Drops outdated entries, or follows versions that were all renewed."""
        self._log = sorted(self.rows.values(), key=lambda row: row.timestamp)
        self._versions = [row.timestamp for row in self._log]
