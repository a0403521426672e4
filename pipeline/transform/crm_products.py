"""`crm.products` from the catalogue, from order lines of items nobody catalogued, and the surcharge."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.domain.deal import LONGEST_NAME
from pipeline.domain.deal_products import SURCHARGE_CODE, SURCHARGE_NAME

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without

COLUMNS = (
    "administration",
    "product_key",
    "name",
    "code",
    "unit",
    "price",
    "currency",
    "item_group_code",
    "is_active",
    "collection",
)


def to_crm_products(
    items: pd.DataFrame,
    uncatalogued: pd.DataFrame,
    keys: Iterable[str],
    *,
    administration: str,
    currency: str,
    today: date,
) -> pd.DataFrame:
    """One row a product.

    `items` has the columns of `erp.products`; `uncatalogued` has `product_id`, `item_code` and `description` of lines.
    """
    import pandas as pd

    rows = [
        (
            administration,
            item.product_id,
            (item.name or item.code or "-")[:LONGEST_NAME],
            item.code,
            item.unit,
            item.sales_price or Decimal(0),
            currency,
            item.item_group_code,
            item.is_sales_item and not item.is_deleted and (item.end_date is None or item.end_date >= today),
            item.collection,
        )
        for item in items.itertuples(index=False)
    ]
    for line in uncatalogued.itertuples(index=False):
        name = (line.description or line.item_code or "-")[:LONGEST_NAME]
        rows.append(
            (administration, line.product_id, name, line.item_code, None, Decimal(0), currency, None, False, None)
        )
    if SURCHARGE_CODE in set(keys):
        surcharge = (SURCHARGE_CODE, SURCHARGE_NAME, SURCHARGE_CODE, None, Decimal(0), currency, None, True, None)
        rows.append((administration, *surcharge))
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS), dtype=object)
