"""What the statuses of orders and lines are read from, with the two questions about them that nobody could answer.

Usually they are what the books say. Where goods that never lie in a warehouse count as delivered, or a header follows
its deliveries alone, they are worked out anew for each answer.
"""

from collections.abc import Callable
from typing import Any

from pipeline.sandbox import company_ordering
from pipeline.sandbox.company import Company
from pipeline.sandbox.company_rows import CANCELLED, COMPLETE, OPEN, Order, OrderLine
from pipeline.sandbox.exact_online.resources import Columns, plain
from pipeline.sandbox.exact_online.settings import Settings

STATUS_WORDS = {12: "Open", 20: "Partial", 21: "Complete", 45: "Cancelled"}
APPROVAL_WORDS = {0: "Awaiting approval", 1: "Automatically", 2: "Approved"}


def order_status_columns(company: Company, settings: Settings) -> Columns:
    """Of headers."""
    delivery = _header_delivery(company, settings)
    return {
        **_with_words("Status", _header_status(settings, delivery)),
        **_with_words("DeliveryStatus", delivery),
        **_with_words("InvoiceStatus", _invoice_status),
        **plain(ApprovalStatus="approval_status"),
        "ApprovalStatusDescription": lambda order: APPROVAL_WORDS.get(order.approval_status),
        "Approved": lambda order: order.created_ms if order.approval_status else None,
    }


def line_status_columns(company: Company, settings: Settings) -> Columns:
    """Of lines; the status is called OrderStatus on the regular resource and Status in the sync feed."""
    delivery = _line_delivery(company, settings)

    def status(line: OrderLine) -> int:
        if not settings.services_are_delivered or line.status == CANCELLED:
            return line.status
        return company_ordering.combined(delivery(line), line.invoice_status)

    return {
        **_with_words("Status", status),
        **_with_words("DeliveryStatus", delivery),
        **_with_words("InvoiceStatus", _invoice_status),
        "OrderStatus": status,
    }


def _with_words(name: str, read: Callable[[Any], int]) -> Columns:
    return {name: read, f"{name}Description": lambda row: STATUS_WORDS.get(read(row))}


def _invoice_status(row: Order | OrderLine) -> int:
    return row.invoice_status


def _line_delivery(company: Company, settings: Settings) -> Callable[[OrderLine], int]:
    def delivered_without_delivery(line: OrderLine) -> int:
        item = company.items.get(line.item_id)
        is_service = item is not None and not item.is_stock_item
        return COMPLETE if is_service and line.delivery_status == OPEN else line.delivery_status

    return delivered_without_delivery if settings.services_are_delivered else lambda line: line.delivery_status


def _header_delivery(company: Company, settings: Settings) -> Callable[[Order], int]:
    of_line = _line_delivery(company, settings)

    def over_lines(order: Order) -> int:
        if not order.lines:
            return order.delivery_status
        return company_ordering.over_lines(of_line(line) for line in order.lines)

    return over_lines if settings.services_are_delivered else lambda order: order.delivery_status


def _header_status(settings: Settings, delivery: Callable[[Order], int]) -> Callable[[Order], int]:
    if settings.header_status_follows == "delivery":
        return lambda order: CANCELLED if order.status == CANCELLED else delivery(order)
    if not settings.services_are_delivered:
        return lambda order: order.status

    def both(order: Order) -> int:
        if order.status == CANCELLED:
            return CANCELLED
        return company_ordering.combined(delivery(order), order.invoice_status)

    return both
