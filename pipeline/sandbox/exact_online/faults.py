"""Faults that a test orders beforehand: what the network or the vendor does to the next requests on some path.

Vendor rules are not faults; they stand with what they refuse.
"""

from dataclasses import dataclass
from typing import Any

from pipeline.sandbox.exact_online.answers import UNKNOWN_FAULT, error_body
from pipeline.sandbox.wire import Request, Response

BEFORE = {"status", "drop"}  # the request is never worked on
AFTER = {"status_after", "drop_after", "delay", "truncate", "glue", "empty"}  # it is, whatever the client sees


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

    @classmethod
    def from_json(cls, wanted: dict[str, Any]) -> "Fault":
        """A fault as a control call describes it; ValueError when it makes no sense."""
        unknown = set(wanted) - set(cls.__dataclass_fields__)
        if unknown or wanted.get("kind") not in BEFORE | AFTER or not isinstance(wanted.get("path"), str):
            raise ValueError(
                f"a fault has a path, a kind of {sorted(BEFORE | AFTER)} and options, not {sorted(unknown)}"
            )
        return cls(**wanted)


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
    """The answer of a fault that strikes before anything was done."""
    return Response(dropped=True) if fault.kind == "drop" else _status(fault)


def upon(response: Response, fault: Fault) -> Response:
    """What becomes of an answer on its way back."""
    if fault.kind == "status_after":
        return _status(fault)
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
    return response


def _status(fault: Fault) -> Response:
    headers = {"Content-Type": "text/html" if fault.body else "application/json; charset=utf-8"}
    body = fault.body.encode() if fault.body is not None else error_body(UNKNOWN_FAULT)
    return Response(fault.status, headers, b"" if fault.status == 429 and fault.body is None else body)
