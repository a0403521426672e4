"""POST, PUT and DELETE of sales orders and their lines, and completing them. What changes in the books: `Company`."""

from typing import Any

from pipeline.sandbox import company_ordering
from pipeline.sandbox.company import Company
from pipeline.sandbox.company_rows import COMPLETE, OPEN, Account, Order, OrderLine
from pipeline.sandbox.company_table import Table
from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.inputs import (
    MAX_LENGTHS,
    checked_fields,
    checked_references,
    keep_only,
    require,
)
from pipeline.sandbox.exact_online.resources import Resource
from pipeline.sandbox.exact_online.settings import Settings

HEADER_FIELDS = {
    "OrderedBy": "account_id",
    "OrderDate": "order_date",
    "DeliveryDate": "delivery_date",
    "YourRef": "your_ref",
    "Description": "description",
    "Remarks": "remarks",
    "Salesperson": "salesperson_id",
    "PaymentCondition": "payment_condition",
    "Currency": "currency",
    "Discount": "discount",
    "OrderedByContactPerson": "contact_id",
    "ApprovalStatus": "approval_status",
    "WarehouseID": "warehouse_id",
}
LINE_FIELDS = {
    "Quantity": "quantity",
    "NetPrice": "net_price",
    "UnitPrice": "unit_price",
    "Discount": "discount",
    "Description": "description",
    "DeliveryDate": "delivery_date",
    "Notes": "notes",
}
OWN_LINE_FIELDS = {*LINE_FIELDS, "ID", "Item", "OrderID"}


class OrderWriter:
    """Writes sales orders of one company the way the API lets a client do it."""

    def __init__(self, company: Company, resources: dict[str, Resource], settings: Settings) -> None:
        self._company, self._settings = company, settings
        self._orders, self._lines = resources["salesorder/SalesOrders"], resources["salesorder/SalesOrderLines"]
        people = dict.fromkeys(("DeliverToContactPerson", "InvoiceToContactPerson"), company.contacts)
        self._references: dict[str, Table[Any]] = {
            "Salesperson": company.salespeople, "WarehouseID": company.warehouses, "Document": company.documents,
            "DeliverTo": company.accounts, "InvoiceTo": company.accounts, "DeliveryAddress": company.addresses,
            "OrderedByContactPerson": company.contacts, **people,
        }  # fmt: skip

    def create(self, sent: dict[str, Any]) -> Order:
        """A new order with its lines, or nothing at all."""
        fields = checked_fields(sent, self._orders, extra=frozenset({"SalesOrderLines"}))
        keep_only(fields, [*HEADER_FIELDS, "OrderNumber"], self._orders)
        require(fields, "OrderedBy", self._settings.missing_field_status)
        account = self._customer(fields)
        number = {"number": fields["OrderNumber"]} if fields.get("OrderNumber") else {}
        if number and any(order.number == number["number"] for order in self._company.orders):
            raise Refusal(500, "Bestaat reeds: Ordernummer")
        _check_approval(fields)
        checked_references(fields, self._references, self._settings)
        lines = require(sent, "SalesOrderLines", self._settings.missing_field_status)
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise Refusal(400, "Error processing request stream. SalesOrderLines must be an array.")
        checked = [self._checked_line(line) for line in lines]
        inputs = [self._line_input(line) for line in checked]
        _check_lengths(fields)
        header = {**self._filled_in(account), **_renamed(fields, HEADER_FIELDS)}
        header.setdefault("order_date", self._company.clock.today)
        header["delivery_date"] = header.get("delivery_date") or header["order_date"]
        del header["account_id"]
        order = self._company.place_order(account.id, inputs, extra=self._kept(fields, account), **header, **number)
        for line, given in zip(order.lines, checked, strict=True):
            _fill(line, given)
        return order

    def update(self, order: Order, sent: dict[str, Any]) -> None:
        """Header fields only; lines have a resource of their own."""
        fields = checked_fields(sent, self._orders)
        keep_only(fields, HEADER_FIELDS, self._orders)
        _refuse_completed(order)
        if "OrderedBy" in fields:
            self._customer(fields)
        _check_approval(fields)
        checked_references(fields, self._references, self._settings)
        _check_lengths(fields)
        order.extra = {**(order.extra or {}), **_kept_only(fields)} or None
        self._company.change_order(order.id, **_renamed(fields, HEADER_FIELDS))

    def delete(self, order: Order) -> None:
        """Only while nothing was delivered or invoiced."""
        if order.delivery_status != OPEN or order.invoice_status != OPEN:
            raise Refusal(500, f"Kan niet verwijderen: Verkooporder {order.number}")
        self._company.delete_order(order.id)

    def create_line(self, sent: dict[str, Any]) -> OrderLine:
        """One more line."""
        fields = self._checked_line(sent)
        order = self._company.orders.get(require(fields, "OrderID", self._settings.missing_field_status))
        if order is None:
            raise Refusal(500, "Ongeldig: Verkooporder")
        _refuse_completed(order)
        item_id, quantity, price = self._line_input(fields)
        line = self._company.add_line(order.id, item_id, quantity, price)
        _fill(line, fields)
        return line

    def update_line(self, line: OrderLine, sent: dict[str, Any]) -> None:
        """Quantity, price, texts and date of a line."""
        fields = self._checked_line(sent)
        _refuse_completed(line.order)
        if fields.keys() & {"Item", "OrderID"}:
            raise Refusal(501, "The sandbox does not move a line to another item or order.")
        extra = {name: value for name, value in fields.items() if name not in OWN_LINE_FIELDS}
        line.extra = {**(line.extra or {}), **extra} or None
        self._company.change_line(line.id, **_renamed(fields, LINE_FIELDS))

    def delete_line(self, line: OrderLine) -> None:
        """Takes a line off; the last one stays."""
        _refuse_completed(line.order)
        if len(line.order.lines) == 1 or line.delivered or line.invoiced:
            raise Refusal(500, "Kan niet verwijderen: Verkooporderregel")
        self._company.remove_line(line.id)

    def complete(self, sent: dict[str, Any], *, whole_order: bool) -> dict[str, Any]:
        """Closes what is still open; success and failure both come in a 2xx."""
        company, key = self._company, "OrderID" if whole_order else "ID"
        answer = {**sent, "Division": company.division, "SuccessMessage": None, "ErrorMessage": None}
        found: Any = (company.orders if whole_order else company.lines).get(str(sent.get(key, "")).lower())
        if found is None:
            return {**answer, "ErrorMessage": f"Ongeldig: {key}"}
        order: Order = found if whole_order else found.order
        lines = order.lines if whole_order else [found]
        for line in lines:
            _complete_line(line, delivery=bool(sent.get("CompleteDelivery")), invoice=bool(sent.get("CompleteInvoice")))
            company.touch("lines", line)
        company_ordering.derive_status(order)
        company.touch("orders", order)
        return {**answer, "SuccessMessage": "Compleet"}

    def _checked_line(self, sent: dict[str, Any]) -> dict[str, Any]:
        fields = checked_fields(sent, self._lines)
        keep_only(fields, [*LINE_FIELDS, "Item", "OrderID"], self._lines)
        return fields

    def _customer(self, fields: dict[str, Any]) -> Account:
        account = self._company.accounts.get(fields["OrderedBy"])
        if account is None or account.status != "C":
            raise Refusal(500, "Ongeldig: Besteld door")
        return account

    def _filled_in(self, account: Account) -> dict[str, Any]:
        """What a header takes over from the customer."""
        return {"contact_id": account.main_contact_id, "payment_condition": account.payment_condition}

    def _kept(self, fields: dict[str, Any], account: Account) -> dict[str, Any] | None:
        """What is only kept; the invoice goes where the customer has it go."""
        invoice_to = (account.extra or {}).get("InvoiceAccount")
        found = {"InvoiceTo": invoice_to} if invoice_to else {}
        return {**found, **_kept_only(fields)} or None

    def _line_input(self, fields: dict[str, Any]) -> tuple[str, float, float]:
        item = self._company.items.get(require(fields, "Item", self._settings.missing_field_status))
        if item is None or not item.is_sales_item:
            raise Refusal(500, "Ongeldig: Artikel")
        price = fields.get("NetPrice")
        if price is None:
            unit_price = fields.get("UnitPrice")
            unit_price = item.standard_price if unit_price is None else unit_price
            price = company_ordering.number(round(unit_price * (1 - (fields.get("Discount") or 0)), 6))
        quantity = fields.get("Quantity")
        return item.id, 1 if quantity is None else quantity, price


def _fill(line: OrderLine, fields: dict[str, Any]) -> None:
    """Texts and prices that a new line was sent with; with only a net price, the unit price stays 0."""
    line.unit_price = fields.get("UnitPrice") or 0
    line.discount = fields.get("Discount") or 0
    line.description = fields.get("Description") or line.description
    line.notes = fields.get("Notes")
    line.delivery_date = fields.get("DeliveryDate") or line.delivery_date
    line.extra = {name: value for name, value in fields.items() if name not in OWN_LINE_FIELDS} or None


def _kept_only(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in (*HEADER_FIELDS, "OrderNumber", "OrderID")}


def _check_approval(fields: dict[str, Any]) -> None:
    if fields.get("ApprovalStatus") not in (None, 0, 1, 2):
        raise Refusal(500, "Ongeldig: Goedkeuringsstatus")


def _renamed(fields: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    found = {names[name]: value for name, value in fields.items() if name in names}
    for numeric in ("discount", "quantity", "net_price", "unit_price"):
        if numeric in found and found[numeric] is None:
            found[numeric] = 0
    for name in ("order_date", "approval_status", "currency", "payment_condition"):
        if found.get(name, 0) is None:
            del found[name]
    return found


def _complete_line(line: OrderLine, *, delivery: bool, invoice: bool) -> None:
    """Closed by hand: complete although less was delivered or invoiced than ordered."""
    line.delivery_status = COMPLETE if delivery else line.delivery_status
    line.invoice_status = COMPLETE if invoice else line.invoice_status
    line.status = company_ordering.combined(line.delivery_status, line.invoice_status)


def _refuse_completed(order: Order) -> None:
    if order.status == COMPLETE:
        raise Refusal(500, f"Verkooporder {order.number}: Compleet")


def _check_lengths(fields: dict[str, Any]) -> None:
    for name, longest in MAX_LENGTHS.items():
        if len(fields.get(name) or "") > longest:
            raise Refusal(500, f"Ongeldig: {name}: maximaal {longest} tekens")
