"""One administration's books as Exact Online shows them now, read without keeping anything: no table is touched.

The feeds, transforms and rules are those of a sync; only what is counted is selected, and no contact's data is asked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pipeline import progress
from pipeline.config import Administration, Config
from pipeline.domain.deal import Order, why_held
from pipeline.domain.deal_products import SURCHARGE_CODE
from pipeline.domain.verify import Customer
from pipeline.errors import BudgetSpent, GiveUp, RetryLater
from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.feeds import Feed
from pipeline.exact_online.odata import record
from pipeline.steps.order_history import pages_of_months, window
from pipeline.transform.customers import to_customers
from pipeline.transform.deal_products import to_deal_products
from pipeline.transform.deals import order_of
from pipeline.transform.exact_values import reference, trimmed
from pipeline.transform.item_groups import to_item_groups
from pipeline.transform.order_lines import to_order_lines
from pipeline.transform.orders import to_orders
from pipeline.transform.products import to_products

MOST_CALLS = 500  # for the orders of one administration
_CONTACTS = replace(feeds.CONTACTS, fields=("Timestamp", "ID", "Account"))  # to be counted, and nothing more


@dataclass(frozen=True)
class SeenOrder:
    """An order as the rules read it, with what it takes in Pipedrive."""

    order: Order
    day: date | None
    currency: str
    lines: int
    rows: int  # of its deal
    lines_without_item: int


@dataclass(frozen=True)
class Item:
    """An item of the catalogue."""

    code: str | None
    name: str
    item_group_code: str | None
    is_sales_item: bool
    collection: str | None


@dataclass
class Books:
    """What was seen. Months stand in `read` once all their orders were; what was not seen has a sentence each."""

    administration: str
    accounts: dict[str, Any] = field(default_factory=dict)  # by id, rows as `erp.customers` has them
    people: dict[str, str | None] = field(default_factory=dict)  # salespeople's names by id
    e_mails: dict[str, str] = field(default_factory=dict)  # salespeople's by id, where the ERP tells them
    contacts: Counter[str] = field(default_factory=Counter)  # by account
    groups: dict[str, str] = field(default_factory=dict)  # item groups by code
    items: dict[str, Item] = field(default_factory=dict)
    orders: dict[str, SeenOrder] = field(default_factory=dict)
    ordered: dict[str, str | None] = field(default_factory=dict)  # items on orders, with their item-group codes
    orders_of_groups: Counter[str] = field(default_factory=Counter)
    revenue: dict[str, Decimal] = field(default_factory=dict)  # by item group
    needs_surcharge: bool = False
    read: list[date] = field(default_factory=list)
    unread: list[date] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    calls: int = 0

    def mirrored(self) -> list[Customer]:
        """Customers, and every account that an order was ordered by."""
        ordering = {seen.order.customer_id for seen in self.orders.values()}
        return [
            Customer(key, row.debtor_code, row.name, row.country_code)
            for key, row in self.accounts.items()
            if row.is_customer or key in ordering
        ]


def read_books(client: ExactOnlineClient, config: Config, administration: Administration) -> Books:
    """Reads what there is, orders last and newest month first, as far as the day's calls for history go.

    Raises GiveUp or RetryLater when Exact can't be read at all.
    """
    calls, books = client.calls, Books(administration.name)
    months = window(administration, config.history.months)[::-1]
    books.unread = list(months)
    reader = _Reader(client, config, administration, books)
    with client.sparing(config.budget.keep_for_live):
        try:
            reader.catalogue()
            reader.relations()
            reader.orders(months)
            reader.people()
        except BudgetSpent as spent:
            books.unseen.append(f"{administration.name}: {spent}")
    if books.unread:
        shown = f"{books.unread[-1]:%Y-%m} to {books.unread[0]:%Y-%m}"
        books.unseen.append(f"{administration.name}: the orders of {shown} were not, or not all, read")
    books.calls = client.calls - calls
    return books


def reason_to_wait(seen: SeenOrder, customers_held: Mapping[str, str], config: Config) -> str | None:
    """Why the order gets no deal yet; None when it gets one. `customers_held` gives the reason by customer."""
    why = why_held(
        seen.order,
        has_deal=False,
        customer_held=customers_held.get(seen.order.customer_id or ""),
        lines_without_item=seen.lines_without_item,
        rules=config.rules,
    )
    return why[0] if why else None


@dataclass
class _Reader:
    client: ExactOnlineClient
    config: Config
    administration: Administration
    books: Books

    @property
    def _zoned(self) -> dict[str, str]:
        return {"administration": self.administration.name, "time_zone": self.administration.time_zone}

    def catalogue(self) -> None:
        """Item groups and items."""
        groups = self._frame(feeds.ITEM_GROUPS, filter="Modified ge datetime'1990-01-01T00:00:00'")
        found = to_item_groups(groups, administration=self.administration.name)
        self.books.groups = dict(zip(found["item_group_code"], found["item_group"], strict=True))
        landed = self._frame(feeds.items_with(self.config.pipedrive.collection_field))
        items: Any = to_products(
            landed.assign(**dict.fromkeys({"collection", "standard_sales_price"} - {*landed.columns})),
            _nothing("item"),
            _nothing("entity_key", "timestamp"),
            **self._zoned,
            currency=self.administration.currency,
            today=self._today(),
            group_codes=dict(zip(found["item_group_id"], found["item_group_code"], strict=True)),
        )
        for row in items.itertuples(index=False):
            of = (row.code, row.name, row.item_group_code, bool(row.is_sales_item), row.collection)
            self.books.items[str(row.product_id)] = Item(*of)

    def relations(self) -> None:
        """Accounts, their managers, and how many contacts each has."""
        accounts = self._frame(feeds.ACCOUNTS)
        customers: Any = to_customers(accounts, _nothing("entity_key", "timestamp"), **self._zoned)
        for row in customers.itertuples(index=False):
            self.books.accounts[str(row.customer_id)] = row
        named = zip(accounts["account_manager"], accounts["account_manager_full_name"], strict=True)
        self._note_names(named)
        for page in self._pages(_CONTACTS):
            self.books.contacts.update(key for row in page if (key := reference(row.get("Account"))))

    def orders(self, months: Sequence[date]) -> None:
        """The orders of each month with their lines, until the calls for them are used up."""
        last = self.client.calls + MOST_CALLS
        for place, month in enumerate(months, start=1):
            for page in pages_of_months(self.client, [month], self._today()):
                self._note_orders(page)
                if self.client.calls >= last:
                    self.books.unseen.append(f"{self.administration.name}: {MOST_CALLS:,} calls for orders were made")
                    return
            self.books.unread.remove(month)
            self.books.read.append(month)
            progress.report("months of orders", place, len(months))

    def people(self) -> None:
        """E-mail addresses of salespeople that pipeline.yaml does not name; not every user may read them."""
        if self.books.people.keys() <= self.config.owner_e_mails.keys():
            return
        try:
            for page in self._pages(feeds.EMPLOYEES, filter=""):
                for row in page:
                    user, e_mail = reference(row.get("User")), trimmed(row.get("BusinessEmail"))
                    if user and e_mail:
                        self.books.e_mails[user.lower()] = e_mail
        except (GiveUp, RetryLater) as refusal:
            self.books.unseen.append(f"{self.administration.name}: e-mail addresses of salespeople ({refusal})")

    def _note_orders(self, page: Sequence[tuple[dict, list[dict]]]) -> None:
        import pandas as pd

        headers = [record(order, feeds.ORDER_HISTORY.columns) | {"as_of": 0} for order, _ in page]
        if not headers:
            return
        self._note_names((header["salesperson"], header["salesperson_full_name"]) for header in headers)
        orders: Any = to_orders(
            pd.DataFrame(headers, dtype=object),
            _nothing("timestamp"),
            _nothing("entity_key", "timestamp"),
            **self._zoned,
            currency=self.administration.currency,
        )
        whole = [{"order_id": order["OrderID"], "as_of": 0, "lines": lines} for order, lines in page]
        groups = {key: item.item_group_code for key, item in self.books.items.items()}
        lines: Any = to_order_lines(
            pd.DataFrame(whole, dtype=object),
            pd.DataFrame(),
            _nothing("entity_key", "timestamp"),
            administration=self.administration.name,
            known_groups={},
            groups_of_items=groups,
        )
        valued: Any = orders[orders["amount_excl_vat"].notna()].rename(columns={"amount_excl_vat": "value"})
        rows = to_deal_products(valued, lines[lines["product_id"].notna()])
        self.books.needs_surcharge |= SURCHARGE_CODE in set(rows["row_key"])
        self._note_lines(lines)
        itemless = lines[lines["product_id"].isna() & (lines["quantity"] != 0)]
        per_order = [Counter(part["order_id"]) for part in (lines, rows, itemless)]
        customers = [self.books.accounts.get(customer or "") for customer in orders["customer_id"]]
        for column, attribute in (("customer_name", "name"), ("account_manager_id", "account_manager_id")):
            values = [getattr(customer, attribute, None) for customer in customers]
            orders[column] = pd.Series(values, index=orders.index, dtype=object)
        for row in orders.itertuples(index=False):
            order = order_of(row)
            counts = (counted[order.order_id] for counted in per_order)
            self.books.orders[order.order_id] = SeenOrder(order, row.order_date, row.currency, *counts)

    def _note_lines(self, lines: Any) -> None:
        items = lines[lines["product_id"].notna()]
        self.books.ordered |= dict(zip(items["product_id"], items["item_group_code"], strict=True))
        counted = items[items["quantity"] != 0]
        pairs = set(zip(counted["order_id"], counted["item_group_code"], strict=True))
        self.books.orders_of_groups.update(group for _, group in pairs if group)
        for group, amount in zip(counted["item_group_code"], counted["amount_excl_vat"], strict=True):
            if group:
                self.books.revenue[group] = self.books.revenue.get(group, Decimal(0)) + amount

    def _note_names(self, named: Iterable[tuple[Any, Any]]) -> None:
        for person, name in named:
            if key := reference(person):
                self.books.people[key.lower()] = trimmed(name) or self.books.people.get(key.lower())

    def _frame(self, feed: Feed, *, filter: str = "Timestamp gt 0") -> Any:
        """The whole feed as a table of its columns."""
        import pandas as pd

        rows = [record(row, feed.columns) for page in self._pages(feed, filter=filter) for row in page]
        for row in rows:
            if "timestamp" in row:
                row["timestamp"] = int(row["timestamp"])
        return pd.DataFrame(rows, columns=pd.Index([column for _, column in feed.columns]), dtype=object)

    def _pages(self, feed: Feed, *, filter: str = "Timestamp gt 0") -> Any:
        return self.client.pages(feed.path, filter=filter, select=feed.select)

    def _today(self) -> date:
        return datetime.now(ZoneInfo(self.administration.time_zone)).date()


def _nothing(*columns: str) -> Any:
    """A table without rows: what was deleted is not in the books, and prices are not looked at."""
    import pandas as pd

    return pd.DataFrame(columns=pd.Index(columns), dtype=object)
