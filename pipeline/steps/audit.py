"""Reads back from Pipedrive what people changed there, and lets the ERP's fields and rows be put right.

An audit only corrects what this pipeline remembers of Pipedrive; the ordinary difference then writes the repairs.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from pipeline.config import Config
from pipeline.steps.apply import Connect, carry_out, raise_what_stays_undone, with_writer
from pipeline.steps.audit_memory import forget_drift
from pipeline.steps.bookkeeping import RECORD_COLUMNS
from pipeline.steps.comparing import Comparison, compare_all
from pipeline.steps.doubts import settle_doubts
from pipeline.steps.outcomes import Report
from pipeline.steps.read_back import AUDITED
from pipeline.steps.writer import Access, Writer, the_only_writer
from pipeline.warehouse import memory

_CLOCKS_APART = timedelta(minutes=5)  # how far our clock and Pipedrive's may differ


@dataclass
class Audit(Comparison):
    """What an audit found, and what came of it."""

    report: Report = field(default_factory=Report)

    def as_dict(self, seconds: float) -> dict[str, Any]:
        """The JSON object of `pipeline audit --json`."""
        found = Counter(kind for _, kind, _ in self.differing)
        kinds = (*RECORD_COLUMNS, "deal_products")
        return {
            **{kind: {"looked_at": self.looked_at[kind], "differing": found[kind]} for kind in kinds},
            "differences": dict(self.fields),
            "written": {kind: self.report.changed(kind) for kind in kinds},
            "pipedrive_tokens": self.report.tokens,
            "full": self.is_full,
            "seconds": round(seconds, 2),
        }


def audit(engine: Engine, connect: Connect, config: Config, *, full: bool, daily_tokens: int) -> Audit:
    """Compares what changed in Pipedrive since the last audit, or everything, and writes the repairs.

    After a restore everything was just read back, so nothing differs: what the ERP said at the backup's time is not
    put back, and the next synchronisation writes what it says now.
    """
    found = Audit(full)
    with the_only_writer(engine) as still_locked:
        access = Access(engine, connect, config, daily_tokens, still_locked)
        with_writer(access, found.report, lambda writer: _audit(writer, found))
    raise_what_stays_undone(found.report)
    return found


def _audit(writer: Writer, found: Audit) -> None:
    began = datetime.now(UTC)
    since = None if found.is_full else _since(writer.engine)
    settle_doubts(writer)
    schema_changed = writer.schema_was_mended()
    forget_drift(writer.engine)
    compare_all(writer, since, found)
    with writer.engine.begin() as tx:
        memory.note(tx, AUDITED, began.isoformat())  # whatever is to be repaired is queued
    with_deals = {(name, "deals", key) for name, kind, key in found.differing if kind == "deal_products"}
    carry_out(writer, None if schema_changed else found.differing | with_deals | found.tried_again)


def _since(engine: Engine) -> str | None:
    with engine.connect() as connection:
        mark = memory.recall(connection, AUDITED)
    return (datetime.fromisoformat(mark) - _CLOCKS_APART).strftime("%Y-%m-%dT%H:%M:%SZ") if mark else None
