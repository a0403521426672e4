"""`erp.orders` from Exact Online: the newest of what history and changes say of each order."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline.transform.exact_values import amount, day, each, instant, reference, trimmed, word

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without


def to_orders(
    history: pd.DataFrame,
    changes: pd.DataFrame,
    deletions: pd.DataFrame,
    *,
    administration: str,
    time_zone: str,
    currency: str,
) -> pd.DataFrame:
    """One row an order.

    `history` counts as old as its `as_of`, `changes` as its `timestamp`; a deletion holds when it is not older than
    the order. `deletions` has `entity_key` and `timestamp`; a key is an order's id or its id in the changes feed.
    """
    import pandas as pd

    newest = newest_of(history, changes)
    deleted = dict(zip(deletions["entity_key"], deletions["timestamp"], strict=True))
    gone = [
        max(deleted.get(order_id, -1), deleted.get(record_id, -1)) >= version
        for order_id, record_id, version in zip(newest["order_id"], newest["id"], newest["version"], strict=True)
    ]
    zone = ZoneInfo(time_zone)
    columns = {
        "administration": [administration] * len(newest),
        "order_id": newest["order_id"],
        "order_number": each(newest["order_number"], lambda number: "" if number is None else str(number)),
        "order_date": each(newest["order_date"], day),
        "delivery_date": each(newest["delivery_date"], day),
        "customer_id": each(newest["ordered_by"], reference),
        "salesperson_id": each(newest["salesperson"], reference),
        "customer_reference": each(newest["your_ref"], trimmed),
        "currency": each(newest["currency"], lambda code: trimmed(code) or currency),
        "amount_excl_vat": each(newest["amount_fc_excl_vat"], amount),
        "amount_incl_vat": each(newest["amount_fc"], amount),
        "amount_incl_vat_home": each(newest["amount_dc"], amount),
        "status": each(newest["status"], word),
        "delivery_status": each(newest["delivery_status"], word),
        "invoice_status": each(newest["invoice_status"], word),
        "is_deleted": gone,
        "is_live": newest["is_live"],
        "created_at": each(newest["created"], lambda moment: instant(moment, zone)),
        "modified_at": each(newest["modified"], lambda moment: instant(moment, zone)),
    }
    return pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in columns.items()})


def newest_of(history: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """The newer version of each order; of two that are equally old, the one from the changes feed."""
    import pandas as pd

    read_whole = history.assign(version=history["as_of"], is_live=False, id=None)
    changed = changes.assign(version=changes["timestamp"], is_live=True)
    both = pd.concat([frame for frame in (read_whole, changed) if len(frame)] or [read_whole])
    ranked = both.sort_values(["order_id", "version", "is_live"], kind="stable")
    newest = ranked.drop_duplicates("order_id", keep="last").reset_index(drop=True)
    return newest.astype(object).where(newest.notna(), None)
