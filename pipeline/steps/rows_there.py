"""Rows as they stand on a deal, against those we know and those that are wanted."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pipeline.domain.deal_products import DealRow
from pipeline.domain.row_plan import WrittenRow
from pipeline.pipedrive.bodies import row_body, same

SHOWN = ("product_id", "item_price", "quantity", "comments", "tax", "discount", "is_enabled")


def recognised(
    found: Sequence[Mapping[str, Any]],
    written: Sequence[WrittenRow],
    wanted: Sequence[DealRow],
    products: Mapping[str, int],
) -> list[WrittenRow]:
    """The rows that stand on the deal: ours by their id or by what they show; the rest belongs to nobody.

    A row of ours that shows something else than was written counts as another one, so that it is put right.
    """
    known = {row.attachment_id: row.row for row in written}
    open_rows = [row for row in wanted if row not in known.values()]
    rows = []
    for there in found:
        row = known.get(int(there["id"]))
        if row is None:
            row = next((row for row in open_rows if shows(there, row, products)), None)
            if row is not None:
                open_rows.remove(row)
        rows.append(WrittenRow(int(there["id"]), _as_shown(there, row, products) if row else _foreign(there)))
    return rows


def shows(there: Mapping[str, Any], row: DealRow, products: Mapping[str, int]) -> bool:
    """Whether the row in Pipedrive says what this one does."""
    wanted = row_body(row, products.get(row.product_key, -1))
    return all(same(wanted[name], there.get(name)) for name in SHOWN)


def _as_shown(there: Mapping[str, Any], row: DealRow, products: Mapping[str, int]) -> DealRow:
    """Our row with what stands there; nothing wanted is equal to one whose tax, discount or product is another."""
    if row.product_key not in products or shows(there, row, products):
        return row
    ours = row_body(row, products[row.product_key])
    product = row.product_key if there.get("product_id") == ours["product_id"] else ""
    comments = there.get("comments") or ""
    is_plain = all(same(ours[name], there.get(name)) for name in ("tax", "discount", "is_enabled"))
    return DealRow(
        row.row_key,
        product if is_plain else "",
        Decimal(str(there.get("quantity") or 0)),
        Decimal(str(there.get("item_price") or 0)),
        comments,
    )


def _foreign(there: Mapping[str, Any]) -> DealRow:
    """A row nobody here wrote; its key is wanted by no order, so the plan removes it."""
    return DealRow(f"foreign {there['id']}", "", Decimal(0), Decimal(0), "")
