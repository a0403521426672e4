"""Revenue worked out a second time: by pandas, in whole cents, from the ERP's own books and from nothing in between."""

from typing import Any

import pandas as pd

from pipeline.sandbox.company_state import Company
from pipeline_tests.world import World

CANCELLED = 45
MARTS = {"category": "item_group_code", "customer": "customer_id", "salesperson": "salesperson_id"}
Revenue = dict[tuple[Any, ...], tuple[int, int, int]]  # (month, key, currency): cents, orders, lines


def note_groups(company: Company, noted: dict[str, str]) -> None:
    """Keeps of every new line the item group its item is in now: what it counts for stays so."""
    for line in company.lines:
        group = company.item_groups.get(company.items.rows[line.item_id].group_id)
        noted.setdefault(line.id, group.code if group else "-")


def revenue_in_the_books(company: Company, groups: dict[str, str]) -> dict[str, Revenue]:
    """What the three marts should say."""
    orders = pd.DataFrame(
        [
            (one.id, pd.Timestamp(one.order_date).to_period("M").start_time.date(), one.account_id,
             one.salesperson_id or "-", one.currency, round(one.amount_excl * 100))
            for one in company.orders if one.status != CANCELLED
        ],
        columns=["order_id", "month", "customer", "salesperson", "currency", "cents"],
    )  # fmt: skip
    lines = pd.DataFrame(
        [(one.order.id, groups[one.id], round(one.amount * 100), 1) for one in company.lines],
        columns=["order_id", "category", "cents", "lines"],
    ).merge(orders[["order_id", "month", "currency"]], on="order_id")
    explained = lines.groupby("order_id").agg(explained=("cents", "sum"), lines=("lines", "sum"))
    orders = orders.join(explained, on="order_id").fillna({"explained": 0, "lines": 0})
    rest = orders.assign(category="", cents=orders["cents"] - orders["explained"], lines=0)
    by_category = pd.concat([lines, rest.loc[rest["cents"] != 0, [*lines.columns]]])
    return {
        "category": _summed(by_category, "category"),
        "customer": _summed(orders, "customer"),
        "salesperson": _summed(orders, "salesperson"),
    }


def _summed(rows: pd.DataFrame, key: str) -> Revenue:
    grouped = rows.groupby(["month", key, "currency"])
    sums = grouped.agg(cents=("cents", "sum"), orders=("order_id", "nunique"), lines=("lines", "sum"))
    return {index: tuple(map(int, row)) for index, row in zip(sums.index, sums.itertuples(index=False), strict=True)}


def revenue_in_the_marts(world: World) -> dict[str, Revenue]:
    """What they do say."""
    return {
        name: {
            (row.month, row.key, row.currency): (int(row.revenue_excl_vat * 100), row.orders, row.lines)
            for row in world.ask(f"SELECT *, {key} AS key FROM marts.revenue_per_{name}")
        }
        for name, key in MARTS.items()
    }
