"""Writes whose outcome nobody knows: looked up in Pipedrive before anything is tried again.

Deals' rows are looked up by `steps/write_rows.py`, one deal at a time, when their turn comes.
"""

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from pipeline.config import Config
from pipeline.pipedrive import present
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.schema import Schema
from pipeline.steps.account import RECORD_COLUMNS, remember_found

INDEX_LAG = timedelta(seconds=10)  # how long the search index may take to show a new record

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
        found = {one.key: one for one in present.recorded(client, schema, kind, since=doubts[0].intended_at)}
        missing = [doubt.key for doubt in doubts if doubt.key not in found]
        if missing:
            _wait_for_the_index(max(doubt.intended_at for doubt in doubts))
            found |= {key: one for key in missing if (one := present.searched(client, schema, kind, key))}
        bodies = {doubt.key: doubt.body for doubt in doubts}
        remember_found(engine, kind, [one for key, one in found.items() if key in bodies], config, bodies)
        with engine.begin() as tx:
            tx.execute(text(_SETTLED), {"kind": kind, "keys": list(bodies)})


def _wait_for_the_index(newest: datetime) -> None:
    left = (newest + INDEX_LAG - datetime.now(UTC)).total_seconds()
    if left > 0:
        time.sleep(left)
