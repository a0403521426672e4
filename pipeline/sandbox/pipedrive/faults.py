"""Faults to order: the next requests of a kind break before or after their work is done."""

from dataclasses import dataclass
from typing import Any

from pipeline.sandbox.pipedrive.refusals import HTML_HEADERS, JSON_HEADERS
from pipeline.sandbox.wire import Response

BEFORE = ("status_before", "drop_before", "burst_429", "daily_429")
AFTER = ("status_after", "drop_after", "delay", "truncate", "malformed")


@dataclass
class Fault:
    """One order: which requests, how many of them, after how many that are let through."""

    kind: str
    method: str | None = None
    path: str = ""
    times: int = 1
    after: int = 0
    status: int = 500
    seconds: float = 1.0

    def meets(self, method: str, path: str, template: str) -> bool:
        """Whether the request is one of those meant."""
        return (self.method is None or self.method == method) and (self.path in path or self.path == template)


class Faults:
    """The orders that are open."""

    def __init__(self) -> None:
        self.open: list[Fault] = []

    def order(self, wanted: dict[str, Any]) -> str | None:
        """Takes an order; the answer is what is wrong with it."""
        unknown = set(wanted) - set(Fault.__dataclass_fields__)
        if unknown or wanted.get("kind") not in (*BEFORE, *AFTER):
            return f"a fault has kind ({', '.join((*BEFORE, *AFTER))}), method, path, times, after, status, seconds"
        self.open.append(Fault(**wanted))
        return None

    def next(self, method: str, path: str, template: str) -> Fault | None:
        """The fault that hits this request, if one does; every order counts it."""
        hit = None
        for fault in list(self.open):
            if not fault.meets(method, path, template):
                continue
            if fault.after > 0:
                fault.after -= 1
            elif hit is None:
                hit = fault
                fault.times -= 1
                if fault.times <= 0:
                    self.open.remove(fault)
        return hit


def broken(fault: Fault, response: Response) -> Response:
    """The answer as the fault leaves it."""
    if fault.kind in ("drop_before", "drop_after"):
        return Response(dropped=True)
    if fault.kind in ("status_before", "status_after"):
        return Response(fault.status, dict(JSON_HEADERS), b'{"success":false,"error":"Internal Server Error"}')
    if fault.kind == "delay":
        response.delay = fault.seconds
    elif fault.kind == "truncate":
        response.body = response.body[: len(response.body) // 2]
    elif fault.kind == "malformed":
        response.headers |= HTML_HEADERS
        response.body = b"<!DOCTYPE html><html><body>One moment please</body></html>"
    return response
