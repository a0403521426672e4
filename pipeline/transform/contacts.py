"""`erp.contacts` from Exact Online's contacts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline.transform.exact_values import each, instant, reference, trimmed

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without


def to_contacts(
    contacts: pd.DataFrame, deletions: pd.DataFrame, *, administration: str, time_zone: str
) -> pd.DataFrame:
    """One row a contact, what is for business before what is private; `deletions` has `entity_key`, `timestamp`."""
    import pandas as pd

    deleted = dict(zip(deletions["entity_key"], deletions["timestamp"], strict=True))
    zone = ZoneInfo(time_zone)
    columns = {
        "administration": [administration] * len(contacts),
        "contact_id": contacts["id"],
        "customer_id": each(contacts["account"], reference),
        "first_name": each(contacts["first_name"], trimmed),
        "middle_name": each(contacts["middle_name"], trimmed),
        "last_name": each(contacts["last_name"], trimmed),
        "e_mail": _first_filled(contacts["business_email"], contacts["email"]),
        "phone": _first_filled(contacts["business_phone"], contacts["phone"]),
        "mobile": _first_filled(contacts["business_mobile"], contacts["mobile"]),
        "is_deleted": [
            deleted.get(contact, -1) >= version
            for contact, version in zip(contacts["id"], contacts["timestamp"], strict=True)
        ],
        "modified_at": each(contacts["modified"], lambda moment: instant(moment, zone)),
    }
    return pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in columns.items()})


def _first_filled(first: Iterable[str | None], second: Iterable[str | None]) -> list[str | None]:
    return [trimmed(one) or trimmed(other) for one, other in zip(first, second, strict=True)]
