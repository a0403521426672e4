"""The simulated company itself: what people do to its books, order by order.

How amounts and statuses follow from lines stands in `company_ordering.py`, deliveries and invoices in
`company_invoicing.py`; how a company is filled in `company.py` and `retail.py`. No wire format, no HTTP.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from pipeline.sandbox import company_invoicing, company_ordering, company_stock
from pipeline.sandbox.company_books import Books
from pipeline.sandbox.company_papers import Delivery, Receivable
from pipeline.sandbox.company_rows import CANCELLED, COMPLETE, Account, Order, OrderLine

LineInput = tuple[str, float, float]  # item GUID, quantity, net price


class Company(Books):
    """One administration of the ERP."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        company_stock.open_warehouses(self)

    def add(self, name: str, row: Any, *, at_ms: int | None = None) -> Any:
        """Takes a new row in; goods get their places in the warehouses."""
        super().add(name, row, at_ms=at_ms)
        if name == "items" and row.is_stock_item:
            company_stock.shelve(self, row, at_ms)
        return row

    def change(self, name: str, key: str, /, **fields: Any) -> Any:
        """Changes some fields of one row; another number of goods was counted in the main warehouse."""
        if name == "items" and "stock" in fields:
            company_stock.move(self, key, fields["stock"] - self.items.rows[key].stock)
        return super().change(name, key, **fields)

    def delete(self, name: str, key: str) -> None:
        """Removes one row, an item with its places in the warehouses."""
        super().delete(name, key)
        if name == "items":
            company_stock.clear(self, key)

    def place_order(self, account_id: str, lines: Iterable[LineInput], /, **fields: Any) -> Order:
        """A new order with its lines, dated today unless `order_date` says otherwise."""
        at_ms = fields.pop("at_ms", None)
        fields.setdefault("order_date", self.clock.today)
        fields.setdefault("delivery_date", fields["order_date"] + timedelta(days=5))
        self.last_order_number += 1
        number = fields.pop("number", self.last_order_number)
        order = Order(self.new_id(), number, account_id, **fields)
        order.vat_rate = fields.get("vat_rate", self.vat_rate(account_id))
        for item_id, quantity, net_price in lines:
            order.lines.append(self._new_line(order, item_id, quantity, net_price))
        company_ordering.total(order)
        self.add("orders", order, at_ms=at_ms)
        for line in order.lines:
            self.add("lines", line, at_ms=at_ms)
        return order

    def vat_rate(self, account_id: str) -> float:
        """21 % at home; deliveries to businesses abroad carry none."""
        account = self.accounts.get(account_id)
        return 0.21 if account is None or account.country == "NL" else 0

    def add_line(self, order_id: str, item_id: str, quantity: float, net_price: float) -> OrderLine:
        """One more line on an order."""
        order = self.orders.rows[order_id]
        line = self._new_line(order, item_id, quantity, net_price)
        order.lines.append(line)
        self.add("lines", line)
        self._follow(order)
        return line

    def change_line(self, line_id: str, /, **fields: Any) -> OrderLine:
        """Changes a line; amounts and statuses of line and order follow."""
        line = self.lines.rows[line_id]
        for field, value in fields.items():
            setattr(line, field, value)
        company_ordering.reckon_line(line)
        self.touch("lines", line)
        self._follow(line.order)
        return line

    def remove_line(self, line_id: str) -> Order:
        """Takes a line off its order."""
        order = self.lines.rows[line_id].order
        order.lines = [line for line in order.lines if line.id != line_id]
        self.delete("lines", line_id)
        self._follow(order)
        return order

    def deliver(self, order_id: str, share: float = 1.0) -> Order:
        """Delivers this share of what was ordered, on every line."""
        return self._progress(order_id, "delivered", share)

    def deliver_lines(self, order_id: str, quantities: Mapping[str, float], day: date) -> Delivery:
        """One delivery of these quantities; line GUID -> how much."""
        order = self.orders.rows[order_id]
        for line in order.lines:
            if line.id in quantities:
                line.delivered = company_ordering.number(round(line.delivered + quantities[line.id], 6))
                company_ordering.reckon_line(line)
                self.touch("lines", line)
        self._follow(order)
        company_invoicing.book(self, order, day)
        return self.deliveries_of[order_id][-1]

    def invoice(self, order_id: str, share: float = 1.0) -> Order:
        """Invoices this share of what was ordered, on every line."""
        return self._progress(order_id, "invoiced", share)

    def cancel(self, order_id: str) -> Order:
        """Cancels every line, and with them the order."""
        return self.set_status(order_id, 45, 45, 45)

    def cancel_line(self, line_id: str) -> OrderLine:
        """Cancels one line; the header follows from all of them."""
        line = self.lines.rows[line_id]
        company_ordering.force_line_status(line, CANCELLED, CANCELLED, CANCELLED)
        self.touch("lines", line)
        self._follow(line.order)
        return line

    def close(self, order_id: str) -> Order:
        """Completes an order by hand: what was not delivered or invoiced never will be."""
        order = self.orders.rows[order_id]
        for line in order.lines:
            line.status = line.delivery_status = line.invoice_status = COMPLETE
            self.touch("lines", line)
        self._follow(order)
        return order

    def reopen(self, order_id: str) -> Order:
        """Takes deliveries, invoices and a cancellation back."""
        return self.set_status(order_id, 12, 12, 12)

    def pay(self, receivable_id: str, amount: float | None = None) -> Receivable:
        """The customer pays what he owes for an invoice, or a part of it."""
        return company_invoicing.pay(self, self.receivables.rows[receivable_id], amount)

    def set_status(self, order_id: str, status: int, delivery: int, invoice: int, *, on: date | None = None) -> Order:
        """Puts an order and its lines in any combination, also one that the ERP would hardly make."""
        order = self.orders.rows[order_id]
        for line in order.lines:
            company_ordering.force_line_status(line, status, delivery, invoice)
            self.touch("lines", line)
        order.status, order.delivery_status, order.invoice_status = status, delivery, invoice
        company_invoicing.book(self, order, on or self.clock.today)
        return self.touch("orders", order)

    def change_order(self, order_id: str, /, **fields: Any) -> Order:
        """Changes header fields; amounts follow, lines do not."""
        order = self.orders.rows[order_id]
        for field, value in fields.items():
            setattr(order, field, value)
        company_ordering.total(order)
        return self.touch("orders", order)

    def delete_order(self, order_id: str) -> None:
        """Removes an order with its lines."""
        for line in list(self.orders.rows[order_id].lines):
            self.delete("lines", line.id)
        self.delete("orders", order_id)

    def rename_customer(self, account_id: str, name: str) -> Account:
        """A customer gets another name."""
        return self.change("accounts", account_id, name=name)

    def _new_line(self, order: Order, item_id: str, quantity: float, net_price: float) -> OrderLine:
        item = self.items.get(item_id)
        number = max((line.number for line in order.lines), default=0) + 1
        line = OrderLine(
            self.new_id(), order, number, item_id, item.description if item else None, quantity, net_price, 0
        )
        line.unit_price = net_price
        line.delivery_date = order.delivery_date
        company_ordering.reckon_line(line)
        return line

    def _progress(self, order_id: str, quantity_field: str, share: float) -> Order:
        order = self.orders.rows[order_id]
        for line in order.lines:
            setattr(line, quantity_field, company_ordering.number(line.quantity * share))
            company_ordering.reckon_line(line)
            self.touch("lines", line)
        self._follow(order)
        company_invoicing.book(self, order, self.clock.today)
        return order

    def _follow(self, order: Order) -> None:
        """The header takes over what its lines imply, and gets a new version only if that changed anything."""
        if company_ordering.total(order) | company_ordering.derive_status(order):
            self.touch("orders", order)
