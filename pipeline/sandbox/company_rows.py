"""What the simulated wholesaler's books are made of: one class a table, GUIDs as text, amounts as plain numbers.

Amounts of orders stand without VAT unless a name says otherwise. Moments are milliseconds since 1970 (UTC); what is
only a date in the books is a date here. No behaviour: `company_state.py` changes these rows.
"""

from dataclasses import dataclass, field
from datetime import date

OPEN, PARTIAL, COMPLETE, CANCELLED = 12, 20, 21, 45


@dataclass(slots=True, eq=False)
class Salesperson:
    """A user of the ERP who sells."""

    id: str  # user GUID
    first_name: str
    last_name: str
    email: str
    middle_name: str | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.middle_name, self.last_name) if part)


@dataclass(slots=True, eq=False)
class Account:
    """A relation: customer, prospect, supplier."""

    id: str
    code: str | None  # without the blanks that pad it on the wire
    name: str
    country: str = "NL"
    status: str = "C"  # A none, S suspect, P prospect, C customer
    is_supplier: bool = False
    account_manager_id: str | None = None
    address_line1: str | None = None
    postcode: str | None = None
    city: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    vat_number: str | None = None
    chamber_of_commerce: str | None = None
    remarks: str | None = None
    main_contact_id: str | None = None
    payment_condition: str = "30"
    price_list_id: str | None = None
    discount: float = 0  # a fraction
    start_date: date | None = None
    end_date: date | None = None
    blocked: bool = False
    kind: str = "A"  # A relation, D division
    extra: dict[str, object] | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class Contact:
    """A person at an account."""

    id: str
    account_id: str
    hid: int
    first_name: str | None
    last_name: str | None
    middle_name: str | None = None
    email: str | None = None
    business_email: str | None = None
    phone: str | None = None
    business_phone: str | None = None
    mobile: str | None = None
    business_mobile: str | None = None
    job_title: str | None = None
    language: str | None = None
    notes: str | None = None
    gender: str | None = None
    is_main: bool = False
    extra: dict[str, object] | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class Address:
    """One address of an account."""

    id: str
    account_id: str
    kind: int  # 1 visit, 2 postal, 3 invoice, 4 delivery
    address_line1: str | None
    postcode: str | None
    city: str | None
    country: str
    is_main: bool = True
    extra: dict[str, object] | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class ItemGroup:
    """What items are grouped by in reports."""

    id: str
    code: str
    description: str
    is_default: bool = False
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class Item:
    """Something that is sold."""

    id: str
    code: str
    description: str
    group_id: str | None
    unit: str = "pc"
    standard_price: float = 0
    barcode: str | None = None
    collection: str | None = None  # Class_01
    is_sales_item: bool = True
    is_stock_item: bool = True
    stock: float = 0
    start_date: date | None = None
    end_date: date | None = None
    extra: dict[str, object] | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class SalesPrice:
    """A price of an item: for whom, from how many on, and when."""

    id: str
    item_id: str
    price: float
    account_id: str | None = None  # none: the standard price
    quantity: float = 1  # from this many on
    currency: str = "EUR"
    start_date: date | None = None
    end_date: date | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class OrderLine:
    """One line of a sales order."""

    id: str
    order: "Order"
    number: int
    item_id: str
    description: str | None
    quantity: float
    net_price: float
    amount: float
    unit_price: float = 0
    discount: float = 0  # a fraction of the unit price
    delivered: float = 0
    invoiced: float = 0
    status: int = OPEN
    delivery_status: int = OPEN
    invoice_status: int = OPEN
    delivery_date: date | None = None
    notes: str | None = None
    extra: dict[str, object] | None = None  # fields set from outside that nothing here reads
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class Order:
    """The header of a sales order, with its lines."""

    id: str
    number: int
    account_id: str
    order_date: date
    delivery_date: date | None = None
    lines: list[OrderLine] = field(default_factory=list)
    status: int = OPEN
    delivery_status: int = OPEN
    invoice_status: int = OPEN
    approval_status: int = 1  # 0 awaiting, 1 automatically, 2 approved
    currency: str = "EUR"
    rate: float = 1  # of the company's currency for one of the order's
    vat_rate: float = 0
    discount: float = 0  # a fraction of the sum of the lines
    charges: float = 0  # freight, fees and rounding: in the order's amount, on no line
    amount_discount: float = 0
    amount_excl: float = 0
    amount_incl: float = 0
    salesperson_id: str | None = None
    contact_id: str | None = None
    your_ref: str | None = None
    description: str | None = None
    remarks: str | None = None
    payment_condition: str = "30"
    warehouse_id: str | None = None  # none: the main one
    extra: dict[str, object] | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class Deletion:
    """The trace that a deleted row leaves."""

    id: str
    entity_type: int
    entity_key: str
    deleted_ms: int
    timestamp: int = 0
