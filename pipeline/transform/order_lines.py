"""`erp.order_lines` from Exact Online: a whole reading of an order, and what the feed said of its lines since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.transform.exact_values import line_amount, reference, trimmed

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without

COLUMNS = (
    "administration",
    "line_id",
    "order_id",
    "line_number",
    "product_id",
    "item_code",
    "description",
    "quantity",
    "net_price",
    "amount_excl_vat",
    "item_group_code",
    "known_as_of",
)


def to_order_lines(
    history: pd.DataFrame,
    changes: pd.DataFrame,
    deletions: pd.DataFrame,
    *,
    administration: str,
    known_groups: Mapping[str, tuple[str | None, str | None]],
    groups_of_items: Mapping[str, str | None],
) -> pd.DataFrame:
    """One row a line of every order in the frames.

    `history` has `order_id`, `as_of` and `lines`; `known_groups` gives, for a line that stood here before, its item
    and its item-group code, which it keeps for as long as the item stays; `groups_of_items` today's groups.
    """
    import pandas as pd

    deleted = dict(zip(deletions["entity_key"], deletions["timestamp"], strict=True))
    found: dict[str, tuple[Any, ...]] = {}
    whole_as_of: dict[str, int] = {}
    for order_id, as_of, lines in zip(history["order_id"], history["as_of"], history["lines"], strict=True):
        whole_as_of[order_id] = as_of
        for line in lines if isinstance(lines, list) else json.loads(lines):
            found[line["id"]] = (as_of, order_id, line)
    for line in _records(changes):
        version, order_id = line["timestamp"], line["order_id"]
        unknown_to_reading = line["id"] not in found and version <= whole_as_of.get(order_id, -1)
        older = line["id"] in found and version < found[line["id"]][0]
        if not unknown_to_reading and not older:
            found[line["id"]] = (version, order_id, line)
    rows = [
        (administration, *_values(line, order_id, known_groups, groups_of_items), version)
        for version, order_id, line in found.values()
        if deleted.get(line["id"], -1) < version
    ]
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS), dtype=object)


def _values(
    line: Mapping[str, Any],
    order_id: str,
    known_groups: Mapping[str, tuple[str | None, str | None]],
    groups_of_items: Mapping[str, str | None],
) -> tuple[Any, ...]:
    item = reference(line["item"])
    known_item, known_group = known_groups.get(line["id"], (None, None))
    quantity, net_price = Decimal(line["quantity"] or 0), Decimal(line["net_price"] or 0)
    group = known_group if known_group and known_item == item else groups_of_items.get(item or "")
    return (
        line["id"],
        order_id,
        line["line_number"] or 0,
        item,
        trimmed(line["item_code"]),
        trimmed(line["description"]),
        quantity,
        net_price,
        line_amount(Decimal(line["amount_fc"] or 0), quantity, net_price),
        group,
    )


def _records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    names = list(frame.columns)
    return (dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None))
