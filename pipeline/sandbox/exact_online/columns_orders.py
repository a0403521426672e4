"""What the fields of sales orders and their lines are read from. Which resource has which field: `fields.txt`."""

from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_ordering import cents, number
from pipeline.sandbox.company_rows import Order, OrderLine
from pipeline.sandbox.company_stock import MAIN_WAREHOUSE
from pipeline.sandbox.exact_online.columns_statuses import line_status_columns, order_status_columns
from pipeline.sandbox.exact_online.field_lists import field_lists
from pipeline.sandbox.exact_online.resources import EMPTY_VALUES, Columns, Kept, KeptOr, constant, plain
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import padded

PAYMENT_CONDITIONS = {"00": "Contant", "14": "Binnen 14 dagen", "30": "Binnen 30 dagen"}
API_USER = ("6f9619ff-8b86-d011-b42d-00cf4fc96401", "Sanne de Vries")  # the user who gave the app its consent
DELIVERY_ADDRESS = 4  # type
VAT = {0.21: ("2", "BTW hoog tarief, exclusief"), 0: ("7", "ICP, 0 %")}


def order_columns(company: Company, settings: Settings) -> Columns:
    """Headers: of the regular and the bulk resource and of the sync feed."""
    return {
        **kept("salesorder/SalesOrders"),
        **_order_keys(settings),
        **_order_amounts(settings),
        **_order_people(company),
        **order_status_columns(company, settings),
        **plain(OrderNumber="number", OrderDate="order_date", DeliveryDate="delivery_date", YourRef="your_ref"),
        **plain(Description="description", Remarks="remarks", PaymentCondition="payment_condition"),
        "PaymentConditionDescription": lambda order: PAYMENT_CONDITIONS.get(order.payment_condition),
        **warehouse_columns(company, lambda order: order.warehouse_id or MAIN_WAREHOUSE),
        **common_columns(company),
    }


def line_columns(company: Company, settings: Settings) -> Columns:
    """Lines; the status is called OrderStatus on the regular resource and Status in the sync feed."""
    return {
        **kept("salesorder/SalesOrderLines"),
        **_line_keys(company),
        **_line_amounts(settings),
        **line_status_columns(company, settings),
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


def kept(path: str) -> Columns:
    """Fields that can be set and that nothing reads; what has a reading of its own stands behind these."""
    fields = field_lists()[path].fields
    return {name: Kept(name, EMPTY_VALUES.get(field.type)) for name, field in fields.items() if field.is_settable}


def warehouse_columns(company: Company, key: Any) -> Columns:
    """The warehouse with this key; three names for the same thing."""

    def of_warehouse(attribute: str) -> Any:
        return lambda row: getattr(company.warehouses.get(key(row)), attribute, None)

    return {
        "WarehouseID": key,
        "Warehouse": key,
        "WarehouseCode": of_warehouse("code"),
        "WarehouseDescription": of_warehouse("description"),
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
    def salesperson(order: Order) -> str | None:
        person = company.salespeople.get(order.salesperson_id)
        return person.full_name if person else None

    return {
        "Salesperson": lambda order: order.salesperson_id,
        "SalespersonFullName": salesperson,
        **_role(company, "OrderedBy", lambda order: order.account_id, lambda order: order.contact_id),
        **_other_role(company, "DeliverTo"),
        **_other_role(company, "InvoiceTo"),
        "DeliveryAddress": KeptOr("DeliveryAddress", otherwise=DeliveryAddresses(company).of),
    }


def _role(company: Company, role: str, account_id: Any, contact_id: Any) -> Columns:
    """An account and its contact, with their names."""
    accounts, contacts = company.accounts, company.contacts
    return {
        role: account_id,
        f"{role}Name": lambda order: getattr(accounts.get(account_id(order)), "name", None),
        f"{role}ContactPerson": contact_id,
        f"{role}ContactPersonFullName": lambda order: full_name(contacts.get(contact_id(order))),
    }


def _other_role(company: Company, role: str) -> Columns:
    """Whoever ordered, unless somebody else was named."""
    account_id = KeptOr(role, otherwise=lambda order: order.account_id)
    contact_id = KeptOr(f"{role}ContactPerson", otherwise=lambda order: order.contact_id)
    return _role(company, role, account_id, contact_id)


class DeliveryAddresses:
    """Where goods for an account go: its delivery address; looked up anew when an address has changed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._version = -1
        self._found: dict[str, str] = {}

    def of(self, order: Order) -> str | None:
        """Of the account that ordered."""
        addresses = self._company.addresses
        if self._version != addresses.newest_version + len(addresses):
            self._version = addresses.newest_version + len(addresses)
            self._found = {row.account_id: row.id for row in addresses if row.kind == DELIVERY_ADDRESS}
        return self._found.get(order.account_id)


def full_name(contact: Any) -> str | None:
    """First, middle and last name of a contact."""
    if contact is None:
        return None
    return " ".join(part for part in (contact.first_name, contact.middle_name, contact.last_name) if part)


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
