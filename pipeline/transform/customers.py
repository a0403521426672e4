"""`erp.customers` from Exact Online's accounts."""

from zoneinfo import ZoneInfo

import pandas as pd

from pipeline.transform.exact_values import instant, reference, trimmed

CUSTOMER = "C"  # Exact's letter for an account that is a customer
DIVISION = "D"  # a type of account that stands for a company of one's own


def to_customers(
    accounts: pd.DataFrame, deletions: pd.DataFrame, *, administration: str, time_zone: str
) -> pd.DataFrame:
    """One row an account; `deletions` has `entity_key` and `timestamp`."""
    deleted = dict(zip(deletions["entity_key"], deletions["timestamp"], strict=True))
    zone = ZoneInfo(time_zone)
    columns = {
        "administration": [administration] * len(accounts),
        "customer_id": accounts["id"],
        "debtor_code": accounts["code"].map(trimmed),
        "name": accounts["name"].map(lambda name: trimmed(name) or ""),
        "address_line": accounts["address_line1"].map(trimmed),
        "postcode": accounts["postcode"].map(trimmed),
        "city": accounts["city"].map(trimmed),
        "country_code": accounts["country"].map(trimmed),
        "website": accounts["website"].map(trimmed),
        "account_manager_id": accounts["account_manager"].map(reference),
        "is_customer": [
            trimmed(status) == CUSTOMER and trimmed(kind) != DIVISION
            for status, kind in zip(accounts["status"], accounts["type"], strict=True)
        ],
        "is_deleted": [
            deleted.get(account, -1) >= version
            for account, version in zip(accounts["id"], accounts["timestamp"], strict=True)
        ],
        "modified_at": accounts["modified"].map(lambda moment: instant(moment, zone)),
    }
    return pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in columns.items()})
