"""Feeds of Exact Online into `exact_online.*`: what changed since the last reading, rows and watermark together.

Whole months of orders are read by `steps/order_history.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, text

from pipeline.config import Administration
from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.feeds import Feed
from pipeline.exact_online.odata import any_of, datetime_literal, record
from pipeline.warehouse import memory
from pipeline.warehouse.connection import only_one
from pipeline.warehouse.pending import queue
from pipeline.warehouse.tables import exact_online as tables
from pipeline.warehouse.writing import upsert

OVERLAP = 500  # row versions read again, for rows that were committed behind the watermark
ORDER_STAGES = ("erp/orders", "erp/order_lines")
_LINES_AT_ONCE = 25  # orders whose lines are asked for in one call, so that the address stays short
_ORDER_TYPES, _LINE_TYPE, _ACCOUNT_TYPE, _ITEM_TYPE, _PRICE_TYPE = (12, 32), 33, 2, 9, 8


@dataclass(frozen=True)
class Landed:
    """What a reading brought: rows that were new or different, and the calls it took."""

    rows: int
    calls: int


def land_changes(
    engine: Engine,
    client: ExactOnlineClient,
    administration: str,
    feed: Feed,
    table: Table,
    *,
    pending: Sequence[str],
    pending_key: str,
) -> Landed:
    """Reads a sync feed from its watermark on; the watermark moves with the last rows."""
    calls, rows = client.calls, 0
    with only_one(engine, f"{administration} {feed.name}"):
        with engine.connect() as connection:
            seen = int(memory.watermark(connection, administration, _mark_of(feed)) or 0)
        newest = seen
        pages = client.pages(feed.path, filter=f"Timestamp gt {max(seen - OVERLAP, 0)}", select=feed.select)
        page = next(pages, None)
        while page is not None:
            following = next(pages, None)
            landed = [_landed(administration, row, feed) for row in page]
            newest = max([newest, *(row["timestamp"] for row in landed)])
            with engine.begin() as tx:
                rows += upsert(tx, table, _once(landed, table), pending=pending, pending_key=pending_key)
                if following is None:
                    memory.move_watermark(tx, administration, _mark_of(feed), str(newest))
            page = following
    return Landed(rows, client.calls - calls)


def land_order_changes(engine: Engine, client: ExactOnlineClient, administration: Administration) -> Landed:
    """Reads the order headers that changed; the first time ever, where the feeds begin is asked before."""
    calls = client.calls
    begin_order_feeds(engine, client, administration)
    landed = land_changes(
        engine,
        client,
        administration.name,
        feeds.ORDER_CHANGES,
        tables.order_changes,
        pending=ORDER_STAGES,
        pending_key="order_id",
    )
    return Landed(landed.rows, client.calls - calls)


def land_deletions(engine: Engine, client: ExactOnlineClient, administration: str) -> Landed:
    """Reads the feed of deletions and lets the tables of what was deleted take it in."""
    landed = land_changes(
        engine,
        client,
        administration,
        feeds.DELETIONS,
        tables.deletions,
        pending=("deletions",),
        pending_key="entity_key",
    )
    with engine.begin() as tx:
        _pass_on_deletions(tx, administration)
    return landed


def land_item_groups(engine: Engine, client: ExactOnlineClient, administration: str) -> Landed:
    """Reads the item groups that changed since the newest one seen; they have no sync feed."""
    feed, calls, rows = feeds.ITEM_GROUPS, client.calls, 0
    with engine.connect() as connection:
        seen = memory.watermark(connection, administration, feed.name)
    newest = seen or ""
    since = f"Modified ge {datetime_literal(datetime.fromisoformat(seen))}" if seen else ""
    for page in client.pages(feed.path, select=feed.select, filter=since):
        landed = [{"administration": administration, **record(row, feed.columns)} for row in page]
        newest = max([newest, *(row["modified"].isoformat() for row in landed if row["modified"])])
        with engine.begin() as tx:
            rows += upsert(tx, tables.item_groups, landed, pending=("erp/item_groups",), pending_key="id")
            memory.move_watermark(tx, administration, feed.name, newest)
    return Landed(rows, client.calls - calls)


def land_order_line_changes(engine: Engine, client: ExactOnlineClient, administration: str) -> Landed:
    """Reads the lines that changed, and all lines of changed orders of which the feed may not have told every one."""
    feed = feeds.ORDER_LINE_CHANGES
    landed = land_changes(
        engine, client, administration, feed, tables.order_line_changes, pending=ORDER_STAGES, pending_key="order_id"
    )
    calls, rows = client.calls, 0
    with engine.connect() as connection:
        as_of = int(memory.watermark(connection, administration, feed.name) or 0)
        unknown = [row.order_id for row in connection.execute(text(_LINES_UNKNOWN), {"administration": administration})]
    for start in range(0, len(unknown), _LINES_AT_ONCE):
        for page in lines_of(client, unknown[start : start + _LINES_AT_ONCE]):
            lines = [{"administration": administration, "timestamp": as_of, **line} for line in page]
            with engine.begin() as tx:
                rows += upsert(tx, tables.order_line_changes, lines, pending=ORDER_STAGES, pending_key="order_id")
    return Landed(landed.rows + rows, landed.calls + client.calls - calls)


def lines_of(client: ExactOnlineClient, order_ids: Sequence[str]) -> Any:
    """Pages of all lines of those orders."""
    feed = feeds.ORDER_HISTORY_LINES
    pages = client.pages(feed.path, select=feed.select, filter=any_of("OrderID", order_ids))
    return ([record(row, feed.columns) for row in page] for page in pages)


def begin_order_feeds(engine: Engine, client: ExactOnlineClient, administration: Administration) -> int:
    """The row version up to which orders are known; on the first reading ever, where their feeds begin.

    The feeds then begin at what changed since yesterday, not with years of history that is read month by month. One
    counter numbers the rows of all of Exact's tables, so that the mark of the headers is good for the lines too.
    """
    names = (feeds.ORDER_CHANGES.name, feeds.ORDER_LINE_CHANGES.name)
    with engine.connect() as connection:
        marks = [memory.watermark(connection, administration.name, name) for name in names]
    known = [int(mark) for mark in marks if mark is not None]
    if len(known) < len(names):
        begin = _recent_timestamp(client, administration.time_zone)
        with engine.begin() as tx:
            for name, mark in zip(names, marks, strict=True):
                memory.move_watermark(tx, administration.name, name, mark or str(begin))
        known.append(begin)
    return min(known)


def _recent_timestamp(client: ExactOnlineClient, time_zone: str) -> int:
    today = datetime.now(ZoneInfo(time_zone)).date()
    for days in (1, 31, 400):
        timestamp = client.sync_timestamp("SalesOrderHeaders", datetime_literal(today - timedelta(days=days)))
        if timestamp is not None:
            return max(timestamp - 1, 0)
    return 0


def _mark_of(feed: Feed) -> str:
    """The feed's name, with the fields landed only by configuration: a new one is read from the beginning."""
    return "+".join([feed.name, *(field for field, _ in feed.extra)])


def _landed(administration: str, row: dict[str, Any], feed: Feed) -> dict[str, Any]:
    landed = {"administration": administration, **record(row, feed.columns)}
    landed["timestamp"] = int(landed["timestamp"])
    if feed.name == feeds.ITEMS.name:
        landed.setdefault("collection", None)
    return landed


def _once(rows: list[dict[str, Any]], table: Table) -> list[dict[str, Any]]:
    """The newest of each record: a page may name one twice, and a row can be written once a statement."""
    keys = [column.name for column in table.primary_key]
    newest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["timestamp"]):
        newest[tuple(row[name] for name in keys)] = row
    return list(newest.values())


def _pass_on_deletions(tx: Connection, administration: str) -> None:
    parameters = {"administration": administration}
    found = tx.execute(text(_DELETED), parameters).all()
    for stages, stage_types in (
        (ORDER_STAGES, (*_ORDER_TYPES, _LINE_TYPE)),
        (("erp/customers",), (_ACCOUNT_TYPE,)),
        (("erp/products",), (_ITEM_TYPE, _PRICE_TYPE)),
    ):
        queue(tx, stages, administration, {row.key for row in found if int(row.entity_type) in stage_types and row.key})
    tx.execute(
        text("DELETE FROM state.pending WHERE stage = 'deletions' AND administration = :administration"), parameters
    )


_DELETED = """
SELECT gone.entity_type,
    coalesce(changed.order_id, line.order_id, known_line.order_id, price.item, gone.entity_key) AS key
FROM exact_online.deletions AS gone
JOIN state.pending AS waiting
    ON waiting.stage = 'deletions' AND waiting.administration = gone.administration AND waiting.key = gone.entity_key
LEFT JOIN exact_online.order_changes AS changed
    ON gone.entity_type IN ('12', '32') AND changed.administration = gone.administration
    AND changed.id = gone.entity_key
LEFT JOIN exact_online.order_line_changes AS line
    ON gone.entity_type = '33' AND line.administration = gone.administration AND line.id = gone.entity_key
LEFT JOIN erp.order_lines AS known_line
    ON gone.entity_type = '33' AND known_line.administration = gone.administration
    AND known_line.line_id = gone.entity_key
LEFT JOIN exact_online.item_prices AS price
    ON gone.entity_type = '8' AND price.administration = gone.administration AND price.id = gone.entity_key
WHERE gone.administration = :administration
"""

# An order the warehouse hasn't seen and no month of history holds has all its lines in the feed when they add up to
# its amount; otherwise they are asked for.
_LINES_UNKNOWN = """
SELECT changed.order_id
FROM exact_online.order_changes AS changed
JOIN state.pending AS waiting
    ON waiting.stage = 'erp/order_lines' AND waiting.administration = changed.administration
    AND waiting.key = changed.order_id
WHERE changed.administration = :administration
    AND NOT EXISTS (SELECT FROM exact_online.order_history AS whole
        WHERE whole.administration = changed.administration AND whole.order_id = changed.order_id)
    AND NOT EXISTS (SELECT FROM erp.orders AS known
        WHERE known.administration = changed.administration AND known.order_id = changed.order_id)
    AND changed.amount_fc_excl_vat IS DISTINCT FROM (
        SELECT round(sum(line.amount_fc), 2) FROM exact_online.order_line_changes AS line
        WHERE line.administration = changed.administration AND line.order_id = changed.order_id)
ORDER BY changed.order_id
"""
