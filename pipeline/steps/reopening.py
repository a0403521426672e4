"""Ways around what some accounts do not take on a deal as it stands. Each is remembered before it is done.

A crash in between leaves a deal open, or without its rows: both wait to be put right then.
"""

from typing import Any

from sqlalchemy import Connection, text

from pipeline.pipedrive.present import rows_of
from pipeline.steps.backlog import Waiting
from pipeline.steps.bookkeeping import doubt_rows
from pipeline.steps.writer import Writer
from pipeline.warehouse import memory
from pipeline.warehouse.pending import queue

_FACT = "pipedrive takes rows on open deals only"
_OPEN_NOW = """
UPDATE pipedrive.deals SET written = (written - ARRAY['won_time', 'lost_time', 'lost_reason', 'stage_id'])
    || '{"status": "open"}' WHERE administration = :administration AND order_id = :key AND written IS NOT NULL
"""


def takes_rows_on_open_deals_only(connection: Connection) -> bool:
    """Whether this account was seen to refuse rows on closed deals."""
    return bool(memory.recall(connection, _FACT))


def reopen(writer: Writer, waiting: Waiting, deal_id: int) -> None:
    """Opens a closed deal so that it takes rows; that it is won or lost is written again after them."""
    with writer.engine.begin() as tx:
        tx.execute(text(_OPEN_NOW), {"administration": waiting.administration, "key": waiting.key})
        queue(tx, ("pipedrive/deals",), waiting.administration, [waiting.key])
    writer.report.again += 1
    writer.client.patch(f"/api/v2/deals/{deal_id}", {"status": "open"})


def note_rows_on_open_deals_only(writer: Writer) -> None:
    """This account took on an open deal what it had refused on the closed one: from now on such are opened first."""
    writer.opens_for_rows = True
    with writer.engine.begin() as tx:
        memory.note(tx, _FACT, True)


def take_rows_away(writer: Writer, waiting: Waiting, deal_id: int) -> None:
    """Removes the deal's rows so that it takes another currency; they are added again after it."""
    with writer.engine.begin() as tx:
        doubt_rows(tx, [(waiting.administration, waiting.key)])
        queue(tx, ("pipedrive/deal_products",), waiting.administration, [waiting.key])
    writer.report.again += 1
    there: list[dict[str, Any]] = rows_of(writer.client, [deal_id])[deal_id]
    ids = [str(row["id"]) for row in there]
    for start in range(0, len(ids), 100):
        writer.client.delete(f"/api/v2/deals/{deal_id}/products", ids=",".join(ids[start : start + 100]))
