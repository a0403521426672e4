"""Resources that are functions with parameters of their own: where a sync feed starts for a date."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import WallClock
from pipeline.sandbox.wire import Request

SYNC_TIMESTAMP = "read/sync/Sync/SyncTimestamp"
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
