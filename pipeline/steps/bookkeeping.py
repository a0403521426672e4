"""What writing leaves behind in the warehouse: what is about to be sent, what was refused, what no longer waits.

All of it inside the transaction of the caller. Contents and ids are `write_records.py`'s and `write_rows.py`'s.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from pipeline.errors import RecordsGone
from pipeline.steps.backlog import CHOSEN, Waiting, chosen
from pipeline.warehouse.pending import QUEUED_AGAIN, queue
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.writing import remove, upsert

RECORD_COLUMNS = {
    "organizations": ("customer_id", "org_id"),
    "persons": ("contact_id", "person_id"),
    "products": ("product_key", "product_id"),
    "deals": ("order_id", "deal_id"),
}
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # of doubts that no request of ours is behind: rows nobody has read yet
Refusal = tuple[Waiting, str | None, str]  # what waits, its number for people, what was said


def intend(tx: Connection, kind: str, about_to_write: Iterable[tuple[Waiting, Any]]) -> None:
    """Notes that these are about to be written, with their content where it makes a record."""
    now = datetime.now(UTC)
    rows = ({**_key(kind, entry), "intended_at": now, "body": body} for entry, body in about_to_write)
    upsert(tx, tables.intents, rows)


def doubt_rows(tx: Connection, deals: Iterable[tuple[str, str]]) -> None:
    """What rows stand on these orders' deals is not known: they are read before the next writing."""
    rows = (
        {"administration": name, "kind": "deal_products", "key": key, "intended_at": LONG_AGO} for name, key in deals
    )
    upsert(tx, tables.intents, rows, keeping=("intended_at",))


def forget_intents(tx: Connection, kind: str, entries: Iterable[Waiting]) -> None:
    """The outcome of these is known."""
    remove(tx, tables.intents, (_key(kind, entry) for entry in entries))


def note_done(tx: Connection, kind: str, done: Iterable[tuple[Waiting, bool]]) -> None:
    """The outcome of these is known; those that were carried out whole no longer wait and are no longer refused."""
    entries = [(entry, entry.ticket if whole else None) for entry, whole in done]
    if entries:
        tx.execute(text(_DONE), {"kind": kind, **_tickets(kind, entries)})


def note_refusals(tx: Connection, kind: str, refused: Iterable[Refusal]) -> None:
    """Keeps what Pipedrive refused where a person sees it."""
    now = datetime.now(UTC)
    rows = (
        {**_key(kind, entry), "number": number, "reason": reason, "since": now} for entry, number, reason in refused
    )
    upsert(tx, tables.rejected, rows, keeping=("since",))


def take_back(tx: Connection, kind: str, said: str) -> None:
    """Records that were refused like all the others were not refused for their own sake: they wait on."""
    tx.execute(text(_TAKE_BACK), {"kind": kind, "said": said, "stage": f"pipedrive/{kind}"})


def forget_waiting(tx: Connection, kind: str, entries: Sequence[Waiting]) -> None:
    """These no longer wait, unless they were queued again meanwhile."""
    if entries:
        given = _tickets(kind, ((entry, entry.ticket) for entry in entries))
        tx.execute(text(f"WITH {_GIVEN} {_NO_LONGER_WAITING}"), given)


def forget_rows_of(tx: Connection, orders: Sequence[Waiting]) -> None:
    """Orders that get no deal, having been deleted before, have no rows to write either."""
    if orders:
        tx.execute(text(_NO_ROWS), chosen(entry.record for entry in orders))


def queue_what_waited_for(tx: Connection, kind: str, keys: Sequence[str]) -> None:
    """What was refused for want of these organizations or products is tried again now that they are there."""
    for statement in _WAITED_FOR.get(kind, ()) if keys else ():
        tx.execute(text(statement), {"keys": list(keys)})


def queue_refused(tx: Connection) -> None:
    """Everything that was refused is tried again: the configuration or the account's schema is another one."""
    tx.execute(text(_QUEUE_ALL_REFUSED))


def forget_gone(tx: Connection, administration: str, gone: RecordsGone) -> None:
    """Links to what is no longer there: forgotten, or moved to what took its place; all else of it is written anew.

    A deal that went without a successor keeps its link, so that no second one is made.
    """
    of = {"administration": administration, "keys": list(gone.keys), "successor": gone.successor}
    if gone.kind != "deals":
        key, _ = RECORD_COLUMNS[gone.kind]
        table = f"pipedrive.{gone.kind}"
        tx.execute(text(f"DELETE FROM {table} WHERE administration = :administration AND {key} = ANY(:keys)"), of)
        queue(tx, (f"pipedrive/{gone.kind}",), administration, gone.keys)
    elif gone.successor:
        for statement in _MOVE_DEAL:
            tx.execute(text(statement), of)
        doubt_rows(tx, [(administration, key) for key in gone.keys])
        queue(tx, ("pipedrive/deals", "pipedrive/deal_products"), administration, gone.keys)


def _key(kind: str, entry: Waiting) -> dict[str, str]:
    return {"administration": entry.administration, "kind": kind, "key": entry.key}


def _tickets(kind: str, entries: Iterable[tuple[Waiting, int | None]]) -> dict[str, str]:
    """The parameters of `_GIVEN` and `_NO_LONGER_WAITING`; what has no ticket waits on."""
    done = [{"administration": entry.administration, "key": entry.key, "ticket": ticket} for entry, ticket in entries]
    return {"stage": f"pipedrive/{kind}", "done": json.dumps(done)}


_GIVEN = """
done AS (SELECT * FROM json_to_recordset(CAST(:done AS json))
    AS given (administration text, key text, ticket bigint))
"""
_NO_LONGER_WAITING = """
DELETE FROM state.pending AS waiting USING done
WHERE waiting.stage = :stage AND waiting.administration = done.administration AND waiting.key = done.key
    AND waiting.ticket = done.ticket
"""
_DONE = f"""
WITH {_GIVEN},
known AS (
    DELETE FROM pipedrive.intents AS intent USING done
    WHERE intent.kind = :kind AND intent.administration = done.administration AND intent.key = done.key),
taken AS (
    DELETE FROM pipedrive.rejected AS refused USING done
    WHERE refused.kind = :kind AND refused.administration = done.administration AND refused.key = done.key
        AND done.ticket IS NOT NULL)
{_NO_LONGER_WAITING}
"""
_TAKE_BACK = f"""
WITH taken_back AS (
    DELETE FROM pipedrive.rejected WHERE kind = :kind AND position(reason IN :said) > 0 RETURNING administration, key)
INSERT INTO state.pending (stage, administration, key)
SELECT :stage, administration, key FROM taken_back {QUEUED_AGAIN}
"""
_NO_ROWS = f"""
DELETE FROM state.pending AS waiting
USING {CHOSEN}
WHERE waiting.stage = 'pipedrive/deal_products' AND waiting.administration = chosen.administration
    AND waiting.key = chosen.key
"""
_QUEUE_REFUSED = """
INSERT INTO state.pending (stage, administration, key)
SELECT DISTINCT 'pipedrive/' || refused.kind, refused.administration, refused.key FROM pipedrive.rejected AS refused
JOIN {wanted} AS wanted ON wanted.administration = refused.administration AND wanted.{key} = refused.key
WHERE refused.kind = '{kind}' AND wanted.{column} = ANY(:keys) {again}
"""
_LINKED_OTHERWISE = """
INSERT INTO state.pending (stage, administration, key)
SELECT 'pipedrive/{kind}', administration, {key} FROM pipedrive.{kind} AS there
JOIN crm.{kind} AS wanted USING (administration, {key})
JOIN pipedrive.organizations AS organization USING (administration, customer_id)
WHERE customer_id = ANY(:keys) AND there.written ->> 'org_id' <> organization.org_id::text {again}
"""
_AT_ORGANIZATIONS = (("deals", "order_id"), ("persons", "contact_id"))
_WAITED_FOR = {
    "organizations": [
        statement.format(wanted=f"crm.{kind}", kind=kind, key=key, column="customer_id", again=QUEUED_AGAIN)
        for kind, key in _AT_ORGANIZATIONS
        for statement in (_QUEUE_REFUSED, _LINKED_OTHERWISE)
    ],
    "products": [
        _QUEUE_REFUSED.format(
            wanted="crm.deal_products", kind="deal_products", key="order_id", column="product_key", again=QUEUED_AGAIN
        )
    ],
}
_QUEUE_ALL_REFUSED = f"""
INSERT INTO state.pending (stage, administration, key)
SELECT 'pipedrive/' || kind, administration, key FROM pipedrive.rejected {QUEUED_AGAIN}
"""
_MOVE_DEAL = (
    "DELETE FROM pipedrive.deal_products WHERE administration = :administration AND order_id = ANY(:keys)",
    "DELETE FROM pipedrive.duplicates WHERE kind = 'deals' AND record_id = :successor",
    """UPDATE pipedrive.deals SET deal_id = :successor, written = NULL, is_archived = false
        WHERE administration = :administration AND order_id = ANY(:keys)""",
)
