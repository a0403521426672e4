"""After a restore: what Pipedrive holds that the warehouse does not remember, read back before anything is written.

The backup is older than Pipedrive. Deals made since carry our keys and are linked, so that none is made twice; what was
changed, deleted or merged since is remembered as it stands now. The ordinary difference does the rest.
"""

import logging
from datetime import UTC, datetime

from sqlalchemy import Engine, text

from pipeline.pipedrive import present
from pipeline.steps.account import remember_found
from pipeline.steps.audit_memory import forget_drift
from pipeline.steps.bookkeeping import RECORD_COLUMNS
from pipeline.steps.comparing import Comparison, compare_all
from pipeline.steps.doubts import settle_doubts
from pipeline.steps.writer import Writer
from pipeline.warehouse import memory
from pipeline.warehouse.identity import note_up_to_date, was_put_back
from pipeline.warehouse.pending import QUEUED_AGAIN

AUDITED = "pipedrive audited until"
_LOG = logging.getLogger("pipeline")


def waits_for_reading_back(engine: Engine) -> bool:
    """Whether the next writing begins with reading everything back."""
    with engine.connect() as connection:
        return was_put_back(connection)


def read_back_if_restored(writer: Writer) -> None:
    """Reads back everything when the warehouse was put back from a backup; costs nothing otherwise.

    Raises BudgetSpent when the day's tokens don't reach for it: nothing is written before it was done.
    """
    if waits_for_reading_back(writer.engine):
        _LOG.info("the warehouse was put back from a backup: everything is read back from Pipedrive first")
        _read_back(writer)
    with writer.engine.begin() as tx:
        note_up_to_date(tx)


def _read_back(writer: Writer) -> None:
    began = datetime.now(UTC)
    writer.schema_was_mended()
    settle_doubts(writer)
    for kind in RECORD_COLUMNS:
        _link(writer, kind)
    compare_all(writer, None, Comparison(is_full=True, is_urgent=True))
    forget_drift(writer.engine)  # what differed was written by us, after the backup
    with writer.engine.begin() as tx:
        memory.note(tx, AUDITED, began.isoformat())


def _link(writer: Writer, kind: str) -> None:
    """Links what carries the key of a record that no other stands for, and lets it be written once more."""
    found = present.recorded(writer.client, writer.schema, kind)
    key, _ = RECORD_COLUMNS[kind]
    with writer.engine.connect() as connection:
        known = set(connection.execute(text(f"SELECT {key} FROM pipedrive.{kind}")).scalars())
    ours = [one for one in found if one.key not in known]
    remember_found(writer.engine, kind, ours, writer.config)
    with writer.engine.begin() as tx:
        tx.execute(text(_QUEUE[kind]), {"keys": [one.key for one in ours]})


_QUEUE = {
    kind: f"""
INSERT INTO state.pending (stage, administration, key)
SELECT 'pipedrive/{kind}', administration, {key} FROM pipedrive.{kind} JOIN crm.{kind} USING (administration, {key})
WHERE {key} = ANY(:keys) {QUEUED_AGAIN}
"""
    for kind, (key, _) in RECORD_COLUMNS.items()
}
