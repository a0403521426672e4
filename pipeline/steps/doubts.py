"""Writes whose outcome nobody knows: looked up in Pipedrive before anything is tried again.

Deals' rows are looked up by `steps/write_rows.py`, when their turn comes.
"""

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from pipeline.config import Config
from pipeline.pipedrive import present
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.schema import Schema
from pipeline.steps.account import remember_found
from pipeline.steps.bookkeeping import RECORD_COLUMNS

# How long the search index may take to show a new record, and a request whose answer was lost to be carried out.
CATCHING_UP = timedelta(seconds=10)

_OPEN = """
SELECT administration, key, intended_at, body FROM pipedrive.intents WHERE kind = :kind ORDER BY intended_at
"""
_SETTLED = "DELETE FROM pipedrive.intents WHERE kind = :kind AND key = ANY(:keys)"


def settle_doubts(engine: Engine, client: PipedriveClient, schema: Schema, config: Config) -> None:
    """Links each record in doubt that is there; one that is not may be made again."""
    for kind in RECORD_COLUMNS:
        with engine.connect() as connection:
            doubts = connection.execute(text(_OPEN), {"kind": kind}).all()
        if not doubts:
            continue
        bodies = {doubt.key: doubt.body for doubt in doubts}
        listed = present.recorded(client, schema, kind, since=doubts[0].intended_at)
        found = [one for one in listed if one.key in bodies]
        missing = set(bodies) - {one.key for one in found}
        if missing:
            wait_until_caught_up(max(doubt.intended_at for doubt in doubts))
            for key in sorted(missing):
                found += present.searched(client, schema, kind, key)
        remember_found(engine, kind, found, config, bodies)
        with engine.begin() as tx:
            tx.execute(text(_SETTLED), {"kind": kind, "keys": list(bodies)})


def wait_until_caught_up(newest: datetime) -> None:
    """Waits until what was sent at that moment shows, if it was carried out."""
    left = (newest + CATCHING_UP - datetime.now(UTC)).total_seconds()
    if left > 0:
        time.sleep(left)
