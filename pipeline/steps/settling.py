"""What came of requests, remembered in one transaction, and what becomes of those that were not carried out."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from pipeline.errors import PipelineError, RefusedAlike
from pipeline.pipedrive.parallel import Done, InDoubt, Outcome, Paused, Refused, Stale
from pipeline.pipedrive.schema import Schema
from pipeline.steps.backlog import Waiting
from pipeline.steps.bookkeeping import (
    Refusal,
    forget_gone,
    forget_intents,
    forget_waiting,
    note_done,
    note_refusals,
    take_back,
)
from pipeline.steps.ledger_book import book
from pipeline.steps.writer import Writer


class Writable(Protocol):
    """Something one or more requests write."""

    @property
    def waiting(self) -> Waiting: ...
    @property
    def number(self) -> str: ...
    @property
    def is_open_ended(self) -> bool:
        """Whether requests for it may have been carried out although its outcome says otherwise."""
        ...


Item = TypeVar("Item", bound=Writable)
Result = TypeVar("Result")


def settle(
    writer: Writer,
    kind: str,
    outcomes: Sequence[Outcome[Item, Result]],
    refused_before: Sequence[Refusal],
    remember: Callable[[Connection, Sequence[Done[Item, Result]]], None],
    *,
    begun_with: Schema,
    is_whole: Callable[[Done[Item, Result]], bool] = lambda _: True,
) -> None:
    """Remembers outcomes, then raises what stopped the work, if anything did.

    What was refused waits on when the account's schema turns out to be another one than it was written with, or when
    it was refused like all the others: then the mistake is not in the record.
    """
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    stale = [outcome for outcome in outcomes if isinstance(outcome, Stale)]
    settled = [(outcome.item.waiting, is_whole(outcome)) for outcome in done]
    with writer.engine.begin() as tx:
        remember(tx, done)
        note_done(tx, kind, settled)
        for outcome in stale:
            forget_gone(tx, outcome.item.waiting.administration, outcome.gone)
        book(tx, writer.client.ledger)
    writer.adopts_again |= any(outcome.gone.kind == "organizations" for outcome in stale)
    lost = [outcome for outcome in stale if outcome.gone.kind == "deals" and not outcome.gone.successor]
    refused, again = _refused(writer, outcomes, begun_with)
    refused += [*refused_before, *((one.item.waiting, one.item.number, str(one.gone)) for one in lost)]
    _hold(writer, kind, outcomes, refused)
    in_part = sum(not whole for _, whole in settled)
    _report(writer, outcomes, again=len(stale) - len(lost) + in_part + again)
    if writer.workers.stopped_by:
        raise writer.workers.stopped_by


def _hold(writer: Writer, kind: str, outcomes: Iterable[Outcome[Any, Any]], refused: Sequence[Refusal]) -> None:
    """Refusals that stand are kept where a person sees them; whose outcome is known is no longer in doubt."""
    closed = _closed(outcomes)
    if not closed and not refused and not writer.workers.stopped_by:
        return
    with writer.engine.begin() as tx:
        forget_intents(tx, kind, closed)
        forget_waiting(tx, kind, [entry for entry, *_ in refused])
        note_refusals(tx, kind, refused)
        if isinstance(writer.workers.stopped_by, RefusedAlike):
            take_back(tx, kind, str(writer.workers.stopped_by))


def _refused(writer: Writer, outcomes: Iterable[Outcome[Any, Any]], begun_with: Schema) -> tuple[list[Refusal], int]:
    """The refusals that stand, and how many records are to be tried again."""
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    stopped = writer.workers.stopped_by
    if refused and (writer.schema is not begun_with or (_may_be_schema(stopped) and writer.schema_was_mended())):
        writer.workers.resume()
        return [], len(refused)
    if isinstance(stopped, RefusedAlike):
        refused = [outcome for outcome in refused if outcome.reason not in str(stopped)]
    return [(outcome.item.waiting, outcome.item.number, outcome.reason) for outcome in refused], 0


def _may_be_schema(stopped: PipelineError | None) -> bool:
    return stopped is None or isinstance(stopped, RefusedAlike)


def _closed(outcomes: Iterable[Outcome[Item, Any]]) -> list[Waiting]:
    """What surely was not carried out: an intent of theirs is done with."""
    return [
        outcome.item.waiting
        for outcome in outcomes
        if not isinstance(outcome, InDoubt | Done) and not outcome.item.is_open_ended
    ]


def _report(writer: Writer, outcomes: Iterable[Outcome[Any, Any]], *, again: int) -> None:
    report = writer.report
    report.again += again
    for outcome in outcomes:
        report.in_doubt += isinstance(outcome, InDoubt)
        if isinstance(outcome, Paused):
            report.paused = outcome.reason
