"""Resources that are functions with parameters of their own: what stands in the URL besides the options of OData."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_prices import valid_price
from pipeline.sandbox.company_rows import Item
from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import WallClock
from pipeline.sandbox.wire import Request

SYNC_TIMESTAMP = "read/sync/Sync/SyncTimestamp"
SALES_ITEM_PRICE = "read/logistics/SalesItemPrice"
STOCK_POSITION = "read/logistics/StockPosition"
NOT_IN_THIS_COMPANY = (
    "QuotationHeaders QuotationLines TransactionLines Projects PurchaseOrders Subscriptions SubscriptionLines".split()
)
_GUID = re.compile(r"(?:guid)?'([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})'")
_DATETIME = re.compile(r"(?i:datetime)'([^']+)'")


def sync_timestamp(request: Request, company: Company, settings: Settings, clock: WallClock) -> list[dict[str, Any]]:
    """The version from which rows changed on or after a moment begin; Accounts, Items and Contacts have none."""
    given = dict(request.params)
    feeds: dict[str, Iterable[Any]] = {
        "SalesOrderHeaders": company.orders,
        "SalesOrderLines": company.lines,
        "SalesInvoices": [*company.invoices, *company.invoice_lines],
        "GoodsDeliveries": company.deliveries,
        "GoodsDeliveryLines": company.delivery_lines,
        **{name: () for name in NOT_IN_THIS_COMPANY},
    }
    endpoint, match = given.get("endPoint", "").strip("'"), _DATETIME.fullmatch(given.get("modified", ""))
    if match is None or endpoint not in feeds:
        raise Refusal(400, "Bad Request - Error in query syntax: modified=datetime'…' and endPoint='…' are needed.")
    try:
        moment = datetime.fromisoformat(match[1])
        since = clock.moment_ms(moment.replace(tzinfo=None))
        modified = int((moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
    except (ValueError, OverflowError) as error:
        raise Refusal(400, f"Bad Request - not a date: {match[1]}") from error
    versions = [row.timestamp for row in feeds[endpoint] if row.modified_ms >= since]
    version = min(versions) - 1 if versions else company.last_version
    return [
        {"Modified": f"/Date({modified})/", "API": endpoint, settings.sync_timestamp_field: str(version)},
    ]


def stock_position(request: Request, company: Company) -> list[Item]:
    """The item asked for, whose stock over all warehouses is shown; none when there is no such item."""
    item = company.items.get(_guid(request, "itemId"))
    return [] if item is None else [item]


def sales_item_price(request: Request, company: Company) -> list[tuple[Item, float]]:
    """The item asked for and what it costs, the customer too if one is named."""
    item = company.items.get(_guid(request, "itemId"))
    account_id = _guid(request, "accountId") if any(name == "accountId" for name, _ in request.params) else None
    return [] if item is None else [(item, valid_price(company, item, account_id=account_id))]


def _guid(request: Request, name: str) -> str:
    match = _GUID.fullmatch(dict(request.params).get(name, ""))
    if match is None:
        raise Refusal(400, f"Bad Request - Error in query syntax: {name}=guid'…' is needed.")
    return match[1].lower()


FUNCTIONS = {STOCK_POSITION: stock_position, SALES_ITEM_PRICE: sales_item_price}
