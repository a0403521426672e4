"""Reads back from Pipedrive what people changed there, and lets the ERP's fields and rows be put right.

An audit only corrects what this pipeline remembers of Pipedrive; the ordinary difference then writes the repairs.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from pipeline.config import Config
from pipeline.errors import BudgetSpent, Full, HoldRow, RecordsGone
from pipeline.pipedrive.present import DEALS_AT_ONCE
from pipeline.steps.apply import Connect, carry_out, raise_what_stays_undone, with_writer
from pipeline.steps.archive import OTHER_DEALS
from pipeline.steps.audit_memory import Seen, correct, deals_with_rows, forget_drift, lose, note_rows, unseen
from pipeline.steps.audit_rows import differing_rows, learn_rounding
from pipeline.steps.bookkeeping import RECORD_COLUMNS
from pipeline.steps.doubts import settle_doubts
from pipeline.steps.outcomes import Report
from pipeline.steps.person_changes import without_those_for_the_erp
from pipeline.steps.refusals import deal_there, take_out
from pipeline.steps.writer import Access, Writer, the_only_writer
from pipeline.warehouse import memory

_MARK = "pipedrive audited until"
_CLOCKS_APART = timedelta(minutes=5)  # how far our clock and Pipedrive's may differ


@dataclass
class Audit:
    """What an audit found, and what came of it."""

    is_full: bool
    looked_at: Counter[str] = field(default_factory=Counter)  # records by table
    differing: set[tuple[str, str, str]] = field(default_factory=set)  # administration, table, key
    suspects: set[tuple[str, str]] = field(default_factory=set)  # deals whose rows may have been touched
    tried_again: set[tuple[str, str, str]] = field(default_factory=set)  # refused before, and there all the same
    fields: Counter[str] = field(default_factory=Counter)  # differences by field
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
    """Compares what changed in Pipedrive since the last audit, or everything, and writes the repairs."""
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
    for kind in RECORD_COLUMNS:
        _compare(writer, kind, since, found)
    _find_the_gone(writer, since, found)
    _compare_rows(writer, found)
    with writer.engine.begin() as tx:
        memory.note(tx, _MARK, began.isoformat())  # whatever is to be repaired is queued
    with_deals = {(name, "deals", key) for name, kind, key in found.differing if kind == "deal_products"}
    carry_out(writer, None if schema_changed else found.differing | with_deals | found.tried_again)


def _since(engine: Engine) -> str | None:
    with engine.connect() as connection:
        mark = memory.recall(connection, _MARK)
    return (datetime.fromisoformat(mark) - _CLOCKS_APART).strftime("%Y-%m-%dT%H:%M:%SZ") if mark else None


def _compare(writer: Writer, kind: str, since: str | None, found: Audit) -> None:
    """Every record that changed against what was written."""
    seen: set[int] = set()
    others = 0
    for page in _pages(writer, f"/api/v2/{kind}", since):
        seen |= {int(record["id"]) for record in page}
        result = correct(writer, kind, without_those_for_the_erp(writer, page) if kind == "persons" else page)
        _take(found, kind, result)
        others += result.others
    if kind == "deals":
        for page in _pages(writer, "/api/v2/deals/archived", since):
            result = correct(writer, kind, page)
            _take(found, kind, result)
            seen |= {int(record["id"]) for record in page}
            for deal_id in result.archived_too_early:
                with suppress(HoldRow, Full):  # deleted since, or no room: it waits in the archive
                    take_out(writer.client, deal_id)
    if since is None:
        _look_for_unseen(writer, kind, seen, found)
    if since is None and kind == "deals":
        with writer.engine.begin() as tx:
            memory.note(tx, OTHER_DEALS, others)


def _pages(writer: Writer, path: str, since: str | None) -> Iterator[list[dict[str, Any]]]:
    for page in writer.client.pages(path, **({"updated_since": since} if since else {})):
        yield page
        _leave_enough_for_live(writer)


def _leave_enough_for_live(writer: Writer) -> None:
    if writer.client.ledger.may_spend(live=False) <= 0:
        raise BudgetSpent("Today's tokens for an audit are used up; the next one begins where a whole one ended.")


def _take(found: Audit, kind: str, result: Seen) -> None:
    found.looked_at[kind] += result.ours
    found.suspects |= result.suspects
    found.tried_again |= result.tried_again
    for administration, key, name in result.drift:
        found.differing.add((administration, kind, key))
        found.fields[name] += 1


def _look_for_unseen(writer: Writer, kind: str, seen: set[int], found: Audit) -> None:
    """Records that were linked and stand in no list: gone, or hidden from the token's user."""
    for administration, key, record_id in unseen(writer.engine, kind, seen):
        if writer.client.look(f"/api/v2/{kind}/{record_id}") is None:
            _lose(writer, found, (administration, kind, key), record_id)


def _find_the_gone(writer: Writer, since: str | None, found: Audit) -> None:
    """Deals that were deleted since the last audit; a full one found them by their absence."""
    if since is None:
        return
    for page in writer.client.pages("/api/v2/deals", status="deleted", updated_since=since):
        for administration, key, record_id in unseen(
            writer.engine, "deals", set(), among=[int(one["id"]) for one in page]
        ):
            _lose(writer, found, (administration, "deals", key), record_id)


def _lose(writer: Writer, found: Audit, record: tuple[str, str, str], record_id: int) -> None:
    administration, kind, key = record
    gone = RecordsGone(f"{kind[:-1]} {record_id} is no longer in Pipedrive", kind=kind, keys=[key])
    if kind == "deals":
        try:
            deal_there(writer.client, writer.schema, key=key, deal_id=record_id)
            return
        except RecordsGone as deal_gone:
            gone = deal_gone
    lose(writer.engine, administration, gone, record_id)
    found.differing |= {record, (administration, "deal_products", key)} if gone.successor else {record}
    found.fields["deleted"] += 1


def _compare_rows(writer: Writer, found: Audit) -> None:
    """Rows of the deals that somebody may have touched, against those that were written."""
    deals = deals_with_rows(writer.engine) if found.is_full else sorted(found.suspects)
    found.looked_at["deal_products"] += len(deals)
    for start in range(0, len(deals), DEALS_AT_ONCE):
        differing, values = differing_rows(writer, deals[start : start + DEALS_AT_ONCE])
        note_rows(writer.engine, differing, values)
        learn_rounding(writer, values)
        _leave_enough_for_live(writer)
        found.differing |= {(administration, "deal_products", key) for administration, key in differing}
        found.fields["rows"] += len(differing)
        found.fields["value"] += len(values)
