"""The papers that follow from orders: deliveries, invoices, what is owed for them, and documents. One class a table."""

from dataclasses import dataclass, field
from datetime import date

from pipeline.sandbox.company_rows import Order, OrderLine


@dataclass(slots=True, eq=False)
class InvoiceLine:
    """One line of an invoice, and the order line it bills."""

    id: str
    invoice: "Invoice"
    number: int
    order_line: OrderLine
    quantity: float
    amount: float
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class Invoice:
    """The header of a sales invoice or credit note."""

    id: str
    number: int | None  # none while it is open: the number comes with processing
    order: Order
    invoice_date: date
    due_date: date
    amount_excl: float
    amount_incl: float
    lines: list[InvoiceLine] = field(default_factory=list)
    status: int = 50  # 10 draft, 20 open, 50 processed
    type: int = 8020  # 8021: credit note
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class Receivable:
    """What a customer owes for an invoice, or has paid of it; a part payment splits it in two."""

    id: str
    hid: int
    invoice: Invoice
    amount: float  # VAT included
    paid_on: date | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class DeliveryLine:
    """How much of an order line went along with a delivery."""

    id: str
    delivery: "Delivery"
    number: int
    order_line: OrderLine
    quantity: float
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class Delivery:
    """One delivery of goods of one order."""

    id: str
    number: int
    order: Order
    delivery_date: date
    lines: list[DeliveryLine] = field(default_factory=list)
    tracking_number: str | None = None
    extra: dict[str, object] | None = None  # fields set from outside that nothing here reads
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class Document:
    """Something that is filed: the invoice as the customer got it, or what a client put there."""

    id: str
    hid: int
    subject: str
    type: int  # 10: sales invoice
    document_date: date
    account_id: str | None = None
    contact_id: str | None = None
    body: str | None = None
    amount: float | None = None
    currency: str | None = None
    invoice_number: int | None = None
    order_number: int | None = None
    extra: dict[str, object] | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class Attachment:
    """The file of a document."""

    id: str
    document: Document
    file_name: str
    content: bytes
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0
