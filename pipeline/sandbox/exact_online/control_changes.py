"""Changes to a company's books that can be ordered by hand: one line each in `CHANGES`, below.

Orders, accounts, items and lines can be named the way people do; what a change does is the company's affair.
"""

from collections.abc import Callable
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_checks import amount, fitting
from pipeline.sandbox.company_rows import Account, Order, OrderLine

Change = Callable[[Company, dict[str, Any]], Any]


def _place_order(company: Company, given: dict) -> Order:
    """Lines are `{"item": code or GUID, "quantity", "price"}`; without any, one is invented."""
    items: dict[Any, Any] = {item.code: item.id for item in company.items}
    first = next(iter(company.items))
    wanted = given.get("lines") or [{"item": first.id, "quantity": 1, "price": first.standard_price}]
    lines = [
        (str(items.get(line["item"], line["item"])), amount(line["quantity"]), amount(line["price"])) for line in wanted
    ]
    return company.place_order(_account(company, given), lines, **fitting(Order, given.get("fields", {})))


def _account(company: Company, given: dict) -> str:
    """An account by GUID or by debtor code; none: the first customer."""
    wanted = given.get("account")
    if wanted is None:
        return next(iter(company.accounts)).id
    return next((account.id for account in company.accounts if account.code == wanted), str(wanted))


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
    return next((item.id for item in company.items if item.code == wanted), None) or str(
        wanted or next(iter(company.items)).id
    )


def _owed(company: Company, given: dict) -> str:
    """What is still open of an order's invoices."""
    order = _order(company, given)
    return next(row.id for row in company.receivables if row.invoice.order is order and row.paid_on is None)


def _set_row(company: Company, given: dict) -> Any:
    """Any field of any row that a person could have changed."""
    row = company.table(given["table"]).rows[given["id"]]
    return company.change(given["table"], given["id"], **fitting(type(row), given["fields"]))


def _status(given: dict) -> tuple[int, int, int]:
    """Status, delivery and invoice; any of them may be a number that the vendor has not."""
    status, delivery, invoice = (int(value) for value in given["status"])
    return status, delivery, invoice


def _add_line(company: Company, given: dict) -> OrderLine:
    quantity, price = amount(given.get("quantity", 1)), amount(given.get("price", 10))
    return company.add_line(_order(company, given).id, _item(company, given), quantity, price)


CHANGES: dict[str, Change] = {
    "place_order": _place_order,
    "deliver": lambda company, given: company.deliver(_order(company, given).id, amount(given.get("share", 1))),
    "invoice": lambda company, given: company.invoice(_order(company, given).id, amount(given.get("share", 1))),
    "cancel": lambda company, given: company.cancel(_order(company, given).id),
    "cancel_line": lambda company, given: company.cancel_line(_line(company, given)),
    "close": lambda company, given: company.close(_order(company, given).id),
    "reopen": lambda company, given: company.reopen(_order(company, given).id),
    "delete_order": lambda company, given: company.delete_order(_order(company, given).id),
    "set_status": lambda company, given: company.set_status(_order(company, given).id, *_status(given)),
    "set_order": lambda company, given: company.change_order(
        _order(company, given).id, **fitting(Order, given["fields"])
    ),
    "edit_line": lambda company, given: company.change_line(
        _line(company, given), **fitting(OrderLine, given["fields"])
    ),
    "add_line": _add_line,
    "remove_line": lambda company, given: company.remove_line(_line(company, given)),
    "rename_customer": lambda company, given: company.rename_customer(
        _account(company, given), fitting(Account, {"name": given["name"]})["name"]
    ),
    "set_row": _set_row,
    "delete_row": lambda company, given: company.delete(given["table"], given["id"]),
    "pay": lambda company, given: company.pay(
        _owed(company, given), None if given.get("amount") is None else amount(given["amount"])
    ),
    "move_division": lambda company, given: company.move_division(),
}
