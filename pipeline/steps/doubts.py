"""Writes whose outcome nobody knows: looked up in Pipedrive before anything is tried again.

Deals' rows are looked up by `steps/write_rows.py`, when their turn comes.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from pipeline.errors import HoldRow
from pipeline.pipedrive import present
from pipeline.pipedrive.bodies import Body
from pipeline.steps.account import remember_found
from pipeline.steps.bookkeeping import RECORD_COLUMNS
from pipeline.steps.writer import Writer

# How long the search index may take to show a new record, and a request whose answer was lost to be carried out.
CATCHING_UP = timedelta(seconds=10)

_OPEN = """
SELECT administration, key, intended_at, body FROM pipedrive.intents WHERE kind = :kind ORDER BY intended_at
"""
_SETTLED = "DELETE FROM pipedrive.intents WHERE kind = :kind AND key = ANY(:keys)"


def settle_doubts(writer: Writer) -> None:
    """Links each record in doubt that is there; one that is not may be made again."""
    for kind in RECORD_COLUMNS:
        with writer.engine.connect() as connection:
            doubts = connection.execute(text(_OPEN), {"kind": kind}).all()
        if not doubts:
            continue
        bodies = {doubt.key: doubt.body for doubt in doubts}
        found = _listed(writer, kind, doubts[0].intended_at, bodies)
        if set(bodies) - {one.key for one in found}:
            wait_until_caught_up(max(doubt.intended_at for doubt in doubts))
            found = _listed(writer, kind, doubts[0].intended_at, bodies)
            for key in sorted(set(bodies) - {one.key for one in found}):
                found += _searched(writer, kind, key, bodies[key])
        remember_found(writer.engine, kind, found, writer.config, bodies)
        with writer.engine.begin() as tx:
            tx.execute(text(_SETTLED), {"kind": kind, "keys": list(bodies)})


def _listed(writer: Writer, kind: str, since: datetime, wanted: Mapping[str, Any]) -> list[present.Found]:
    listed = present.recorded(writer.client, writer.schema, kind, since=since)
    return [one for one in listed if one.key in wanted]


def _searched(writer: Writer, kind: str, key: str, body: Body) -> list[present.Found]:
    """The record by its key; where somebody deleted the field with the keys, a deal by its order number."""
    try:
        return present.searched(writer.client, writer.schema, kind, key)
    except HoldRow:
        if not writer.schema_was_mended():
            raise
    number = body["custom_fields"].get(writer.schema.fields.get(("deal", "Ordernummer"), ""))
    if kind != "deals" or not number:
        return []
    return present.numbered(writer.client, writer.schema, key, str(number), title=body["title"])


def wait_until_caught_up(newest: datetime) -> None:
    """Waits until what was sent at that moment shows, if it was carried out."""
    left = (newest + CATCHING_UP - datetime.now(UTC)).total_seconds()
    if left > 0:
        time.sleep(left)
