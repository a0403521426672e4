"""Feeds of Exact Online into `exact_online.*`: what changed since the last reading, rows and watermark together.

Whole months of orders are read by `steps/order_history.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, text

from pipeline.config import Administration
from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.feeds import Feed
from pipeline.exact_online.odata import any_of, datetime_literal, plain, record
from pipeline.exact_online.settled import Settled
from pipeline.steps.deletions import AT_ONCE, ORDER_STAGES, pass_on_deletions
from pipeline.steps.erasures import without_erased
from pipeline.warehouse import inbox, memory
from pipeline.warehouse.connection import only_one
from pipeline.warehouse.reading import expect_frames
from pipeline.warehouse.tables import exact_online as tables
from pipeline.warehouse.writing import upsert

READ_ANYWAY = timedelta(minutes=20)  # the catalogue's own poll comes every 15
OVERLAP = 500  # row versions read again at least, for rows that turn up behind the watermark
_TWICE_A_YEAR = timedelta(hours=1)  # by as much the wall clock, which Modified is told in, goes back each autumn
_BEFORE_EXACT = "1990-01-01"  # a first reading says since when too: Exact may refuse one that has no filter


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
    with_the_last: Callable[[Connection], object] = lambda tx: None,
) -> Landed:
    """Reads a sync feed from its watermark on; the watermark moves with the last rows, and so does `with_the_last`."""
    calls, rows = client.calls, 0
    with only_one(engine, f"{administration} {feed.name}"):
        with engine.connect() as connection:
            newest = int(memory.watermark(connection, administration, mark_of(feed)) or 0)
            since = settled_version(connection, administration, feed)
        settled = Settled(since)
        pages = client.pages(feed.path, filter=f"Timestamp gt {since}", select=feed.dated_select)
        page = next(pages, None)
        while page is not None:
            following = next(pages, None)
            newest = max([newest, *(int(row["Timestamp"]) for row in page)])
            for row in page:
                settled.add(int(row["Timestamp"]), plain(row.get(feed.changed)))
            with engine.begin() as tx:
                landed = without_erased(tx, administration, table, _to_land(administration, page, feed, table))
                rows += upsert(tx, table, landed, pending=pending, pending_key=pending_key)
                if following is None:
                    with_the_last(tx)
                    memory.move_watermark(tx, administration, mark_of(feed), str(newest))
                    if feed.changed:
                        kept = max(since, min(settled.version, newest - OVERLAP))
                        memory.note(tx, _settled_name(administration, feed), kept)
            if rows:
                expect_frames()
            page = following
    return Landed(rows, client.calls - calls)


def land_order_changes(engine: Engine, client: ExactOnlineClient, administration: Administration) -> Landed:
    """Reads the order headers that changed; the first time ever, where the feeds begin is asked before.

    What webhooks told before this reading is handled when the lines and the deletions were read after it as well:
    the number up to which they did is handed from one to the next.
    """
    calls = client.calls
    with engine.connect() as connection:
        told = inbox.newest(connection, administration.name)
    begin_order_feeds(engine, client, administration)
    landed = land_changes(
        engine,
        client,
        administration.name,
        feeds.ORDER_CHANGES,
        tables.order_changes,
        pending=ORDER_STAGES,
        pending_key="order_id",
        with_the_last=lambda tx: memory.note(tx, _told(administration.name, feeds.ORDER_CHANGES), told),
    )
    return Landed(landed.rows, client.calls - calls)


def land_deletions(engine: Engine, client: ExactOnlineClient, administration: str) -> Landed:
    """Reads the feed of deletions and lets the tables of what was deleted take it in.

    It is the last of the order feeds: what webhooks told of orders before the first of them is handled now.
    """
    with engine.connect() as connection:
        told = memory.recall(connection, _told(administration, feeds.ORDER_LINE_CHANGES)) or 0
    landed = land_changes(
        engine,
        client,
        administration,
        feeds.DELETIONS,
        tables.deletions,
        pending=("deletions",),
        pending_key="entity_key",
        with_the_last=lambda tx: inbox.mark_handled(tx, administration, ["SalesOrders"], told),
    )
    calls = client.calls
    pass_on_deletions(engine, client, administration)
    return Landed(landed.rows, landed.calls + client.calls - calls)


def land_item_groups(engine: Engine, client: ExactOnlineClient, administration: str) -> Landed:
    """Reads the item groups that changed since the newest one seen; they have no sync feed."""
    feed, calls, rows = feeds.ITEM_GROUPS, client.calls, 0
    with engine.connect() as connection:
        seen = memory.watermark(connection, administration, feed.name)
    newest = seen or ""
    since = datetime_literal(datetime.fromisoformat(seen or _BEFORE_EXACT) - _TWICE_A_YEAR)
    for page in client.pages(feed.path, select=feed.select, filter=f"Modified ge {since}"):
        landed = [{"administration": administration, **record(row, feed.columns)} for row in page]
        newest = max([newest, *(row["modified"].isoformat() for row in landed if row["modified"])])
        with engine.begin() as tx:
            rows += upsert(tx, tables.item_groups, landed, pending=("erp/item_groups",), pending_key="id")
            memory.move_watermark(tx, administration, feed.name, newest)
    return Landed(rows, client.calls - calls)


def land_order_line_changes(engine: Engine, client: ExactOnlineClient, administration: str) -> Landed:
    """Reads the lines that changed, and all lines of changed orders of which the feed may not have told every one."""
    feed = feeds.ORDER_LINE_CHANGES
    with engine.connect() as connection:
        told = memory.recall(connection, _told(administration, feeds.ORDER_CHANGES)) or 0
    landed = land_changes(
        engine,
        client,
        administration,
        feed,
        tables.order_line_changes,
        pending=ORDER_STAGES,
        pending_key="order_id",
        with_the_last=lambda tx: memory.note(tx, _told(administration, feed), told),
    )
    calls, rows = client.calls, 0
    with engine.connect() as connection:
        as_of = settled_version(connection, administration, feed)
        unknown = [row.order_id for row in connection.execute(text(_LINES_UNKNOWN), {"administration": administration})]
    for start in range(0, len(unknown), AT_ONCE):
        for page in lines_of(client, unknown[start : start + AT_ONCE]):
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
    both = (feeds.ORDER_CHANGES, feeds.ORDER_LINE_CHANGES)
    with engine.connect() as connection:
        unread = [feed for feed in both if memory.watermark(connection, administration.name, mark_of(feed)) is None]
    if unread:
        begin = _recent_timestamp(client, administration.time_zone)
        with engine.begin() as tx:
            for feed in unread:
                begin_feed(tx, administration.name, feed, begin)
    with engine.connect() as connection:
        return min(settled_version(connection, administration.name, feed) for feed in both)


def begin_feed(tx: Connection, administration: str, feed: Feed, version: int) -> None:
    """Lets the next reading of the feed begin behind that row version."""
    memory.move_watermark(tx, administration, mark_of(feed), str(version))
    memory.note(tx, _settled_name(administration, feed), version)


def _recent_timestamp(client: ExactOnlineClient, time_zone: str) -> int:
    today = datetime.now(ZoneInfo(time_zone)).date()
    for days in (1, 31, 400):
        timestamp = client.sync_timestamp("SalesOrderHeaders", datetime_literal(today - timedelta(days=days)))
        if timestamp is not None:
            return max(timestamp - 1, 0)
    return 0


def settled_version(connection: Connection, administration: str, feed: Feed) -> int:
    """The row version behind which the feed is read again: rows may still turn up up to its watermark."""
    kept = memory.recall(connection, _settled_name(administration, feed))
    if kept is not None:
        return int(kept)
    return max(int(memory.watermark(connection, administration, mark_of(feed)) or 0) - OVERLAP, 0)


def _settled_name(administration: str, feed: Feed) -> str:
    return f"{administration} {mark_of(feed)} settled"


def _told(administration: str, feed: Feed) -> str:
    """The fact up to which number of the inbox that feed was read."""
    return f"{administration} {feed.name} read after webhook"


def is_worth_a_call(connection: Connection, administration: str, feed: Feed, *reasons: str, **parameters: Any) -> bool:
    """Whether one of the reasons holds, each a condition in SQL, or the last reading of the feed was a while ago."""
    any_of_them = " OR ".join(f"({reason})" for reason in (_LONG_AGO, *reasons))
    of = {"administration": administration, "feed": mark_of(feed), "after": READ_ANYWAY}
    return connection.execute(text(f"SELECT {any_of_them}"), of | parameters).scalar_one()


def mark_of(feed: Feed) -> str:
    """The feed's name, with the fields landed only by configuration: a new one is read from the beginning."""
    return "+".join([feed.name, *(field for field, _ in feed.extra)])


def landed_row(administration: str, row: dict[str, Any], feed: Feed) -> dict[str, Any]:
    """A row of a sync feed as its table takes it."""
    landed = {"administration": administration, **record(row, feed.columns)}
    landed["timestamp"] = int(landed["timestamp"])
    if feed.name == feeds.ITEMS.name:
        landed.setdefault("collection", None)
    return landed


def _to_land(administration: str, page: list[dict[str, Any]], feed: Feed, table: Table) -> list[dict[str, Any]]:
    return newest_of_each([landed_row(administration, row, feed) for row in page if feed.lands(row)], table)


def newest_of_each(rows: list[dict[str, Any]], table: Table) -> list[dict[str, Any]]:
    """The newest of each record: a page may name one twice, and a row can be written once a statement."""
    keys = [column.name for column in table.primary_key]
    newest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["timestamp"]):
        newest[tuple(row[name] for name in keys)] = row
    return list(newest.values())


_LONG_AGO = """
NOT EXISTS (SELECT FROM state.watermarks
    WHERE administration = :administration AND feed = :feed AND read_at > now() - CAST(:after AS interval))
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
        SELECT sum(round(line.quantity * line.net_price, 2)) FROM exact_online.order_line_changes AS line
        WHERE line.administration = changed.administration AND line.order_id = changed.order_id)
ORDER BY changed.order_id
"""
