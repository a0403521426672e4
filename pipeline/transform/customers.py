"""`erp.customers` from Exact Online's accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline.transform.exact_values import each, instant, reference, trimmed

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without

CUSTOMER = "C"  # Exact's letter for an account that is a customer
DIVISION = "D"  # a type of account that stands for a company of one's own


def to_customers(
    accounts: pd.DataFrame, deletions: pd.DataFrame, *, administration: str, time_zone: str
) -> pd.DataFrame:
    """One row an account; `deletions` has `entity_key` and `timestamp`."""
    import pandas as pd

    deleted = dict(zip(deletions["entity_key"], deletions["timestamp"], strict=True))
    zone = ZoneInfo(time_zone)
    columns = {
        "administration": [administration] * len(accounts),
        "customer_id": accounts["id"],
        "debtor_code": each(accounts["code"], trimmed),
        "name": each(accounts["name"], lambda name: trimmed(name) or ""),
        "address_line": each(accounts["address_line1"], trimmed),
        "postcode": each(accounts["postcode"], trimmed),
        "city": each(accounts["city"], trimmed),
        "country_code": each(accounts["country"], trimmed),
        "website": each(accounts["website"], trimmed),
        "account_manager_id": each(accounts["account_manager"], reference),
        "is_customer": [
            trimmed(status) == CUSTOMER and trimmed(kind) != DIVISION
            for status, kind in zip(accounts["status"], accounts["type"], strict=True)
        ],
        "is_deleted": [
            deleted.get(account, -1) >= version
            for account, version in zip(accounts["id"], accounts["timestamp"], strict=True)
        ],
        "modified_at": each(accounts["modified"], lambda moment: instant(moment, zone)),
    }
    return pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in columns.items()})
