"""The rows of deals as they are wanted and as they were written, side by side. Nothing is sent or decided here."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from sqlalchemy import Connection, text

from pipeline.domain.budget import WRITE
from pipeline.domain.deal_products import DealRow
from pipeline.domain.row_plan import RowPlan, WrittenRow
from pipeline.steps.backlog import CHOSEN, Waiting, chosen


@dataclass
class RowTask:
    """The rows of one deal; `begun` once a request for it was sent, from when on they are in doubt."""

    waiting: Waiting
    number: str
    deal_id: int
    in_doubt_since: datetime | None
    is_archived: bool
    is_closed: bool
    wanted: list[DealRow] = field(default_factory=list)
    written: list[WrittenRow] = field(default_factory=list)
    products: dict[str, int] = field(default_factory=dict)
    known_keys: set[str] = field(default_factory=set)  # of the rows we remember
    plan: RowPlan = field(default_factory=RowPlan)
    begun: bool = False
    was_reopened: bool = False  # to try whether the account takes rows on an open deal only

    @property
    def price(self) -> int:
        """Tokens it takes."""
        emptied = WRITE if self.written and not self.wanted else 0
        return self.plan.price + emptied + (WRITE if self.is_archived and self.plan.price else 0)

    @property
    def is_open_ended(self) -> bool:
        """Whether requests may have been carried out although the outcome says otherwise."""
        return self.begun or self.in_doubt_since is not None


def row_tasks(tx: Connection, chunk: Sequence[Waiting]) -> list[RowTask]:
    """The rows of those orders' deals: wanted ones, written ones, and the ids of their products."""
    parameters = chosen(entry.record for entry in chunk)
    by_key = {entry.record: entry for entry in chunk}
    tasks: dict[tuple[str, str], RowTask] = {}
    for deal in tx.execute(text(_DEALS), parameters):
        entry = by_key[deal.administration, deal.order_id]
        tasks[deal.administration, deal.order_id] = RowTask(
            entry, deal.order_number, deal.deal_id, deal.in_doubt_since, deal.is_archived, deal.is_closed
        )
    for administration, order_id, product_id, *of_row in tx.execute(text(_WANTED), parameters):
        if task := tasks.get((administration, order_id)):
            row = DealRow(*of_row)
            task.wanted.append(row)
            task.products[row.product_key] = product_id
    for administration, order_id, attachment_id, *of_row in tx.execute(text(_WRITTEN), parameters):
        if task := tasks.get((administration, order_id)):
            row = DealRow(*of_row)
            task.written.append(WrittenRow(attachment_id, row))
            task.known_keys.add(row.row_key)
    return [tasks[entry.record] for entry in chunk if entry.record in tasks]


_DEALS = f"""
SELECT deal.administration, deal.order_id, deal.deal_id, deal.is_archived, wanted.order_number,
    coalesce(deal.written ->> 'status', wanted.status) <> 'open' AS is_closed,
    (SELECT intent.intended_at FROM pipedrive.intents AS intent WHERE intent.administration = deal.administration
        AND intent.kind = 'deal_products' AND intent.key = deal.order_id) AS in_doubt_since
FROM pipedrive.deals AS deal
JOIN crm.deals AS wanted ON wanted.administration = deal.administration AND wanted.order_id = deal.order_id
JOIN {CHOSEN} ON chosen.administration = deal.administration AND chosen.key = deal.order_id
"""
# A first load goes through hundreds of thousands of rows here: their columns are taken in DealRow's order, not by name.
_ROW = ", ".join(f"line.{column.name}" for column in fields(DealRow))
_WANTED = f"""
SELECT line.administration, line.order_id, product.product_id, {_ROW}
FROM crm.deal_products AS line
JOIN {CHOSEN} ON chosen.administration = line.administration AND chosen.key = line.order_id
LEFT JOIN pipedrive.products AS product
    ON product.administration = line.administration AND product.product_key = line.product_key
ORDER BY line.administration, line.order_id, line.position
"""
_WRITTEN = f"""
SELECT line.administration, line.order_id, line.attachment_id, {_ROW}
FROM pipedrive.deal_products AS line
JOIN {CHOSEN} ON chosen.administration = line.administration AND chosen.key = line.order_id
ORDER BY line.administration, line.order_id, line.position
"""
