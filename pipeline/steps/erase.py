"""An erasure from its beginning to its end: who is meant, the warehouse in one transaction, Pipedrive, what stays.

The warehouse is first and whole or not at all. What stands in Pipedrive waits there as any other change does, so that a
stop at any moment leaves nothing forgotten: the next writing, or the same command again, goes on.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from pipeline.config import Config
from pipeline.domain.backups import MONTHS
from pipeline.domain.erasure import Asked, kept_until, last_backup_gone
from pipeline.errors import GiveUp, PipelineError
from pipeline.exact_online import feeds
from pipeline.steps import erase_logs, erasures
from pipeline.steps.apply import Chosen, Connect, carry_out, raise_what_stays_undone, with_writer
from pipeline.steps.erase_records import choose, empty, known_words
from pipeline.steps.erasures import ACCOUNT, CONTACT, ORDER, PERSON, PIPEDRIVE, Record
from pipeline.steps.outcomes import Report
from pipeline.steps.writer import Access, the_only_writer
from pipeline.warehouse.connection import only_one

_LATER = "PIPEDRIVE_API_TOKEN is not set: the next `pipeline sync` writes it"


def erase(
    engine: Engine,
    connect: Connect | None,
    config: Config,
    asked: Asked,
    *,
    daily_tokens: int,
    backups: Path,
    by: str,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Erases, and returns the report without its signature; `dry_run` takes everything back and tells what would go.

    Without `connect` Pipedrive waits for the next writing. Raises GiveUp when nobody, or more than one, is meant.
    """
    with the_only_writer(engine, with_haste=True) as still_locked, feeds_at_rest(engine, config):
        report = _in_the_warehouse(engine, config, asked, backups=None if dry_run else backups)
        records: list[Record] = report.pop("records")
        if not dry_run:
            access = Access(engine, connect, config, daily_tokens, still_locked) if connect else None
            report["pipedrive_waits_because"] = _write(access, engine, records)
    with engine.connect() as connection:
        report["pipedrive"] = _in_pipedrive(connection, records)
    now = datetime.now(UTC)
    return {
        "report": "erasure",
        "at": now.isoformat(timespec="seconds"),
        "by": by,
        "dry_run": dry_run,
        **report,
        "backups": _dumps(backups, now.date()),
    }


def erase_again(engine: Engine, config: Config, *folders: Path) -> int:
    """After a restore: whoever was erased since the dump is erased in it too; returns the rows that held something.

    Known from the database that was replaced, and from the files beside dumps in those folders. Pipedrive is told by
    the next writing.
    """
    with engine.begin() as tx:
        for folder in folders:
            erasures.take_from_beside(tx, folder)
        found = [(row.administration, row.kind, row.key) for row in tx.execute(text(_KNOWN_BY_HASH))]
        return sum(_emptied(tx, config, choose(tx, found)).values()) if found else 0


@contextmanager
def feeds_at_rest(engine: Engine, config: Config) -> Iterator[None]:
    """Nobody reads accounts or contacts meanwhile: what was read before would land after."""
    with ExitStack() as held:
        for administration in config.administrations:
            for feed in (feeds.ACCOUNTS, feeds.CONTACTS):
                held.enter_context(only_one(engine, f"{administration.name} {feed.name}"))
        yield


def _in_the_warehouse(engine: Engine, config: Config, asked: Asked, *, backups: Path | None) -> dict[str, Any]:
    """All of it or nothing; without the folder of the backups all is taken back."""
    with engine.connect() as connection, connection.begin() as tx:
        records = choose(connection, meant(connection, config, asked))
        report = {
            "records": records,
            "subjects": [_subject(connection, one) for one in records if one[1] != ORDER],
            "stays": _what_stays(connection),
        }
        report["erased"] = _emptied(connection, config, records)
        if backups:
            erasures.write_beside(connection, backups)
        else:
            tx.rollback()
    return report


def _subject(connection: Connection, record: Record) -> dict[str, str]:
    name, kind, key = record
    if kind == PERSON:
        return {"kind": "person in Pipedrive", "id": key}
    state = _in_exact(connection, record)
    return {"administration": name, "kind": kind, "id": key, "in_exact_online": state}


def _emptied(tx: Connection, config: Config, records: Sequence[Record]) -> dict[str, int]:
    words = known_words(tx)
    rows = dict(empty(tx, records, deal_title=config.pipedrive.deal_title))
    for table, count in erase_logs.take_out(tx, words).items():
        rows[table] = rows.get(table, 0) + count
    return dict(sorted(rows.items()))


def meant(connection: Connection, config: Config, asked: Asked) -> list[Record]:
    """The records that are asked for, those erased before too; raises GiveUp when it is none, or more than one."""
    of = {"names": [one.name for one in config.administrations]}
    if asked.e_mail:
        rows = connection.execute(text(_BY_E_MAIL), of | {"e_mail": asked.e_mail.strip().lower()}).all()
        if not rows:
            raise GiveUp("Nobody with that e-mail address is held here: nothing to erase.")
        return [(row.administration, row.kind, row.key) for row in rows]
    kind, query = (CONTACT, _CONTACT) if asked.contact else (ACCOUNT, _ACCOUNT)
    key = (asked.contact or asked.account or "").strip().strip("{}")
    rows = connection.execute(text(query), of | {"keys": [key, key.lower(), key.upper()], "code": key}).all()
    if len(rows) > 1:
        found = ", ".join(f"{row.key} in {row.administration}" for row in rows)
        raise GiveUp(f"{len(rows)} accounts are meant by that ({found}): name one by its id.")
    if rows:
        return [(rows[0].administration, kind, rows[0].key)]
    before = [(name, kind, key) for name in of["names"] if erasures.erased_at(connection, (name, kind, key))]
    if not before:
        raise GiveUp(
            f"There is no {kind} {key} in {', '.join(of['names'])}, and none was erased: nothing to erase. Ids are "
            "those of Exact Online; an account may be named by its debtor code."
        )
    return before


def _in_exact(connection: Connection, record: Record) -> str:
    """What the source's own record was like when it was read last: whoever is there still has to be erased there."""
    name, kind, key = record
    of = {"administration": name, "key": key}
    if connection.execute(text(_DELETED[kind]), of).scalar_one():
        return "deleted"
    if connection.execute(text(_THERE[kind]), of).scalar_one():
        return "still there when it was read last: erase it there too; it is kept out here"
    return "no longer held here"


def _write(access: Access | None, engine: Engine, records: Sequence[Record]) -> str | None:
    """Empties the records in Pipedrive; returns why it has to wait, None where it does not."""
    with engine.connect() as connection:
        waits = _waiting(connection, records)
    if not waits or access is None:
        return _LATER if waits else None
    report = Report()
    try:
        with_writer(access, report, lambda writer: carry_out(writer, waits))
        raise_what_stays_undone(report)
    except PipelineError as error:  # the warehouse is emptied already, and that is to be told in any case
        return str(error)
    return report.stopped


def _waiting(connection: Connection, records: Sequence[Record]) -> Chosen:
    rows = connection.execute(text(_WAITING), _arrays(records))
    return {(row.administration, row.kind, row.key) for row in rows}


def _in_pipedrive(connection: Connection, records: Sequence[Record]) -> list[dict[str, Any]]:
    """What stands there of the chosen, each emptied, waiting for it, or made by hand and so for a person to delete."""
    rows = connection.execute(text(_STANDING), _arrays(records) | {"pipedrive": PIPEDRIVE}).mappings()
    return [dict(row) for row in rows]


def _arrays(records: Sequence[Record]) -> dict[str, Any]:
    return {
        "administrations": [name for name, _, _ in records],
        "kinds": [kind for _, kind, _ in records],
        "keys": [key for _, _, key in records],
    }


def _what_stays(connection: Connection) -> list[dict[str, Any]]:
    """Orders, invoices and payments of the chosen accounts, which the law wants kept; a contact has none."""
    return [
        {
            "table": row.name,
            "rows": row.rows,
            "why": "art. 52 AWR: books are kept for seven years; without name or address, by debtor code",
            "until": kept_until(row.newest, datetime.now(UTC).date()).isoformat(),
        }
        for row in connection.execute(text(_STAYS))
    ]


def _dumps(folder: Path, today: date) -> dict[str, Any]:
    """Backups that were made before hold what was erased until they are removed; they can't be changed."""
    found = sorted(path.name for path in folder.glob("pipeline-*.dump")) if folder.is_dir() else []
    return {
        "dumps": len(found),
        "oldest": found[0] if found else None,
        "newest": found[-1] if found else None,
        "gone_on": last_backup_gone(today, MONTHS).isoformat() if found else None,
        "restored": "erased again by `pipeline restore`",
    }


_CONTACT = """
SELECT DISTINCT administration, key FROM (
    SELECT administration, id AS key FROM exact_online.contacts WHERE administration = ANY(:names) AND id = ANY(:keys)
    UNION ALL SELECT administration, contact_id FROM erp.contacts
        WHERE administration = ANY(:names) AND contact_id = ANY(:keys)
    UNION ALL SELECT administration, contact_id FROM crm.persons
        WHERE administration = ANY(:names) AND contact_id = ANY(:keys)
    UNION ALL SELECT administration, contact_id FROM pipedrive.persons
        WHERE administration = ANY(:names) AND contact_id = ANY(:keys)
    UNION ALL SELECT administration, contact_id FROM crm.contact_conflicts
        WHERE administration = ANY(:names) AND contact_id = ANY(:keys)) AS held
"""
_ACCOUNT = """
SELECT administration, customer_id AS key FROM erp.customers
WHERE administration = ANY(:names) AND (customer_id = ANY(:keys) OR debtor_code = :code)
UNION SELECT administration, id FROM exact_online.accounts WHERE administration = ANY(:names) AND id = ANY(:keys)
"""
_BY_E_MAIL = """
SELECT administration, 'contact' AS kind, id AS key FROM exact_online.contacts
    WHERE administration = ANY(:names) AND :e_mail IN (lower(btrim(email)), lower(btrim(business_email)))
UNION SELECT administration, 'contact', contact_id FROM erp.contacts
    WHERE administration = ANY(:names) AND lower(e_mail) = :e_mail
UNION SELECT administration, 'contact', contact_id FROM crm.persons
    WHERE administration = ANY(:names) AND lower(e_mail) = :e_mail
UNION SELECT administration, 'contact', contact_id FROM crm.contact_conflicts
    WHERE administration = ANY(:names) AND :e_mail IN (lower(theirs), lower(ours))
UNION SELECT administration, 'contact', contact_id FROM pipedrive.persons
    WHERE administration = ANY(:names) AND EXISTS (SELECT FROM jsonb_path_query(written, '$.emails[*].value') AS one
        WHERE lower(one #>> '{}') = :e_mail)
UNION SELECT 'pipedrive', 'person', person_id::text FROM pipedrive.person_changes WHERE lower(e_mail) = :e_mail
"""
_IS_DELETED = """
SELECT EXISTS (SELECT FROM erp.{table} WHERE administration = :administration AND {key} = :key AND is_deleted)
    OR EXISTS (SELECT FROM exact_online.deletions
        WHERE administration = :administration AND entity_type = '{entity}' AND entity_key = :key)
"""
_DELETED = {
    CONTACT: _IS_DELETED.format(table="contacts", key="contact_id", entity=5),
    ACCOUNT: _IS_DELETED.format(table="customers", key="customer_id", entity=2),
}
_THERE = {
    kind: f"SELECT EXISTS (SELECT FROM exact_online.{kind}s WHERE administration = :administration AND id = :key)"
    for kind in (CONTACT, ACCOUNT)
}
_RECORDS = """(SELECT * FROM unnest(CAST(:administrations AS text[]), CAST(:kinds AS text[]), CAST(:keys AS text[]))
    AS given (administration, kind, key)) AS given"""
_TABLES = "(VALUES ('contact', 'persons'), ('account', 'organizations'), ('order', 'deals')) AS named (kind, of)"
_WAITING = f"""
SELECT waiting.administration, named.of AS kind, waiting.key FROM {_RECORDS} JOIN {_TABLES} USING (kind)
JOIN state.pending AS waiting ON waiting.stage = 'pipedrive/' || named.of
    AND waiting.administration = given.administration AND waiting.key = given.key
"""
_STANDING = f"""
WITH chosen AS MATERIALIZED (SELECT given.*, named.of, EXISTS (SELECT FROM state.pending AS waiting
        WHERE waiting.stage = 'pipedrive/' || named.of AND waiting.administration = given.administration
        AND waiting.key = given.key) AS waits FROM {_RECORDS} JOIN {_TABLES} USING (kind))
SELECT 'persons' AS kind, count(*) AS records, count(*) FILTER (WHERE waits) AS waiting,
    array_agg(person_id ORDER BY person_id) AS ids
    FROM chosen JOIN pipedrive.persons AS there ON there.administration = chosen.administration
    AND there.contact_id = chosen.key WHERE chosen.of = 'persons' HAVING count(*) > 0
UNION ALL SELECT 'organizations', count(*), count(*) FILTER (WHERE waits), array_agg(org_id ORDER BY org_id)
    FROM chosen JOIN pipedrive.organizations AS there ON there.administration = chosen.administration
    AND there.customer_id = chosen.key WHERE chosen.of = 'organizations' HAVING count(*) > 0
UNION ALL SELECT 'deals', count(*), count(*) FILTER (WHERE waits), NULL
    FROM chosen JOIN pipedrive.deals AS there ON there.administration = chosen.administration
    AND there.order_id = chosen.key WHERE chosen.of = 'deals' HAVING count(*) > 0
UNION ALL SELECT 'persons made by hand', count(*), count(*), array_agg(given.key::bigint ORDER BY given.key::bigint)
    FROM {_RECORDS} WHERE given.administration = :pipedrive AND given.kind = 'person' AND NOT EXISTS (
        SELECT FROM pipedrive.persons AS there WHERE there.person_id = given.key::bigint) HAVING count(*) > 0
"""
_OF_ACCOUNT = "chosen.kind = 'account' AND chosen.administration = there.administration AND chosen.key = there"
_OF_ORDER = "chosen.kind = 'order' AND chosen.administration = there.administration AND chosen.key = there.order_id"
_STAYS = f"""
SELECT * FROM (
    SELECT 'erp.orders' AS name, count(*) AS rows, max(order_date) AS newest FROM erp.orders AS there
        JOIN chosen ON {_OF_ORDER}
    UNION ALL SELECT 'erp.order_lines', count(*), (SELECT max(order_date) FROM erp.orders AS there
        JOIN chosen ON {_OF_ORDER}) FROM erp.order_lines AS there JOIN chosen ON {_OF_ORDER}
    UNION ALL SELECT 'erp.invoices', count(*), max(invoice_date) FROM erp.invoices AS there
        JOIN chosen ON {_OF_ACCOUNT}.customer_id
    UNION ALL SELECT 'erp.receivables', count(*), max(coalesce(paid_on, due_date)) FROM erp.receivables AS there
        JOIN chosen ON {_OF_ACCOUNT}.customer_id) AS counted
WHERE rows > 0
"""
_KNOWN_BY_HASH = """
SELECT DISTINCT known.administration, known.kind, known.key FROM (
    SELECT administration, 'contact' AS kind, id AS key FROM exact_online.contacts
    UNION SELECT administration, 'contact', contact_id FROM erp.contacts
    UNION SELECT administration, 'contact', contact_id FROM crm.persons
    UNION SELECT administration, 'contact', contact_id FROM pipedrive.persons
    UNION SELECT administration, 'contact', contact_id FROM crm.contact_conflicts
    UNION SELECT administration, 'account', id FROM exact_online.accounts
    UNION SELECT administration, 'account', customer_id FROM erp.customers
    UNION SELECT 'pipedrive', 'person', person_id::text FROM pipedrive.person_changes) AS known
JOIN state.erasures AS erased ON erased.administration = known.administration AND erased.kind = known.kind
    AND erased.key_hash = encode(sha256(convert_to(
        known.administration || ' ' || known.kind || ' ' || lower(known.key), 'UTF8')), 'hex')
"""
