"""Everything about the simulated Exact Online that can be set, with each answer nobody could establish as a switch."""

from collections.abc import Callable
from dataclasses import dataclass

WIDE_SYNC = frozenset(
    {
        "sync/Logistics/Items",
        "sync/Logistics/SalesItemPrices",
        "sync/Inventory/StockPositions",
        "sync/Inventory/ItemWarehouses",
        "sync/CRM/Contacts",
        "sync/Sales/SalesPriceListVolumeDiscounts",
    }
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this Exact Online is set up. The default is the better attested answer."""

    time_zone: str = "Europe/Amsterdam"
    client_id: str = "sandbox"
    client_secret: str = "sandbox"
    first_refresh_token: str = "sandbox"
    webhook_secret: str = "sandbox"

    limits: bool = True  # off: no 429 ever, large numbers in the headers
    minutely_limit: int = 60
    daily_limit: int = 5000
    errors_per_hour: int = 10
    page_size: int = 60
    large_page_size: int = 1000  # of bulk and sync

    require_filter: bool = False  # a rule announced for resources that have a sync feed; live reads went without
    strict_filter_flags: bool = True  # older resources often accept a filter on fields not flagged for it
    wide_resources: frozenset[str] = frozenset({"crm/Accounts", "logistics/Items", "payroll/Employees"})
    functions_take_filters: bool = False  # the reference says not; one client filters ReceivablesList
    case_sensitive_paths: bool = True
    early_refresh_status: int = 400  # an older text says 401
    used_token_status: int = 401  # one source says 400
    token_calls_per_day: int | None = None  # 200 were announced once
    bare_list_up_to: int = 60  # one recording shows `results` at $top=60: 59 gives that
    bare_list_on_later_pages: bool = True  # what shape a page with $skiptoken and a small rest of $top has, nobody saw
    sync_header_has_own_id: bool = True  # off: ID of SalesOrderHeaders equals OrderID
    deleted_order_key: str = "OrderID"  # or "ID": what sync/Deleted names for an order
    header_discount: str = "fraction"  # or "percent": 5 % as 0.05 or as 5
    line_amount_includes_vat: bool = False
    sync_timestamp_field: str = "TimeStampAsBigInt"  # or "TimestampAsBigInt"
    webhook_creates_as: str = "Update"  # or "Create"
    webhook_price_topic: str = "ItemPrices"  # or "SalesItemPrices"
    webhook_requires_https: bool = (
        False  # real callbacks must be HTTPS; a receiver beside the sandbox has no certificate
    )
    inventory_feeds_licensed: bool = True  # off: 403 on sync/Inventory, as without a Plus package
    hr_rights: bool = True  # off: 403 on payroll/Employees
    missing_field_status: int = 500  # validation errors are mostly 500, some report 400
    post_webhook: Callable[[str, bytes], int] | None = None  # how to reach a callback; none: over HTTP
    deliver_in_background: bool = True  # a thread sends what is due; off: `deliver_due` or the control path does
