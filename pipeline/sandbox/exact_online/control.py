"""The paths under `/__sandbox/`, which Exact does not have: look inside, move the clock, change books, break things.

What a change can be stands in `control_changes.py`, what a fault can be in `faults.py`.
"""

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_checks import amount
from pipeline.sandbox.company_rows import Order
from pipeline.sandbox.exact_online.answers import json_response
from pipeline.sandbox.exact_online.control_changes import CHANGES
from pipeline.sandbox.exact_online.faults import Fault
from pipeline.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from pipeline.sandbox.exact_online.simulator import ExactOnlineSimulator
DAY_S, YEAR_S = 86_400, 366 * 86_400
FASTEST = 1_000_000
EARLIEST, LATEST = 946_684_800, 4_102_444_800  # 2000 and 2100


class Control:
    """Answers control calls; nobody has to log in."""

    def __init__(self, simulator: "ExactOnlineSimulator") -> None:
        self._simulator = simulator

    def __call__(self, request: Request) -> Response:
        """`GET` looks, `POST` does."""
        name = request.path.removeprefix("/__sandbox/").strip("/").replace("/", "_")
        work = getattr(self, f"_{request.method.lower()}_{name}", None)
        if work is None:
            return json_response({"error": f"no {request.method} {request.path}"}, status=404)
        try:
            given = json.loads(request.body or b"{}")
            return json_response(work(given))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration, OverflowError) as error:
            return json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    def _get_state(self, given: dict) -> dict:
        simulator = self._simulator
        return {
            "now": simulator.clock.now.isoformat(),
            "divisions": {str(n): _summary(c) for n, c in simulator.companies.items()},
        }

    def _get_counters(self, given: dict) -> dict:
        calls = dict(self._simulator.calls)
        token = calls.pop("oauth2/token", 0)
        return {"requests": calls, "total": sum(calls.values()), "token_calls": token}

    def _post_counters(self, given: dict) -> dict:
        self._simulator.calls.clear()
        return self._get_counters(given)

    def _post_clock(self, given: dict) -> dict:
        """Whole days or seconds further (or back), another moment, another speed."""
        clock = self._simulator.clock
        seconds = _within(given.get("advance_seconds", 0), 10 * YEAR_S)
        seconds += DAY_S * _within(given.get("advance_days", 0), 3650)
        speed = _within(given["speed"], 1_000_000) if "speed" in given else None
        moment = datetime.fromisoformat(given["stand_at"]) if "stand_at" in given else None
        target = (moment or clock.now).timestamp() + seconds
        if not EARLIEST <= target <= LATEST:
            raise ValueError("between 2000 and 2100")
        if moment is not None:
            clock.stand_at(moment)
        if speed is not None:
            clock.run_at(speed)
        clock.advance(seconds)
        return self._get_clock(given)

    def _get_clock(self, given: dict) -> dict:
        return {"now": self._simulator.clock.now.isoformat()}

    def _post_tokens(self, given: dict) -> dict:
        self._simulator.tokens.start_again()
        return {"refresh_token": self._simulator.tokens.refresh_token}

    def _post_fault(self, given: dict) -> dict:
        if given.get("clear"):
            self._simulator.faults.waiting.clear()
        else:
            self._simulator.faults.waiting.append(Fault.from_json(given))
        return self._get_fault(given)

    def _get_fault(self, given: dict) -> dict:
        return {"waiting": [vars(fault) for fault in self._simulator.faults.waiting]}

    def _post_change(self, given: dict) -> dict:
        company = self._company(given)
        change = CHANGES[given["kind"]]
        if not given.get("in_flight"):
            return {"kind": given["kind"], **_shown(change(company, given))}
        with company.slow_transaction():
            return {"kind": given["kind"], **_shown(change(company, given))}

    def _post_live(self, given: dict) -> dict:
        """Business hours with `speed`, else `events_per_minute`; none a minute ends it."""
        pace = _within(given.get("events_per_minute", 6), FASTEST)
        speed = None if given.get("speed") is None else _within(given["speed"], FASTEST)
        self._simulator.live(events_per_minute=pace, speed=speed, seed=int(given.get("seed", 1)))
        return self._get_state(given)

    def _post_commit(self, given: dict) -> dict:
        self._company(given).commit()
        return {}

    def _get_webhooks(self, given: dict) -> dict:
        webhooks = self._simulator.divisions[int(given.get("division", self._simulator.home))].webhooks
        subscriptions = [{"topic": row.topic, "callback_url": row.callback_url} for row in webhooks.subscriptions]
        return {"subscriptions": subscriptions, "waiting": len(webhooks.waiting), "lost": webhooks.lost}

    def _post_webhooks(self, given: dict) -> dict:
        """`skip`, `double` or `late` for the next so many, `reverse` their order, `deliver` what is due now."""
        webhooks = self._simulator.divisions[int(given.get("division", self._simulator.home))].webhooks
        webhooks.skip_next = int(given.get("skip", webhooks.skip_next))
        webhooks.double_next = int(given.get("double", webhooks.double_next))
        webhooks.late_next = int(given.get("late", webhooks.late_next))
        webhooks.late_seconds = _within(given.get("seconds", webhooks.late_seconds), YEAR_S)
        webhooks.reverse = bool(given.get("reverse", webhooks.reverse))
        delivered = webhooks.deliver_due() if given.get("deliver") else 0
        return {**self._get_webhooks(given), "delivered": delivered}

    def _company(self, given: dict) -> Company:
        return self._simulator.companies[int(given.get("division", self._simulator.home))]


def _summary(company: Company) -> dict:
    orders = list(company.orders)
    tables = {name: len(value) for name, value in vars(company).items() if hasattr(value, "changed_since")}
    newest = max(orders, key=lambda order: order.number).number if orders else None
    total = round(sum(order.amount_excl for order in orders), 2)
    return {
        "name": company.name,
        "rows": tables,
        "last_timestamp": company.last_version,
        "newest_order_number": newest,
        "amount_excl_vat": total,
    }


def _shown(row: Any) -> dict:
    """The row that a change touched, with the order's lines where there are any."""
    if row is None:
        return {}
    order = row if isinstance(row, Order) else getattr(row, "order", None)
    shown = {"row": _plain(row)}
    if order is not None:
        shown["order"] = {**_plain(order), "lines": [_plain(line) for line in order.lines]}
    return shown


def _plain(row: Any) -> dict:
    fields = ((name, getattr(row, name)) for name in row.__slots__)
    return {
        name: value.isoformat() if isinstance(value, date) else getattr(value, "id", value)
        for name, value in fields
        if name not in ("lines", "order", "content")
    }


def _within(value: Any, most: float) -> float:
    """A number of ordinary size."""
    if abs(amount(value)) > most:
        raise ValueError(f"at most {most}")
    return value
