"""What is read from Exact Online, feed by feed: path, fields, key. A stream is a caption.

Add a field here and a column of its snake-case name in `warehouse/tables/exact_online.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pipeline.exact_online.odata import snake_case


@dataclass(frozen=True)
class Feed:
    """One collection: what it is called here, where it lies, which fields are asked for.

    `extra` names fields that land under another column than their own name. `changed` is the moment of the change, by
    which rows that turn up late are told; feeds without it only have the newest row versions read again. `only` names
    fields with the value that rows have which land; without any, all do.
    """

    name: str
    path: str
    fields: tuple[str, ...]
    extra: tuple[tuple[str, str], ...] = ()
    changed: str = ""
    only: tuple[tuple[str, object], ...] = ()

    def lands(self, row: Mapping[str, object]) -> bool:
        """Whether a row of the collection is one that lands."""
        return all(row.get(field) == value for field, value in self.only)

    @cached_property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Pairs of field and column."""
        return (*((field, snake_case(field)) for field in self.fields), *self.extra)

    @cached_property
    def select(self) -> str:
        """The fields as `$select` takes them."""
        return ",".join(dict.fromkeys(field for field, _ in self.columns))

    @cached_property
    def dated_select(self) -> str:
        """The fields, and the moment of the change where it isn't one of them."""
        return ",".join(dict.fromkeys(filter(None, [*self.select.split(","), self.changed])))


_ORDER_FIELDS = (
    "OrderID",
    "OrderNumber",
    "OrderDate",
    "DeliveryDate",
    "OrderedBy",
    "Salesperson",
    "SalespersonFullName",
    "YourRef",
    "Currency",
    "AmountDC",
    "AmountFC",
    "AmountFCExclVat",
    "Status",
    "DeliveryStatus",
    "InvoiceStatus",
    "Created",
    "Modified",
)
_LINE_FIELDS = ("ID", "LineNumber", "Item", "ItemCode", "Description", "Quantity", "NetPrice", "AmountFC")

ORDER_HISTORY = Feed("order_history", "bulk/SalesOrder/SalesOrders", _ORDER_FIELDS)
ORDER_HISTORY_LINES = Feed("order_history_lines", "bulk/SalesOrder/SalesOrderLines", ("OrderID", *_LINE_FIELDS))
ORDER_CHANGES = Feed(
    "order_changes", "sync/SalesOrder/SalesOrderHeaders", ("Timestamp", "ID", *_ORDER_FIELDS), changed="Modified"
)
ORDER_LINE_CHANGES = Feed(
    "order_line_changes",
    "sync/SalesOrder/SalesOrderLines",
    ("Timestamp", "OrderID", *_LINE_FIELDS),
    changed="Modified",
)
DELETIONS = Feed(
    "deletions", "sync/Deleted", ("Timestamp", "EntityType", "EntityKey", "DeletedDate"), changed="DeletedDate"
)
ACCOUNTS = Feed(
    "accounts",
    "sync/CRM/Accounts",
    (
        "Timestamp",
        "ID",
        "Code",
        "Name",
        "Status",
        "Type",
        "AddressLine1",
        "Postcode",
        "City",
        "Country",
        "Website",
        "AccountManager",
        "AccountManagerFullName",
        "Modified",
    ),
)
CONTACTS = Feed(
    "contacts",
    "sync/CRM/Contacts",
    (
        "Timestamp",
        "ID",
        "Account",
        "FirstName",
        "MiddleName",
        "LastName",
        "Email",
        "BusinessEmail",
        "Phone",
        "BusinessPhone",
        "Mobile",
        "BusinessMobile",
        "Modified",
    ),
)
ITEMS = Feed(
    "items",
    "sync/Logistics/Items",
    ("Timestamp", "ID", "Code", "Description", "ItemGroup", "Unit", "IsSalesItem", "EndDate", "Modified"),
)
ITEM_GROUPS = Feed("item_groups", "logistics/ItemGroups", ("ID", "Code", "Description", "Modified"))
ITEM_PRICES = Feed(
    "item_prices",
    "sync/Logistics/SalesItemPrices",
    ("Timestamp", "ID", "Item", "Account", "Currency", "Price", "Quantity", "StartDate", "EndDate"),
)

STANDARD_PRICES = Feed("standard_prices", "logistics/Items", ("ID", "StandardSalesPrice"))  # in no feed of changes
EMPLOYEES = Feed("employees", "payroll/Employees", ("User", "BusinessEmail"))  # to be read only with rights of HR

# Headers and lines in one feed; the header is line 0.
SALES_INVOICES = Feed(
    "sales_invoices",
    "sync/SalesInvoice/SalesInvoices",
    (
        "Timestamp",
        "ID",
        "InvoiceID",
        "LineNumber",
        "InvoiceNumber",
        "InvoiceDate",
        "DueDate",
        "OrderedBy",
        "InvoiceTo",
        "Currency",
        "AmountFC",
        "AmountFCExclVat",
        "Type",
        "Status",
        "SalesOrder",
        "Modified",
    ),
    changed="Modified",
)
PAYMENT_TERMS = Feed(
    "payment_terms",
    "sync/Cashflow/PaymentTerms",
    (
        "Timestamp",
        "ID",
        "LineType",
        "Account",
        "InvoiceNumber",
        "DueDate",
        "Currency",
        "AmountFC",
        "AmountDC",
        "TransactionAmountFC",
        "IsFullyPaid",
        "Status",
        "LastPaymentDate",
        "Modified",
    ),
    changed="Modified",
    only=(("LineType", 20),),  # money to be received; 22 is to be paid
)


def items_with(collection_field: str | None) -> Feed:
    """The items feed, with the configured field landed as `collection`."""
    if collection_field is None:
        return ITEMS
    return Feed("items", ITEMS.path, ITEMS.fields, ((collection_field, "collection"),))


def expanded_lines() -> str:
    """The fields of a history order and of its expanded lines, as `$select` takes them."""
    lines = ",".join(f"SalesOrderLines/{field}" for field in _LINE_FIELDS)
    return f"{ORDER_HISTORY.select},{lines}"
