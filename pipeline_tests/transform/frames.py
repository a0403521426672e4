"""Small frames as the warehouse hands them out: Python objects in every column, None for what is empty."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd


def wall(text: str) -> datetime:
    """A time as Exact's wall clock shows it: without a zone."""
    return datetime.fromisoformat(text)


HEADER: Mapping[str, Any] = {
    "administration": "nl",
    "order_id": "order-1",
    "order_number": 2001,
    "order_date": wall("2026-06-25"),
    "delivery_date": wall("2026-06-30"),
    "ordered_by": "customer-1",
    "salesperson": "seller-1",
    "your_ref": "PO 7",
    "currency": "EUR",
    "amount_dc": Decimal("121.00"),
    "amount_fc": Decimal("121.00"),
    "amount_fc_excl_vat": Decimal("100.00"),
    "status": 12,
    "delivery_status": 12,
    "invoice_status": 12,
    "created": wall("2026-06-25 09:30"),
    "modified": wall("2026-06-25 10:30"),
}
LINE: Mapping[str, Any] = {
    "id": "line-1",
    "line_number": 1,
    "item": "vaas",
    "item_code": "V-1",
    "description": "Vaas",
    "quantity": Decimal("2"),
    "net_price": Decimal("12.5"),
    "amount_fc": Decimal("25"),
}
CHANGED_LINE = LINE | {"administration": "nl", "order_id": "order-1", "timestamp": 200}
ERP_ORDER: Mapping[str, Any] = {
    "administration": "nl",
    "order_id": "order-1",
    "order_number": "2001",
    "order_date": wall("2026-06-25").date(),
    "delivery_date": wall("2026-06-30").date(),
    "customer_id": "customer-1",
    "customer_name": "De Bloemenhof",
    "account_manager_id": None,
    "salesperson_id": "seller-1",
    "customer_reference": "PO 7",
    "currency": "EUR",
    "amount_excl_vat": Decimal("100.00"),
    "status": "open",
    "delivery_status": "open",
    "invoice_status": "open",
    "is_deleted": False,
    "is_live": True,
}


def frame(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame of those rows, empty ones too."""
    return pd.DataFrame([[row[name] for name in columns] for row in rows], columns=pd.Index(columns), dtype=object)


def history(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """Order headers read whole; what a row leaves out is as in `HEADER`, read at 100."""
    return frame([*HEADER, "as_of"], [HEADER | {"as_of": 100} | row for row in rows])


def changes(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """Order headers from the feed, of version 200 unless told otherwise."""
    return frame([*HEADER, "id", "timestamp"], [HEADER | {"id": "record-1", "timestamp": 200} | row for row in rows])


def deletions(**timestamps: int) -> pd.DataFrame:
    """Deleted records by key; an underscore in a name stands for a hyphen."""
    rows = [{"entity_key": key.replace("_", "-"), "timestamp": timestamp} for key, timestamp in timestamps.items()]
    return frame(["entity_key", "timestamp"], rows)


def read_lines(*orders: tuple[str, int, Any]) -> pd.DataFrame:
    """Whole readings: order, age, and its lines as JSON text or as a list."""
    return frame(
        ["order_id", "as_of", "lines"],
        [{"order_id": order_id, "as_of": as_of, "lines": lines} for order_id, as_of, lines in orders],
    )


def changed_lines(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """Lines from the feed, of version 200 unless told otherwise."""
    return frame(list(CHANGED_LINE), [CHANGED_LINE | row for row in rows])


def only_row(found: pd.DataFrame) -> dict[str, Any]:
    """The one row of a frame."""
    (row,) = found.to_dict("records")
    return row


def floats_in(found: pd.DataFrame) -> list[tuple[str, Any]]:
    """Values that are floats, NaN among them: there is no place for one."""
    return [(name, value) for name in found.columns for value in found[name] if isinstance(value, float)]
