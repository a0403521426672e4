"""What the fields of sales orders and their lines are read from. Which resource has which field: `fields.txt`."""

from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_ordering import cents, number
from pipeline.sandbox.company_rows import Order, OrderLine
from pipeline.sandbox.exact_online.resources import Columns, constant, plain
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import padded

STATUS_WORDS = {12: "Open", 20: "Partial", 21: "Complete", 45: "Cancelled"}
APPROVAL_WORDS = {0: "Awaiting approval", 1: "Automatically", 2: "Approved"}
PAYMENT_CONDITIONS = {"00": "Contant", "14": "Binnen 14 dagen", "30": "Binnen 30 dagen"}
API_USER = ("6f9619ff-8b86-d011-b42d-00cf4fc96401", "Sanne de Vries")  # the user who gave the app its consent
WAREHOUSE = ("3a1f0c5e-7a44-4a0e-9c39-00cf4fc96001", "1", "Magazijn")
VAT = {0.21: ("2", "BTW hoog tarief, exclusief"), 0: ("7", "ICP, 0 %")}


def order_columns(company: Company, settings: Settings) -> Columns:
    """Headers: of the regular and the bulk resource and of the sync feed."""
    return {
        **_order_keys(settings),
        **_order_amounts(settings),
        **_order_people(company),
        **_order_statuses(),
        **plain(OrderNumber="number", OrderDate="order_date", DeliveryDate="delivery_date", YourRef="your_ref"),
        **plain(Description="description", Remarks="remarks", PaymentCondition="payment_condition"),
        "PaymentConditionDescription": lambda order: PAYMENT_CONDITIONS.get(order.payment_condition),
        **warehouse_columns(),
        **common_columns(company),
    }


def line_columns(company: Company, settings: Settings) -> Columns:
    """Lines; the status is called OrderStatus on the regular resource and Status in the sync feed."""
    return {
        **_line_keys(company),
        **_line_amounts(settings),
        **plain(
            Status="status", OrderStatus="status", DeliveryStatus="delivery_status", InvoiceStatus="invoice_status"
        ),
        "StatusDescription": lambda line: STATUS_WORDS.get(line.status),
        "DeliveryStatusDescription": lambda line: STATUS_WORDS.get(line.delivery_status),
        "InvoiceStatusDescription": lambda line: STATUS_WORDS.get(line.invoice_status),
        **plain(DeliveryDate="delivery_date", Notes="notes", Description="description"),
        **common_columns(company),
    }


def sync_id(key: str, settings: Settings) -> str:
    """The sync feed has an ID of its own beside OrderID; here it is the same digits in another order."""
    return f"{key[28:]}{key[8:28]}{key[:8]}" if settings.sync_header_has_own_id else key


def common_columns(company: Company) -> Columns:
    """What nearly every row carries."""
    return {
        "Division": constant(company.division),
        **plain(Created="created_ms", Modified="modified_ms", Timestamp="timestamp"),
        "Creator": constant(API_USER[0]),
        "CreatorFullName": constant(API_USER[1]),
        "Modifier": constant(API_USER[0]),
        "ModifierFullName": constant(API_USER[1]),
    }


def warehouse_columns() -> Columns:
    """The one warehouse."""
    return {
        "WarehouseID": constant(WAREHOUSE[0]),
        "Warehouse": constant(WAREHOUSE[0]),
        "WarehouseCode": constant(WAREHOUSE[1]),
        "WarehouseDescription": constant(WAREHOUSE[2]),
    }


def _order_keys(settings: Settings) -> Columns:
    return {**plain(OrderID="id"), "ID": lambda order: sync_id(order.id, settings)}


def _order_amounts(settings: Settings) -> Columns:
    """AmountDC and AmountFC include VAT; there is no AmountDC without it."""
    factor = 100 if settings.header_discount == "percent" else 1
    return {
        **plain(AmountFC="amount_incl", AmountFCExclVat="amount_excl", Currency="currency"),
        "AmountDC": lambda order: cents(order.amount_incl * order.rate),
        "AmountDiscountExclVat": lambda order: cents(order.amount_discount * order.rate),
        "AmountDiscount": lambda order: cents(order.amount_discount * (1 + order.vat_rate) * order.rate),
        "Discount": lambda order: number(round(order.discount * factor, 6)),
        "VATAmount": lambda order: cents(order.amount_incl - order.amount_excl),
        "VATCode": lambda order: padded(VAT.get(order.vat_rate, ("2", ""))[0], 3),
        "VATCodeDescription": lambda order: VAT.get(order.vat_rate, ("", None))[1],
    }


def _order_people(company: Company) -> Columns:
    def name(order: Order) -> str | None:
        account = company.accounts.get(order.account_id)
        return account.name if account else None

    def contact(order: Order) -> Any:
        return company.contacts.get(order.contact_id)

    def salesperson(order: Order) -> str | None:
        person = company.salespeople.get(order.salesperson_id)
        return person.full_name if person else None

    columns: dict[str, Any] = {"Salesperson": lambda order: order.salesperson_id, "SalespersonFullName": salesperson}
    for role in ("OrderedBy", "DeliverTo", "InvoiceTo"):
        columns[role] = lambda order: order.account_id
        columns[f"{role}Name"] = name
        columns[f"{role}ContactPerson"] = lambda order: order.contact_id
        columns[f"{role}ContactPersonFullName"] = lambda order: full_name(contact(order))
    return columns


def full_name(contact: Any) -> str | None:
    """First, middle and last name of a contact."""
    if contact is None:
        return None
    return " ".join(part for part in (contact.first_name, contact.middle_name, contact.last_name) if part)


def _order_statuses() -> Columns:
    return {
        **plain(Status="status", DeliveryStatus="delivery_status", InvoiceStatus="invoice_status"),
        "StatusDescription": lambda order: STATUS_WORDS.get(order.status),
        "DeliveryStatusDescription": lambda order: STATUS_WORDS.get(order.delivery_status),
        "InvoiceStatusDescription": lambda order: STATUS_WORDS.get(order.invoice_status),
        **plain(ApprovalStatus="approval_status"),
        "ApprovalStatusDescription": lambda order: APPROVAL_WORDS.get(order.approval_status),
        "Approved": lambda order: order.created_ms if order.approval_status else None,
    }


def _line_keys(company: Company) -> Columns:
    items = company.items

    def of_item(attribute: str) -> Any:
        return lambda line: getattr(items.get(line.item_id), attribute, None)

    unit = of_item("unit")
    return {
        **plain(ID="id", OrderID="order.id", OrderNumber="order.number", LineNumber="number", Item="item_id"),
        "ItemCode": of_item("code"),
        "ItemDescription": of_item("description"),
        "UnitCode": lambda line: padded(unit(line), 8),
        "UnitDescription": unit,
    }


def _line_amounts(settings: Settings) -> Columns:
    def amount(line: OrderLine) -> float:
        factor = 1 + line.order.vat_rate if settings.line_amount_includes_vat else 1
        return line.amount if factor == 1 else cents(line.amount * factor)

    return {
        **plain(Quantity="quantity", NetPrice="net_price", UnitPrice="unit_price", Discount="discount"),
        **plain(QuantityDelivered="delivered", QuantityInvoiced="invoiced", VATPercentage="order.vat_rate"),
        "AmountFC": amount,
        "AmountDC": lambda line: cents(amount(line) * line.order.rate),
        "VATAmount": lambda line: cents(line.amount * line.order.vat_rate),
        "VATCode": lambda line: padded(VAT.get(line.order.vat_rate, ("2", ""))[0], 3),
        "VATCodeDescription": lambda line: VAT.get(line.order.vat_rate, ("", None))[1],
        "CostPriceFC": constant(0),
    }
