"""What an audit corrects: what this pipeline remembers of Pipedrive, and what it reports as changed by hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, text

from pipeline.errors import RecordsGone
from pipeline.pipedrive.bodies import Body, same, seen, without
from pipeline.pipedrive.present import RECOVERY_FIELDS, Found
from pipeline.steps.backlog import CHOSEN, Waiting, chosen
from pipeline.steps.bookkeeping import (
    RECORD_COLUMNS,
    doubt_rows,
    forget_gone,
    note_refusals,
)
from pipeline.steps.duplicates import note_duplicates
from pipeline.steps.writer import Writer
from pipeline.warehouse.pending import queue
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.writing import upsert

_OWN_WRITING = timedelta(minutes=1)  # within this of our last write, a change is our own


@dataclass
class Seen:
    """What one page of records held."""

    ours: int = 0
    others: int = 0
    drift: list[tuple[str, str, str]] = field(default_factory=list)  # administration, key, field
    suspects: set[tuple[str, str]] = field(default_factory=set)
    tried_again: set[tuple[str, str, str]] = field(default_factory=set)  # refused before: administration, table, key
    archived_too_early: list[int] = field(default_factory=list)  # deals whose order changed after


def correct(writer: Writer, kind: str, page: Sequence[Mapping[str, Any]]) -> Seen:
    """Remembers what the records show, queues those that show something else than was written, and reports them."""
    result = Seen()
    by_id = {int(record["id"]): record for record in page}
    with writer.engine.begin() as tx:
        linked = tx.execute(text(_LINKED[kind]), {"ids": list(by_id)}).mappings().all()
        rows = [row for known in linked for row in _differences(writer, kind, known, by_id[known["record_id"]])]
        _remember(tx, kind, linked, by_id)
        upsert(tx, tables.drift, rows)
        _queue(tx, kind, {(row["administration"], row["key"]) for row in rows})
        kinds = [kind, "deal_products"] if kind == "deals" else [kind]
        refused = tx.execute(text(_REFUSED_BUT_THERE), {"kinds": kinds, "keys": [row["key"] for row in linked]}).all()
        result.tried_again = {(row.administration, row.kind, row.key) for row in refused}
        for stood in kinds:
            _queue(tx, stood, {(name, key) for name, of, key in result.tried_again if of == stood})
        ours = {row["record_id"] for row in linked}
        strangers = [record for record_id, record in by_id.items() if record_id not in ours]
        note_duplicates(tx, kind, _copies(tx, writer, kind, strangers))
    result.ours, result.others = len(linked), len(strangers)
    result.drift = [(row["administration"], row["key"], row["field"]) for row in rows]
    if kind == "deals":
        result.suspects = {
            (row["administration"], row["key"]) for row in linked if _is_suspect(row, by_id[row["record_id"]])
        }
        result.archived_too_early = [
            row["record_id"] for row in linked if _was_archived_before(row, by_id[row["record_id"]])
        ]
    return result


def forget_drift(engine: Engine) -> None:
    """Clears the last audit's findings, apart from values that are still to be looked at again."""
    with engine.begin() as tx:
        tx.execute(text("DELETE FROM pipedrive.drift WHERE field <> 'value'"))


def unseen(
    engine: Engine, kind: str, there: Iterable[int], *, among: Sequence[int] | None = None
) -> list[tuple[str, str, int]]:
    """Linked records that were not among those seen: administration, key, id."""
    key, record_id = RECORD_COLUMNS[kind]
    query = f"""SELECT administration, {key} AS key, {record_id} AS record_id FROM pipedrive.{kind}
        WHERE NOT {record_id} = ANY(:there) AND (CAST(:among AS bigint[]) IS NULL OR {record_id} = ANY(:among))"""
    with engine.connect() as connection:
        rows = connection.execute(text(query), {"there": list(there), "among": among})
        return [(row.administration, row.key, row.record_id) for row in rows]


def lose(engine: Engine, administration: str, gone: RecordsGone, record_id: int) -> None:
    """A record somebody deleted or merged: its link is moved or forgotten, or its order waits for a person."""
    key = gone.keys[0]
    entry = Waiting(administration, key, 0)
    with engine.begin() as tx:
        forget_gone(tx, administration, gone)
        if gone.kind == "deals" and not gone.successor:
            number = tx.execute(text(_NUMBER), {"administration": administration, "key": key}).scalar()
            note_refusals(tx, "deals", [(entry, number, str(gone))])
        upsert(tx, tables.drift, [_drift(entry, gone.kind, "deleted", record_id, found=gone)])


def deals_with_rows(engine: Engine) -> list[tuple[str, str]]:
    """Every deal outside the archive."""
    query = "SELECT administration, order_id FROM pipedrive.deals WHERE NOT is_archived ORDER BY 1, 2"
    with engine.connect() as connection:
        return [(row.administration, row.order_id) for row in connection.execute(text(query))]


def note_rows(
    engine: Engine, differing: Mapping[tuple[str, str], tuple[int, str]], values: Mapping[tuple[str, str], Any]
) -> None:
    """Deals whose rows are not those that were written are put right; those worth something else are reported."""
    with engine.begin() as tx:
        doubt_rows(tx, differing)
        _queue(tx, "deal_products", differing)
        rows = [
            _drift(Waiting(*deal, 0), "deal_products", "rows", deal_id, found=what)
            for deal, (deal_id, what) in differing.items()
        ]
        rows += [
            _drift(Waiting(*deal, 0), "deals", "value", one.deal_id, **vars(one.difference))
            for deal, one in values.items()
        ]
        upsert(tx, tables.drift, rows)


def forget_values(engine: Engine, deals: Iterable[tuple[str, str]]) -> None:
    """These deals are looked at now."""
    with engine.begin() as tx:
        tx.execute(text(_FORGET_VALUES), chosen(deals))


def _differences(writer: Writer, kind: str, known: RowMapping, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row of `pipedrive.drift` for each field that does not show what was written."""
    if known["written"] is None or record.get("is_archived"):
        return []
    written: Body = known["written"]
    shown = _shown(written, record, has_rows=known["has_rows"])
    names: dict[str, str] = {code: name for (_, name), code in writer.schema.fields.items()}
    entry = Waiting(known["administration"], known["key"], 0)
    before, there = _named(written, names), _named(shown, names)
    return [
        _drift(entry, kind, name, known["record_id"], found=there[name], wanted=before[name], number=known["number"])
        for name in before
        if not same(before[name], there[name])
    ]


def _named(body: Body, names: Mapping[str, str]) -> Body:
    """All fields of a body by the names people see."""
    fields = body.get("custom_fields", {})
    return without(body, ["custom_fields"]) | {names.get(code, code): value for code, value in fields.items()}


def _shown(written: Body, record: Mapping[str, Any], *, has_rows: bool) -> Body:
    return seen(written, record, leaving_out=frozenset({"value"}) if has_rows else frozenset())


def _remember(tx: Connection, kind: str, linked: Sequence[RowMapping], by_id: Mapping[int, Mapping[str, Any]]) -> None:
    """What the records show becomes what we know of them."""
    key, record_id = RECORD_COLUMNS[kind]
    rows = []
    for known in linked:
        record, written = by_id[known["record_id"]], known["written"]
        row = {"administration": known["administration"], key: known["key"], record_id: known["record_id"]}
        row["written"] = written and _shown(written, record, has_rows=known["has_rows"])
        if kind == "deals":
            row["is_archived"] = bool(record.get("is_archived"))
        rows.append(row)
    upsert(tx, getattr(tables, kind), rows)


def _last_write(known: RowMapping) -> datetime | None:
    return max((at for at in (known["written_at"], known["rows_written_at"]) if at), default=None)


def _was_archived_before(known: RowMapping, record: Mapping[str, Any]) -> bool:
    """Whether the deal was put away before our last write: some accounts take rows on an archived deal all the same."""
    since, last = record.get("archive_time"), _last_write(known)
    return bool(since and last and datetime.fromisoformat(since) < last)


def _is_suspect(known: RowMapping, record: Mapping[str, Any]) -> bool:
    """Whether the deal's rows may have been touched: it is worth something else, or changed after our last write."""
    if record.get("is_archived"):
        return False
    changed, last = record.get("update_time"), _last_write(known)
    later = bool(changed and last and datetime.fromisoformat(changed) > last + _OWN_WRITING)
    return later or not same(float(known["value"] or 0), record.get("value") or 0)


def _copies(
    tx: Connection, writer: Writer, kind: str, strangers: Sequence[Mapping[str, Any]]
) -> list[tuple[str, Found, Found]]:
    """Records that carry the key of one we know, as a copy made by hand does: administration, newer, older."""
    entity, name = RECOVERY_FIELDS[kind]
    code = writer.schema.code(entity, name)
    keyed = {int(one["id"]): key for one in strangers if (key := (one.get("custom_fields") or {}).get(code))}
    copies = []
    for row in tx.execute(text(_WITH_KEY[kind]), {"keys": list(keyed.values())}) if keyed else ():
        alike = sorted([row.record_id, *(record_id for record_id, key in keyed.items() if key == row.key)])
        kept = alike[0] if kind == "deals" else row.record_id
        if kept != row.record_id:
            gone = RecordsGone("an older one was found", kind=kind, keys=[row.key], successor=kept)
            forget_gone(tx, row.administration, gone)
        copies += [(row.administration, Found(row.key, one), Found(row.key, kept)) for one in alike if one != kept]
    return copies


def _queue(tx: Connection, kind: str, records: Iterable[tuple[str, str]]) -> None:
    """Lets these be written, an administration at a time."""
    by_administration: dict[str, list[str]] = {}
    for administration, key in records:
        by_administration.setdefault(administration, []).append(key)
    for administration, keys in by_administration.items():
        queue(tx, (f"pipedrive/{kind}",), administration, keys)


def _drift(entry: Waiting, kind: str, name: str, record_id: int, **more: Any) -> dict[str, Any]:
    """A row of `pipedrive.drift`; `found`, `wanted` and `number` where they are known."""
    return {
        "administration": entry.administration,
        "kind": kind,
        "key": entry.key,
        "field": name,
        "record_id": record_id,
        "found_at": datetime.now(UTC),
        **{column: None if more.get(column) is None else str(more[column]) for column in ("number", "found", "wanted")},
    }


_LINKED = {
    "organizations": """
SELECT there.administration, there.customer_id AS key, there.org_id AS record_id, there.written,
    wanted.debtor_code AS number, false AS has_rows FROM pipedrive.organizations AS there
LEFT JOIN crm.organizations AS wanted USING (administration, customer_id) WHERE there.org_id = ANY(:ids)
""",
    "persons": """
SELECT there.administration, there.contact_id AS key, there.person_id AS record_id, there.written,
    wanted.name AS number, false AS has_rows FROM pipedrive.persons AS there
LEFT JOIN crm.persons AS wanted USING (administration, contact_id) WHERE there.person_id = ANY(:ids)
""",
    "products": """
SELECT there.administration, there.product_key AS key, there.product_id AS record_id, there.written,
    wanted.code AS number, false AS has_rows FROM pipedrive.products AS there
LEFT JOIN crm.products AS wanted USING (administration, product_key) WHERE there.product_id = ANY(:ids)
""",
    "deals": """
SELECT there.administration, there.order_id AS key, there.deal_id AS record_id, there.written, there.written_at,
    there.rows_written_at, wanted.order_number AS number, wanted.value,
    EXISTS (SELECT FROM pipedrive.deal_products AS line WHERE line.administration = there.administration
        AND line.order_id = there.order_id) AS has_rows
FROM pipedrive.deals AS there LEFT JOIN crm.deals AS wanted USING (administration, order_id)
WHERE there.deal_id = ANY(:ids)
""",
}
_WITH_KEY = {
    kind: f"""SELECT administration, {key} AS key, {record_id} AS record_id FROM pipedrive.{kind}
        WHERE {key} = ANY(:keys)"""
    for kind, (key, record_id) in RECORD_COLUMNS.items()
}
_REFUSED_BUT_THERE = """
SELECT administration, kind, key FROM pipedrive.rejected WHERE kind = ANY(:kinds) AND key = ANY(:keys)
"""
_NUMBER = "SELECT order_number FROM crm.deals WHERE administration = :administration AND order_id = :key"
_FORGET_VALUES = f"""
DELETE FROM pipedrive.drift USING {CHOSEN}
WHERE drift.administration = chosen.administration AND drift.key = chosen.key
    AND drift.kind = 'deals' AND drift.field = 'value'
"""
