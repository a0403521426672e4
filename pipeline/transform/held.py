"""`crm.held` from orders: which of them wait, and for what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.domain.deal import Order, why_held
from pipeline.domain.order_stage import StatusRule
from pipeline.transform.deals import order_of

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without

COLUMNS = (
    "administration",
    "entity",
    "key",
    "number",
    "status",
    "delivery_status",
    "invoice_status",
    "reason",
    "stops_deal",
)


def to_held(orders: pd.DataFrame, *, rules: Sequence[StatusRule]) -> pd.DataFrame:
    """One row an order that is held.

    `orders` has the columns of `erp.orders`, `customer_name`, `customer_held` (why the customer is), `has_deal` and
    `lines_without_item`.
    """
    import pandas as pd

    held = [_held(row, order_of(row), rules) for row in orders.itertuples(index=False)]
    return pd.DataFrame([row for row in held if row], columns=pd.Index(COLUMNS), dtype=object)


def _held(row: Any, order: Order, rules: Sequence[StatusRule]) -> tuple | None:
    why = why_held(
        order,
        has_deal=row.has_deal,
        customer_held=row.customer_held,
        lines_without_item=row.lines_without_item,
        rules=rules,
    )
    if why is None:
        return None
    words = (order.status, order.delivery_status, order.invoice_status)
    return (row.administration, "order", order.order_id, order.order_number, *words, *why)
