"""Persons with the label "Naar Exact" become contacts in Exact Online, or change theirs: once, and never against it.

Before each write the contacts of the account are read, so that a change nobody told of yet is seen, and so that a write
whose answer was lost is found instead of being repeated. An intent is committed before the write and goes away in the
transaction that remembers what was written. Without `contacts_to_exact` nothing at all is asked or written.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, RowMapping, text

from pipeline.config import Config
from pipeline.domain.contact_changes import Contact, Content, Verdict, changes, content, decide, differing, new_contact
from pipeline.errors import HoldRow, OutcomeUnknown, RetryLater
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.contacts import change_contact, contact_there, contacts_of, make_contact
from pipeline.pipedrive.bodies import person_body, without
from pipeline.pipedrive.persons import content_of
from pipeline.steps.apply import PASSES, Connect, carry_out, with_writer
from pipeline.steps.doubts import wait_until_caught_up
from pipeline.steps.outcomes import Report
from pipeline.steps.person_changes import is_ready, look_for_changes
from pipeline.steps.writer import Access, Writer, the_only_writer
from pipeline.warehouse.pending import queue
from pipeline.warehouse.tables import crm, exact_online, pipedrive
from pipeline.warehouse.writing import remove, upsert

ExactClients = Callable[[str], ExactOnlineClient]  # by administration


@dataclass
class Sent:
    """What came of the persons that waited."""

    looked_at: int = 0
    made: int = 0
    changed: int = 0
    conflicts: int = 0
    held: int = 0
    in_doubt: int = 0
    exact_calls: int = 0
    put_back: set[tuple[str, str, str]] = field(default_factory=set)  # administration, persons, contact
    report: Report = field(default_factory=Report)

    def figures(self) -> dict[str, int | str]:
        """What a materialisation shows of it."""
        names = ("made", "changed", "conflicts", "held", "exact_calls")
        stopped = {"stopped": self.report.stopped} if self.report.stopped else {}
        return {name: getattr(self, name) for name in names} | {"pipedrive_tokens": self.report.tokens} | stopped


@dataclass(frozen=True)
class Change:
    """A person that waits, with all that is known of it on our side."""

    row: RowMapping
    said: Content
    agreed: Content | None
    contact: Contact | None = None
    keeper: int | None = None  # another person who stands for the contact already

    @property
    def is_linked(self) -> bool:
        """Whether the person stands for the contact."""
        return self.contact is not None and self.row["linked_to"] == self.contact.contact_id


def contacts_to_exact(
    engine: Engine, connect: Connect, exact: ExactClients, config: Config, *, daily_tokens: int
) -> Sent:
    """Decides on every person that waits; raises RetryLater when answers never came: the next run looks them up."""
    sent = Sent()
    if not config.contacts_to_exact:
        return sent
    with the_only_writer(engine) as still_locked:
        access = Access(engine, connect, config, daily_tokens, still_locked, with_history=False)
        with_writer(access, sent.report, lambda writer: _decide_on_all(writer, exact, sent))
    if sent.in_doubt or sent.report.in_doubt:
        raise RetryLater(
            f"{sent.in_doubt} contacts sent to Exact Online were never answered; the next run looks them up."
        )
    return sent


def _decide_on_all(writer: Writer, exact: ExactClients, sent: Sent) -> None:
    """Everybody who waits; in further passes those whose answers were lost."""
    look_for_changes(writer)
    for _ in range(PASSES):
        sent.looked_at = sent.held = sent.in_doubt = 0
        for row in _waiting(writer):
            writer.still_locked()
            sent.looked_at += 1
            _decide_or_hold(writer, exact, row, sent)
        if not sent.in_doubt:
            break
    if sent.put_back:
        carry_out(writer, sent.put_back)


def _decide_or_hold(writer: Writer, exact: ExactClients, row: RowMapping, sent: Sent) -> None:
    agreed = content_of(row["written"]) if row["written"] else None
    said = content(row["name"], row["e_mail"], row["phone"], row["mobile"], row["org_id"])
    try:
        _decide_on(writer, exact, Change(row, said, agreed), sent)
    except HoldRow as refusal:
        sent.held += 1
        _hold(writer, row, str(refusal))
    except OutcomeUnknown:
        sent.in_doubt += 1


def _waiting(writer: Writer) -> list[RowMapping]:
    with writer.engine.connect() as connection:
        return list(connection.execute(text(_WAITING)).mappings())


def _decide_on(writer: Writer, exact: ExactClients, change: Change, sent: Sent) -> None:
    """One person; raises HoldRow where a person has to look, OutcomeUnknown where Exact did not answer."""
    row = change.row
    if reason := _unready(change):
        _keep_waiting(writer, row, reason)
        return
    client = exact(row["administration"])
    before = client.calls
    try:
        if row["intended_at"]:
            wait_until_caught_up(row["intended_at"])
        change = _with_contact(writer, client, change)
        verdict = _verdict(writer, change)
        if verdict is Verdict.ERP_WINS and change.contact:
            _let_the_erp_win(writer, change, change.contact, sent)
        else:
            contact_id = _written(writer, client, change, verdict, sent)
            _put_contact_id(writer, change, contact_id)
    finally:
        sent.exact_calls += client.calls - before


def _unready(change: Change) -> str | None:
    """Why it can't go to the ERP yet, where that passes by itself; raises HoldRow where it is to be changed first."""
    row = change.row
    if row["org_id"] is None:
        raise HoldRow("it belongs to no organization: link it to the customer's in Pipedrive")
    if not is_ready(change.said):
        what = "its e-mail address is none" if change.said.e_mail else "it has no e-mail address"
        raise HoldRow(f"{what if change.said.name else 'it has no name'}: put that right in Pipedrive")
    if row["administration"] is None:
        return 'its organization stands for no customer of the ERP: it has no "Debiteurnummer" that one of them has'
    if row["held"] or not row["debtor_code"]:
        return f"its customer is held: {row['held'] or 'it has no debtor code'}"
    if row["linked_in"] not in {None, row["administration"]}:
        raise HoldRow(f"it is a contact of administration {row['linked_in']}: make a new person for this one")
    return None


def _with_contact(writer: Writer, client: ExactOnlineClient, change: Change) -> Change:
    """The contact of that account it is: by its id, else by the address; none when there is none yet."""
    row = change.row
    there = contacts_of(client, row["customer_id"])
    wanted = row["linked_to"] or row["intended_for"] or row["contact_id"]
    found = [one for one in there if one.contact_id == wanted]
    if not found and wanted and (elsewhere := contact_there(client, wanted)):
        found = [elsewhere]
    for e_mail in () if found else filter(None, (row["intended_e_mail"], change.said.e_mail)):
        found = found or [one for one in there if one.has_address(e_mail)]
    if len(found) > 1:
        raise HoldRow(
            f"{len(found)} contacts of its customer have its e-mail address: leave that to one of them in Exact "
            "Online, then change the person once more"
        )
    if not found and row["linked_to"]:
        raise HoldRow("its contact was deleted in Exact Online: make a new person to have it there again")
    with writer.engine.connect() as connection:
        of = {"administration": row["administration"], "contact_id": found[0].contact_id if found else None}
        keeper = connection.execute(text(_KEEPER), of | {"person_id": row["person_id"]}).scalar()
    return replace(change, contact=found[0] if found else None, keeper=keeper)


def _erp_says(writer: Writer, change: Change, contact: Contact) -> Content:
    """The contact as its person would show it."""
    with writer.engine.connect() as connection:
        of = {"administration": change.row["administration"], "customer_id": contact.customer_id}
        org_id = connection.execute(text(_ORGANIZATION), of).scalar()
    return contact.content(org_id, change.agreed.name if change.agreed and change.is_linked else None)


def _verdict(writer: Writer, change: Change) -> Verdict:
    if change.contact is None:
        return Verdict.WRITE
    row = change.row
    own = {row["intended_hash"], row["hash_before"], None if change.agreed else row["written_hash"]}
    agreed = change.agreed.hash if change.agreed and change.is_linked else None
    erp = _erp_says(writer, change, change.contact)
    return decide(change.said, erp, agreed=agreed, own=own - {None}, is_linked=change.is_linked)


def _written(writer: Writer, client: ExactOnlineClient, change: Change, verdict: Verdict, sent: Sent) -> str:
    """Makes or changes the contact where anything differs, remembers it, and returns its id."""
    row, contact = change.row, change.contact
    if contact is None:
        erp, fields = None, new_contact(change.said, row["customer_id"])
    elif verdict is Verdict.WRITE:
        erp = _erp_says(writer, change, contact)
        fields = changes(contact, erp, change.said, row["customer_id"], is_linked=change.is_linked)
    else:
        erp, fields = None, {}
    contact_id = contact.contact_id if contact else ""
    if fields:
        with writer.engine.begin() as tx:
            upsert(tx, exact_online.contact_intents, [_intent(change, contact_id or None, erp)])
        again = row["intended_hash"] == change.said.hash
        if contact is None:
            contact_id = make_contact(client, fields, again=again)
        else:
            change_contact(client, contact_id, fields, again=again)
    with writer.engine.begin() as tx:
        _remember(tx, writer, change, contact_id, was_written=bool(fields) or row["intended_hash"] == change.said.hash)
    sent.made += contact is None
    sent.changed += bool(fields) and contact is not None
    return contact_id


def _remember(tx: Connection, writer: Writer, change: Change, contact_id: str, *, was_written: bool) -> None:
    row, now = change.row, datetime.now(UTC)
    of = {"administration": row["administration"], "contact_id": contact_id, "person_id": row["person_id"]}
    if was_written:
        hashed = {"content_hash": change.said.hash, "written_at": now}
        upsert(tx, exact_online.written_contacts, [of | hashed])
    _forget_intent(tx, row)
    if change.keeper:
        reason = (
            f"its contact is person {change.keeper} in Pipedrive already, who shows what was written: merge the two"
        )
        _settle(tx, row, reason)
        return
    if row["linked_to"] not in {None, contact_id}:
        remove(tx, pipedrive.persons, [{"administration": row["administration"], "contact_id": row["linked_to"]}])
    upsert(tx, pipedrive.persons, [of | {"written": _shown(writer, change, contact_id), "written_at": now}])
    _settle(tx, row, None)


def _shown(writer: Writer, change: Change, contact_id: str) -> dict:
    """The person as it stands, in the words of a request that would write it."""
    body = person_body(vars(change.said) | {"contact_id": contact_id}, writer.schema)
    return body if change.row["contact_id"] == contact_id else without(body, ["custom_fields"]) | {"custom_fields": {}}


def _put_contact_id(writer: Writer, change: Change, contact_id: str) -> None:
    """By it the mirror, and another warehouse after this one, recognise the person."""
    if change.keeper or change.row["contact_id"] == contact_id:
        return
    code = writer.schema.code("person", "Exact contact-ID")
    writer.client.patch(f"/api/v2/persons/{change.row['person_id']}", {"custom_fields": {code: contact_id}})
    with writer.engine.begin() as tx:
        of = {"administration": change.row["administration"], "contact_id": contact_id}
        body = person_body(vars(change.said) | {"contact_id": contact_id}, writer.schema)
        upsert(tx, pipedrive.persons, [of | {"person_id": change.row["person_id"], "written": body}])
        tx.execute(text(_CONTACT_ID), {"person_id": change.row["person_id"], "contact_id": contact_id})


def _let_the_erp_win(writer: Writer, change: Change, contact: Contact, sent: Sent) -> None:
    """What the person said is kept, and the mirror writes what the contact says over it."""
    row, now = change.row, datetime.now(UTC)
    erp = _erp_says(writer, change, contact)
    of = {"administration": row["administration"], "contact_id": contact.contact_id, "person_id": row["person_id"]}
    lost = [
        of | {"field": name, "since": now, "theirs": theirs, "ours": ours}
        for name, (theirs, ours) in differing(change.said, erp).items()
    ]
    with writer.engine.begin() as tx:
        upsert(tx, crm.contact_conflicts, lost)
        upsert(tx, pipedrive.persons, [of | {"written": _shown(writer, change, contact.contact_id)}])
        queue(tx, ("pipedrive/persons",), row["administration"], [contact.contact_id])
        _forget_intent(tx, row)
        _settle(tx, row, None)
    sent.conflicts += 1
    sent.put_back.add((row["administration"], "persons", contact.contact_id))


def _intent(change: Change, contact_id: str | None, erp: Content | None) -> dict:
    row, said = change.row, change.said
    return {
        "administration": row["administration"],
        "person_id": row["person_id"],
        "contact_id": contact_id,
        "e_mail": said.e_mail,
        "content_hash": said.hash,
        "hash_before": erp.hash if erp else None,
        "intended_at": datetime.now(UTC),
    }


def _hold(writer: Writer, row: RowMapping, reason: str) -> None:
    """It is shown with its reason and not looked at again before the person changes."""
    with writer.engine.begin() as tx:
        _forget_intent(tx, row)
        _settle(tx, row, reason)


def _keep_waiting(writer: Writer, row: RowMapping, reason: str) -> None:
    """It goes on by itself when its organization does."""
    with writer.engine.begin() as tx:
        tx.execute(text(_REASON), {"person_id": row["person_id"], "reason": reason})


def _settle(tx: Connection, row: RowMapping, reason: str | None) -> None:
    tx.execute(text(_SETTLED), {"person_id": row["person_id"]})
    tx.execute(text(_REASON), {"person_id": row["person_id"], "reason": reason})


def _forget_intent(tx: Connection, row: RowMapping) -> None:
    tx.execute(text("DELETE FROM exact_online.contact_intents WHERE person_id = :person_id"), dict(row))


_WAITING = """
SELECT DISTINCT ON (change.changed_at, change.person_id) change.*, organization.administration,
    organization.customer_id, customer.debtor_code, held.reason AS held, link.administration AS linked_in,
    link.contact_id AS linked_to, link.written, written.content_hash AS written_hash, doubt.intended_at,
    doubt.contact_id AS intended_for, doubt.e_mail AS intended_e_mail, doubt.content_hash AS intended_hash,
    doubt.hash_before
FROM pipedrive.person_changes AS change
LEFT JOIN pipedrive.organizations AS organization ON organization.org_id = change.org_id
LEFT JOIN crm.organizations AS customer ON customer.administration = organization.administration
    AND customer.customer_id = organization.customer_id
LEFT JOIN crm.held AS held ON held.administration = organization.administration AND held.entity = 'customer'
    AND held.key = organization.customer_id
LEFT JOIN pipedrive.persons AS link ON link.person_id = change.person_id
LEFT JOIN exact_online.written_contacts AS written ON written.administration = link.administration
    AND written.contact_id = link.contact_id
LEFT JOIN exact_online.contact_intents AS doubt ON doubt.person_id = change.person_id
WHERE change.waits OR doubt.person_id IS NOT NULL
ORDER BY change.changed_at, change.person_id,
    organization.administration IS DISTINCT FROM link.administration, organization.administration
"""
_KEEPER = """
SELECT person_id FROM pipedrive.persons
WHERE administration = :administration AND contact_id = :contact_id AND person_id <> :person_id
"""
_ORGANIZATION = """
SELECT org_id FROM pipedrive.organizations WHERE administration = :administration AND customer_id = :customer_id
"""
_SETTLED = "UPDATE pipedrive.person_changes SET waits = false WHERE person_id = :person_id"
_REASON = """
UPDATE pipedrive.person_changes SET since = CASE WHEN CAST(:reason AS text) IS NULL THEN NULL
        WHEN reason IS NOT DISTINCT FROM :reason THEN since ELSE now() END, reason = :reason
WHERE person_id = :person_id
"""
_CONTACT_ID = "UPDATE pipedrive.person_changes SET contact_id = :contact_id WHERE person_id = :person_id"
