"""Reading a resource: which rows a query finds, a page of them, the link to the next, and the shape they travel in."""

import functools
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote

from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.query import Query
from pipeline.sandbox.exact_online.resources import Resource
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.skip_tokens import read_token, token_of

REPEATED = ("$select", "$filter", "$orderby", "$expand", "$inlinecount")
UNESCAPED = "'(),*$/"  # Exact leaves these as they are in its links


class Reader:
    """Reads the resources of one division for one request; knows under which address the client sees them."""

    def __init__(self, base_url: str, resources: dict[str, Resource], settings: Settings) -> None:
        self._base = base_url  # up to and including the division
        self._resources = resources
        self._settings = settings

    def collection(self, resource: Resource, query: Query, rows: Iterable[Any] | None = None, path: str = "") -> Any:
        """One page, in the shape that fits what was asked for."""
        size = self._settings.page_size if resource.is_regular else self._settings.large_page_size
        wanted = size if query.top is None else min(size, query.top)
        found = list(islice(self._ordered(resource, query, rows), query.skip, query.skip + wanted + 1))
        page = found[:wanted]
        rendered = self._render_all(resource, query, page)
        more = len(found) > wanted and (query.top is None or query.top > wanted)
        if self._is_bare(query, size):
            return rendered
        answer: dict[str, Any] = {"results": rendered}
        if query.with_count:
            answer["__count"] = str(self.count(resource, query, rows))
        if more:
            answer["__next"] = self._next_link(resource, query, page[-1], path or resource.path, wanted)
        return answer

    def _is_bare(self, query: Query, size: int) -> bool:
        """A collection asked for with a `$top` that fits one page comes without its `results`."""
        if query.top is None or query.with_count:
            return False
        if query.skip_token and not self._settings.bare_list_on_later_pages:
            return False
        return query.top <= min(self._settings.bare_list_up_to, size)

    def single(self, resource: Resource, query: Query, row: Any) -> dict:
        """One row by itself."""
        return self._row_maker(resource, query)(row)

    def count(self, resource: Resource, query: Query, rows: Iterable[Any] | None = None) -> int:
        """How many rows there are over all pages."""
        return sum(1 for _ in self._matching(resource, query, rows, after=None))

    def uri(self, resource: Resource, row: Any) -> str:
        """The address of one row."""
        key = resource.key_of(row)
        text = f"guid'{key}'" if resource.key_is_guid else str(key)
        return f"{self._base}/{resource.path}({text})"

    # --- finding ------------------------------------------------------------------------------------------------

    def _ordered(self, resource: Resource, query: Query, rows: Iterable[Any] | None) -> Iterator[Any]:
        order = [(name, down) for name, down in query.order if (name, down) != (resource.key, False)]
        token = read_token(query.skip_token, resource, order) if query.skip_token else None
        if not order:
            return self._matching(resource, query, rows, after=token[-1] if token else None)
        return _sorted(list(self._matching(resource, query, rows, after=None)), resource, order, token)

    def _matching(self, resource: Resource, query: Query, rows: Iterable[Any] | None, after: Any) -> Iterator[Any]:
        candidates = self._candidates(resource, query, rows, after)
        return candidates if query.filter is None else filter(query.filter.get, candidates)

    def _candidates(self, resource: Resource, query: Query, rows: Iterable[Any] | None, after: Any) -> Iterator[Any]:
        if rows is None and resource.is_sync:
            floor = query.filter.floors.get("Timestamp", 0) if query.filter else 0
            return resource.rows.changed_since(max(int(floor) - 1, 0 if after is None else after))
        if rows is None:
            rows = self._pinned(resource, query)
        if rows is None:
            return resource.rows.in_key_order(after)
        in_order = sorted(rows, key=resource.key_of)
        return iter(in_order) if after is None else (row for row in in_order if resource.key_of(row) > after)

    def _pinned(self, resource: Resource, query: Query) -> Iterable[Any] | None:
        """A filter that names the rows' key, or what an index knows, needs no search through the whole table."""
        for name, values in (query.filter.pins if query.filter else {}).items():
            find = resource.indexes.get(name)
            if find is not None:
                return [row for value in values if value is not None for row in find(value)]
        return None

    # --- showing ------------------------------------------------------------------------------------------------

    def _render_all(self, resource: Resource, query: Query, rows: list[Any]) -> list[dict]:
        make = self._row_maker(resource, query)
        return [make(row) for row in rows]

    def _row_maker(self, resource: Resource, query: Query) -> Callable[[Any], dict]:
        names = query.select or [*resource.list.fields]
        for name in query.expand:
            if name not in names:
                names = [*names, name]
        columns = [(name, resource.render[name]) for name in names if name in resource.render]
        navigations = [
            (name, self._navigation(resource, query, name)) for name in names if name in resource.navigations
        ]
        type_name, uri = resource.type_name, self.uri

        def make(row: Any) -> dict:
            shown: dict[str, Any] = {"__metadata": {"uri": uri(resource, row), "type": type_name}}
            for name, read in columns:
                shown[name] = read(row)
            for name, lead in navigations:
                shown[name] = lead(row)
            return shown

        return make

    def _navigation(self, resource: Resource, query: Query, name: str) -> Callable[[Any], dict]:
        navigation = resource.navigations[name]
        if name not in query.expand:
            return lambda row: {"__deferred": {"uri": f"{self.uri(resource, row)}/{name}"}}
        target = self._resources.get(navigation.to)
        if target is None:
            return lambda row: {"results": []}
        wanted = query.nested.get(name, [])
        for field in wanted:
            if field not in target.list.fields and field != "*":
                raise Refusal(400, f"Could not find a property named '{field}' on type '{target.type_name}'.")
        below = Query({}, select=[] if "*" in wanted else wanted)
        make = self._row_maker(target, below)
        return lambda row: {"results": [make(line) for line in navigation.rows(row)]}

    def _next_link(self, resource: Resource, query: Query, last: Any, path: str, shown: int) -> str:
        options = [(name, query.options[name]) for name in REPEATED if name in query.options]
        if query.top is not None:
            options.append(("$top", str(query.top - shown)))
        order = [(name, down) for name, down in query.order if (name, down) != (resource.key, False)]
        options.append(("$skiptoken", token_of(last, resource, order)))
        encoded = [f"{name}={quote(value, safe=UNESCAPED)}" for name, value in options]
        return f"{self._base}/{path}?{'&'.join(encoded)}"


def _sorted(
    rows: list[Any], resource: Resource, order: list[tuple[str, bool]], after: list[Any] | None
) -> Iterator[Any]:
    """Rows in the asked order, the key deciding among equals, from behind the token on."""
    reads = [(resource.compare[name], down) for name, down in order] + [(resource.key_of, False)]

    def compare(left: list[Any], right: list[Any]) -> int:
        for (_, down), mine, theirs in zip(reads, left, right, strict=True):
            if mine != theirs:
                smaller = (mine is None) or (theirs is not None and mine < theirs)
                return 1 if smaller == down else -1
        return 0

    keyed = [([read(row) for read, _ in reads], row) for row in rows]
    if after is not None:
        keyed = [(values, row) for values, row in keyed if compare(values, after) > 0]
    keyed.sort(key=functools.cmp_to_key(lambda left, right: compare(left[0], right[0])))
    return (row for _, row in keyed)
