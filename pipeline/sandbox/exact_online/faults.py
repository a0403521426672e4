"""Faults that a test orders beforehand: what the network or the vendor does to the next requests on some path.

Vendor rules are not faults; they stand with what they refuse.
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pipeline.sandbox.exact_online.answers import UNKNOWN_FAULT, data_response, error_body
from pipeline.sandbox.exact_online.reading import UNESCAPED
from pipeline.sandbox.wire import Request, Response

# The request is never worked on; the last three are refusals that the vendor has for it.
BEFORE = {"status", "drop", "expired_token", "minute_limit", "day_limit"}
# It is, whatever the client sees.
AFTER = {"status_after", "drop_after", "delay", "truncate", "glue", "empty", "malformed", "same_page"}


@dataclass
class Fault:
    """One ordered fault: for requests whose path contains `path`, `times` times, after `skip` that go well."""

    path: str
    kind: str
    times: int = 1
    skip: int = 0
    method: str | None = None
    status: int = 500
    body: str | None = None
    seconds: float = 1.0
    reason: str | None = None  # the header of a 403

    @classmethod
    def from_json(cls, wanted: dict[str, Any]) -> "Fault":
        """A fault as a control call describes it; ValueError when it makes no sense."""
        unknown = set(wanted) - set(cls.__dataclass_fields__)
        if unknown or wanted.get("kind") not in BEFORE | AFTER or not isinstance(wanted.get("path"), str):
            raise ValueError(
                f"a fault has a path, a kind of {sorted(BEFORE | AFTER)} and options, not {sorted(unknown)}"
            )
        fault = cls(**wanted)
        fault.check()
        return fault

    def check(self) -> None:
        """ValueError for what cannot be sent."""
        whole = (self.times, self.skip, self.status)
        if any(isinstance(value, bool) or not isinstance(value, int) for value in whole):
            raise ValueError("times, skip and status are whole numbers")
        if not (self.times > 0 and self.skip >= 0 and 200 <= self.status <= 599):
            raise ValueError("times from 1 on, skip from 0 on, status from 200 to 599")
        if isinstance(self.seconds, bool) or not isinstance(self.seconds, int | float) or not 0 <= self.seconds <= 600:
            raise ValueError("seconds from 0 to 600")
        if not all(isinstance(value, str | None) for value in (self.method, self.body, self.reason)):
            raise ValueError("method, body and reason are texts")
        if not re.fullmatch(r"[ -~]*", self.reason or ""):
            raise ValueError("reason goes into a header")


class Faults:
    """The faults still to come."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def next_for(self, request: Request) -> Fault | None:
        """The fault that hits this request, if any; it is used up by that."""
        for fault in self.waiting:
            if fault.path not in request.path or fault.method not in (None, request.method):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                return None
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
            return fault
        return None


def instead_of_work(fault: Fault) -> Response:
    """The answer of the network, or of a vendor in trouble, that strikes before anything was done."""
    return Response(dropped=True) if fault.kind == "drop" else _status(fault)


def upon(response: Response, fault: Fault, request: Request) -> Response:
    """What becomes of an answer on its way back."""
    if fault.kind == "status_after":
        return _status(fault)
    if fault.kind == "same_page":
        return _leading_to_itself(response, request)
    _spoil(response, fault)
    return response


def _spoil(response: Response, fault: Fault) -> None:
    if fault.kind == "drop_after":
        response.dropped = True
    if fault.kind == "delay":
        response.delay = fault.seconds
    if fault.kind in ("truncate", "glue"):
        response.body = response.body[: len(response.body) // 2]
    if fault.kind == "glue":  # an error object was seen glued behind half a page with status 200
        response.body += error_body(UNKNOWN_FAULT)
    if fault.kind == "empty":
        response.body = b""
    if fault.kind == "malformed":  # whole, and no JSON all the same
        response.body = response.body.replace(b":", b":,", 1)


def _leading_to_itself(response: Response, request: Request) -> Response:
    """The next page of this one is this one again; a page without a next one stays as it is."""
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        return response
    data = json.loads(response.body or b"null").get("d")
    if not isinstance(data, dict) or "__next" not in data:
        return response
    options = "&".join(f"{name}={quote(value, safe=UNESCAPED)}" for name, value in request.params)
    data["__next"] = f"{request.base_url}{quote(request.path, safe=UNESCAPED)}?{options}"
    return data_response(data, status=response.status, headers=response.headers)


def _status(fault: Fault) -> Response:
    headers = {"Content-Type": "text/html" if fault.body else "application/json; charset=utf-8"}
    if fault.reason:
        headers["Reason"] = fault.reason
    body = fault.body.encode() if fault.body is not None else error_body(UNKNOWN_FAULT)
    return Response(fault.status, headers, b"" if fault.status == 429 and fault.body is None else body)
