"""The paths under `/__sandbox/`, which Exact does not have: look inside, move the clock, change books, break things.

Everything a change can be is a line in `CHANGES`; what it does to the books is the company's affair.
"""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_rows import Order
from pipeline.sandbox.exact_online.answers import json_response
from pipeline.sandbox.exact_online.faults import Fault
from pipeline.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from pipeline.sandbox.exact_online.simulator import ExactOnlineSimulator

Change = Callable[[Company, dict[str, Any]], Any]


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
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration) as error:
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
        clock = self._simulator.clock
        if "stand_at" in given:
            clock.stand_at(datetime.fromisoformat(given["stand_at"]))
        if "speed" in given:
            clock.run_at(float(given["speed"]))
        clock.advance(float(given.get("advance_seconds", 0)))
        return {"now": clock.now.isoformat()}

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
        self._simulator.live(events_per_minute=float(given.get("events_per_minute", 6)), seed=int(given.get("seed", 1)))
        return self._get_state(given)

    def _post_commit(self, given: dict) -> dict:
        self._company(given).commit()
        return {}

    def _get_webhooks(self, given: dict) -> dict:
        webhooks = self._simulator.divisions[int(given.get("division", self._simulator.home))].webhooks
        subscriptions = [{"topic": row.topic, "callback_url": row.callback_url} for row in webhooks.subscriptions]
        return {"subscriptions": subscriptions, "waiting": len(webhooks.waiting), "lost": webhooks.lost}

    def _post_webhooks(self, given: dict) -> dict:
        """`skip` and `double` for the next ones, `reverse` their order, `deliver` what is due now."""
        webhooks = self._simulator.divisions[int(given.get("division", self._simulator.home))].webhooks
        webhooks.skip_next = int(given.get("skip", webhooks.skip_next))
        webhooks.double_next = int(given.get("double", webhooks.double_next))
        webhooks.reverse = bool(given.get("reverse", webhooks.reverse))
        delivered = webhooks.deliver_due() if given.get("deliver") else 0
        return {**self._get_webhooks(given), "delivered": delivered}

    def _company(self, given: dict) -> Company:
        return self._simulator.companies[int(given.get("division", self._simulator.home))]


def _place_order(company: Company, given: dict) -> Order:
    """Lines are `{"item": code or GUID, "quantity", "price"}`; without any, one is invented."""
    items: dict[Any, Any] = {item.code: item.id for item in company.items}
    first = next(iter(company.items))
    wanted = given.get("lines") or [{"item": first.id, "quantity": 1, "price": first.standard_price}]
    lines = [(items.get(line["item"], line["item"]), line["quantity"], line["price"]) for line in wanted]
    fields = _fields(given.get("fields", {}))
    return company.place_order(_account(company, given), lines, **fields)


def _account(company: Company, given: dict) -> str:
    """An account by GUID or by debtor code; none: the first customer."""
    wanted = given.get("account")
    if wanted is None:
        return next(iter(company.accounts)).id
    return next((account.id for account in company.accounts if account.code == wanted), wanted)


def _order(company: Company, given: dict) -> Order:
    """An order by GUID or by number; none: the newest."""
    wanted = given.get("order")
    if wanted is None:
        return max(company.orders, key=lambda order: order.number)
    found = company.orders.get(wanted) or next((order for order in company.orders if order.number == wanted), None)
    if found is None:
        raise KeyError(f"no order {wanted}")
    return found


def _line(company: Company, given: dict) -> str:
    """A line by GUID, or by its number on an order."""
    if isinstance(given.get("line"), str):
        return given["line"]
    number = given.get("line", 1)
    return next(line.id for line in _order(company, given).lines if line.number == number)


def _item(company: Company, given: dict) -> str:
    wanted = given.get("item")
    return next((item.id for item in company.items if item.code == wanted), wanted or next(iter(company.items)).id)


def _owed(company: Company, given: dict) -> str:
    """What is still open of an order's invoices."""
    order = _order(company, given)
    return next(row.id for row in company.receivables if row.invoice.order is order and row.paid_on is None)


def _fields(given: dict) -> dict:
    """Fields of a row by name; what ends in `_date` is a date."""
    return {
        name: date.fromisoformat(value) if name.endswith("_date") and value else value for name, value in given.items()
    }


CHANGES: dict[str, Change] = {
    "place_order": _place_order,
    "deliver": lambda company, given: company.deliver(_order(company, given).id, float(given.get("share", 1))),
    "invoice": lambda company, given: company.invoice(_order(company, given).id, float(given.get("share", 1))),
    "cancel": lambda company, given: company.cancel(_order(company, given).id),
    "reopen": lambda company, given: company.reopen(_order(company, given).id),
    "delete_order": lambda company, given: company.delete_order(_order(company, given).id),
    "set_status": lambda company, given: company.set_status(_order(company, given).id, *map(int, given["status"])),
    "set_order": lambda company, given: company.change_order(_order(company, given).id, **_fields(given["fields"])),
    "edit_line": lambda company, given: company.change_line(_line(company, given), **_fields(given["fields"])),
    "add_line": lambda company, given: company.add_line(
        _order(company, given).id, _item(company, given), given.get("quantity", 1), given.get("price", 10)
    ),
    "remove_line": lambda company, given: company.remove_line(_line(company, given)),
    "rename_customer": lambda company, given: company.rename_customer(_account(company, given), given["name"]),
    "set_row": lambda company, given: company.change(given["table"], given["id"], **_fields(given["fields"])),
    "delete_row": lambda company, given: company.delete(given["table"], given["id"]),
    "pay": lambda company, given: company.pay(_owed(company, given), given.get("amount")),
    "move_division": lambda company, given: company.move_division(),
}


def _summary(company: Company) -> dict:
    orders = list(company.orders)
    tables = {name: len(value) for name, value in vars(company).items() if hasattr(value, "changed_since")}
    newest = max(orders, key=lambda order: order.number).number if orders else None
    amount = round(sum(order.amount_excl for order in orders), 2)
    return {
        "name": company.name,
        "rows": tables,
        "last_timestamp": company.last_version,
        "newest_order_number": newest,
        "amount_excl_vat": amount,
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
        if name not in ("lines", "order")
    }
