"""The books of a company: its tables, the one counter of row versions over all of them, and the log of deletions.

Every change made through a method gives the row a new version and tells the listeners (webhooks). What people do to
the books, order by order, stands in `company_state.py`.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from pipeline.sandbox.company_clock import SandboxClock
from pipeline.sandbox.company_papers import (
    Attachment,
    Delivery,
    DeliveryLine,
    Document,
    Invoice,
    InvoiceLine,
    Receivable,
)
from pipeline.sandbox.company_prices import PriceList, PriceListPeriod, VolumeDiscount
from pipeline.sandbox.company_rows import (
    Account,
    Address,
    Contact,
    Deletion,
    Item,
    ItemGroup,
    Order,
    OrderLine,
    Salesperson,
    SalesPrice,
)
from pipeline.sandbox.company_stock import StockPosition, Warehouse
from pipeline.sandbox.company_table import Table

DIVISION = 123456
FIRST_VERSION = 10_000_000_000  # beyond 32 bits, as a database that has lived a while
DELETED_CODES = {  # in the log of deletions; what has no sync feed leaves no trace
    "accounts": (2,),
    "addresses": (3,),
    "attachments": (4,),
    "contacts": (5,),
    "documents": (6,),
    "prices": (8,),
    "receivables": (10,),
    "items": (9,),
    "invoices": (13,),
    "invoice_lines": (13,),
    "stock": (15, 19),  # stock positions and item warehouses are two feeds over the same rows
    "deliveries": (16,),
    "delivery_lines": (17,),
    "volume_discounts": (31,),
    "orders": (32,),
    "lines": (33,),
}
TABLES = (
    "salespeople",
    "accounts",
    "contacts",
    "addresses",
    "item_groups",
    "items",
    "prices",
    "price_lists",
    "price_list_periods",
    "volume_discounts",
    "warehouses",
    "stock",
    "orders",
    "lines",
    "invoices",
    "invoice_lines",
    "receivables",
    "deliveries",
    "delivery_lines",
    "documents",
    "attachments",
    "deletions",
)
Listener = Callable[[str, Any, str], None]  # table, row, "Update" or "Delete"


class Books:
    """Tables and versions of one administration. The tables are public: a test may look at anything."""

    salespeople: Table[Salesperson]
    accounts: Table[Account]
    contacts: Table[Contact]
    addresses: Table[Address]
    item_groups: Table[ItemGroup]
    items: Table[Item]
    prices: Table[SalesPrice]
    price_lists: Table[PriceList]
    price_list_periods: Table[PriceListPeriod]
    volume_discounts: Table[VolumeDiscount]
    warehouses: Table[Warehouse]
    stock: Table[StockPosition]
    orders: Table[Order]
    lines: Table[OrderLine]
    invoices: Table[Invoice]
    invoice_lines: Table[InvoiceLine]
    receivables: Table[Receivable]
    deliveries: Table[Delivery]
    delivery_lines: Table[DeliveryLine]
    documents: Table[Document]
    attachments: Table[Attachment]
    deletions: Table[Deletion]

    def __init__(self, *, seed: int = 1, clock: SandboxClock | None = None, name: str = "Huis & Tafel B.V.") -> None:
        self.division = DIVISION
        self.name = name
        self.clock = clock or SandboxClock()
        self.random = random.Random(seed)
        self.listeners: list[Listener] = []
        self.in_flight: set[int] = set()  # versions handed out by a transaction that has not ended
        self.last_version = FIRST_VERSION
        self.last_order_number = 1000
        self.moved_on: date | None = None
        self.counts_stock = True  # off while the past is made up: what lies in the warehouses is what is left of it
        for name in TABLES:
            setattr(self, name, Table())
        self.invoices_of: dict[str, list[Invoice]] = {}  # by order
        self.deliveries_of: dict[str, list[Delivery]] = {}
        self._slow_transaction = False

    def new_id(self) -> str:
        """A GUID that the same seed gives again."""
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def next_version(self) -> int:
        """One counter for all tables, as in a database."""
        self.last_version += 1
        if self._slow_transaction:
            self.in_flight.add(self.last_version)
        return self.last_version

    def table(self, name: str) -> Table[Any]:
        """A table by its name, for callers that are told which one."""
        found = getattr(self, name, None)
        if not isinstance(found, Table):
            raise KeyError(name)
        return found

    def add(self, name: str, row: Any, *, at_ms: int | None = None) -> Any:
        """Takes a new row in; `at_ms` is when it was made, when that was not now."""
        row.created_ms = row.modified_ms = self.clock.now_ms if at_ms is None else at_ms
        row.timestamp = self.next_version()
        self.table(name).put(row)
        self._tell(name, row, "Update")
        return row

    def touch(self, name: str, row: Any) -> Any:
        """A row was changed: new version, new modification date."""
        row.modified_ms = self.clock.now_ms
        row.timestamp = self.next_version()
        self.table(name).put(row)
        self._tell(name, row, "Update")
        return row

    def change(self, name: str, key: str, /, **fields: Any) -> Any:
        """Changes some fields of one row, whatever the table."""
        row = self.table(name).rows[key]
        for field, value in fields.items():
            setattr(row, field, value)
        return self.touch(name, row)

    def delete(self, name: str, key: str) -> None:
        """Removes one row and writes it in the log of deletions."""
        row = self.table(name).rows[key]
        self.table(name).remove(key)
        for code in DELETED_CODES.get(name, ()):
            deletion = Deletion(self.new_id(), code, key, self.clock.now_ms)
            deletion.timestamp = self.next_version()
            self.deletions.put(deletion)
        self._tell(name, row, "Delete")

    @contextmanager
    def slow_transaction(self) -> Iterator[None]:
        """Changes made inside have their versions already, but the sync feeds see them only when `commit` is called."""
        self._slow_transaction = True
        try:
            yield
        finally:
            self._slow_transaction = False

    def commit(self) -> None:
        """Ends what `slow_transaction` left open."""
        self.in_flight.clear()

    def move_division(self) -> None:
        """The administration moves to another database: every row version becomes another, lower one."""
        self.last_version = self.last_version - FIRST_VERSION + 1_000
        self.moved_on = self.clock.today
        for table in self._tables():
            for row in sorted(table.rows.values(), key=lambda row: row.timestamp):
                row.timestamp = self.next_version()
            table.rewrite_log()

    def _tables(self) -> list[Table[Any]]:
        return [value for value in vars(self).values() if isinstance(value, Table)]

    def _tell(self, name: str, row: Any, action: str) -> None:
        for listener in self.listeners:
            listener(name, row, action)
