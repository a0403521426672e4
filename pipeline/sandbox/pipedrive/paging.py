"""Lists, page by page: keyset cursors, filters, sorting. A page costs what it holds, not what the table holds.

Pipedrive's cursors are opaque to clients; the published ones hold the last row's sort value and id.
"""

import base64
import heapq
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.sandbox.pipedrive.refusals import invalid
from pipeline.sandbox.pipedrive.requests import Call

Key = Callable[[Any], Any]


@dataclass(frozen=True)
class _Cut:
    """Where a page starts, which way it goes, and how much it may hold."""

    after: tuple[Any, int] | None
    descending: bool
    most: int


def listing(
    call: Call, records: Mapping[int, Any], ids: Sequence[int], keep: Key, sort_keys: Mapping[str, Key] | None = None
) -> tuple[list[Any], str | None]:
    """One page of the records whose ids (ascending) are given, and the cursor of the next."""
    query = call.query
    field, descending = query.get("sort_by", "id"), query.get("sort_direction") == "desc"
    limit = query.get("limit", 100)
    after = _read_cursor(call, query["cursor"], field, descending) if "cursor" in query else None
    cut = _Cut(after, descending, limit + 1)
    if field == "id":
        key: Key = _id
        found = _walk(records, ids, keep, cut)
    else:
        key = (sort_keys or {})[field]
        found = _sorted(records, ids, keep, key, cut)
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], _cursor(call, field, key(last), descending, last.id)


def sort_moment(record: Any) -> str:
    """update_time for sorting: a fresh record has none and stands at its add_time."""
    return record.update_time or record.add_time


def _id(record: Any) -> int:
    return record.id


def _walk(records: Mapping[int, Any], ids: Sequence[int], keep: Key, cut: _Cut) -> list[Any]:
    found = []
    for record_id in _from(ids, cut):
        record = records[record_id]
        if keep(record):
            found.append(record)
            if len(found) == cut.most:
                break
    return found


def _from(ids: Sequence[int], cut: _Cut) -> Iterator[int]:
    if cut.descending:
        end = len(ids) if cut.after is None else bisect_left(ids, cut.after[1])
        return (ids[place] for place in range(end - 1, -1, -1))
    start = 0 if cut.after is None else bisect_right(ids, cut.after[1])
    return (ids[place] for place in range(start, len(ids)))


def _sorted(records: Mapping[int, Any], ids: Sequence[int], keep: Key, key: Key, cut: _Cut) -> list[Any]:
    pick = heapq.nlargest if cut.descending else heapq.nsmallest
    after, descending = cut.after, cut.descending
    candidates = ((key(record), record.id) for record in map(records.__getitem__, ids) if keep(record))
    if after is not None:
        candidates = (mark for mark in candidates if (mark < after if descending else mark > after))
    return [records[record_id] for _, record_id in pick(cut.most, candidates)]


def _cursor(call: Call, field: str, value: Any, descending: bool, record_id: int) -> str:
    content = {
        "field": field,
        "fieldValue": value,
        "sortDirection": "desc" if descending else "asc",
        "id": record_id,
    }
    if call.company.settings.cursor_lifetime_seconds is not None:
        content["at"] = call.company.clock.now()
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")


def _read_cursor(call: Call, text: str, field: str, descending: bool) -> tuple[Any, int]:
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        same = content["field"] == field and (content["sortDirection"] == "desc") == descending
        value, record_id = content["fieldValue"], content["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise invalid(["cursor: is not valid"]) from None
    kinds = int if field in ("id", "order_nr", "deal_id") else str
    lifetime, made = call.company.settings.cursor_lifetime_seconds, content.get("at", 0)
    if not same or not isinstance(value, kinds) or not isinstance(record_id, int) or not isinstance(made, int | float):
        raise invalid(["cursor: is not valid"])
    if lifetime is not None and call.company.clock.now() - made > lifetime:
        raise invalid(["cursor: has expired"])
    return value, record_id
