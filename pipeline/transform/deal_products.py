"""`crm.deal_products` from order lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.domain.deal_products import OrderLine, deal_rows

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without

COLUMNS = (
    "administration",
    "order_id",
    "row_key",
    "position",
    "product_key",
    "quantity",
    "item_price",
    "comments",
)


def to_deal_products(orders: pd.DataFrame, lines: pd.DataFrame, *, rounded_once: bool = False) -> pd.DataFrame:
    """The rows of each order's deal, in their order.

    `orders` has `administration`, `order_id` and `value`; `lines` the columns of `erp.order_lines`; `rounded_once` says
    that the account rounds the sum of a deal instead of each of its rows.
    """
    import pandas as pd

    by_order: dict[str, list[OrderLine]] = {}
    for order_id, *values in zip(
        *(lines[name] for name in ("order_id", "line_id", "line_number", "product_id")),
        *(lines[name] for name in ("item_group_code", "quantity", "net_price")),
        strict=True,
    ):
        by_order.setdefault(order_id, []).append(OrderLine(*values))
    rows = [
        (administration, order_id, row.row_key, position, row.product_key, row.quantity, row.item_price, row.comments)
        for administration, order_id, value in zip(
            orders["administration"], orders["order_id"], orders["value"], strict=True
        )
        for position, row in enumerate(deal_rows(by_order.get(order_id, []), value, rounded_once=rounded_once), start=1)
    ]
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS), dtype=object)
