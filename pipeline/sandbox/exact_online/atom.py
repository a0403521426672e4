"""Atom XML: what Exact answers to whoever does not ask for JSON, from the same rows.

Only the form is here; which rows and fields there are was decided before. Dates lose their `/Date(…)/`, empty values
are marked, navigations become links, expanded ones links with a feed inside.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pipeline.sandbox.exact_online.metadata import EDM
from pipeline.sandbox.exact_online.resources import Resource
from pipeline.sandbox.exact_online.values import literal_of_wall_ms
from pipeline.sandbox.wire import Response

ATOM_TYPE = "application/atom+xml;charset=utf-8"
SERVICES = "http://schemas.microsoft.com/ado/2007/08/dataservices"
NAMESPACES = f'xmlns:d="{SERVICES}" xmlns:m="{SERVICES}/metadata" xmlns="http://www.w3.org/2005/Atom"'
_DATE = re.compile(r"/Date\((-?\d+)\)/")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class AtomWriter:
    """Writes the answers of one division as Atom."""

    def __init__(self, resources: Mapping[str, Resource], now_ms: int) -> None:
        self._resources = resources
        self._updated = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def response(self, data: Any, resource: Resource) -> Response:
        """A feed, or one entry."""
        if isinstance(data, dict) and "results" not in data:
            body = self._entry(data, resource, NAMESPACES)
        else:
            body = self._feed(data if isinstance(data, dict) else {"results": data}, resource, NAMESPACES)
        text = f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>{body}'
        return Response(200, {"Content-Type": ATOM_TYPE}, text.encode("utf-8", "replace"))

    def _feed(self, data: dict[str, Any], resource: Resource, namespaces: str = "") -> str:
        title = resource.path.rpartition("/")[2]
        count = f"<m:count>{data['__count']}</m:count>" if "__count" in data else ""
        entries = "".join(self._entry(row, resource) for row in data["results"])
        more = f"<link rel={quoteattr('next')} href={quoteattr(data['__next'])} />" if "__next" in data else ""
        return (
            f'<feed {namespaces}><title type="text">{title}</title><updated>{self._updated}</updated>'
            f'{count}<link rel="self" title="{title}" href="{title}" />{entries}{more}</feed>'
        )

    def _entry(self, row: dict[str, Any], resource: Resource, namespaces: str = "") -> str:
        about = row["__metadata"]
        links, properties = [], []
        for name, value in row.items():
            if name in resource.navigations:
                links.append(self._link(name, value, resource, about["uri"]))
            elif name != "__metadata":
                properties.append(_property(name, value, resource.list.fields[name].type))
        return (
            f"<entry {namespaces}><id>{escape(about['uri'])}</id>"
            f'<category term="{about["type"]}" scheme="{SERVICES}/scheme" />'
            f"{''.join(links)}<title /><updated>{self._updated}</updated><author><name /></author>"
            f'<content type="application/xml"><m:properties>{"".join(properties)}</m:properties></content></entry>'
        )

    def _link(self, name: str, value: dict[str, Any], resource: Resource, uri: str) -> str:
        target = self._resources.get(resource.navigations[name].to)
        rows = value.get("results")
        inside = f"<m:inline>{self._feed(value, target)}</m:inline>" if rows and target else ""
        return (
            f'<link rel="{SERVICES}/related/{name}" type="application/atom+xml;type=feed" title="{name}" '
            f"href={quoteattr(f'{uri}/{name}')}>{inside}</link>"
        )


def _property(name: str, value: Any, kind: str) -> str:
    edm = EDM.get(kind, "String")
    typed = "" if edm == "String" else f' m:type="Edm.{edm}"'
    if value is None:
        return f'<d:{name}{typed} m:null="true" />'
    return f"<d:{name}{typed}>{_text(value)}</d:{name}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    date = _DATE.fullmatch(value) if isinstance(value, str) else None
    if date:
        return literal_of_wall_ms(int(date[1]))
    return escape(_NOT_XML.sub("", str(value)))
