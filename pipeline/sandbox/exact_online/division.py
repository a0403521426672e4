"""One division of the simulated Exact Online: finds the resource a path names and reads or writes it."""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.exact_online.answers import Refusal, data_response
from pipeline.sandbox.exact_online.atom import AtomWriter
from pipeline.sandbox.exact_online.catalogue import Catalogue
from pipeline.sandbox.exact_online.columns_system import me_columns
from pipeline.sandbox.exact_online.descriptions import described_in
from pipeline.sandbox.exact_online.functions import FUNCTIONS, SYNC_TIMESTAMP, sync_timestamp
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
LARGEST_BODY = 10 * 1024 * 1024
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
        query = read_query(request.params, self._me, self._settings)
        reader = Reader(f"{request.base_url}/api/v1", {}, self._settings)
        return self._shown(request, reader.collection(self._me, query), self._me)

    def answer(self, request: Request, rest: str) -> Response:
        """Whatever it is; listeners may be told nothing of what the app itself does."""
        self.webhooks.silent = request.method != "GET" and not self._settings.webhooks_tell_own_writes
        try:
            return self._answered(request, rest)
        finally:
            self.webhooks.silent = False

    def _answered(self, request: Request, rest: str) -> Response:
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
            return self._count(request, reader, resource, key, below)
        data = self._read(request, reader, resource, key, below)
        language = request.headers.get("customdescriptionlanguage")
        below_it = self.resources.get(resource.navigations[below].to) if below else None
        return self._shown(request, described_in(data, language) if language else data, below_it or resource)

    def _shown(self, request: Request, data: Any, resource: Resource) -> Response:
        """JSON for whoever asks for it, Atom for everybody else."""
        if "application/json" in request.headers.get("accept", "") or ("$format", "json") in request.params:
            return data_response(data)
        return AtomWriter(self.resources, self.company.clock.now_ms).response(data, resource)

    def _read(self, request: Request, reader: Reader, resource: Resource, key: str | None, below: str | None) -> Any:
        """A page, a row, or a page of what a row leads to."""
        if key is None:
            return reader.collection(resource, read_query(request.params, resource, self._settings))
        row = self._row(resource, key)
        if below is None:
            query = read_query(request.params, resource, self._settings, single=True)
            return reader.single(resource, query, row)
        return self._below(request, reader, resource, row, below)

    def _count(
        self, request: Request, reader: Reader, resource: Resource, key: str | None, below: str | None
    ) -> Response:
        """How many rows: of the resource, or of those that one row leads to."""
        rows, counted = None, resource
        if key is not None:
            row = self._row(resource, key)
            navigation = resource.navigations.get(below or "")
            if navigation is None:
                raise Refusal(404, "Resource not found for the segment '$count'.")
            rows, counted = navigation.rows(row), self.resources.get(navigation.to, resource)
        query = read_query(request.params, counted, self._settings, single=True)
        number = str(reader.count(counted, query, rows)).encode()
        return Response(200, {"Content-Type": "text/plain; charset=utf-8"}, number)

    def _special(self, request: Request, rest: str) -> Response | None:
        """Paths that are no plain resource."""
        if rest in COMPLETE:
            if request.method != "POST":
                raise Refusal(405, "Method Not Allowed")
            return self._writer.complete(request, whole_order=rest == "salesorder/CompleteSalesOrder")
        if request.method == "GET" and rest == SYNC_TIMESTAMP:
            return data_response({"results": sync_timestamp(request, self.company, self._settings, self._clock)})
        if request.method == "GET" and rest in FUNCTIONS:
            return self._call(request, rest)
        if request.method == "GET" and rest.endswith("/$metadata"):
            service = rest.removesuffix("$metadata")
            found = [resource for path, resource in self.resources.items() if path.startswith(service)]
            if found:
                return Response(200, {"Content-Type": "application/xml; charset=utf-8"}, edmx(found))
        return None

    def _call(self, request: Request, name: str) -> Response:
        """A function: its parameters find the rows, the options of OData work on those."""
        resource, rows = self.resources[name], FUNCTIONS[name](request, self.company)
        query = read_query(request.params, resource, self._settings)
        reader = Reader(f"{request.base_url}/api/v1/{self.company.division}", self.resources, self._settings)
        return self._shown(request, reader.collection(resource, query, rows=rows), resource)

    def _check_rights(self, request: Request, resource: Resource) -> None:
        if request.method != "GET" and (request.method not in resource.list.methods or not resource.is_regular):
            raise Refusal(405, "Method Not Allowed")
        parts = resource.path.lower().split("/")
        if {name.lower() for name in self._settings.services_out_of_scope} & set(parts[:-1]):
            work = "read" if request.method == "GET" else "write"
            raise Refusal(403, f"Forbidden - Application Scope Violated. Cannot {work}")
        if len(request.body) > LARGEST_BODY:
            raise Refusal(413, "Request Entity Too Large")
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
        if not navigation.to:
            return {"results": []}
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
