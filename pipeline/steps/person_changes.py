"""Persons that people want in the ERP: which carry the label "Naar Exact" and what changed of them since the last look.

An idle look costs one list. With `contacts_to_exact` off nothing is asked. What becomes of a change is decided by
`steps/contacts_to_exact.py`; until then the mirror leaves that person alone (`steps/backlog.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from pipeline.domain.contact_changes import Content, content, is_address
from pipeline.pipedrive.persons import LABEL, content_of, label_id
from pipeline.pipedrive.schema import Schema
from pipeline.steps import erasures
from pipeline.steps.writer import Writer
from pipeline.warehouse import memory
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.writing import remove, upsert

ACCOUNT, FEED = "pipedrive", "person_changes"  # a watermark of the account, which is no administration
_LABEL = f"pipedrive label {LABEL}"
_IDS_AT_ONCE = 100  # persons that one list gives by their ids
_SAME_SECONDS = timedelta(seconds=5)  # moments are told in whole seconds, and some records show a little late
Record = Mapping[str, Any]


def look_for_changes(writer: Writer) -> int:
    """Lands persons with the label that changed since the last look, and returns how many wait for a decision."""
    label = _label(writer)
    with writer.engine.connect() as connection:
        mark = memory.watermark(connection, ACCOUNT, FEED)
    since = {"updated_since": _moment(datetime.fromisoformat(mark) - _SAME_SECONDS)} if mark else {}
    # In the order of their changes: what changes while pages are read comes once more on a later one.
    pages = writer.client.pages("/api/v2/persons", sort_by="update_time", sort_direction="asc", **since)
    changed, labelled = mark or "", {}
    others: set[int] = set()
    for page in pages:
        for person in page:
            changed = max(changed, _changed_at(person))
            is_wanted = label in (person.get("label_ids") or ())
            labelled |= {int(person["id"]): person} if is_wanted else {}
            others |= set() if is_wanted else {int(person["id"])}
    with writer.engine.begin() as tx:
        waiting = _land(tx, writer.schema, labelled)
        _forget(tx, others - set(labelled))
        if changed != mark and changed:
            memory.move_watermark(tx, ACCOUNT, FEED, changed)
    return waiting


def look_before_persons_are_changed(writer: Writer) -> None:
    """What people changed has to be known before the mirror writes over it; asked only when it is about to."""
    if not writer.config.contacts_to_exact:
        return
    with writer.engine.connect() as connection:
        is_worth_it = connection.execute(text(_ABOUT_TO_CHANGE), {"label": _LABEL}).scalar_one()
    if is_worth_it:
        look_for_changes(writer)


def without_those_for_the_erp(writer: Writer, page: Sequence[Record]) -> list[Record]:
    """The persons whose hand edits an audit puts back: all but those on their way to the ERP."""
    with writer.engine.connect() as connection:
        label = (memory.recall(connection, _LABEL) or {}).get("id") if writer.config.contacts_to_exact else None
        chosen = {int(one["id"]): one for one in page if label in (one.get("label_ids") or ())}
        if not chosen:
            return list(page)
        of_customers = connection.execute(text(_OF_CUSTOMERS), {"ids": [one["org_id"] for one in chosen.values()]})
        customers, agreed = {row.org_id for row in of_customers}, agreed_contents(connection, chosen)
    on_their_way = {
        person_id
        for person_id, one in chosen.items()
        if one["org_id"] in customers and is_ready(said := content_of(one)) and said != agreed.get(person_id)
    }
    return [one for one in page if int(one["id"]) not in on_their_way]


def is_ready(said: Content) -> bool:
    """Whether it has the name and the e-mail address that a contact in the ERP needs."""
    return bool(said.name and said.e_mail and is_address(said.e_mail))


def forget_all(tx: Connection) -> None:
    """It was switched off: what waits is dropped, and switched on again everything is looked at anew."""
    of = {"account": ACCOUNT, "feed": FEED}
    for statement in _FORGET_ALL:
        tx.execute(text(statement), of)


def agreed_contents(connection: Connection, person_ids: Iterable[int]) -> dict[int, Content]:
    """What this pipeline and the person last agreed on, by person; those never written are missing."""
    rows = connection.execute(text(_WRITTEN), {"ids": list(person_ids)})
    return {row.person_id: content_of(row.written) for row in rows}


def _land(tx: Connection, schema: Schema, labelled: Mapping[int, Record]) -> int:
    """Those that say something else than what was agreed on, and than what was decided on before, wait.

    Of those that were erased nothing is taken in.
    """
    gone = erasures.hashes(tx, erasures.PIPEDRIVE, erasures.PERSON)
    labelled = {one: person for one, person in labelled.items() if erasures.person_hash(one) not in gone}
    known = {row.person_id: row for row in tx.execute(text(_KNOWN), {"ids": list(labelled)})}
    agreed = agreed_contents(tx, labelled)
    rows = []
    for person_id, person in labelled.items():
        said, before = content_of(person), known.get(person_id)
        if before and (before.waits or before.reason) and _content(before) == said:
            continue  # it waits already, or was held as it stands
        waits = said != agreed.get(person_id)
        rows.append(_row(schema, person_id, person, said) | {"waits": waits, "reason": None, "since": None})
    upsert(tx, tables.person_changes, rows)
    return sum(row["waits"] for row in rows)


def _content(row: Row) -> Content:
    return content(row.name, row.e_mail, row.phone, row.mobile, row.org_id)


def _row(schema: Schema, person_id: int, person: Record, said: Content) -> dict[str, Any]:
    contact_id = (person.get("custom_fields") or {}).get(schema.code("person", "Exact contact-ID"))
    return {"person_id": person_id, **vars(said), "contact_id": contact_id, "changed_at": _changed_at(person)}


def _forget(tx: Connection, without_label: Iterable[int]) -> None:
    """Who lost the label is the mirror's alone again; one whose contact is being made is kept until that is known."""
    known = tx.execute(text(_NO_LONGER), {"ids": list(without_label)})
    remove(tx, tables.person_changes, [{"person_id": row.person_id} for row in known])


def _forget_the_deleted(writer: Writer) -> None:
    """Who is held and was deleted in Pipedrive is shown no longer: no list of changes tells of that."""
    with writer.engine.connect() as connection:
        held = list(connection.execute(text(_HELD)).scalars())
    there: set[int] = set()
    for start in range(0, len(held), _IDS_AT_ONCE):
        asked = ",".join(map(str, held[start : start + _IDS_AT_ONCE]))
        there |= {int(one["id"]) for page in writer.client.pages("/api/v2/persons", ids=asked) for one in page}
    with writer.engine.begin() as tx:
        _forget(tx, set(held) - there)


def _label(writer: Writer) -> int:
    """The label's id, which is looked up once a day, and with it whether those who are held still exist."""
    today = datetime.now(UTC).date().isoformat()
    with writer.engine.connect() as connection:
        known = memory.recall(connection, _LABEL) or {}
    if known.get("day") != today:
        known = {"id": label_id(writer.client), "day": today}
        _forget_the_deleted(writer)
        with writer.engine.begin() as tx:
            memory.note(tx, _LABEL, known)
    return known["id"]


def _changed_at(person: Record) -> str:
    return _moment(datetime.fromisoformat(person.get("update_time") or person["add_time"]))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_HELD = "SELECT person_id FROM pipedrive.person_changes WHERE since IS NOT NULL ORDER BY person_id"
_KNOWN = "SELECT * FROM pipedrive.person_changes WHERE person_id = ANY(:ids)"
_WRITTEN = "SELECT person_id, written FROM pipedrive.persons WHERE person_id = ANY(:ids) AND written IS NOT NULL"
_OF_CUSTOMERS = "SELECT org_id FROM pipedrive.organizations WHERE org_id = ANY(:ids)"
_NO_LONGER = """
SELECT person_id FROM pipedrive.person_changes AS change WHERE person_id = ANY(:ids)
    AND NOT EXISTS (SELECT FROM exact_online.contact_intents AS doubt WHERE doubt.person_id = change.person_id)
"""
_ABOUT_TO_CHANGE = """
SELECT EXISTS (SELECT FROM state.remembered WHERE name = :label) AND EXISTS (SELECT FROM state.pending AS waiting
    JOIN pipedrive.persons AS there ON there.administration = waiting.administration AND there.contact_id = waiting.key
    WHERE waiting.stage = 'pipedrive/persons')
"""
_FORGET_ALL = (
    "DELETE FROM pipedrive.person_changes",
    "DELETE FROM exact_online.contact_intents",
    "DELETE FROM state.watermarks WHERE administration = :account AND feed = :feed",
)
