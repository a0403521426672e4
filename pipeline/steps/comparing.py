"""Records read back from Pipedrive, all or those that changed: what this pipeline remembers of them is corrected.

What stands there differently from what was written waits for the ordinary difference; nothing is written here, apart
from taking out of the archive what an order of ours changed since.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import BudgetSpent, Full, HoldRow, RecordsGone
from pipeline.pipedrive.present import DEALS_AT_ONCE
from pipeline.steps.archive import OTHER_DEALS
from pipeline.steps.audit_memory import Seen, correct, deals_with_rows, lose, note_rows, unseen
from pipeline.steps.audit_rows import differing_rows, learn_rounding
from pipeline.steps.bookkeeping import RECORD_COLUMNS
from pipeline.steps.person_changes import without_those_for_the_erp
from pipeline.steps.refusals import deal_there, take_out
from pipeline.steps.writer import Writer
from pipeline.warehouse import memory


@dataclass
class Comparison:
    """What was read back, and what differed; `is_urgent` may use the tokens that are kept for live changes."""

    is_full: bool
    is_urgent: bool = False
    looked_at: Counter[str] = field(default_factory=Counter)  # records by table
    differing: set[tuple[str, str, str]] = field(default_factory=set)  # administration, table, key
    suspects: set[tuple[str, str]] = field(default_factory=set)  # deals whose rows may have been touched
    tried_again: set[tuple[str, str, str]] = field(default_factory=set)  # refused before, and there all the same
    fields: Counter[str] = field(default_factory=Counter)  # differences by field


def compare_all(writer: Writer, since: str | None, found: Comparison) -> None:
    """Every record that changed since then, or every one, against what was written; deals' rows too."""
    for kind in RECORD_COLUMNS:
        _compare(writer, kind, since, found)
    _find_the_gone(writer, since, found)
    _compare_rows(writer, found)


def _compare(writer: Writer, kind: str, since: str | None, found: Comparison) -> None:
    """Every record that changed against what was written."""
    seen: set[int] = set()
    others = 0
    for page in _pages(writer, f"/api/v2/{kind}", since, found):
        seen |= {int(record["id"]) for record in page}
        result = correct(writer, kind, without_those_for_the_erp(writer, page) if kind == "persons" else page)
        _take(found, kind, result)
        others += result.others
    if kind == "deals":
        for page in _pages(writer, "/api/v2/deals/archived", since, found):
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


def _pages(writer: Writer, path: str, since: str | None, found: Comparison) -> Iterator[list[dict[str, Any]]]:
    for page in writer.client.pages(path, **({"updated_since": since} if since else {})):
        yield page
        _leave_enough_for_live(writer, found)


def _leave_enough_for_live(writer: Writer, found: Comparison) -> None:
    if writer.client.ledger.may_spend(live=found.is_urgent) <= 0:
        raise BudgetSpent("Today's tokens for an audit are used up; the next one begins where a whole one ended.")


def _take(found: Comparison, kind: str, result: Seen) -> None:
    found.looked_at[kind] += result.ours
    found.suspects |= result.suspects
    found.tried_again |= result.tried_again
    for administration, key, name in result.drift:
        found.differing.add((administration, kind, key))
        found.fields[name] += 1


def _look_for_unseen(writer: Writer, kind: str, seen: set[int], found: Comparison) -> None:
    """Records that were linked and stand in no list: gone, or hidden from the token's user."""
    for administration, key, record_id in unseen(writer.engine, kind, seen):
        if writer.client.look(f"/api/v2/{kind}/{record_id}") is None:
            _lose(writer, found, (administration, kind, key), record_id)


def _find_the_gone(writer: Writer, since: str | None, found: Comparison) -> None:
    """Deals that were deleted since the last audit; a full one found them by their absence."""
    if since is None:
        return
    for page in writer.client.pages("/api/v2/deals", status="deleted", updated_since=since):
        for administration, key, record_id in unseen(
            writer.engine, "deals", set(), among=[int(one["id"]) for one in page]
        ):
            _lose(writer, found, (administration, "deals", key), record_id)


def _lose(writer: Writer, found: Comparison, record: tuple[str, str, str], record_id: int) -> None:
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


def _compare_rows(writer: Writer, found: Comparison) -> None:
    """Rows of the deals that somebody may have touched, against those that were written."""
    deals = deals_with_rows(writer.engine) if found.is_full else sorted(found.suspects)
    found.looked_at["deal_products"] += len(deals)
    for start in range(0, len(deals), DEALS_AT_ONCE):
        differing, values = differing_rows(writer, deals[start : start + DEALS_AT_ONCE])
        note_rows(writer.engine, differing, values)
        learn_rounding(writer, values)
        _leave_enough_for_live(writer, found)
        found.differing |= {(administration, "deal_products", key) for administration, key in differing}
        found.fields["rows"] += len(differing)
        found.fields["value"] += len(values)
