"""The query options of one request: read, checked against the resource, refused where Exact refuses them.

Nothing is looked up here; `reading.py` does what these options ask for.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.filters import Expression, FilterParser
from pipeline.sandbox.exact_online.resources import Resource
from pipeline.sandbox.exact_online.settings import WIDE_SYNC, Settings

OPTIONS = {"$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$skiptoken", "$inlinecount", "$format"}
SELECT_MISSING = "Please add a $select or a $top=1 statement to the query string."
NO_SKIP = ("sales/", "inventory/", "users/", "payroll/", "webhooks/")  # released after March 2017
HAVE_A_FEED = frozenset(
    "crm/Accounts crm/Contacts crm/Addresses logistics/Items logistics/SalesItemPrices inventory/ItemWarehouses "
    "sales/SalesPriceListVolumeDiscounts salesorder/SalesOrders salesorder/SalesOrderLines salesorder/GoodsDeliveries "
    "salesorder/GoodsDeliveryLines salesinvoice/SalesInvoices salesinvoice/SalesInvoiceLines cashflow/Receivables "
    "documents/Documents documents/DocumentAttachments".split()
)


@dataclass
class Query:
    """What one request asks of a collection."""

    options: dict[str, str]
    filter: Expression | None = None
    select: list[str] = field(default_factory=list)  # plain fields and navigations; empty: all
    nested: dict[str, list[str]] = field(default_factory=dict)  # navigation -> fields selected below it
    expand: list[str] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)  # field, descending
    top: int | None = None
    skip: int = 0
    skip_token: str | None = None
    with_count: bool = False


def read_query(params: list[tuple[str, str]], resource: Resource, settings: Settings, *, single: bool = False) -> Query:
    """The options of a request on this resource, or the vendor's refusal."""
    query = Query(_options(params))
    _read_expand(query, resource)
    _read_select(query, resource)
    _require_select(query, resource, settings, single=single)
    _read_numbers(query, resource)
    text = query.options.get("$filter")
    if text is not None:
        if resource.path.startswith("read/") and not settings.functions_take_filters:
            raise Refusal(400, "The query option $filter is not supported for this function.")
        fields = resource.filter_fields(strict=settings.strict_filter_flags)
        query.filter = FilterParser(text, fields).parse()
    elif settings.require_filter and resource.path in HAVE_A_FEED and not single:
        raise Refusal(400, settings.missing_filter_text)
    _read_order(query, resource)
    query.skip_token = query.options.get("$skiptoken")
    return query


def _options(params: list[tuple[str, str]]) -> dict[str, str]:
    """The system options; other parameters are none of OData's business."""
    options: dict[str, str] = {}
    for name, value in params:
        if not name.startswith("$"):
            continue
        if name not in OPTIONS:
            raise Refusal(400, f"The query parameter '{name}' begins with a system-reserved '$' but is not recognized.")
        if name in options:
            raise Refusal(400, f"Query parameter '{name}' is specified, but it should be specified exactly once.")
        options[name] = value
    return options


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _read_expand(query: Query, resource: Resource) -> None:
    for name in _names(query.options.get("$expand", "")):
        if name not in resource.navigations:
            raise Refusal(400, f"No navigation property '{name}' exists in type '{resource.type_name}'.")
        query.expand.append(name)


def _read_select(query: Query, resource: Resource) -> None:
    for name in _names(query.options.get("$select", "")):
        if name == "*":
            if resource.is_bulk or resource.path in WIDE_SYNC:
                raise Refusal(400, SELECT_MISSING)
            query.select = []
            return
        head, _, below = name.partition("/")
        if head not in resource.list.fields:
            raise Refusal(400, f"Could not find a property named '{head}' on type '{resource.type_name}'.")
        if below:
            if head not in query.expand:
                raise Refusal(400, f"The $select path '{name}' needs the matching $expand.")
            query.nested.setdefault(head, []).append(below)
        if head not in query.select:
            query.select.append(head)


def _require_select(query: Query, resource: Resource, settings: Settings, *, single: bool) -> None:
    """Wide resources are not read whole; a single row is."""
    if query.options.get("$select", "").strip() or single or query.options.get("$top") == "1":
        return
    if resource.is_bulk or resource.path in WIDE_SYNC or resource.path in settings.wide_resources:
        raise Refusal(400, SELECT_MISSING)


def _read_numbers(query: Query, resource: Resource) -> None:
    query.top = _whole_number(query.options, "$top")
    query.skip = _whole_number(query.options, "$skip") or 0
    if "$skip" in query.options and (not resource.is_regular or resource.path.startswith(NO_SKIP)):
        raise Refusal(400, "The query option $skip is not supported for this resource.")
    counting = query.options.get("$inlinecount", "none")
    if counting not in ("none", "allpages"):
        raise Refusal(400, f"Unknown $inlinecount option, only 'allpages' and 'none' are supported: '{counting}'.")
    query.with_count = counting == "allpages"


def _whole_number(options: dict[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Refusal(400, f"Incorrect format for {name} argument '{text}'.")
    return int(text)


def _read_order(query: Query, resource: Resource) -> None:
    allowed: dict[str, Any] = {"Timestamp": True} if resource.is_sync else resource.compare
    for part in _names(query.options.get("$orderby", "")):
        name, _, direction = part.partition(" ")
        if name not in allowed or direction.strip() not in ("", "asc", "desc"):
            raise Refusal(400, f"Error in query syntax: $orderby={part}.")
        query.order.append((name, direction.strip() == "desc"))
