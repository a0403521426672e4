"""What is remembered from run to run: how far a feed was read, which months landed, single facts."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, text

from pipeline.warehouse.tables import state
from pipeline.warehouse.writing import upsert


def watermark(tx: Connection, administration: str, feed: str) -> str | None:
    """How far the feed was read; None before the first reading."""
    query = "SELECT seen_up_to FROM state.watermarks WHERE administration = :administration AND feed = :feed"
    return tx.execute(text(query), {"administration": administration, "feed": feed}).scalar()


def move_watermark(tx: Connection, administration: str, feed: str, seen_up_to: str) -> None:
    """Notes how far the feed was read; belongs in the transaction that writes its rows."""
    tx.execute(
        text(
            "INSERT INTO state.watermarks (administration, feed, seen_up_to, read_at) "
            "VALUES (:administration, :feed, :seen_up_to, now()) "
            "ON CONFLICT (administration, feed) DO UPDATE SET seen_up_to = excluded.seen_up_to, read_at = now()"
        ),
        {"administration": administration, "feed": feed, "seen_up_to": seen_up_to},
    )


def landed_months(tx: Connection, administration: str) -> set[date]:
    """First days of the months whose history was read to its end."""
    query = "SELECT month FROM state.landed_months WHERE administration = :administration"
    return {row.month for row in tx.execute(text(query), {"administration": administration})}


def note_landed(tx: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Notes months whose history was read to its end."""
    now = datetime.now(UTC)
    upsert(tx, state.landed_months, ({**row, "landed_at": now} for row in rows))


def recall(tx: Connection, name: str) -> Any:
    """The fact of that name; None when nothing was noted."""
    return tx.execute(text("SELECT value FROM state.remembered WHERE name = :name"), {"name": name}).scalar()


def note(tx: Connection, name: str, value: Any) -> None:
    """Notes a fact, over what stood there."""
    tx.execute(
        text(
            "INSERT INTO state.remembered (name, value, remembered_at) VALUES (:name, CAST(:value AS jsonb), now()) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value, remembered_at = now()"
        ),
        {"name": name, "value": json.dumps(value)},
    )


def months_to_read(tx: Connection, administration: str) -> set[date]:
    """First days of the months that were asked for and not read to their end yet."""
    return {date.fromisoformat(month) for month in recall(tx, _asked(administration)) or ()}


def ask_for_months(tx: Connection, administration: str, months: Iterable[date]) -> None:
    """Notes months that are to be read; who reads one to its end takes it out."""
    _change_asked(tx, administration, lambda asked: asked | set(months))


def months_were_read(tx: Connection, administration: str, months: Iterable[date]) -> None:
    """Takes out months that were read to their end."""
    _change_asked(tx, administration, lambda asked: asked - set(months))


def _change_asked(tx: Connection, administration: str, change: Callable[[set[date]], set[date]]) -> None:
    locked = "SELECT value FROM state.remembered WHERE name = :name FOR UPDATE"
    found = tx.execute(text(locked), {"name": _asked(administration)}).scalar() or ()
    asked = change({date.fromisoformat(month) for month in found})
    note(tx, _asked(administration), sorted(month.isoformat() for month in asked))


def _asked(administration: str) -> str:
    return f"{administration} months to read"
