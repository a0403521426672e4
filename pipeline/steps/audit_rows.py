"""Rows on deals as they stand in Pipedrive, against those that were written, and what the deals are worth there."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from pipeline.pipedrive.bodies import same
from pipeline.pipedrive.present import rows_of
from pipeline.steps.audit_memory import forget_values
from pipeline.steps.backlog import CHOSEN, Waiting, chosen
from pipeline.steps.refresh_crm import ROUNDED_ONCE
from pipeline.steps.row_tasks import RowTask, row_tasks
from pipeline.steps.rows_there import recognised
from pipeline.steps.writer import Writer
from pipeline.warehouse import memory

Deal = tuple[str, str]  # administration, order


@dataclass(frozen=True)
class Difference:
    """What a deal is worth in Pipedrive, and what it should be."""

    number: str
    found: Decimal
    wanted: Decimal


@dataclass(frozen=True)
class OtherValue:
    """A deal whose rows are right and which is worth something else than its order all the same."""

    deal_id: int
    difference: Difference


def differing_rows(writer: Writer, deals: Sequence[Deal]) -> tuple[dict[Deal, tuple[int, str]], dict[Deal, OtherValue]]:
    """Deals whose rows are not the written ones, with what is wrong; and those worth something else nevertheless."""
    with writer.engine.connect() as connection:
        tasks = {task.deal_id: task for task in row_tasks(connection, [Waiting(*deal, 0) for deal in deals])}
    there = rows_of(writer.client, list(tasks))
    differing, right = {}, []
    for deal_id, task in tasks.items():
        deal = task.waiting.record
        if what := _wrong(task, there[deal_id]):
            differing[deal] = (deal_id, what)
        else:
            right.append(task)
    forget_values(writer.engine, deals)
    return differing, _other_values(writer, right)


def _wrong(task: RowTask, there: Sequence[dict[str, Any]]) -> str | None:
    """How the rows differ from the written ones; None when they don't."""
    found = recognised(there, task.written, [], task.products)
    if found == task.written:
        return None
    known = {row.attachment_id for row in task.written}
    there_now = {row.attachment_id for row in found}
    changed = sum(row not in task.written for row in found if row.attachment_id in known)
    return f"{len(there_now - known)} added, {len(known - there_now)} removed, {changed} changed"


def _other_values(writer: Writer, tasks: Sequence[RowTask]) -> dict[Deal, OtherValue]:
    """Read after the rows: what Pipedrive reckons from them."""
    wanted_by_id = _wanted_values(writer, tasks)
    if not wanted_by_id:
        return {}
    values = {}
    ids = ",".join(map(str, wanted_by_id))
    for page in writer.client.pages("/api/v2/deals", ids=ids):
        for deal in page:
            key, number, wanted = wanted_by_id[int(deal["id"])]
            if not same(float(wanted), deal.get("value") or 0):
                found = Decimal(str(deal.get("value") or 0))
                values[key] = OtherValue(int(deal["id"]), Difference(number, found, wanted))
    return values


def learn_rounding(writer: Writer, values: dict[Deal, OtherValue]) -> None:
    """Notices an account that rounds the sum of a deal once: its rows are then reckoned so that the sum is right."""
    of = {
        "deals": [other.deal_id for other in values.values()],
        "found": [other.difference.found for other in values.values()],
    }
    with writer.engine.begin() as tx:
        if values and tx.execute(text(_ROUNDED_ONCE), of).scalar_one():
            memory.note(tx, ROUNDED_ONCE, True)
            tx.execute(text(_RECKON_AGAIN))


def _wanted_values(writer: Writer, tasks: Sequence[RowTask]) -> dict[int, tuple[Deal, str, Decimal]]:
    """What deals should be worth, of those for which nothing waits."""
    of = chosen(task.waiting.record for task in tasks)
    with writer.engine.connect() as connection:
        return {
            row.deal_id: ((row.administration, row.order_id), row.order_number, row.value)
            for row in connection.execute(text(_VALUES), of)
        }


_ROUNDED_ONCE = """
SELECT EXISTS (SELECT FROM pipedrive.deals AS there
    JOIN unnest(CAST(:deals AS bigint[]), CAST(:found AS numeric[])) AS other (deal_id, found) USING (deal_id)
    JOIN pipedrive.deal_products AS line USING (administration, order_id)
    GROUP BY there.deal_id, other.found HAVING round(sum(line.quantity * line.item_price), 2) = other.found)
"""
_RECKON_AGAIN = """
INSERT INTO state.pending (stage, administration, key)
SELECT 'crm/deal_products', administration, order_id FROM crm.deal_products GROUP BY administration, order_id
HAVING sum(quantity * item_price) <> sum(round(quantity * item_price, 2)) ON CONFLICT DO NOTHING
"""
_VALUES = f"""
SELECT there.administration, there.order_id, there.deal_id, wanted.order_number, wanted.value
FROM pipedrive.deals AS there JOIN crm.deals AS wanted USING (administration, order_id)
JOIN {CHOSEN}
    ON chosen.administration = there.administration AND chosen.key = there.order_id
WHERE NOT EXISTS (SELECT FROM state.pending AS waiting WHERE waiting.administration = there.administration
    AND waiting.key = there.order_id AND waiting.stage IN ('pipedrive/deals', 'pipedrive/deal_products'))
"""
