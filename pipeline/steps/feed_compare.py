"""A feed of changes against all that Exact Online shows: what it passed over is found, and what is gone untold.

Exact forgets after two months what was deleted, and may tell of it late; a row that was committed behind the watermark
is told of never. So one feed a night is read from its beginning, each once in five nights: a page of 1,000 costs the
same call with all fields as with ids alone, and puts right what changed too. Of invoices the last two months are
asked for: older ones hardly change, and their lines are many. Item groups have no feed of deletions, and one that is
gone keeps its name here, since orders go on naming it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, text

from pipeline.config import Administration
from pipeline.errors import GiveUp
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.feeds import Feed
from pipeline.steps.erasures import without_erased
from pipeline.steps.landing import Landed, landed_row, mark_of, newest_of_each
from pipeline.warehouse import memory
from pipeline.warehouse.connection import only_one
from pipeline.warehouse.pending import queue
from pipeline.warehouse.tables import exact_online as tables
from pipeline.warehouse.writing import upsert

MOST_GONE = 250  # records that may vanish at once; of more, half of what is there has to be left
INVOICES_SINCE = timedelta(days=62)
# The stages that take in what changed of a table, and the column they know a record by.
_ONWARDS = {
    tables.accounts: (("erp/customers",), "id"),
    tables.contacts: (("erp/contacts",), "id"),
    tables.items: (("erp/products",), "id"),
    tables.item_prices: (("erp/products",), "item"),
    tables.sales_invoices: (("erp/invoices", "erp/invoice_orders"), "invoice_id"),
}
_NIGHTS = [table.name for table in _ONWARDS]


@dataclass(frozen=True)
class Compared:
    """What a compare found: rows in Exact, those that stood otherwise here, those gone, and the calls it took."""

    rows: int
    corrected: int
    gone: int
    calls: int

    def figures(self) -> dict[str, int]:
        """What a materialisation shows of the compare."""
        return {"compared": self.rows, "corrected": self.corrected, "gone": self.gone, "exact_calls": self.calls}


def is_its_night(feed: Feed, today: date) -> bool:
    """Whether the feed is the one that is compared on the night of that day."""
    return _NIGHTS[today.toordinal() % len(_NIGHTS)] == feed.name


def compare_feed(
    engine: Engine, client: ExactOnlineClient, administration: str, feed: Feed, table: Table, *, today: date
) -> Compared:
    """Puts right what stands otherwise here, and takes out what Exact has no more: then `erp` notices it vanished.

    Before the first reading of the feed there is nothing to compare. Raises GiveUp when Exact shows next to nothing.
    """
    calls, changed, there = client.calls, 0, set[str]()
    stages, known_by = _ONWARDS[table]
    of: dict[str, Any] = {"administration": administration}
    with only_one(engine, f"{administration} {feed.name}"):
        with engine.connect() as connection:
            mark = memory.watermark(connection, administration, mark_of(feed))
            if mark is None:
                return Compared(0, 0, 0, 0)
            of |= {"first": _first(connection, administration, table, today), "newest": int(mark)}
        asked = {"filter": f"Timestamp gt {max(of['first'] - 1, 0)}", "select": feed.select}
        for page in client.pages(feed.path, **asked):
            rows = [landed_row(administration, row, feed) for row in page if feed.lands(row)]
            there |= {row["id"] for row in rows}
            with engine.begin() as tx:
                kept = without_erased(tx, administration, table, newest_of_each(rows, table))
                changed += upsert(tx, table, kept, pending=stages, pending_key=known_by)
        with engine.begin() as tx:
            parameters = of | {"there": list(there)}
            gone = tx.execute(text(_TAKE_OUT.format(table=table.name, key=known_by)), parameters).all()
            _check(feed, len(gone), len(there))
            queue(tx, stages, administration, {row.key for row in gone} - {None})
    return Compared(len(there), changed, len(gone), client.calls - calls)


def read_or_compare(
    engine: Engine,
    client: ExactOnlineClient,
    administration: Administration,
    feed: Feed,
    table: Table,
    *,
    read: Callable[[], Landed],
    compare: bool,
) -> tuple[int, dict[str, int]]:
    """Reads what changed, or compares all on the feed's night: rows that changed, and what a materialisation shows."""
    if not compare:
        landed = read()
        return landed.rows, {"exact_calls": landed.calls}
    today = datetime.now(ZoneInfo(administration.time_zone)).date()
    if not is_its_night(feed, today):
        return 0, {"exact_calls": 0}
    found = compare_feed(engine, client, administration.name, feed, table, today=today)
    return found.corrected + found.gone, found.figures()


def _first(connection: Connection, administration: str, table: Table, today: date) -> int:
    """The lowest row version that is asked for."""
    if table is not tables.sales_invoices:
        return 0
    of = {"administration": administration, "since": today - INVOICES_SINCE}
    return connection.execute(text(_FIRST_INVOICE), of).scalar_one()


def _check(feed: Feed, gone: int, there: int) -> None:
    """Half a catalogue does not vanish in a few nights: then the answer is wrong, and what was done is undone."""
    if gone > max(MOST_GONE, there):
        raise GiveUp(
            f"Exact Online shows {there:,} rows of {feed.path}, and {gone:,} that are known here are not among them; "
            "nothing was taken out. Check the division in pipeline.yaml and the user's rights."
        )


_FIRST_INVOICE = """
SELECT coalesce(min(timestamp), 0) FROM exact_online.sales_invoices
WHERE administration = :administration AND modified >= :since
"""
# A version only ever rises, so that what is known of that version or a later one has to be among what was told.
_TAKE_OUT = """
DELETE FROM exact_online.{table} WHERE administration = :administration AND timestamp BETWEEN :first AND :newest
    AND NOT id = ANY(:there)
RETURNING {key} AS key
"""
