"""`crm.deals` from orders, what their lines sum up to, and what was wanted of the deals before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.domain.deal import (
    LONGEST_NAME,
    Earlier,
    GroupedLine,
    Order,
    Standing,
    item_group_codes,
    keeps_its_owner,
    keeps_its_title,
    main_item_group_code,
    owner_e_mails,
    revenue_by_item_group,
    standing,
    title,
)
from pipeline.domain.order_stage import Outcome, StatusRule, Word

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without

_SHOWN_WORDS = {Word.OPEN, Word.PARTIAL, Word.COMPLETE}


def to_deals(
    orders: pd.DataFrame,
    group_sums: pd.DataFrame,
    earlier: pd.DataFrame,
    *,
    rules: Sequence[StatusRule],
    deal_title: str,
    e_mails: Mapping[str, str],
    default_owner: str | None,
    category_amounts: bool,
) -> pd.DataFrame:
    """One row an order that has or gets a deal.

    `orders` has the columns of `erp.orders`, `customer_name`, `account_manager_id` and `payment_status`; `group_sums`
    has `order_id`, `item_group_code` and `amount` of the lines that count; `earlier` is what stands in `crm.deals` for
    those orders. A deal whose payment status changed goes before history.
    """
    import pandas as pd

    grouped = _grouped(group_sums)
    known = {row["order_id"]: row for row in earlier.to_dict("records")}
    rows = []
    for row in orders.itertuples(index=False):
        before = known.get(row.order_id)
        order, was = order_of(row), _earlier(before)
        now = standing(order, was, rules)
        if now is None or (order.is_deleted and was is None):
            continue
        if order.is_deleted:
            rows.append(_deleted(before, now))
            continue
        keeps = (keeps_its_title(order, now, was), keeps_its_owner(order, now, was))
        wanted = {
            "title": before["title"] if keeps[0] and before else title(order, deal_title),
            "owner_e_mails": before["owner_e_mails"]
            if keeps[1] and before
            else list(owner_e_mails(order, e_mails, default_owner)),
        }
        payment = getattr(row, "payment_status", None)
        wanted |= {"payment_status": payment, "is_live": row.is_live or _is_news(before, payment)}
        rows.append(_deal(row, now, grouped.get(row.order_id, []), category_amounts) | wanted)
    return pd.DataFrame(rows, dtype=object)


def order_of(row: Any) -> Order:
    """The order of a frame's row, as the rules read it."""
    return Order(
        order_id=row.order_id,
        order_number=row.order_number,
        customer_id=row.customer_id,
        customer_name=row.customer_name,
        salesperson_id=row.salesperson_id,
        account_manager_id=getattr(row, "account_manager_id", None),
        status=row.status,
        delivery_status=row.delivery_status,
        invoice_status=row.invoice_status,
        amount_excl_vat=row.amount_excl_vat,
        is_deleted=row.is_deleted,
    )


def _deal(row: Any, now: Standing, lines: list[GroupedLine], category_amounts: bool) -> dict[str, Any]:
    return {
        "administration": row.administration,
        "order_id": row.order_id,
        "customer_id": row.customer_id,
        "salesperson_id": row.salesperson_id,
        "currency": row.currency,
        "value": row.amount_excl_vat,
        "status": now.status,
        "stage": now.stage.value,
        "lost_reason": now.lost_reason,
        "order_number": row.order_number,
        "order_date": row.order_date,
        "delivery_date": row.delivery_date,
        "customer_reference": (row.customer_reference or "")[:LONGEST_NAME] or None,
        "delivery_status": _shown(row.delivery_status),
        "invoice_status": _shown(row.invoice_status),
        "item_group_codes": list(item_group_codes(lines)),
        "main_item_group_code": main_item_group_code(lines),
        "category_amounts": revenue_by_item_group(lines) if category_amounts else None,
        "is_deleted": False,
    }


def _is_news(before: dict[str, Any] | None, payment: str | None) -> bool:
    """Whether a payment status that was known changed: the first one comes along with the order, or with history."""
    return before is not None and before["payment_status"] not in {None, payment}


def _deleted(before: dict[str, Any] | None, now: Standing) -> dict[str, Any]:
    """A deal whose order is gone is lost; everything else stays as it last was."""
    change = {"status": now.status, "stage": now.stage.value, "lost_reason": now.lost_reason}
    return (before or {}) | change | {"is_deleted": True, "is_live": True}


def _earlier(before: dict[str, Any] | None) -> Earlier | None:
    if before is None:
        return None
    return Earlier(
        standing=Standing(before["status"], Outcome(before["stage"]), before["lost_reason"]),
        title=before["title"],
        owner_e_mails=tuple(before["owner_e_mails"]),
        customer_id=before["customer_id"],
        salesperson_id=before["salesperson_id"],
    )


def _shown(word: str) -> str | None:
    return word if word in _SHOWN_WORDS else None


def _grouped(sums: pd.DataFrame) -> dict[str, list[GroupedLine]]:
    grouped: dict[str, list[GroupedLine]] = {}
    for order_id, code, amount in zip(sums["order_id"], sums["item_group_code"], sums["amount"], strict=True):
        grouped.setdefault(order_id, []).append(GroupedLine(code, Decimal(1), amount))
    return grouped
