"""What an endpoint is and what it gets: its route, its body's shape, the checked request. No entity's own rules."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline.sandbox.pipedrive import checks, field_values
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.queries import Query
from pipeline.sandbox.pipedrive.refusals import JSON_HEADERS, bad_request, invalid
from pipeline.sandbox.wire import Response

_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)


_REFERENCES = {
    "org_id": ("organization", "Organization"),
    "person_id": ("person", "Person"),
    "pipeline_id": ("pipeline", "Pipeline"),
    "stage_id": ("stage", "Stage"),
    "deal_id": ("deal", "Deal"),
    "product_id": ("product", "Product"),
    "owner_id": ("active_user", "User"),
    "user_id": ("active_user", "User"),
}


def _found(company: Company, kind: str, record_id: int) -> Any:
    return company.active_user(record_id) if kind == "active_user" else company.table(kind).get(record_id)


@dataclass(frozen=True)
class Shape:
    """The keys a JSON object may have, what each must be, and which must be there."""

    keys: Mapping[str, checks.Check]
    required: tuple[str, ...] = ()
    entity: str | None = None  # whose custom fields `custom_fields` may name

    def problems(self, company: Company, body: Any, prefix: str = "") -> list[str]:
        """Everything wrong with the object."""
        if not isinstance(body, dict):
            return [f"{prefix or 'body'}: must be an object"]
        found = [f"{prefix}{key}: Parameter '{key}' is required" for key in self.required if key not in body]
        keys = self.keys
        for key, value in body.items():
            check = keys.get(key) or self._other(key)
            if problem := check(value):
                found.append(f"{prefix}{key}: {problem}")
        if self.entity and "custom_fields" in body:
            found += field_values.problems(company, self.entity, body["custom_fields"])
        return found or self._reference_problems(company, body, prefix)

    def _other(self, key: str) -> checks.Check:
        if key == "custom_fields" and self.entity:
            return lambda value: None
        return lambda value: f"Parameter '{key}' is not allowed for this request"

    @cached_property
    def _references(self) -> list[tuple[str, str, str]]:
        return [(key, *_REFERENCES[key]) for key in _REFERENCES if key in self.keys]

    def _reference_problems(self, company: Company, body: Mapping[str, Any], prefix: str) -> list[str]:
        found = []
        for key, table, what in self._references:
            record_id = body.get(key)
            if record_id is not None and _found(company, table, record_id) is None:
                found.append(f"{prefix}{key}: {what} {record_id} not found")
        return found


@dataclass(frozen=True)
class Array:
    """A body that is a JSON array of such objects."""

    member: Shape
    most: int = 100

    def problems(self, company: Company, body: Any) -> list[str]:
        """Everything wrong with the array."""
        if not isinstance(body, list) or not 0 < len(body) <= self.most:
            return [f"body: must be an array of 1 to {self.most} items"]
        return [
            problem
            for place, member in enumerate(body)
            for problem in self.member.problems(company, member, f"[{place}].")
        ]


@dataclass(slots=True)
class Call:
    """A request that has passed the checks which need no record."""

    company: Company
    ids: tuple[Any, ...]
    query: dict[str, Any]
    body: Any
    endpoint: str


@dataclass(frozen=True)
class Route:
    """One endpoint: who answers, what it costs in tokens, what it takes."""

    method: str
    template: str  # with {id} for a number and {code} for text
    handler: Callable[[Call], Response]
    cost: int | Callable[[Company], int]
    query: Query = field(default_factory=dict)
    body: Shape | Array | None = None
    is_search: bool = False

    @cached_property
    def is_write(self) -> bool:
        """Whether it is one of those that the old rule about writes counts."""
        return self.method in ("POST", "PUT", "PATCH")

    @cached_property
    def has_pages(self) -> bool:
        """Whether its answers come in pages."""
        return "cursor" in self.query

    @property
    def is_v2(self) -> bool:
        """Whether it speaks v2."""
        return self.template.startswith("/api/v2/")


def body_of(route: Route, company: Company, content: bytes) -> Any:
    """The request's body, checked against the endpoint's shape."""
    if route.body is None:
        return None
    refuse = invalid if route.is_v2 else (lambda problems: bad_request(f"body/{problems[0].replace(': ', ' ')}"))
    try:
        body = json.loads(content or b"null", parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise refuse(["body: is not valid JSON"]) from None
    if problems := route.body.problems(company, body):
        raise refuse(problems)
    return body


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def v1_page(call: Call, rows: list[Any]) -> Response:
    """A v1 list, counted from a start."""
    start, limit = call.query.get("start", 0), call.query.get("limit", 100)
    more = start + limit < len(rows)
    pagination = {"start": start, "limit": limit, "more_items_in_collection": more}
    if more:
        pagination["next_start"] = start + limit
    return answer(rows[start : start + limit], {"pagination": pagination})


def page(call: Call, rows: list[Any], cursor: str | None) -> Response:
    """A page of a v2 list; what stands at the list's end is a setting, for Pipedrive leaves it out here and there."""
    if cursor is None and call.company.settings.list_end != "null":
        return answer(rows, {} if call.company.settings.list_end == "omitted" else None)
    return answer(rows, {"next_cursor": cursor})


def answer(data: Any, additional: dict[str, Any] | None = None, *, status: int = 200) -> Response:
    """A success in v2's envelope."""
    body: dict[str, Any] = {"success": True, "data": data}
    if additional is not None:
        body["additional_data"] = additional
    return Response(status, dict(JSON_HEADERS), _ENCODER.encode(body).encode())
