"""The way in beside the API, under /__sandbox/: look at the state, move the clock, order faults, edit by hand.

Costs no tokens and asks for no token: it is not Pipedrive's.
"""

import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pipeline.sandbox.pipedrive import checks, hand_edits
from pipeline.sandbox.pipedrive.clock import DAY, rfc3339
from pipeline.sandbox.pipedrive.refusals import JSON_HEADERS
from pipeline.sandbox.pipedrive.snapshot import PARTS, snapshot
from pipeline.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from pipeline.sandbox.pipedrive.simulator import Pipedrive

PREFIX = "/__sandbox/"
_LATEST = 32_503_680_000  # the year 3000


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
    what = (request.method, request.path.removeprefix(PREFIX).strip("/"))
    if what not in _DO:
        return _json(404, {"error": f"known: {', '.join(f'{method} {name}' for method, name in _DO)}"})
    try:
        body = json.loads(request.body or b"{}", parse_constant=_no_constant)
        if not isinstance(body, dict):
            raise ValueError("the body is a JSON object")
        with simulator.lock:
            result = _DO[what](simulator, dict(parse_qsl(request.query)), body)
    except KeyError as missing:
        return _json(404, {"error": f"there is no {missing}"})
    except (ValueError, TypeError, RecursionError) as problem:
        return _json(400, {"error": str(problem)})
    return _json(200, result)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


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
    seconds, days = body.get("advance_seconds", 0), body.get("advance_days", 0)
    if not checks.is_number(seconds) or not checks.is_integer(days):
        raise ValueError("the clock goes forward by a number of seconds or of whole days")
    if not 0 <= seconds + DAY * days <= _LATEST - simulator.clock.now():
        raise ValueError("the clock goes forward, to the year 3000 at most")
    simulator.advance(seconds + DAY * days)
    return _time(simulator, query, body)


def _time(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    return {"now": rfc3339(simulator.clock.now())}


def _fault(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    if body.get("clear"):
        return _clear_faults(simulator, query, body)
    if problem := simulator.faults.order(body):
        raise ValueError(problem)
    return _faults(simulator, query, body)


def _faults(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    return {"open": len(simulator.faults.open), "waiting": [vars(fault) for fault in simulator.faults.open]}


def _clear_faults(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    simulator.faults.open.clear()
    return {"open": 0}


def _change(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    return hand_edits.edit(simulator.company, body)


def _webhooks(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    deliveries = simulator.company.deliveries
    return {
        "subscriptions": [hook.picture() for hook in deliveries.hooks.values()] if deliveries else [],
        "waiting": len(deliveries.waiting) if deliveries else 0,
    }


def _order_webhooks(simulator: "Pipedrive", query: dict[str, str], body: Any) -> Any:
    """`skip`, `double` or `late` for the next so many, `reverse` their order, `deliver` what is due now."""
    if problem := checks.object_of(_WEBHOOKS)(body):
        raise ValueError(problem)
    for word, kind in (("skip", "webhook_lost"), ("double", "webhook_double"), ("late", "webhook_late")):
        if body.get(word):
            simulator.faults.order({"kind": kind, "times": body[word], "seconds": body.get("seconds", 60)})
    if "reverse" in body and simulator.company.deliveries:
        simulator.company.deliveries.is_reversed = body["reverse"]
    delivered = simulator.deliver() if body.get("deliver") else 0
    return {**_webhooks(simulator, query, body), "delivered": delivered}


_WEBHOOKS: dict[str, checks.Check] = {
    **dict.fromkeys(("skip", "double", "late", "seconds"), checks.record_id),
    **dict.fromkeys(("reverse", "deliver"), checks.boolean),
}
_DO = {
    ("GET", "state"): _state,
    ("GET", "counters"): _counters,
    ("POST", "counters"): _reset_counters,
    ("DELETE", "counters"): _reset_counters,
    ("GET", "ledger"): _ledger,
    ("GET", "clock"): _time,
    ("POST", "clock"): _clock,
    ("GET", "fault"): _faults,
    ("POST", "fault"): _fault,
    ("DELETE", "fault"): _clear_faults,
    ("POST", "change"): _change,
    ("GET", "webhooks"): _webhooks,
    ("POST", "webhooks"): _order_webhooks,
}


def _json(status: int, result: Any) -> Response:
    return Response(status, dict(JSON_HEADERS), json.dumps(result).encode())
