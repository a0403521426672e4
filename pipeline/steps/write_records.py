"""Organizations, products and deals to Pipedrive: what is wanted against what was written.

Before a record is made, an intent is committed; its id after it. Rows of deals are written by `steps/write_rows.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, RowMapping, text

from pipeline.domain.budget import WRITE
from pipeline.errors import BudgetSpent, HoldRow
from pipeline.pipedrive.bodies import Body, creation, deal_body, difference, not_taken, organization_body, product_body
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.parallel import Done, InDoubt, NotSent, Outcome, Refused, Workers, overlapping
from pipeline.pipedrive.schema import Schema
from pipeline.steps.account import RECORD_COLUMNS
from pipeline.steps.backlog import Waiting
from pipeline.steps.outcomes import Report
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.writing import remove, upsert

CLOSING_TIMES = ("won_time", "lost_time")  # some accounts may take them only on a deal that is won or lost already
CHUNK = 64  # records whose intents are committed together; after a crash so many are in doubt at most


@dataclass(frozen=True)
class Task:
    """One record to write: made when it has no id yet, changed otherwise, left alone when nothing differs."""

    waiting: Waiting
    number: str
    record_id: int | None
    body: Body
    change: Body


@dataclass
class Writer:
    """Everything a writing needs. One at a time in the world: whoever makes it holds the lock."""

    engine: Engine
    client: PipedriveClient
    schema: Schema
    group_names: Mapping[str, str]
    report: Report
    workers: Workers


@dataclass
class Chunk:
    """Records whose requests are under way."""

    waiting: Sequence[Waiting]
    tasks: list[Task]
    refused: list[tuple[Waiting, str, str]]
    outcomes: Iterator[Outcome[Task, int]]


def write_records(
    writer: Writer, kind: str, waiting: Sequence[Waiting], *, live: bool, progress: Callable[[int], None]
) -> None:
    """Writes those records, a chunk at a time; raises BudgetSpent when the tokens for this kind of work are used up."""

    def finish(chunk: Chunk) -> None:
        _finish(writer, kind, chunk)
        progress(len(chunk.waiting))

    overlapping(_affordable(writer, waiting, live=live), lambda chosen: _begin(writer, kind, chosen), finish)


def _affordable(writer: Writer, waiting: Sequence[Waiting], *, live: bool) -> Iterator[Sequence[Waiting]]:
    """The records in chunks, for as long as there are tokens for them and for the chunk still under way."""
    done, under_way = 0, 0
    while done < len(waiting):
        records = writer.client.ledger.may_spend(live=live) // WRITE - under_way
        if records < 1 and under_way:
            under_way = 0
            yield ()  # lets the chunk before be finished, after which its price is known
            continue
        if records < 1:
            raise BudgetSpent("Today's tokens for this work are used up; what is left is kept for the next day.")
        chunk = waiting[done : done + min(CHUNK, records)]
        done, under_way = done + len(chunk), len(chunk)
        yield chunk


def _begin(writer: Writer, kind: str, waiting: Sequence[Waiting]) -> Chunk:
    with writer.engine.begin() as tx:
        tasks, refused = _tasks(tx, writer, kind, waiting)
        intend(tx, kind, [task for task in tasks if task.record_id is None])
    to_send = [task for task in tasks if task.record_id is None or task.change]
    return Chunk(waiting, tasks, refused, writer.workers.begin(lambda task: _send(writer.client, kind, task), to_send))


def _finish(writer: Writer, kind: str, chunk: Chunk) -> None:
    outcomes = list(chunk.outcomes)
    outcomes += [Done(task, task.record_id) for task in chunk.tasks if task.record_id is not None and not task.change]
    with writer.engine.begin() as tx:
        _settle(tx, writer, kind, outcomes, chunk.refused)
        known = {task.waiting.key for task in chunk.tasks} | {entry.key for entry, *_ in chunk.refused}
        forget_waiting(tx, kind, [entry for entry in chunk.waiting if entry.key not in known])
    stop_if_stopped(outcomes)


def _tasks(
    tx: Connection, writer: Writer, kind: str, chunk: Sequence[Waiting]
) -> tuple[list[Task], list[tuple[Waiting, str, str]]]:
    """What to send for each record that is wanted, and which can't be sent, with their numbers and reasons."""
    by_key = {(entry.administration, entry.key): entry for entry in chunk}
    parameters = {"administrations": [entry.administration for entry in chunk], "keys": [entry.key for entry in chunk]}
    tasks, refused = [], []
    for row in tx.execute(text(_WANTED[kind]), parameters).mappings():
        entry = by_key[row["administration"], row[RECORD_COLUMNS[kind][0]]]
        if kind == "deals" and row["org_id"] is None:
            refused.append((entry, row["number"], "its organization is not in Pipedrive, see why that was refused"))
            continue
        body = _body(writer, kind, row)
        rows_make_value = frozenset({"value"}) if row["has_rows"] else frozenset()
        change = difference(row["written"], body, leaving_out=rows_make_value)
        tasks.append(Task(entry, row["number"] or "", row["record_id"], body, change))
    return tasks, refused


def _body(writer: Writer, kind: str, row: RowMapping) -> Body:
    if kind == "organizations":
        return organization_body(row, writer.schema)
    if kind == "products":
        return product_body(row, writer.schema)
    return deal_body(row, writer.schema, org_id=row["org_id"], group_names=writer.group_names)


def _send(client: PipedriveClient, kind: str, task: Task) -> int:
    """Makes or changes the record and returns its id."""
    path = f"/api/v2/{kind}"
    if task.record_id is not None:
        client.patch(f"{path}/{task.record_id}", task.change)
        return task.record_id
    sent = creation(task.body)
    answer = _made_deal(client, sent) if kind == "deals" else client.post(path, sent)
    return int(answer["id"])


def _made_deal(client: PipedriveClient, sent: Body) -> Body:
    """Makes the deal in one request; a second follows only where the answer shows that something was not taken."""
    path = "/api/v2/deals"
    try:
        answer = client.post(path, sent)
    except HoldRow as refusal:
        if not any(name in str(refusal) for name in CLOSING_TIMES):
            raise
        answer = client.post(path, {name: value for name, value in sent.items() if name not in CLOSING_TIMES})
    if missed := not_taken(sent, answer):
        client.patch(f"{path}/{answer['id']}", missed)
    return answer


def _settle(
    tx: Connection,
    writer: Writer,
    kind: str,
    outcomes: Sequence[Outcome[Task, int]],
    refused: list[tuple[Waiting, str, str]],
) -> None:
    """Remembers what was written, what was refused, and what no longer waits, in one transaction."""
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    refused = refused + [
        (outcome.item.waiting, outcome.item.number, outcome.reason)
        for outcome in outcomes
        if isinstance(outcome, Refused)
    ]
    not_sent = [outcome.item for outcome in outcomes if isinstance(outcome, NotSent)]
    writer.report.in_doubt += sum(isinstance(outcome, InDoubt) for outcome in outcomes)
    key, record_id = RECORD_COLUMNS[kind]
    written = [
        {
            "administration": outcome.item.waiting.administration,
            key: outcome.item.waiting.key,
            record_id: outcome.result,
            "written": outcome.item.body,
            "written_at": datetime.now(UTC),
        }
        for outcome in done
        if outcome.item.record_id is None or outcome.item.change
    ]
    upsert(tx, getattr(tables, kind), written)
    tally = writer.report.tallies[kind]
    tally.created += sum(outcome.item.record_id is None for outcome in done)
    tally.updated += sum(outcome.item.record_id is not None and bool(outcome.item.change) for outcome in done)
    settled = [outcome.item.waiting for outcome in done] + [entry for entry, *_ in refused]
    forget_intents(tx, kind, settled + [task.waiting for task in not_sent])
    forget_waiting(tx, kind, settled)
    forget_refusals(tx, kind, [outcome.item.waiting for outcome in done])
    note_refusals(tx, kind, refused)
    created = [outcome.item.waiting for outcome in done if outcome.item.record_id is None]
    if kind in _RETRY and created:
        tx.execute(text(_RETRY[kind]), {"keys": [entry.key for entry in created]})


def intend(tx: Connection, kind: str, tasks: Sequence[Task]) -> None:
    """Notes that these are about to be written."""
    now = datetime.now(UTC)
    upsert(
        tx,
        tables.intents,
        (
            {
                "administration": task.waiting.administration,
                "kind": kind,
                "key": task.waiting.key,
                "intended_at": now,
                "body": task.body,
            }
            for task in tasks
        ),
    )


def forget_intents(tx: Connection, kind: str, entries: Sequence[Waiting]) -> None:
    """The outcome of these is known."""
    remove(tx, tables.intents, _keys(kind, entries))


def forget_refusals(tx: Connection, kind: str, entries: Sequence[Waiting]) -> None:
    """These were taken after all."""
    remove(tx, tables.rejected, _keys(kind, entries))


def note_refusals(tx: Connection, kind: str, refused: Sequence[tuple[Waiting, str, str]]) -> None:
    """Keeps what Pipedrive refused where a person sees it."""
    now = datetime.now(UTC)
    rows = [
        {
            "administration": entry.administration,
            "kind": kind,
            "key": entry.key,
            "number": number,
            "reason": reason,
            "since": now,
        }
        for entry, number, reason in refused
    ]
    upsert(tx, tables.rejected, rows, keeping=("since",))


def forget_waiting(tx: Connection, kind: str, entries: Sequence[Waiting]) -> None:
    """These no longer wait, unless they were queued again meanwhile."""
    tx.execute(
        text(_NO_LONGER_WAITING),
        {
            "stage": f"pipedrive/{kind}",
            "administrations": [entry.administration for entry in entries],
            "keys": [entry.key for entry in entries],
            "tickets": [entry.ticket for entry in entries],
        },
    )


def stop_if_stopped(outcomes: Sequence[Outcome]) -> None:
    """Raises what kept records from being sent, now that the others are remembered."""
    for outcome in outcomes:
        if isinstance(outcome, NotSent):
            raise outcome.stopped_by


def _keys(kind: str, entries: Sequence[Waiting]) -> list[dict[str, str]]:
    return [{"administration": entry.administration, "kind": kind, "key": entry.key} for entry in entries]


_NO_LONGER_WAITING = """
DELETE FROM state.pending AS waiting
USING unnest(CAST(:administrations AS text[]), CAST(:keys AS text[]), CAST(:tickets AS bigint[]))
    AS done (administration, key, ticket)
WHERE waiting.stage = :stage AND waiting.administration = done.administration AND waiting.key = done.key
    AND waiting.ticket = done.ticket
"""
_CHOSEN = """unnest(CAST(:administrations AS text[]), CAST(:keys AS text[])) AS chosen (administration, key)"""
_WANTED = {
    "organizations": f"""
SELECT wanted.*, there.org_id AS record_id, there.written, wanted.debtor_code AS number, false AS has_rows
FROM crm.organizations AS wanted JOIN {_CHOSEN}
    ON chosen.administration = wanted.administration AND chosen.key = wanted.customer_id
LEFT JOIN pipedrive.organizations AS there
    ON there.administration = wanted.administration AND there.customer_id = wanted.customer_id
""",
    "products": f"""
SELECT wanted.*, there.product_id AS record_id, there.written, wanted.code AS number, false AS has_rows
FROM crm.products AS wanted JOIN {_CHOSEN}
    ON chosen.administration = wanted.administration AND chosen.key = wanted.product_key
LEFT JOIN pipedrive.products AS there
    ON there.administration = wanted.administration AND there.product_key = wanted.product_key
""",
    "deals": f"""
SELECT wanted.*, there.deal_id AS record_id, there.written, wanted.order_number AS number, organization.org_id,
    EXISTS (SELECT FROM pipedrive.deal_products AS line
        WHERE line.administration = wanted.administration AND line.order_id = wanted.order_id) AS has_rows
FROM crm.deals AS wanted JOIN {_CHOSEN}
    ON chosen.administration = wanted.administration AND chosen.key = wanted.order_id
LEFT JOIN pipedrive.deals AS there
    ON there.administration = wanted.administration AND there.order_id = wanted.order_id
LEFT JOIN pipedrive.organizations AS organization
    ON organization.administration = wanted.administration AND organization.customer_id = wanted.customer_id
WHERE there.deal_id IS NOT NULL OR NOT wanted.is_deleted
""",
}
_QUEUE_REFUSED = """
INSERT INTO state.pending (stage, administration, key)
SELECT DISTINCT 'pipedrive/' || refused.kind, refused.administration, refused.key FROM pipedrive.rejected AS refused
JOIN {wanted} AS wanted ON wanted.administration = refused.administration AND wanted.order_id = refused.key
WHERE refused.kind = '{kind}' AND wanted.{column} = ANY(:keys) ON CONFLICT DO NOTHING
"""
# What was refused for want of an organization or product is tried again once that is there.
_RETRY = {
    "organizations": _QUEUE_REFUSED.format(wanted="crm.deals", kind="deals", column="customer_id"),
    "products": _QUEUE_REFUSED.format(wanted="crm.deal_products", kind="deal_products", column="product_key"),
}
