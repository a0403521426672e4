"""The way in beside the API, under /__sandbox/: look at the state, move the clock, order faults, edit by hand.

Costs no tokens and asks for no token: it is not Pipedrive's.
"""

import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pipeline.sandbox.pipedrive import hand_edits
from pipeline.sandbox.pipedrive.clock import DAY, rfc3339
from pipeline.sandbox.pipedrive.refusals import JSON_HEADERS
from pipeline.sandbox.pipedrive.snapshot import PARTS, snapshot
from pipeline.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from pipeline.sandbox.pipedrive.simulator import Pipedrive

PREFIX = "/__sandbox/"


class Counters:
    """Requests by endpoint and status."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.by_status: dict[str, Counter[int]] = {}

    def count(self, endpoint: str, status: int) -> None:
        """One more answer."""
        self.requests[endpoint] += 1
        self.statuses[status] += 1
        self.by_status.setdefault(endpoint, Counter())[status] += 1

    def picture(self) -> dict[str, Any]:
        """All counts."""
        return {
            "total": self.requests.total(),
            "requests": dict(self.requests),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "by_status": {e: {str(s): c for s, c in counts.items()} for e, counts in self.by_status.items()},
        }


def respond(simulator: "Pipedrive", request: Request) -> Response:
    """One control request; the answer to a wrong one says what would be right."""
    what = request.path.removeprefix(PREFIX).strip("/")
    try:
        body = json.loads(request.body or b"{}")
        result = _DO[(request.method, what)](simulator, dict(parse_qsl(request.query)), body)
    except KeyError as missing:
        known = ", ".join(f"{method} {name}" for method, name in _DO)
        return _json(404, {"error": f"unknown or incomplete: {missing}; known: {known}"})
    except (ValueError, TypeError, AttributeError) as problem:
        return _json(400, {"error": str(problem)})
    return _json(200, result)


def _state(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    only = set(query["only"].split(",")) if "only" in query else None
    if only and not only <= set(PARTS):
        raise ValueError(f"only takes {', '.join(PARTS)}")
    return snapshot(simulator.company, only)


def _counters(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    return simulator.counters.picture()


def _reset_counters(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    simulator.counters = Counters()
    return {}


def _ledger(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    return simulator.meter.ledger()


def _clock(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    unknown = set(body) - {"advance_seconds", "advance_days"}
    if unknown:
        raise ValueError("clock takes advance_seconds and advance_days")
    simulator.advance(body.get("advance_seconds", 0) + DAY * body.get("advance_days", 0))
    return _time(simulator, query, body)


def _time(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    return {"now": rfc3339(simulator.clock.now())}


def _fault(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    if problem := simulator.faults.order(body):
        raise ValueError(problem)
    return {"open": len(simulator.faults.open)}


def _clear_faults(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    simulator.faults.open.clear()
    return {"open": 0}


def _change(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    return hand_edits.edit(simulator.company, body)


_DO = {
    ("GET", "state"): _state,
    ("GET", "counters"): _counters,
    ("DELETE", "counters"): _reset_counters,
    ("GET", "ledger"): _ledger,
    ("GET", "clock"): _time,
    ("POST", "clock"): _clock,
    ("POST", "fault"): _fault,
    ("DELETE", "fault"): _clear_faults,
    ("POST", "change"): _change,
}


def _json(status: int, result: Any) -> Response:
    return Response(status, dict(JSON_HEADERS), json.dumps(result).encode())
