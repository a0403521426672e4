"""The rows of deals to Pipedrive: the cheapest way from what stands on a deal to what should.

Changing rows takes several requests, so an intent is committed before the first one; a deal whose rows are in doubt is
read before anything is added to it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from pipeline.domain.budget import READ_LIST, WRITE, add_batches, delete_batches
from pipeline.domain.deal_products import DealRow
from pipeline.domain.row_plan import RowPlan, WrittenRow, plan_rows
from pipeline.errors import BudgetSpent
from pipeline.pipedrive.bodies import row_body
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.parallel import Done, InDoubt, NotSent, Outcome, Refused, overlapping
from pipeline.pipedrive.present import rows_of
from pipeline.steps.backlog import Waiting
from pipeline.steps.write_records import (
    Writer,
    forget_intents,
    forget_refusals,
    forget_waiting,
    note_refusals,
    stop_if_stopped,
)
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.writing import remove, upsert

KIND = "deal_products"
CHUNK = 64  # deals


@dataclass
class RowTask:
    """The rows of one deal; `begun` once a request for it was sent, from when on they are in doubt."""

    waiting: Waiting
    number: str
    deal_id: int
    value: float
    is_in_doubt: bool
    wanted: list[DealRow]
    written: list[WrittenRow]
    products: dict[str, int]
    plan: RowPlan = field(default_factory=RowPlan)
    begun: bool = False

    @property
    def price(self) -> int:
        """Tokens it takes, as far as they are known before a deal in doubt is read."""
        emptied = WRITE if self.written and not self.wanted else 0
        return self.plan.price + emptied + (READ_LIST if self.is_in_doubt else 0)


@dataclass
class RowChunk:
    """Deals whose requests are under way."""

    waiting: Sequence[Waiting]
    refused: list[tuple[Waiting, str, str]]
    outcomes: Iterator[Outcome[RowTask, list[WrittenRow]]]


def write_rows(writer: Writer, waiting: Sequence[Waiting], *, live: bool, progress: Callable[[int], None]) -> None:
    """Writes the rows of those deals, a chunk at a time; raises BudgetSpent when the tokens for it are used up."""

    def finish(chunk: RowChunk) -> None:
        outcomes = list(chunk.outcomes)
        with writer.engine.begin() as tx:
            _settle(tx, writer, outcomes, chunk.refused)
        stop_if_stopped(outcomes)
        progress(len(outcomes))

    overlapping(_affordable(writer, waiting, live=live), lambda chosen: _begin(writer, *chosen), finish)


Prepared = tuple[list[RowTask], list[tuple[Waiting, str, str]]]


def _affordable(writer: Writer, waiting: Sequence[Waiting], *, live: bool) -> Iterator[Prepared]:
    """The deals in chunks, for as long as there are tokens for their rows and for the chunk still under way."""
    done, under_way = 0, 0
    while done < len(waiting):
        with writer.engine.connect() as connection:
            tasks, refused = _tasks(connection, waiting[done : done + CHUNK])
        tokens = writer.client.ledger.may_spend(live=live) - under_way
        chosen = _first_within(tasks, tokens)
        if len(chosen) < len(tasks) and under_way:
            under_way = 0
            yield [], []  # lets the chunk before be finished, after which its price is known
            continue
        under_way = sum(task.price for task in chosen)
        yield chosen, refused
        if len(chosen) < len(tasks):
            raise BudgetSpent("Today's tokens for this work are used up; what is left is kept for the next day.")
        done += CHUNK


def _begin(writer: Writer, tasks: list[RowTask], refused: list[tuple[Waiting, str, str]]) -> RowChunk:
    with writer.engine.begin() as tx:
        _intend(tx, [task for task in tasks if task.price])
    outcomes = writer.workers.begin(lambda task: _send(writer.client, task), tasks)
    return RowChunk([task.waiting for task in tasks], refused, outcomes)


def _first_within(tasks: Sequence[RowTask], tokens: int) -> list[RowTask]:
    """The first of them whose rows fit into the tokens."""
    chosen = []
    for task in tasks:
        tokens -= task.price
        if tokens < 0:
            break
        chosen.append(task)
    return chosen


def _tasks(tx: Connection, chunk: Sequence[Waiting]) -> tuple[list[RowTask], list[tuple[Waiting, str, str]]]:
    parameters = {"administrations": [entry.administration for entry in chunk], "keys": [entry.key for entry in chunk]}
    by_key = {(entry.administration, entry.key): entry for entry in chunk}
    tasks: dict[tuple[str, str], RowTask] = {}
    for deal in tx.execute(text(_DEALS), parameters):
        key = (deal.administration, deal.order_id)
        tasks[key] = RowTask(
            by_key[key], deal.order_number, deal.deal_id, float(deal.value), deal.is_in_doubt, [], [], {}
        )
    for row in tx.execute(text(_WANTED), parameters):
        if task := tasks.get((row.administration, row.order_id)):
            task.wanted.append(DealRow(row.row_key, row.product_key, row.quantity, row.item_price, row.comments))
            task.products[row.product_key] = row.product_id
    for row in tx.execute(text(_WRITTEN), parameters):
        if task := tasks.get((row.administration, row.order_id)):
            there = DealRow(row.row_key, row.product_key, row.quantity, row.item_price, row.comments)
            task.written.append(WrittenRow(row.attachment_id, there))
    ready, refused = [], []
    for task in tasks.values():
        if any(product_id is None for product_id in task.products.values()):
            refused.append(
                (task.waiting, task.number, "one of its products is not in Pipedrive, see why that was refused")
            )
        else:
            task.plan = plan_rows(task.written, task.wanted)
            ready.append(task)
    order = {(entry.administration, entry.key): place for place, entry in enumerate(chunk)}
    ready.sort(key=lambda task: order[task.waiting.administration, task.waiting.key])
    return ready, refused


def _send(client: PipedriveClient, task: RowTask) -> list[WrittenRow]:
    """Carries out the deal's plan and returns the rows it has then."""
    path = f"/api/v2/deals/{task.deal_id}/products"
    had_rows = bool(task.written)
    if task.is_in_doubt:
        task.written = _recognised(rows_of(client, task.deal_id), task)
        task.plan = plan_rows(task.written, task.wanted)
        had_rows = had_rows or bool(task.written)
    task.begun = True
    for attachment_id, before, after in task.plan.change:
        client.patch(f"{path}/{attachment_id}", _changed(before, after, task))
    for batch in delete_batches(task.plan.remove):
        if len(batch) == 1:
            client.delete(f"{path}/{batch[0]}")
        else:
            client.delete(path, ids=",".join(map(str, batch)))
    added = _added(client, path, task)
    if had_rows and not task.wanted:
        client.patch(f"/api/v2/deals/{task.deal_id}", {"value": task.value})
    return _standing(task, added)


def _added(client: PipedriveClient, path: str, task: RowTask) -> list[WrittenRow]:
    added: list[WrittenRow] = []
    left = list(task.plan.add)
    for size in add_batches(len(left)):
        rows, left = left[:size], left[size:]
        bodies = [row_body(row, task.products[row.product_key]) for row in rows]
        answers = [client.post(path, bodies[0])] if size == 1 else client.post(f"{path}/bulk", {"data": bodies})
        added += [WrittenRow(int(answer["id"]), row) for answer, row in zip(answers, rows, strict=True)]
    return added


def _standing(task: RowTask, added: list[WrittenRow]) -> list[WrittenRow]:
    changed = {attachment_id: after for attachment_id, _, after in task.plan.change}
    kept = [row for row in task.written if row.attachment_id not in task.plan.remove]
    return [WrittenRow(row.attachment_id, changed.get(row.attachment_id, row.row)) for row in kept] + added


def _changed(before: DealRow, after: DealRow, task: RowTask) -> dict[str, Any]:
    was, now = row_body(before, -1), row_body(after, task.products[after.product_key])
    same_product = before.product_key == after.product_key
    return {
        name: value for name, value in now.items() if value != was[name] and not (name == "product_id" and same_product)
    }


def _recognised(found: Sequence[dict[str, Any]], task: RowTask) -> list[WrittenRow]:
    """The rows that stand on the deal: known ones by their id, others by what they show; the rest belongs to nobody."""
    known = {row.attachment_id: row.row for row in task.written}
    open_rows = [row for row in task.wanted if row not in known.values()]
    recognised = []
    for there in found:
        row = known.get(int(there["id"]))
        if row is None:
            row = next((row for row in open_rows if _shows(there, row, task.products)), None)
            if row is not None:
                open_rows.remove(row)
        recognised.append(WrittenRow(int(there["id"]), row or _foreign(there)))
    return recognised


def _shows(there: dict[str, Any], row: DealRow, products: dict[str, int]) -> bool:
    shown = row_body(row, products[row.product_key])
    return all(there.get(name) == shown[name] for name in ("product_id", "item_price", "quantity", "comments"))


def _foreign(there: dict[str, Any]) -> DealRow:
    """A row nobody here wrote; its key is wanted by no order, so the plan removes it."""
    return DealRow(f"foreign {there['id']}", "", Decimal(0), Decimal(0), "")


def _intend(tx: Connection, tasks: Sequence[RowTask]) -> None:
    now = datetime.now(UTC)
    rows = [
        {"administration": task.waiting.administration, "kind": KIND, "key": task.waiting.key, "intended_at": now}
        for task in tasks
    ]
    upsert(tx, tables.intents, rows)


def _settle(
    tx: Connection,
    writer: Writer,
    outcomes: Sequence[Outcome[RowTask, list[WrittenRow]]],
    refused: list[tuple[Waiting, str, str]],
) -> None:
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    refused = refused + [
        (outcome.item.waiting, outcome.item.number, outcome.reason)
        for outcome in outcomes
        if isinstance(outcome, Refused)
    ]
    writer.report.in_doubt += sum(isinstance(outcome, InDoubt) for outcome in outcomes)
    untouched = [outcome.item for outcome in outcomes if isinstance(outcome, NotSent) and not outcome.item.begun]
    _remember(tx, [(outcome.item, outcome.result) for outcome in done])
    tally = writer.report.tallies[KIND]
    tally.created += sum(len(outcome.item.plan.add) for outcome in done)
    tally.updated += sum(len(outcome.item.plan.change) for outcome in done)
    finished = [outcome.item.waiting for outcome in done]
    known_again = [task.waiting for task in untouched if not task.is_in_doubt]
    forget_intents(tx, KIND, finished + known_again)
    forget_waiting(tx, KIND, finished + [entry for entry, *_ in refused])
    forget_refusals(tx, KIND, finished)
    note_refusals(tx, KIND, refused)


def _remember(tx: Connection, standing: Sequence[tuple[RowTask, list[WrittenRow]]]) -> None:
    gone, rows = [], []
    for task, there in standing:
        key = {"administration": task.waiting.administration, "order_id": task.waiting.key}
        kept = {row.row.row_key for row in there}
        gone += [{**key, "row_key": row.row.row_key} for row in task.written if row.row.row_key not in kept]
        rows += [
            {**key, "attachment_id": row.attachment_id, "position": position, **vars(row.row)}
            for position, row in enumerate(there, start=1)
        ]
    remove(tx, tables.deal_products, gone)
    upsert(tx, tables.deal_products, rows)


_CHOSEN = """unnest(CAST(:administrations AS text[]), CAST(:keys AS text[])) AS chosen (administration, key)"""
_DEALS = f"""
SELECT deal.administration, deal.order_id, deal.deal_id, wanted.order_number, wanted.value,
    EXISTS (SELECT FROM pipedrive.intents AS intent WHERE intent.administration = deal.administration
        AND intent.kind = 'deal_products' AND intent.key = deal.order_id) AS is_in_doubt
FROM pipedrive.deals AS deal
JOIN crm.deals AS wanted ON wanted.administration = deal.administration AND wanted.order_id = deal.order_id
JOIN {_CHOSEN} ON chosen.administration = deal.administration AND chosen.key = deal.order_id
"""
_WANTED = f"""
SELECT wanted.*, product.product_id FROM crm.deal_products AS wanted
JOIN {_CHOSEN} ON chosen.administration = wanted.administration AND chosen.key = wanted.order_id
LEFT JOIN pipedrive.products AS product
    ON product.administration = wanted.administration AND product.product_key = wanted.product_key
ORDER BY wanted.administration, wanted.order_id, wanted.position
"""
_WRITTEN = f"""
SELECT there.* FROM pipedrive.deal_products AS there
JOIN {_CHOSEN} ON chosen.administration = there.administration AND chosen.key = there.order_id
ORDER BY there.administration, there.order_id, there.position
"""
