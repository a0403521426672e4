"""Which endpoint a path means. v1 is served under two prefixes, v2 under one."""

from collections.abc import Iterable
from typing import Any

from pipeline.sandbox.pipedrive.refusals import invalid
from pipeline.sandbox.pipedrive.requests import Route


class _Node:
    __slots__ = ("children", "number", "routes", "text")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.number: _Node | None = None
        self.text: _Node | None = None
        self.routes: dict[str, Route] = {}


class Routing:
    """All endpoints as a tree of path segments; a literal segment wins over a number."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route.template, route)
            if route.template.startswith("/api/v1/"):
                self._add(route.template.removeprefix("/api"), route)

    def find(self, path: str) -> tuple[dict[str, Route], tuple[str, ...]]:
        """The endpoints at a path by method, and the path's variable segments; no endpoints: unknown path."""
        return self._walk(self._root, path.strip("/").split("/"), ()) or ({}, ())

    def _walk(self, node: _Node, segments: list[str], values: tuple[str, ...]) -> Any:
        if not segments:
            return (node.routes, values) if node.routes else None
        head, rest = segments[0], segments[1:]
        child = node.children.get(head)
        if child is not None and (found := self._walk(child, rest, values)):
            return found
        for variable in (node.number, node.text):
            if variable is not None and head and (found := self._walk(variable, rest, (*values, head))):
                return found
        return None

    def _add(self, template: str, route: Route) -> None:
        node = self._root
        for segment in template.strip("/").split("/"):
            if segment == "{id}":
                node.number = node = node.number or _Node()
            elif segment == "{code}":
                node.text = node = node.text or _Node()
            else:
                node = node.children.setdefault(segment, _Node())
        node.routes[route.method] = route


def path_values(route: Route, texts: tuple[str, ...]) -> tuple[Any, ...]:
    """The path's variable segments as the endpoint needs them."""
    kinds = [segment for segment in route.template.split("/") if segment.startswith("{")]
    values: list[Any] = []
    for kind, text in zip(kinds, texts, strict=True):
        if kind == "{code}":
            values.append(text)
        elif text.isascii() and text.isdigit() and len(text) < 17:
            values.append(int(text))
        else:
            raise invalid([f"id: '{text[:40]}' must be an integer"])
    return tuple(values)
