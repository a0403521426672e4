"""Deals that are won or lost make room for new ones: the oldest go into Pipedrive's archive, out of the plan's cap.

Off unless `archive_after_months` or `deal_cap` is set. With a cap only as many go as new deals need.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from pipeline.domain.budget import WRITE
from pipeline.errors import HoldRow
from pipeline.pipedrive.parallel import Done
from pipeline.steps.ledger_book import book
from pipeline.steps.writer import Writer
from pipeline.warehouse import memory

OTHER_DEALS = "deals of others in pipedrive"  # as the last full audit counted them
_ALL = 1_000_000
_CHUNK = 64


@dataclass(frozen=True)
class Room:
    """How many deals stand outside the archive, and how many may."""

    standing: int
    cap: int

    @property
    def is_short(self) -> bool:
        """Whether nine tenths of it are taken."""
        return self.standing >= 0.9 * self.cap


def room(connection: Connection, cap: int) -> Room:
    """How full an account with that cap is, as far as this pipeline knows."""
    ours = connection.execute(text("SELECT count(*) FROM pipedrive.deals WHERE NOT is_archived")).scalar_one()
    return Room(ours + (memory.recall(connection, OTHER_DEALS) or 0), cap)


def make_room(writer: Writer, *, live: bool) -> None:
    """Archives as many old deals as the new ones of this lane need."""
    cap = writer.config.pipedrive.deal_cap
    if cap is None:
        return
    with writer.engine.connect() as connection:
        coming = connection.execute(text(_COMING), {"live": live}).scalar_one()
        needed = room(connection, cap).standing + coming - cap if coming else 0
    _archive(writer, needed, live=live)


def archive_old(writer: Writer) -> None:
    """Archives every deal that is old enough, where no cap says how many have to go."""
    settings = writer.config.pipedrive
    if settings.archive_after_months is not None and settings.deal_cap is None:
        _archive(writer, _ALL, live=False)


def _archive(writer: Writer, wanted: int, *, live: bool) -> None:
    most = min(wanted, writer.client.ledger.may_spend(live=live) // WRITE)
    if most <= 0:
        return
    of = {"months": writer.config.pipedrive.archive_after_months, "most": most}
    with writer.engine.connect() as connection:
        refused = memory.recall(connection, _REFUSED_ON) == _today()
        deals = [] if refused else [row.deal_id for row in connection.execute(text(_OLDEST), of)]
    for start in range(0, len(deals), _CHUNK):
        outcomes = list(writer.workers.begin(lambda deal: _put_away(writer, deal), deals[start : start + _CHUNK]))
        away = [outcome.item for outcome in outcomes if isinstance(outcome, Done)]
        with writer.engine.begin() as tx:
            tx.execute(text(_AWAY), {"deals": away})
            if not away:
                memory.note(tx, _REFUSED_ON, _today())
            book(tx, writer.client.ledger)
        if writer.workers.stopped_by:
            raise writer.workers.stopped_by
        if not away:
            return


def _put_away(writer: Writer, deal_id: int) -> None:
    """Archives the deal; one that was archived or deleted by hand is out of the way already."""
    try:
        writer.client.patch(f"/api/v2/deals/{deal_id}", {"is_archived": True})
    except HoldRow:
        there = writer.client.look(f"/api/v2/deals/{deal_id}")
        if there is not None and not there.get("is_archived"):
            raise


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


_REFUSED_ON = "pipedrive refused to archive on"  # that day no further deal is tried
_AWAY = "UPDATE pipedrive.deals SET is_archived = true WHERE deal_id = ANY(:deals)"
_COMING = """
SELECT count(*) FROM state.pending AS waiting
JOIN crm.deals AS wanted ON wanted.administration = waiting.administration AND wanted.order_id = waiting.key
WHERE waiting.stage = 'pipedrive/deals' AND wanted.is_live = :live AND NOT wanted.is_deleted
    AND NOT EXISTS (SELECT FROM pipedrive.deals AS there
        WHERE there.administration = waiting.administration AND there.order_id = waiting.key)
"""
_OLDEST = """
SELECT there.deal_id FROM pipedrive.deals AS there
JOIN crm.deals AS wanted ON wanted.administration = there.administration AND wanted.order_id = there.order_id
WHERE NOT there.is_archived AND wanted.status <> 'open' AND there.written ->> 'status' = wanted.status
    AND (CAST(:months AS integer) IS NULL OR wanted.order_date < CURRENT_DATE - make_interval(months => :months))
    AND NOT EXISTS (SELECT FROM state.pending AS waiting WHERE waiting.administration = there.administration
        AND waiting.key = there.order_id AND waiting.stage IN ('pipedrive/deals', 'pipedrive/deal_products'))
    AND NOT EXISTS (SELECT FROM pipedrive.intents AS doubt WHERE doubt.administration = there.administration
        AND doubt.key = there.order_id)
    AND NOT EXISTS (SELECT FROM pipedrive.rejected AS refused WHERE refused.administration = there.administration
        AND refused.key = there.order_id)
ORDER BY wanted.order_date NULLS FIRST, wanted.order_number LIMIT :most
"""
