"""When row versions mean nothing any more, everything is read again: nothing may stay unseen behind a watermark.

That is so after Exact moved the division to another database, whose versions are others; when our watermark is ahead
of everything Exact has (a backup was put back there); and when nothing was read for so long that Exact has forgotten
what was deleted.
"""

import logging
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from pipeline.config import Administration, Config
from pipeline.errors import GiveUp
from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.feeds import Feed
from pipeline.exact_online.odata import plain
from pipeline.steps.landing import OVERLAP, mark_of
from pipeline.steps.order_history import finish_history, window
from pipeline.warehouse import memory
from pipeline.warehouse.connection import only_one

CHECKED_EVERY = timedelta(hours=6)
DELETIONS_KEPT = timedelta(days=55)  # Exact keeps them for two months
_LOG = logging.getLogger("pipeline")
_VERSIONED = {
    "order_history": "as_of",
    **dict.fromkeys(
        (
            "order_changes",
            "order_line_changes",
            "deletions",
            "accounts",
            "contacts",
            "items",
            "item_prices",
            "sales_invoices",
            "payment_terms",
        ),
        "timestamp",
    ),
}


def read_again_if_needed(engine: Engine, client: ExactOnlineClient, config: Config, administration: str) -> int:
    """Looks, every few hours, whether the watermarks still hold; else goes back and reads again. Returns the calls."""
    calls, chosen = client.calls, config.administration(administration)
    fact = f"{administration} division"
    with engine.connect() as connection:
        seen: dict[str, Any] = memory.recall(connection, fact) or {}
        marks = {feed.name: _mark(connection, administration, feed) for feed in (feeds.ORDER_CHANGES, feeds.DELETIONS)}
    _check_division(chosen, seen)
    is_recent = 0 <= client.now() - seen.get("checked_at", 0) < CHECKED_EVERY.total_seconds()
    if is_recent or marks[feeds.ORDER_CHANGES.name] is None:
        return 0
    moved_on = _moved_on(client, chosen)
    now = {"checked_at": client.now(), "moved_on": moved_on or seen.get("moved_on"), "division": chosen.division}
    reason = _reason(client, seen, now, marks)
    with ExitStack() as locks:
        for lock in (*_VERSIONED, "item_groups") if reason else ():
            locks.enter_context(only_one(engine, f"{administration} {lock}"))
        with engine.begin() as tx:
            memory.note(tx, fact, now)
            if reason:
                _LOG.warning("%s: %s; everything is read again", administration, reason)
                _go_back(tx, chosen, config.history.months)
    if reason:
        finish_history(engine, client, config, administration)
    return client.calls - calls


def _check_division(administration: Administration, seen: dict[str, Any]) -> None:
    """An administration that became another one would have all its orders vanish and every deal lost."""
    if seen and seen["division"] != administration.division:
        raise GiveUp(
            f"The administration '{administration.name}' was read from division {seen['division']} so far, and "
            f"pipeline.yaml names {administration.division} now. Put it back, or give the other division a name of its "
            "own."
        )


def _reason(client: ExactOnlineClient, seen: dict[str, Any], now: dict[str, Any], marks: dict[str, Any]) -> str | None:
    """Why the watermarks hold no longer; None while they do."""
    headers, deletions = marks[feeds.ORDER_CHANGES.name], marks[feeds.DELETIONS.name]
    if seen and now["moved_on"] != seen.get("moved_on"):
        return f"Exact Online moved the division to another database on {now['moved_on']}"
    if deletions and client.now() - deletions["read_at"] > DELETIONS_KEPT.total_seconds():
        return f"nothing was read for {DELETIONS_KEPT.days} days, and Exact Online forgets what was deleted"
    if _is_ahead(client, headers["version"]):
        return f"the last order known has row version {headers['version']}, and Exact Online has no such one"
    return None


def _is_ahead(client: ExactOnlineClient, version: int) -> bool:
    """Whether Exact has nothing as new as what we have read: neither an order nor one that was deleted since."""
    since = version - OVERLAP - 1
    if since <= 0:
        return False
    for feed in (feeds.ORDER_CHANGES, feeds.DELETIONS):
        if any(client.pages(feed.path, select="Timestamp", filter=f"Timestamp gt {since}", top="1")):
            return False
    return True


def _moved_on(client: ExactOnlineClient, administration: Administration) -> str | None:
    """When Exact moved the division last, as Exact writes it; None when it never did, or where that is not told."""
    asked = {"select": "Code,DivisionMoveDate", "filter": f"Code eq {administration.division}"}
    try:
        rows = [row for page in client.pages("system/Divisions", **asked) for row in page]
    except GiveUp:
        return None  # a user without the right to see divisions; the other signs are looked for all the same
    moment = plain(rows[0].get("DivisionMoveDate")) if rows else None
    return moment.isoformat() if moment else None


def _mark(connection: Connection, administration: str, feed: Feed) -> dict[str, Any] | None:
    row = connection.execute(text(_MARK), {"administration": administration, "feed": mark_of(feed)}).one_or_none()
    return {"version": int(row.seen_up_to), "read_at": float(row.read_at)} if row else None


def _go_back(tx: Connection, administration: Administration, months: int) -> None:
    """Watermarks back to the beginning; all we have counts as older than anything, and its months are asked for."""
    name = administration.name
    landed = memory.landed_months(tx, name)
    memory.ask_for_months(tx, name, landed | set(window(administration, months)) if landed else ())
    of = {"administration": name, "prefix": f"{name} "}
    for table, version in _VERSIONED.items():
        tx.execute(text(f"UPDATE exact_online.{table} SET {version} = 0 WHERE administration = :administration"), of)
    for statement in _FORGET:
        tx.execute(text(statement), of)


_MARK = """
SELECT seen_up_to, extract(epoch FROM read_at) AS read_at FROM state.watermarks
WHERE administration = :administration AND feed = :feed
"""
_FORGET = (
    "DELETE FROM state.watermarks WHERE administration = :administration",
    "DELETE FROM state.landed_months WHERE administration = :administration",
    "DELETE FROM state.remembered WHERE starts_with(name, :prefix) AND name LIKE '% settled'",
)
