"""Organizations, persons, products and deals to Pipedrive: what is wanted against what was written.

Before a record is made, an intent is committed; its id after it. Rows of deals are written by `steps/write_rows.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from pipeline.domain.budget import WRITE
from pipeline.errors import BudgetSpent, Full, HoldRow, OutcomeUnknown
from pipeline.pipedrive.bodies import (
    Body,
    creation,
    deal_body,
    difference,
    not_taken,
    organization_body,
    person_body,
    product_body,
    without,
)
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.parallel import Done, Outcome, overlapping
from pipeline.pipedrive.schema import Schema
from pipeline.steps.backlog import CHOSEN, Waiting, chosen
from pipeline.steps.bookkeeping import (
    RECORD_COLUMNS,
    Refusal,
    forget_rows_of,
    forget_waiting,
    intend,
    queue_what_waited_for,
)
from pipeline.steps.doubts import wait_until_caught_up
from pipeline.steps.refusals import deal_there, missing, take_out
from pipeline.steps.reopening import take_rows_away
from pipeline.steps.settling import settle
from pipeline.steps.writer import Writer
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.writing import upsert

CLOSING_TIMES = ("won_time", "lost_time")  # some accounts may take them only on a deal that is won or lost already
AT_ORGANIZATIONS = ("deals", "persons")
CHANNELS = {"emails": "email", "phones": "phone"}  # parts of a person, and how a refusal names them


@dataclass(frozen=True)
class Task:
    """One record to write: made when it has no id yet, changed otherwise, left alone when nothing differs."""

    waiting: Waiting
    number: str
    record_id: int | None
    body: Body
    change: Body
    customer_id: str = ""  # of a deal or a person
    refused: str = ""  # why it is written without a part of its content
    is_archived: bool = False
    rows_written_at: datetime | None = None
    is_open_ended = False


@dataclass(frozen=True)
class Written:
    """A record as it stands now, with the content it was given; `missed` is what of it the record has yet to take."""

    record_id: int
    body: Body
    missed: Body = field(default_factory=dict)
    refused: str = ""


@dataclass
class Chunk:
    """Records whose requests are under way."""

    waiting: Sequence[Waiting]
    tasks: list[Task]
    refused: list[Refusal]
    schema: Schema  # they were prepared with
    outcomes: Iterator[Outcome[Task, Written]]


def write_records(
    writer: Writer, kind: str, waiting: Sequence[Waiting], *, live: bool, progress: Callable[[int], None]
) -> None:
    """Writes those records, a chunk at a time; raises BudgetSpent when the tokens for this kind of work are used up."""

    def finish(chunk: Chunk) -> None:
        _finish(writer, kind, chunk)
        progress(len(chunk.waiting))

    overlapping(_affordable(writer, waiting, live=live), lambda affordable: _begin(writer, kind, affordable), finish)


def _affordable(writer: Writer, waiting: Sequence[Waiting], *, live: bool) -> Iterator[Sequence[Waiting]]:
    """The records in chunks, for as long as there are tokens for them and for the chunk still under way."""
    done, under_way = 0, 0
    while done < len(waiting):
        writer.make_way(live=live)
        records = writer.client.ledger.may_spend(live=live) // WRITE - under_way
        if records < 1 and under_way:
            under_way = 0
            yield ()  # lets the chunk before be finished, after which its price is known
            continue
        if records < 1:
            raise BudgetSpent("Today's tokens for this work are used up; what is left is kept for the next day.")
        chunk = waiting[done : done + min(writer.chunk, records)]
        done, under_way = done + len(chunk), len(chunk)
        yield chunk


def _begin(writer: Writer, kind: str, waiting: Sequence[Waiting]) -> Chunk:
    writer.still_locked()
    schema = writer.schema
    with writer.engine.begin() as tx:
        tasks, refused = _tasks(tx, writer, kind, waiting)
        intend(tx, kind, ((task.waiting, task.body) for task in tasks if task.record_id is None))
    to_send = [task for task in tasks if task.record_id is None or task.change]
    outcomes = writer.workers.begin(lambda task: _send(writer, kind, task), to_send)
    return Chunk(waiting, tasks, refused, schema, outcomes)


def _finish(writer: Writer, kind: str, chunk: Chunk) -> None:
    outcomes = list(chunk.outcomes)
    for task in chunk.tasks:
        if task.record_id is not None and not task.change:
            outcomes.append(Done(task, Written(task.record_id, task.body)))

    refused = [*chunk.refused, *_refused_in_part(outcomes)]

    def remember(tx: Connection, done: Sequence[Done[Task, Written]]) -> None:
        _remember(tx, writer, kind, done)
        known = {task.waiting for task in chunk.tasks} | {entry for entry, *_ in chunk.refused}
        unwanted = [entry for entry in chunk.waiting if entry not in known]
        forget_waiting(tx, kind, unwanted)
        if kind == "deals":
            forget_rows_of(tx, unwanted)

    whole = lambda done: not done.result.missed  # noqa: E731
    settle(writer, kind, outcomes, refused, remember, begun_with=chunk.schema, is_whole=whole)


def _refused_in_part(outcomes: Sequence[Outcome[Task, Written]]) -> list[Refusal]:
    """Records that were written without a part of their content, each with what Pipedrive said of it."""
    done = (outcome for outcome in outcomes if isinstance(outcome, Done) and outcome.result.refused)
    return [(outcome.item.waiting, outcome.item.number, outcome.result.refused) for outcome in done]


def _tasks(tx: Connection, writer: Writer, kind: str, chunk: Sequence[Waiting]) -> tuple[list[Task], list[Refusal]]:
    """What to send for each record that is wanted, and which can't be sent, with their numbers and reasons."""
    by_key = {entry.record: entry for entry in chunk}
    parameters = chosen(entry.record for entry in chunk)
    tasks, refused = [], []
    for row in tx.execute(text(_WANTED[kind]), parameters).mappings():
        entry = by_key[row["administration"], row[RECORD_COLUMNS[kind][0]]]
        if kind in AT_ORGANIZATIONS and row["customer_id"] and row["org_id"] is None:
            refused.append((entry, row["number"], "its organization is not in Pipedrive, see why that was refused"))
        else:
            tasks.append(_task(writer, kind, entry, row))
    return tasks, refused


def _task(writer: Writer, kind: str, entry: Waiting, row: RowMapping) -> Task:
    body = _body(writer, kind, row)
    rows_make_value = frozenset({"value"}) if row["has_rows"] else frozenset()
    change = difference(row["written"], body, leaving_out=rows_make_value)
    if kind == "deals" and "value" in change:
        change = change | {"custom_fields": body["custom_fields"]}  # a value sent alone was seen to empty them
    customer = (row["customer_id"] or "") if kind in AT_ORGANIZATIONS else ""
    stands = {"is_archived": row["is_archived"], "rows_written_at": row["rows_written_at"]}
    return Task(entry, row["number"] or "", row["record_id"], body, change, customer, **stands)


def _body(writer: Writer, kind: str, row: RowMapping) -> Body:
    if kind == "organizations":
        return organization_body(row, writer.schema)
    if kind == "persons":
        return person_body(row, writer.schema)
    if kind == "products":
        return product_body(row, writer.schema)
    return deal_body(row, writer.schema, org_id=row["org_id"], group_names=writer.group_names, written=row["written"])


def _send(writer: Writer, kind: str, task: Task) -> Written:
    """Makes or changes the record; a refusal that has a reason in Pipedrive itself is met once."""
    write = _make if task.record_id is None else _change
    try:
        return write(writer, kind, task)
    except HoldRow as refusal:
        instead = _met(writer, kind, task, str(refusal))
        if instead is None:
            raise
        return _send(writer, kind, instead) if instead.refused else write(writer, kind, instead)


def _met(writer: Writer, kind: str, task: Task, refusal: str) -> Task | None:
    """What may be written now instead; raises RecordsGone when it, or its organization, is no longer there."""
    client, key, record_id = writer.client, task.waiting.key, task.record_id
    if nulls := [name for name, value in task.change.items() if value is None and name in refusal]:
        return replace(task, change=without(task.change, nulls), body=without(task.body, nulls))
    if bad := [name for name, word in CHANNELS.items() if task.body.get(name) and word in refusal.lower()]:
        empty = {name: [] for name in bad}
        return replace(task, body=task.body | empty, change=task.change | empty, refused=refusal)
    if kind != "deals" and record_id is not None:
        missing(client, kind, key, record_id)
    if kind == "persons" and task.customer_id:
        missing(client, "organizations", task.customer_id, task.body["org_id"])
    if kind != "deals":
        return None
    if record_id is not None and deal_there(client, writer.schema, key=key, deal_id=record_id).get("is_archived"):
        return replace(task, is_archived=False)
    missing(client, "organizations", task.customer_id, task.body["org_id"])
    if record_id is not None and "currency" in task.change and "currency" in refusal:
        take_rows_away(writer, task.waiting, record_id)
        return task
    return None


def _change(writer: Writer, kind: str, task: Task) -> Written:
    record_id = task.record_id or 0
    if task.is_archived:
        take_out(writer.client, record_id)
    if "value" in task.change and task.rows_written_at:
        wait_until_caught_up(task.rows_written_at)  # else Pipedrive's own reckoning of an emptied deal comes after it
    if task.change:
        writer.client.patch(f"/api/v2/{kind}/{record_id}", task.change)
    return Written(record_id, task.body, refused=task.refused)


def _make(writer: Writer, kind: str, task: Task) -> Written:
    if kind in writer.full:
        raise Full(writer.full[kind])
    sent = creation(task.body)
    try:
        answer = _made(writer.client, kind, sent)
    except Full as full:
        writer.full[kind] = str(full)
        raise
    missed = not_taken(sent, answer) if kind == "deals" else {}
    return Written(int(answer["id"]), task.body, missed, task.refused)


def _made(client: PipedriveClient, kind: str, sent: Body) -> dict[str, Any]:
    """The new record; a deal whose closing moment is refused is made without it and takes it in a second request."""
    path = f"/api/v2/{kind}"
    try:
        answer = client.post(path, sent)
    except HoldRow as refusal:
        if kind != "deals" or not any(name in sent and name in str(refusal) for name in CLOSING_TIMES):
            raise
        answer = client.post(path, without(sent, CLOSING_TIMES))
    if not isinstance(answer, dict) or not str(answer.get("id", "")).isdigit():
        raise OutcomeUnknown(f"Pipedrive answered POST {path} without the new record's id")
    return answer


def _remember(tx: Connection, writer: Writer, kind: str, done: Sequence[Done[Task, Written]]) -> None:
    """Ids and contents of what was written."""
    key, record_id = RECORD_COLUMNS[kind]
    now = datetime.now(UTC)
    rows = [
        {
            "administration": outcome.item.waiting.administration,
            key: outcome.item.waiting.key,
            record_id: outcome.result.record_id,
            "written": without(outcome.result.body, outcome.result.missed),
            "written_at": now,
            **({"is_archived": False} if kind == "deals" else {}),
        }
        for outcome in done
        if outcome.item.record_id is None or outcome.item.change
    ]
    upsert(tx, getattr(tables, kind), rows)
    made = [outcome.item.waiting.key for outcome in done if outcome.item.record_id is None]
    tally = writer.report.tallies[kind]
    tally.created += len(made)
    tally.updated += len(rows) - len(made)
    queue_what_waited_for(tx, kind, made)


_WANTED = {
    "organizations": f"""
SELECT wanted.*, there.org_id AS record_id, there.written, wanted.debtor_code AS number,
    false AS has_rows, false AS is_archived, NULL AS rows_written_at
FROM crm.organizations AS wanted JOIN {CHOSEN}
    ON chosen.administration = wanted.administration AND chosen.key = wanted.customer_id
LEFT JOIN pipedrive.organizations AS there
    ON there.administration = wanted.administration AND there.customer_id = wanted.customer_id
WHERE there.org_id IS NOT NULL OR NOT EXISTS (SELECT FROM crm.held AS held
    WHERE held.administration = wanted.administration AND held.entity = 'customer' AND held.key = wanted.customer_id)
""",
    "persons": f"""
SELECT wanted.*, there.person_id AS record_id, there.written, wanted.contact_id AS number, organization.org_id,
    false AS has_rows, false AS is_archived, NULL AS rows_written_at
FROM crm.persons AS wanted JOIN {CHOSEN}
    ON chosen.administration = wanted.administration AND chosen.key = wanted.contact_id
LEFT JOIN pipedrive.persons AS there
    ON there.administration = wanted.administration AND there.contact_id = wanted.contact_id
LEFT JOIN pipedrive.organizations AS organization
    ON organization.administration = wanted.administration AND organization.customer_id = wanted.customer_id
WHERE there.person_id IS NOT NULL OR wanted.customer_id IS NOT NULL
""",
    "products": f"""
SELECT wanted.*, there.product_id AS record_id, there.written, wanted.code AS number,
    false AS has_rows, false AS is_archived, NULL AS rows_written_at
FROM crm.products AS wanted JOIN {CHOSEN}
    ON chosen.administration = wanted.administration AND chosen.key = wanted.product_key
LEFT JOIN pipedrive.products AS there
    ON there.administration = wanted.administration AND there.product_key = wanted.product_key
""",
    "deals": f"""
SELECT wanted.*, there.deal_id AS record_id, there.written, wanted.order_number AS number, organization.org_id,
    coalesce(there.is_archived, false) AS is_archived,
    EXISTS (SELECT FROM pipedrive.deal_products AS line
        WHERE line.administration = wanted.administration AND line.order_id = wanted.order_id)
    OR EXISTS (SELECT FROM pipedrive.intents AS doubt WHERE doubt.administration = wanted.administration
        AND doubt.kind = 'deal_products' AND doubt.key = wanted.order_id) AS has_rows, there.rows_written_at
FROM crm.deals AS wanted JOIN {CHOSEN}
    ON chosen.administration = wanted.administration AND chosen.key = wanted.order_id
LEFT JOIN pipedrive.deals AS there
    ON there.administration = wanted.administration AND there.order_id = wanted.order_id
LEFT JOIN pipedrive.organizations AS organization
    ON organization.administration = wanted.administration AND organization.customer_id = wanted.customer_id
WHERE there.deal_id IS NOT NULL OR NOT wanted.is_deleted
""",
}
