"""`erp.products` from Exact Online's items, their groups and their prices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline.domain.prices import ItemPrice, sales_price
from pipeline.transform.exact_values import day, each, instant, reference, trimmed

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without


def to_products(
    items: pd.DataFrame,
    prices: pd.DataFrame,
    deletions: pd.DataFrame,
    *,
    administration: str,
    time_zone: str,
    currency: str,
    today: date,
    group_codes: Mapping[str, str],
) -> pd.DataFrame:
    """One row an item, with the sales price of today, else its `standard_sales_price`.

    `prices` are those without an account; `group_codes` gives an item group's code by its id.
    """
    import pandas as pd

    deleted = dict(zip(deletions["entity_key"], deletions["timestamp"], strict=True))
    zone = ZoneInfo(time_zone)
    by_item = _prices_by_item(prices, currency)
    columns = {
        "administration": [administration] * len(items),
        "product_id": items["id"],
        "code": each(items["code"], trimmed),
        "name": [
            trimmed(name) or trimmed(code) or "" for name, code in zip(items["description"], items["code"], strict=True)
        ],
        "unit": each(items["unit"], trimmed),
        "item_group_code": each(items["item_group"], lambda group: group_codes.get(reference(group) or "")),
        "is_sales_item": items["is_sales_item"],
        "end_date": each(items["end_date"], day),
        "collection": each(items["collection"], trimmed),
        "sales_price": [
            sales_price(today, by_item.get(item, ()), standard)
            for item, standard in zip(items["id"], items["standard_sales_price"], strict=True)
        ],
        "currency": [currency] * len(items),
        "is_deleted": [
            deleted.get(item, -1) >= version for item, version in zip(items["id"], items["timestamp"], strict=True)
        ],
        "price_changes_on": each(items["id"], lambda item: _next_change(today, by_item.get(item, []))),
        "modified_at": each(items["modified"], lambda moment: instant(moment, zone)),
    }
    return pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in columns.items()})


def _prices_by_item(prices: pd.DataFrame, currency: str) -> dict[str, list[ItemPrice]]:
    by_item: dict[str, list[ItemPrice]] = {}
    for price in prices.itertuples(index=False):
        if trimmed(price.currency) in {None, currency} and price.price is not None:
            entry = ItemPrice(price.price, price.quantity or Decimal(0), day(price.start_date), day(price.end_date))
            by_item.setdefault(price.item, []).append(entry)
    return by_item


def _next_change(today: date, prices: list[ItemPrice]) -> date | None:
    """The next day on which another price may hold: one begins, or the day after one's last."""
    starts = [price.start_date for price in prices if price.start_date]
    ends = [price.end_date + timedelta(days=1) for price in prices if price.end_date and price.end_date < date.max]
    return min((change for change in starts + ends if change > today), default=None)
