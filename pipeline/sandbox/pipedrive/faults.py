"""Faults to order: the next requests or webhook events of a kind break before or after their work is done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.sandbox.pipedrive import checks
from pipeline.sandbox.pipedrive.refusals import HTML_HEADERS, JSON_HEADERS
from pipeline.sandbox.wire import Response

BEFORE = ("status_before", "drop_before", "unsuccessful", "burst_429", "daily_429")
AFTER = ("status_after", "drop_after", "delay", "truncate", "malformed", "repeat_page")
OF_EVENTS = ("webhook_lost", "webhook_double", "webhook_late")
_SAME = {"status": "status_before", "drop": "drop_before"}  # what the other simulator calls them
_LONGEST = 86_400.0


@dataclass
class Fault:
    """One order: which requests or events, how many of them, after how many that are let through."""

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


def _between(least: float, most: float) -> checks.Check:
    return lambda value: None if checks.is_number(value) and least <= value <= most else f"is from {least} to {most}"


def _count(least: int) -> checks.Check:
    return lambda value: None if checks.is_integer(value) and value >= least else f"is a number from {least} up"


_ORDER: dict[str, checks.Check] = {
    "kind": checks.one_of(*BEFORE, *AFTER, *OF_EVENTS),
    "method": checks.nullable(checks.text),
    "path": checks.text,
    "times": _count(1),
    "after": _count(0),
    "status": _between(400, 599),
    "seconds": _between(0, _LONGEST),
}


class Faults:
    """The orders that are open."""

    def __init__(self) -> None:
        self.open: list[Fault] = []

    def order(self, wanted: dict[str, Any]) -> str | None:
        """Takes an order; the answer is what is wrong with it."""
        given = {"after" if key == "skip" else key: value for key, value in wanted.items()}
        kind = given.get("kind")
        given["kind"] = _SAME.get(kind, kind) if isinstance(kind, str) else kind
        if problem := checks.object_of(_ORDER)(given):
            return f"{problem}; a fault has {', '.join(_ORDER)}; its kind is one of {', '.join(KINDS)}"
        whole: dict[str, Any] = {key: int(given[key]) for key in ("times", "after", "status") if key in given}
        self.open.append(Fault(**(given | whole)))
        return None

    def next(self, method: str, path: str, template: str, *, is_next_page: bool = False) -> Fault | None:
        """The fault that hits this request, if one does; every order counts it."""

        def meant(fault: Fault) -> bool:
            fits = fault.kind not in OF_EVENTS and (is_next_page or fault.kind != "repeat_page")
            return fits and fault.meets(method, path, template)

        return self._hit(meant)

    def next_event(self, name: str) -> Fault | None:
        """The fault that hits a webhook event, by its name, such as `deal.change`."""
        return self._hit(lambda fault: fault.kind in OF_EVENTS and fault.path in name)

    def _hit(self, meant: Callable[[Fault], bool]) -> Fault | None:
        hit = None
        for fault in list(self.open):
            if not meant(fault):
                continue
            if fault.after > 0:
                fault.after -= 1
            elif hit is None:
                hit = fault
                fault.times -= 1
                if fault.times <= 0:
                    self.open.remove(fault)
        return hit


KINDS = (*BEFORE, *AFTER, *OF_EVENTS)
_BROKEN: dict[str, bytes] = {
    "status_before": b'{"success":false,"error":"Internal Server Error"}',
    "status_after": b'{"success":false,"error":"Internal Server Error"}',
    "unsuccessful": b'{"success":false,"error":"Something went wrong","data":null}',
}


def broken(fault: Fault, response: Response, page_before: bytes | None = None) -> Response:
    """The answer as the fault leaves it."""
    if fault.kind in ("drop_before", "drop_after"):
        return Response(dropped=True)
    if fault.kind in _BROKEN:
        return Response(200 if fault.kind == "unsuccessful" else fault.status, dict(JSON_HEADERS), _BROKEN[fault.kind])
    if fault.kind == "delay":
        response.delay = fault.seconds
    elif fault.kind == "truncate":
        response.body = response.body[: len(response.body) // 2]
    elif fault.kind == "malformed":
        response.headers |= HTML_HEADERS
        response.body = b"<!DOCTYPE html><html><body>One moment please</body></html>"
    elif fault.kind == "repeat_page":
        response.body = page_before or response.body
    return response
