"""Two records for one of ours: the oldest is kept, the others are reported, and a deal among them is closed.

It should never happen; it does where people copy a deal in Pipedrive, or another tool wrote there before.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, text

from pipeline.errors import HoldRow
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.present import Found
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.writing import upsert

Duplicate = tuple[str, Found, Found]  # administration, the record too many, the one that is kept

_OPEN = "SELECT record_id, kept_id FROM pipedrive.duplicates WHERE kind = 'deals' AND closed_at IS NULL"
_CLOSED = "UPDATE pipedrive.duplicates SET closed_at = now() WHERE kind = 'deals' AND record_id = :record_id"


def note_duplicates(tx: Connection, kind: str, found: Sequence[Duplicate]) -> None:
    """Reports them; nothing feeds them any more."""
    rows = [
        {
            "administration": administration,
            "kind": kind,
            "record_id": one.record_id,
            "key": one.key,
            "kept_id": kept.record_id,
            "found_at": datetime.now(UTC),
        }
        for administration, one, kept in found
    ]
    upsert(tx, tables.duplicates, rows, keeping=("kept_id", "found_at"))


def close_duplicates(engine: Engine, client: PipedriveClient) -> int:
    """Closes the deals among them as lost, and says how many; one that takes no edits any more is closed already."""
    with engine.connect() as connection:
        duplicates = connection.execute(text(_OPEN)).all()
    for duplicate in duplicates:
        reason = f"Dubbel van deal {duplicate.kept_id}"
        with suppress(HoldRow):  # it was deleted or archived by hand meanwhile
            client.patch(f"/api/v2/deals/{duplicate.record_id}", {"status": "lost", "lost_reason": reason})
        with engine.begin() as tx:
            tx.execute(text(_CLOSED), {"record_id": duplicate.record_id})
    return len(duplicates)
