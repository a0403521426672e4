"""A company out of real order lines: a parquet file of a giftware wholesaler's sales, December 2009 to November 2010.

Real are what was ordered, when, by which customer number, in which quantity and at which price. Not in the data, and
made up here: names and addresses, salespeople, the currency (pounds are shown as euros) and the statuses.
Six-digit invoices are orders; a credit note (`C…`) cancels an order when it undoes a whole earlier invoice.
"""

import gc
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.core.util.hashing import hash_pandas_object

from pipeline.sandbox import company_invoicing
from pipeline.sandbox.company_clock import COMPANY_ZONE, SandboxClock
from pipeline.sandbox.company_customers import employ
from pipeline.sandbox.company_ordering import cents, number, total
from pipeline.sandbox.company_rows import CANCELLED, COMPLETE, Account, Item, ItemGroup, Order, OrderLine, SalesPrice
from pipeline.sandbox.company_state import Company
from pipeline.sandbox.retail_groups import RetailGroups

CASH_CUSTOMER = "99999"
COUNTRIES = {
    "United Kingdom": "GB", "Channel Islands": "GB", "EIRE": "IE", "Netherlands": "NL", "Germany": "DE", "France": "FR",
    "Belgium": "BE",
    "Spain": "ES", "Portugal": "PT", "Italy": "IT", "Switzerland": "CH", "Austria": "AT", "Denmark": "DK",
    "Sweden": "SE", "Norway": "NO", "Finland": "FI", "Iceland": "IS", "Poland": "PL", "Lithuania": "LT", "Greece": "GR",
    "Cyprus": "CY", "Malta": "MT", "Israel": "IL", "Lebanon": "LB", "Bahrain": "BH", "United Arab Emirates": "AE",
    "Japan": "JP", "Korea": "KR", "Singapore": "SG", "Hong Kong": "HK", "Thailand": "TH", "Australia": "AU",
    "USA": "US",
    "Canada": "CA", "Bermuda": "BM", "Brazil": "BR", "Nigeria": "NG", "RSA": "ZA",
}  # fmt: skip


def company_from_retail(
    path: Path, *, orders: int | None = None, today: date | None = None, invoices: bool = False
) -> Company:
    """The company whose newest `orders` orders (all without it) are those of the file, moved to end near today.

    With `invoices` each has one over all its lines, paid when it fell due: half as much memory again.
    """
    start = datetime.combine(today, time(23), COMPANY_ZONE) if today else None
    company = Company(clock=SandboxClock(start=start), name="Giftware Wholesale (echte orderregels, verzonnen namen)")
    lines, cancelled = order_lines(pd.read_parquet(path), orders)
    employ(company)
    items = _stock(company, lines, RetailGroups(path.parent))
    accounts = _register(company, lines)
    collecting = gc.isenabled()
    gc.disable()  # half a million new objects, none of them garbage
    try:
        _take_orders(company, lines, items, accounts, cancelled)
        if invoices:
            _bill(company)
    finally:
        if collecting:
            gc.enable()
    return company


def order_lines(rows: pd.DataFrame, orders: int | None) -> tuple[pd.DataFrame, set[str]]:
    """The lines of the orders wanted, oldest order first, and the numbers of the orders that were undone as a whole."""
    rows = rows.loc[~rows["Invoice"].str.startswith("A")].copy()
    rows["StockCode"] = rows["StockCode"].str.strip().str.upper()
    rows["Customer"] = rows["CustomerID"].astype("string").fillna(CASH_CUSTOMER)
    cancelled = _undone(rows)
    sold = rows.loc[rows["Invoice"].str.fullmatch(r"\d{6}")].copy()
    sold["Ordered"] = sold.groupby("Invoice")["InvoiceDate"].transform("min")
    sold = sold.sort_values(["Ordered", "Invoice"], kind="stable")
    if orders is not None:
        newest = sold["Invoice"].drop_duplicates().tail(orders)
        sold = sold.loc[sold["Invoice"].isin(newest)]
    return sold, cancelled


def _undone(rows: pd.DataFrame) -> set[str]:
    """Orders for which a later credit note of the same customer has exactly the same lines, all negative."""
    is_credit = rows["Invoice"].str.startswith("C")
    content = rows.assign(Quantity=rows["Quantity"].where(~is_credit, -rows["Quantity"]))
    content["Hash"] = hash_pandas_object(content[["StockCode", "Quantity", "Price"]], index=False)
    of_invoice = content.groupby("Invoice").agg(
        Customer=("Customer", "first"), When=("InvoiceDate", "min"), Hash=("Hash", "sum"), Lines=("Hash", "size")
    )
    is_note = of_invoice.index.str.startswith("C")
    same = ["Customer", "Hash", "Lines"]
    pairs = of_invoice[is_note].reset_index().merge(of_invoice[~is_note].reset_index(), on=same, suffixes=("_note", ""))
    pairs = pairs.loc[pairs["When"] <= pairs["When_note"]].sort_values("When", ascending=False)
    undone: set[str] = set()
    for _, notes in pairs.groupby("Invoice_note", sort=False):  # each note undoes one order, the latest still standing
        undone.update([invoice for invoice in notes["Invoice"] if invoice not in undone][:1])
    return undone


def _stock(company: Company, lines: pd.DataFrame, groups: RetailGroups) -> dict[str, str]:
    """Items under their most frequent description, at their most frequent price. Stock code -> item GUID."""
    priced = lines[(lines["Price"] > 0) & lines["Description"].notna()]
    names = priced.groupby("StockCode")["Description"].agg(lambda texts: texts.mode().iloc[0]).to_dict()
    prices = priced.groupby("StockCode")["Price"].median().to_dict()
    group_ids: dict[str, str] = {}
    items: dict[str, str] = {}
    for code in lines["StockCode"].drop_duplicates():
        group, group_name = groups.of(code, names.get(code, ""))
        if group not in group_ids:
            row = ItemGroup(company.new_id(), group, group_name)
            group_ids[group] = company.add("item_groups", row).id
        item = Item(company.new_id(), code, " ".join(names.get(code, code).split()), group_ids[group])
        item.standard_price = cents(prices.get(code, 0))
        items[code] = company.add("items", item).id
        company.add("prices", SalesPrice(company.new_id(), item.id, item.standard_price))
    return items


def _register(company: Company, lines: pd.DataFrame) -> dict[str, str]:
    """A customer for each number; sales without one belong to a collective account. Number -> account GUID."""
    managers = list(company.salespeople.rows)
    countries = lines.groupby("Customer")["Country"].first()
    accounts: dict[str, str] = {}
    for code, country in zip(map(str, countries.index), countries, strict=True):
        name = "Kasverkoop" if code == CASH_CUSTOMER else f"Klant {code} (naam verzonnen)"
        account = Account(company.new_id(), code, name, COUNTRIES.get(str(country), "GB"))
        if code != CASH_CUSTOMER:
            account.account_manager_id = managers[int(code) % len(managers)]
            account.city, account.address_line1 = "Verzonnen", f"Voorbeeldstraat {int(code) % 200 + 1}"
        accounts[code] = company.add("accounts", account).id
    return accounts


def _take_orders(
    company: Company, lines: pd.DataFrame, items: dict[str, str], accounts: dict[str, str], cancelled: set[str]
) -> None:
    weeks = (company.clock.today - lines["Ordered"].max().date()).days // 7
    moved = lines["Ordered"] + timedelta(weeks=weeks)
    created = moved.dt.tz_localize(COMPANY_ZONE, ambiguous=True, nonexistent="shift_forward")
    created_ms = created.astype("datetime64[ms, UTC]").astype("int64").to_numpy()
    invoices = lines["Invoice"].to_numpy()
    starts = np.flatnonzero(np.r_[True, invoices[1:] != invoices[:-1]])
    cells = _cells(lines, items)
    ids = _guids(company, len(lines))
    customers = lines["Customer"].to_numpy()[starts]
    days = moved.dt.date.to_numpy()[starts]
    for place, (start, end) in enumerate(zip(starts, [*starts[1:], len(lines)], strict=True)):
        order = Order(company.new_id(), int(invoices[start]), accounts[customers[place]], days[place])
        order.status = CANCELLED if invoices[start] in cancelled else COMPLETE
        order.delivery_status = order.invoice_status = order.status
        order.created_ms = order.modified_ms = int(created_ms[start])
        order.vat_rate = company.vat_rate(order.account_id)
        order.salesperson_id = company.accounts.rows[order.account_id].account_manager_id
        order.timestamp = company.next_version()
        _add_lines(company, order, ids[start:end], cells[start:end])
        total(order)
        company.orders.put(order)
        company.last_order_number = max(company.last_order_number, order.number)


def _add_lines(company: Company, order: Order, ids: list[str], cells: list[Any]) -> None:
    """Lines of one order; what the order and its lines share is one object."""
    status, done = order.status, order.status == COMPLETE
    for place, (item_id, description, quantity, price, amount) in enumerate(cells):
        progress = quantity if done else 0
        line = OrderLine(
            ids[place], order, place + 1, item_id, description, quantity, price, amount, price, 0,
            progress, progress, status, status, status,
        )  # fmt: skip
        line.timestamp = company.next_version()
        line.created_ms = line.modified_ms = order.created_ms
        order.lines.append(line)
        company.lines.put(line)


def _bill(company: Company) -> None:
    for order in company.orders:
        if order.status == COMPLETE:
            company_invoicing.book(company, order, order.order_date, deliveries=False)
            for invoice in company.invoices_of.get(order.id, ()):
                receivable = next(row for row in company.receivables.recent() if row.invoice is invoice)
                if invoice.due_date < company.clock.today:
                    receivable.paid_on = invoice.due_date


def _cells(lines: pd.DataFrame, items: dict[str, str]) -> list[tuple[Any, ...]]:
    """Item, description, quantity, price and amount of every line; equal texts are one object."""
    amounts = lines["Quantity"].to_numpy() * lines["Price"].to_numpy()
    cents_of = np.sign(amounts) * np.floor(np.abs(amounts) * 100 + 0.5 + 1e-7) / 100
    texts, which = pd.factorize(lines["Description"])[::-1]
    shared = [*map(str, texts), None]  # place -1 is a missing description
    return list(
        zip(
            [items[code] for code in lines["StockCode"]],
            [shared[place] for place in which],
            lines["Quantity"].tolist(),
            [number(price) for price in lines["Price"].tolist()],
            [number(amount) for amount in np.round(cents_of, 2).tolist()],
            strict=True,
        )
    )


def _guids(company: Company, count: int) -> list[str]:
    digits = np.random.default_rng(company.random.randrange(2**32)).bytes(16 * count).hex()
    return [
        f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        for text in (digits[place : place + 32] for place in range(0, len(digits), 32))
    ]
