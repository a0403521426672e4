"""What is open in Exact Online against what is open here, every night: a payment that the feed passed over is found.

All open terms are asked for, 1,000 a call; those that are open here and not there are asked for by their id, paid or
not. What then differs goes on like any change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.odata import any_of, record
from pipeline.steps.deletions import AT_ONCE
from pipeline.steps.invoices import land_payment_terms
from pipeline.steps.landing import mark_of
from pipeline.warehouse import memory
from pipeline.warehouse.connection import only_one
from pipeline.warehouse.pending import queue
from pipeline.warehouse.tables import exact_online as tables
from pipeline.warehouse.writing import upsert

_PATH = "bulk/Cashflow/Receivables"
_NOT_THERE = {"Timestamp", "LineType"}  # fields that only the feed has
_COLUMNS = tuple(pair for pair in feeds.PAYMENT_TERMS.columns if pair[0] not in _NOT_THERE)
_SELECT = ",".join(field for field, _ in _COLUMNS)


@dataclass(frozen=True)
class Compared:
    """What a compare found: open terms in Exact, those that stood otherwise here, those gone, and the calls it took."""

    open: int
    corrected: int
    gone: int
    calls: int

    def figures(self) -> dict[str, int]:
        """What a materialisation shows of the compare."""
        return {"open": self.open, "corrected": self.corrected, "gone": self.gone, "exact_calls": self.calls}


def compare_open_terms(engine: Engine, client: ExactOnlineClient, administration: str) -> Compared:
    """Puts right what is open here; before the first reading of the feed there is nothing to compare."""
    calls, feed = client.calls, feeds.PAYMENT_TERMS
    with only_one(engine, f"{administration} {feed.name}"):
        with engine.connect() as connection:
            version = memory.watermark(connection, administration, mark_of(feed))
            known = connection.execute(text(_OPEN_HERE), {"administration": administration}).scalars().all()
        if version is None:
            return Compared(0, 0, 0, 0)
        as_of = {"administration": administration, "timestamp": int(version), "line_type": 20}
        there = [as_of | row for row in _terms(client, "IsFullyPaid eq false")]
        missing = sorted(set(known) - {row["id"] for row in there})
        asked = [
            as_of | row
            for start in range(0, len(missing), AT_ONCE)
            for row in _terms(client, any_of("ID", missing[start : start + AT_ONCE]))
        ]
        gone = sorted(set(missing) - {row["id"] for row in asked})
        with engine.begin() as tx:
            corrected = upsert(
                tx,
                tables.payment_terms,
                {row["id"]: row for row in [*there, *asked]}.values(),
                pending=("erp/receivables",),
                pending_key="id",
                ignoring=("timestamp",),
            )
            tx.execute(text(_FORGET), {"administration": administration, "gone": gone})
            queue(tx, ("erp/receivables",), administration, gone)
    return Compared(len(there), corrected, len(gone), client.calls - calls)


def land_or_compare(
    engine: Engine, client: ExactOnlineClient, administration: str, *, only_when_asked: bool, compare: bool
) -> tuple[int, dict[str, int]]:
    """Reads what changed, or compares what is open: how many terms changed here, and what a materialisation shows."""
    if compare:
        found = compare_open_terms(engine, client, administration)
        return found.corrected + found.gone, found.figures()
    landed = land_payment_terms(engine, client, administration, only_when_asked=only_when_asked)
    return landed.rows, {"exact_calls": landed.calls}


def _terms(client: ExactOnlineClient, asked: str) -> Iterator[dict[str, Any]]:
    for page in client.pages(_PATH, select=_SELECT, filter=asked):
        yield from (record(row, _COLUMNS) for row in page)


_OPEN_HERE = "SELECT receivable_id FROM erp.receivables WHERE administration = :administration AND NOT is_paid"
_FORGET = "DELETE FROM exact_online.payment_terms WHERE administration = :administration AND id = ANY(:gone)"
