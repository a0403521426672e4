"""The rows of deals to Pipedrive: the cheapest way from what stands on a deal to what should.

Changing rows takes several requests, so an intent is committed before the first one; a deal whose rows are in doubt is
read before anything is added to it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from pipeline.domain.budget import add_batches, delete_batches
from pipeline.domain.deal_products import DealRow
from pipeline.domain.row_plan import WrittenRow, plan_rows
from pipeline.errors import BudgetSpent, HoldRow, OutcomeUnknown
from pipeline.pipedrive.bodies import row_body
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.parallel import Done, Outcome, overlapping
from pipeline.pipedrive.present import rows_of
from pipeline.steps.backlog import CHOSEN, Waiting, chosen
from pipeline.steps.bookkeeping import Refusal, intend
from pipeline.steps.doubts import wait_until_caught_up
from pipeline.steps.refusals import deal_there, missing_products, take_out
from pipeline.steps.reopening import note_rows_on_open_deals_only, reopen
from pipeline.steps.row_tasks import RowTask, row_tasks
from pipeline.steps.rows_there import recognised
from pipeline.steps.settling import settle
from pipeline.steps.writer import Writer
from pipeline.warehouse.pending import QUEUED_AGAIN
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.writing import remove, upsert

KIND = "deal_products"


@dataclass
class RowChunk:
    """Deals whose requests are under way."""

    waiting: Sequence[Waiting]
    refused: list[Refusal]
    outcomes: Iterator[Outcome[RowTask, list[WrittenRow]]]


def write_rows(writer: Writer, waiting: Sequence[Waiting], *, live: bool, progress: Callable[[int], None]) -> None:
    """Writes the rows of those deals, a chunk at a time; raises BudgetSpent when the tokens for it are used up."""

    def finish(chunk: RowChunk) -> None:
        outcomes = list(chunk.outcomes)
        remember = lambda tx, done: _remember(tx, writer, done)  # noqa: E731
        settle(writer, KIND, outcomes, chunk.refused, remember, begun_with=writer.schema)
        progress(len(chunk.waiting))

    overlapping(_affordable(writer, waiting, live=live), lambda prepared: _begin(writer, *prepared), finish)


Prepared = tuple[list[RowTask], list[Refusal]]


def _affordable(writer: Writer, waiting: Sequence[Waiting], *, live: bool) -> Iterator[Prepared]:
    """The deals in chunks, for as long as there are tokens for their rows and for the chunk still under way."""
    done, under_way = 0, 0
    while done < len(waiting):
        writer.make_way(live=live)
        deals = waiting[done : done + writer.chunk]
        tasks, refused = _prepared(writer, deals)
        tokens = writer.client.ledger.may_spend(live=live) - under_way
        fitting = _first_within(tasks, tokens)
        if len(fitting) < len(tasks) and under_way:
            under_way = 0
            yield [], []  # lets the chunk before be finished, after which its price is known
            continue
        under_way = sum(task.price for task in fitting)
        yield fitting, refused
        if len(fitting) < len(tasks):
            raise BudgetSpent("Today's tokens for this work are used up; what is left is kept for the next day.")
        done += len(deals)


def _begin(writer: Writer, tasks: list[RowTask], refused: list[Refusal]) -> RowChunk:
    writer.still_locked()
    with writer.engine.begin() as tx:
        intend(tx, KIND, ((task.waiting, None) for task in tasks if task.price))
    outcomes = writer.workers.begin(lambda task: _send(writer, task), tasks)
    return RowChunk([task.waiting for task in tasks], refused, outcomes)


def _first_within(tasks: Sequence[RowTask], tokens: int) -> list[RowTask]:
    """The first of them whose rows fit into the tokens."""
    fitting = []
    for task in tasks:
        tokens -= task.price
        if tokens < 0:
            break
        fitting.append(task)
    return fitting


def _prepared(writer: Writer, chunk: Sequence[Waiting]) -> Prepared:
    """What each deal's rows take; those in doubt are read first, and what needs a missing product is refused."""
    with writer.engine.connect() as connection:
        tasks = row_tasks(connection, chunk)
    refused: list[Refusal] = [
        (task.waiting, task.number, "one of its products is not in Pipedrive, see why that was refused")
        for task in tasks
        if None in task.products.values()
    ]
    ready = [task for task in tasks if None not in task.products.values()]
    _read_those_in_doubt(writer.client, ready)
    for task in ready:
        task.plan = plan_rows(task.written, task.wanted)
    return ready, refused


def _read_those_in_doubt(client: PipedriveClient, tasks: Sequence[RowTask]) -> None:
    in_doubt = {task.deal_id: task for task in tasks if task.in_doubt_since}
    if in_doubt:
        wait_until_caught_up(max(task.in_doubt_since for task in in_doubt.values() if task.in_doubt_since))
        for deal_id, there in rows_of(client, list(in_doubt)).items():
            task = in_doubt[deal_id]
            task.written = recognised(there, task.written, task.wanted, task.products)


def _send(writer: Writer, task: RowTask) -> list[WrittenRow]:
    """Writes the deal's rows; a refusal that has a reason in Pipedrive itself is met once."""
    if task.is_archived and task.price:
        take_out(writer.client, task.deal_id)
    if task.is_closed and task.price and writer.opens_for_rows:
        reopen(writer, task.waiting, task.deal_id)
    try:
        return _carried_out(writer.client, task)
    except HoldRow:
        if not _can_be_met(writer, task):
            raise
        rows = _carried_out(writer.client, task)
        if task.was_reopened:
            note_rows_on_open_deals_only(writer)
        return rows


def _can_be_met(writer: Writer, task: RowTask) -> bool:
    """Whether the rows may be written now; raises RecordsGone when the deal or one of the products is not there."""
    client, before = writer.client, [row.attachment_id for row in task.written]
    deal = deal_there(client, writer.schema, key=task.waiting.key, deal_id=task.deal_id)
    missing_products(client, task.products)
    there = rows_of(client, [task.deal_id])[task.deal_id]
    as_known = not deal.get("is_archived") and before == [int(row["id"]) for row in there]
    if as_known and deal["status"] == "open":
        return False
    if as_known:
        reopen(writer, task.waiting, task.deal_id)
        task.was_reopened = True
    task.written = recognised(there, task.written, task.wanted, task.products)
    task.plan = plan_rows(task.written, task.wanted)
    return True


def _carried_out(client: PipedriveClient, task: RowTask) -> list[WrittenRow]:
    """Carries out the deal's plan and returns the rows it has then."""
    path = f"/api/v2/deals/{task.deal_id}/products"
    task.begun = task.begun or task.price > 0
    for attachment_id, before, after in task.plan.change:
        client.patch(f"{path}/{attachment_id}", _changed(before, after, task))
    for batch in delete_batches(task.plan.remove):
        if len(batch) == 1:
            client.delete(f"{path}/{batch[0]}")
        else:
            client.delete(path, ids=",".join(map(str, batch)))
    added = _added(client, path, task)
    return _standing(task, added)


def _added(client: PipedriveClient, path: str, task: RowTask) -> list[WrittenRow]:
    added: list[WrittenRow] = []
    left = list(task.plan.add)
    for size in add_batches(len(left)):
        rows, left = left[:size], left[size:]
        bodies = [row_body(row, task.products[row.product_key]) for row in rows]
        answers = [client.post(path, bodies[0])] if size == 1 else client.post(f"{path}/bulk", {"data": bodies})
        added += [WrittenRow(attachment_id, row) for attachment_id, row in zip(_ids(answers, size), rows, strict=True)]
    return added


def _ids(answers: Any, size: int) -> list[int]:
    """The ids of new rows; raises OutcomeUnknown when the answer does not give one for each."""
    rows = [row for row in answers if isinstance(row, dict) and "id" in row] if isinstance(answers, list) else []
    if len(rows) != size:
        raise OutcomeUnknown(f"Pipedrive answered {size} new rows with {len(rows)} ids")
    return [int(row["id"]) for row in rows]


def _standing(task: RowTask, added: list[WrittenRow]) -> list[WrittenRow]:
    changed = {attachment_id: after for attachment_id, _, after in task.plan.change}
    kept = [row for row in task.written if row.attachment_id not in task.plan.remove]
    return [WrittenRow(row.attachment_id, changed.get(row.attachment_id, row.row)) for row in kept] + added


def _changed(before: DealRow, after: DealRow, task: RowTask) -> dict[str, Any]:
    now = row_body(after, task.products[after.product_key])
    if before.product_key != after.product_key:
        return now
    was = row_body(before, now["product_id"])
    return {name: value for name, value in now.items() if value != was[name]}


def _remember(tx: Connection, writer: Writer, done: Sequence[Done[RowTask, list[WrittenRow]]]) -> None:
    gone, rows = [], []
    for outcome in done:
        task, there = outcome.item, outcome.result
        key = {"administration": task.waiting.administration, "order_id": task.waiting.key}
        kept = {row.row.row_key for row in there}
        gone += [{**key, "row_key": row_key} for row_key in task.known_keys - kept]
        rows += [
            {**key, "attachment_id": row.attachment_id, "position": position, **vars(row.row)}
            for position, row in enumerate(there, start=1)
        ]
    remove(tx, tables.deal_products, gone)
    upsert(tx, tables.deal_products, rows)
    written = [outcome.item.waiting for outcome in done if outcome.item.begun]
    if written:
        tx.execute(text(_ROWS_WRITTEN), chosen(entry.record for entry in written))
    empty = [outcome.item.waiting for outcome in done if outcome.item.is_open_ended and not outcome.result]
    writer.report.again += _value_anew(tx, empty) if empty else 0
    tally = writer.report.tallies[KIND]
    tally.created += sum(len(outcome.item.plan.add) for outcome in done)
    tally.updated += sum(len(outcome.item.plan.change) for outcome in done)


def _value_anew(tx: Connection, deals: Sequence[Waiting]) -> int:
    """Lets the value of deals that have no rows any more be written: without them it is the order's, not their sum."""
    return tx.execute(text(_EMPTIED), chosen(entry.record for entry in deals)).rowcount


_ROWS_WRITTEN = f"""
UPDATE pipedrive.deals AS deal SET rows_written_at = now(), is_archived = false FROM {CHOSEN}
WHERE chosen.administration = deal.administration AND chosen.key = deal.order_id
"""
_EMPTIED = f"""
WITH emptied AS (
    UPDATE pipedrive.deals AS deal SET written = written - 'value' FROM {CHOSEN}
    WHERE chosen.administration = deal.administration AND chosen.key = deal.order_id AND deal.written IS NOT NULL
    RETURNING deal.administration, deal.order_id)
INSERT INTO state.pending (stage, administration, key)
SELECT 'pipedrive/deals', administration, order_id FROM emptied {QUEUED_AGAIN}
"""
