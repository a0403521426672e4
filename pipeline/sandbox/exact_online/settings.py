"""Everything about the simulated Exact Online that can be set, with each answer nobody could establish as a switch."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, get_type_hints

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


WEBHOOK_TOPICS = frozenset(
    "Accounts BankAccounts BankEntries CashEntries Contacts CostTransactions DocumentAttachments Documents "
    "FinancialTransactions GLAccounts GeneralJournalEntries GoodsDeliveries Items MailMessages Opportunities "
    "PowerAutomateAccounts PowerAutomateOpportunities PowerAutomateProjects PowerAutomateSalesOrders "
    "ProjectPlanning Projects PurchaseEntries PurchaseOrders Quotations SalesEntries SalesInvoices SalesOrders "
    "StockPositions Subscriptions TimeTransactions".split()
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
    headers_on_429: bool = True  # an older report says there are none
    retry_after_on_429: bool = False  # not documented, not seen
    body_of_429: str = ""  # nobody wrote one down
    headers_when_blocked: bool = False  # of the 429 after too many errors
    body_of_401: str = ""
    daily_reset_zone: str = "UTC"  # "midnight" in some texts: "Europe/Amsterdam"
    page_size: int = 60
    large_page_size: int = 1000  # of bulk and sync

    require_filter: bool = False  # a rule announced for resources that have a sync feed; live reads went without
    missing_filter_text: str = "Please add a $filter on a mandatory field to the query string."
    strict_filter_flags: bool = True  # older resources often accept a filter on fields not flagged for it
    wide_resources: frozenset[str] = frozenset({"crm/Accounts", "logistics/Items", "payroll/Employees"})
    functions_take_filters: bool = False  # the reference says not; one client filters ReceivablesList
    case_sensitive_paths: bool = True
    early_refresh_status: int = 400  # an older text says 401
    used_token_status: int = 401  # one source says 400
    refresh_ends_access_token: bool = False  # whether the earlier access token dies with a refresh
    token_calls_per_day: int | None = None  # 200 were announced once
    bare_list_up_to: int = 60  # one recording shows `results` at $top=60: 59 gives that
    bare_list_on_later_pages: bool = True  # what shape a page with $skiptoken and a small rest of $top has, nobody saw
    sync_header_has_own_id: bool = True  # off: ID of SalesOrderHeaders equals OrderID
    deleted_order_key: str = "OrderID"  # or "ID": what sync/Deleted names for an order
    header_discount: str = "fraction"  # or "percent": 5 % as 0.05 or as 5
    line_amount_includes_vat: bool = False
    header_status_follows: str = "both"  # deliveries and invoices; or "delivery" alone
    services_are_delivered: bool = False  # whether what never lies in a warehouse counts as delivered at once
    receivables_are_negative: bool = False
    unknown_reference: str = "refuse"  # or "null": a GUID from nowhere is dropped in silence, says one report
    sync_stops_at_in_flight: bool = False  # off: rows of unfinished transactions appear later, behind the watermark
    sync_type_prefix: str = "Sync."  # of the type names in the sync feeds
    sync_timestamp_field: str = "TimeStampAsBigInt"  # or "TimestampAsBigInt"
    webhook_topics: frozenset[str] = WEBHOOK_TOPICS  # the vendor's whole list was never seen
    webhook_timeout_seconds: float = 10
    webhook_ends_after_retries: bool = False  # whether the eleventh failure also ends the subscription
    webhooks_tell_own_writes: bool = True
    webhook_domain: str | None = None  # the vendor wants that of the app's redirect URI; none: any
    webhook_creates_as: str = "Update"  # or "Create"
    webhook_price_topic: str = "ItemPrices"  # or "SalesItemPrices"
    webhook_requires_https: bool = (
        False  # real callbacks must be HTTPS; a receiver beside the sandbox has no certificate
    )
    inventory_feeds_licensed: bool = True  # off: 403 on sync/Inventory, as without a Plus package
    hr_rights: bool = True  # off: 403 on payroll/Employees
    services_out_of_scope: frozenset[str] = frozenset()  # "crm": 403 on all of it, as when the app lacks a scope
    redirect_uri: str | None = None  # registered with the app; none: any
    missing_field_status: int = 500  # validation errors are mostly 500, some report 400
    post_webhook: Callable[[str, bytes], int] | None = None  # how to reach a callback; none: over HTTP
    deliver_in_background: bool = True  # a thread sends what is due; off: `deliver_due` or the control path does


def switches(texts: Iterable[str]) -> dict[str, Any]:
    """Settings written as `name=value`, the value as JSON or a plain word; ValueError for what cannot be set so."""
    kinds = get_type_hints(Settings)
    found = {}
    for text in texts:
        name, _, word = text.partition("=")
        if name not in kinds or name == "post_webhook":
            raise ValueError(f"{name} is no setting of the simulated Exact Online")
        found[name] = _value(name, word, kinds[name])
    return found


def _value(name: str, word: str, kind: Any) -> Any:
    try:
        value = json.loads(word)
    except ValueError:
        value = word
    if kind == frozenset[str]:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(part, str) for part in listed):
            raise ValueError(f"{name} is not {word}")
        return frozenset(listed)
    if kind is float and type(value) is int:
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} is not {word}")
    return value
