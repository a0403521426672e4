"""One division of the simulated Exact Online: finds the resource a path names and reads or writes it."""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.exact_online.answers import Refusal, data_response
from pipeline.sandbox.exact_online.catalogue import Catalogue
from pipeline.sandbox.exact_online.columns_system import me_columns
from pipeline.sandbox.exact_online.functions import SYNC_TIMESTAMP, sync_timestamp
from pipeline.sandbox.exact_online.metadata import edmx
from pipeline.sandbox.exact_online.query import read_query
from pipeline.sandbox.exact_online.reading import Reader
from pipeline.sandbox.exact_online.resources import Resource
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import WallClock
from pipeline.sandbox.exact_online.webhooks import Webhooks
from pipeline.sandbox.exact_online.writing import Writer
from pipeline.sandbox.wire import Request, Response

_PATH = re.compile(r"(?P<name>[^()]+?)(?:\((?P<key>[^()]*)\))?(?:/(?P<below>\w+))?(?P<count>/\$count)?")
COMPLETE = {"salesorder/CompleteSalesOrder", "salesorder/CompleteSalesOrderLine"}
_GUID_KEY = re.compile(r"guid'([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})'")


class Division:
    """Answers everything below `/api/v1/{division}/`."""

    def __init__(self, number: int, companies: Mapping[int, Company], settings: Settings, clock: WallClock) -> None:
        self.company = company = companies[number]
        self._settings, self._clock = settings, clock
        self.webhooks = Webhooks(company, settings, clock)
        self.resources = Catalogue(companies, number, settings, clock, self.webhooks).resources
        self._writer = Writer(company, self.resources, settings, self.webhooks)
        self._by_lower_path = {path.lower(): path for path in self.resources}
        self._me = Resource(
            "current/Me",
            "Exact.Web.Api.Models.System.Me",
            "UserID",
            _OneRow(company),
            me_columns(company, clock),
            clock,
        )

    def me(self, request: Request) -> Response:
        """The only call without a division."""
        _must_read(request)
        _must_take_json(request)
        query = read_query(request.params, self._me, self._settings)
        reader = Reader(f"{request.base_url}/api/v1", {}, self._settings)
        return data_response(reader.collection(self._me, query))

    def answer(self, request: Request, rest: str) -> Response:
        """Reads one resource: all of it, one row, what a row leads to, or how many there are."""
        special = self._special(request, rest)
        if special is not None:
            return special
        resource, key, below, count = self._find(rest)
        self._check_rights(request, resource)
        reader = Reader(f"{request.base_url}/api/v1/{self.company.division}", self.resources, self._settings)
        if request.method != "GET":
            return self._write(request, reader, resource, key)
        if count:
            query = read_query(request.params, resource, self._settings, single=True)
            return Response(
                200, {"Content-Type": "text/plain; charset=utf-8"}, str(reader.count(resource, query)).encode()
            )
        _must_take_json(request)
        if key is None:
            return data_response(reader.collection(resource, read_query(request.params, resource, self._settings)))
        row = self._row(resource, key)
        if below is None:
            query = read_query(request.params, resource, self._settings, single=True)
            return data_response(reader.single(resource, query, row))
        return data_response(self._below(request, reader, resource, row, below))

    def _special(self, request: Request, rest: str) -> Response | None:
        """Paths that are no plain resource."""
        if rest in COMPLETE:
            if request.method != "POST":
                raise Refusal(405, "Method Not Allowed")
            return self._writer.complete(request, whole_order=rest == "salesorder/CompleteSalesOrder")
        if request.method == "GET" and rest == SYNC_TIMESTAMP:
            _must_take_json(request)
            return data_response({"results": sync_timestamp(request, self.company, self._settings, self._clock)})
        if request.method == "GET" and rest.endswith("/$metadata"):
            service = rest.removesuffix("$metadata")
            found = [resource for path, resource in self.resources.items() if path.startswith(service)]
            if found:
                return Response(200, {"Content-Type": "application/xml; charset=utf-8"}, edmx(found))
        return None

    def _check_rights(self, request: Request, resource: Resource) -> None:
        if request.method != "GET" and (request.method not in resource.list.methods or not resource.is_regular):
            raise Refusal(405, "Method Not Allowed")
        if resource.path.startswith("sync/Inventory/") and not self._settings.inventory_feeds_licensed:
            raise Refusal(403, "Forbidden", reason="LicenseExpired")
        if resource.path == "payroll/Employees" and not self._settings.hr_rights:
            raise Refusal(403, "Forbidden")

    def _write(self, request: Request, reader: Reader, resource: Resource, key: str | None) -> Response:
        if (request.method == "POST") != (key is None):
            raise Refusal(405, "Method Not Allowed")
        if key is None:
            return self._writer.create(request, reader, resource)
        row = self._row(resource, key)
        if request.method == "PUT":
            return self._writer.update(request, reader, resource, row)
        return self._writer.delete(resource, row)

    def _below(self, request: Request, reader: Reader, resource: Resource, row: Any, name: str) -> Any:
        navigation = resource.navigations.get(name)
        if navigation is None:
            raise Refusal(404, f"Resource not found for the segment '{name}'.")
        target = self.resources[navigation.to]
        query = read_query(request.params, target, self._settings)
        path = f"{resource.path}(guid'{resource.key_of(row)}')/{name}"
        return reader.collection(target, query, rows=navigation.rows(row), path=path)

    def _find(self, rest: str) -> tuple[Resource, str | None, str | None, bool]:
        match = _PATH.fullmatch(rest)
        if match:
            for name, below in _readings(match):
                resource = self._resource(name)
                if resource:
                    return resource, match["key"], below, bool(match["count"])
        raise Refusal(404, f"Resource not found for the segment '{rest.rsplit('/', 1)[-1]}'.")

    def _resource(self, path: str) -> Resource | None:
        if not self._settings.case_sensitive_paths:
            path = self._by_lower_path.get(path.lower(), path)
        return self.resources.get(path)

    def _row(self, resource: Resource, text: str) -> Any:
        key: Any = int(text.rstrip("L")) if not resource.key_is_guid and re.fullmatch(r"\d{1,18}L?", text) else None
        guid = _GUID_KEY.fullmatch(text)
        if resource.key_is_guid and guid:
            key = guid[1].lower()
        if key is None or resource.is_sync or resource.is_bulk:
            raise Refusal(400, f"Bad Request - Error in query syntax: '{text}' is no key of {resource.path}.")
        row = resource.rows.get(key)
        if row is None:
            raise Refusal(404, f"Resource not found for the segment '{resource.path.rsplit('/', 1)[-1]}'.")
        return row


class _OneRow:
    """Me is a collection with one row."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def get(self, key: Any) -> Any:
        return self._row

    def in_key_order(self, after: Any = None) -> Any:
        return iter((self._row,) if after is None else ())

    def changed_since(self, version: int) -> Any:
        return iter(())


def _readings(match: re.Match[str]) -> list[tuple[str, str | None]]:
    """`crm/Accounts` is a path; behind a key, the last part is a navigation."""
    if match["below"] and match["key"] is None:
        return [(f"{match['name']}/{match['below']}", None)]
    return [(match["name"], match["below"])]


def _must_read(request: Request) -> None:
    if request.method != "GET":
        raise Refusal(405, "Method Not Allowed")


def _must_take_json(request: Request) -> None:
    """Exact answers Atom XML to whoever does not ask for JSON; the sandbox has none."""
    if "application/json" not in request.headers.get("accept", "") and ("$format", "json") not in request.params:
        raise Refusal(
            406, "Send 'Accept: application/json': otherwise Exact answers Atom XML, which the sandbox lacks."
        )
