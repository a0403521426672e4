"""One erasure inside the warehouse: every row that holds personal data of the chosen is removed or emptied.

All of it in the caller's transaction. A contact's rows go; of an account what says who it is goes, and its debtor code
stays in the place of its name, because orders and invoices have to be kept. A record that stands in Pipedrive is queued
with the emptied content: the ordinary writing empties it there. Logs are `steps/erase_logs.py`'s.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, text

from pipeline.domain.deal import filled_title
from pipeline.domain.erasure import ERASED_NAME
from pipeline.steps import erasures
from pipeline.steps.erasures import ACCOUNT, CONTACT, ORDER, PERSON, PIPEDRIVE, Record
from pipeline.steps.mart_stages import DORMANT, REVENUE
from pipeline.warehouse.connection import lock_until_commit
from pipeline.warehouse.pending import QUEUED_AGAIN

# Whoever takes a record from one table on to the next holds one of these: nobody then writes back what was read before.
STAGES = (
    *("erp/customers", "erp/contacts", "crm/held customers", "crm/held", "crm/organizations"),
    *("crm/persons of customers", "crm/persons", "crm/deals", REVENUE, DORMANT),
)


def choose(tx: Connection, records: Iterable[Record]) -> list[Record]:
    """The records, in the table `chosen`, with all that belongs to them: contacts of accounts, persons of contacts."""
    for stage in STAGES:
        lock_until_commit(tx, stage)
    tx.execute(text(_CHOSEN))
    rows = [{"administration": name, "kind": kind, "key": key} for name, kind, key in records]
    if rows:
        tx.execute(text("INSERT INTO chosen VALUES (:administration, :kind, :key) ON CONFLICT DO NOTHING"), rows)
    for statement in _BELONGING:
        tx.execute(text(statement))
    tx.execute(text("ANALYZE chosen"))
    return [tuple(row) for row in tx.execute(text("SELECT administration, kind, key FROM chosen ORDER BY 1, 2, 3"))]


def known_words(tx: Connection) -> set[str]:
    """Names, addresses and numbers by which the chosen are known anywhere in the warehouse."""
    return {word for row in tx.execute(text(_WORDS)) for word in row if word}


def empty(tx: Connection, records: Iterable[Record], *, deal_title: str) -> Counter[str]:
    """Removes or empties what is chosen, remembers to keep it out, and returns the rows by table.

    `deal_title` is the template of pipeline.yaml: titles of deals hold the customer's name.
    """
    done: Counter[str] = Counter()
    of = {"erased": ERASED_NAME}
    for table, statement in _STATEMENTS:
        done[table] += tx.execute(text(statement), of).rowcount
    done["crm.deals"] += _retitle(tx, deal_title)
    for table, statement in _OF_DEALS:
        done[table] += tx.execute(text(statement), of).rowcount
    tx.execute(text(_QUEUE))
    erasures.remember(tx, (one for one in records if one[1] != ORDER))
    return +done


def _retitle(tx: Connection, template: str) -> int:
    """Deals of the chosen accounts carry the debtor code in the place of the name, closed ones too."""
    rows = tx.execute(text(_TITLES)).all()
    titles = [filled_title(template, row.order_number, row.name) for row in rows]
    differing = [(row, title) for row, title in zip(rows, titles, strict=True) if row.title != title]
    given: Mapping[str, list[Any]] = {
        "administrations": [row.administration for row, _ in differing],
        "keys": [row.order_id for row, _ in differing],
        "titles": [title for _, title in differing],
    }
    return tx.execute(text(_RETITLE), given).rowcount


_CHOSEN = """
CREATE TEMPORARY TABLE chosen (administration text, kind text, key text, PRIMARY KEY (kind, administration, key))
ON COMMIT DROP
"""
_ADD = "INSERT INTO chosen (administration, kind, key)"
_ONCE = "ON CONFLICT DO NOTHING"
_CONTACTS_OF_ACCOUNTS = " UNION ".join(
    f"""SELECT there.administration, there.{key} FROM {table} AS there JOIN chosen
        ON chosen.kind = 'account' AND chosen.administration = there.administration AND chosen.key = there.{account}"""
    for table, key, account in (
        ("exact_online.contacts", "id", "account"),
        ("erp.contacts", "contact_id", "customer_id"),
        ("crm.persons", "contact_id", "customer_id"),
    )
)
_BELONGING = (
    f"{_ADD} SELECT name, '{CONTACT}', id FROM ({_CONTACTS_OF_ACCOUNTS}) AS found (name, id) {_ONCE}",
    f"""{_ADD} SELECT there.administration, '{CONTACT}', there.contact_id FROM pipedrive.persons AS there JOIN chosen
    ON chosen.kind = '{PERSON}' AND chosen.key = there.person_id::text {_ONCE}""",
    # Persons in Pipedrive: those that were written, and those with the label "Naar Exact" that are not contacts yet.
    f"""{_ADD} SELECT '{PIPEDRIVE}', '{PERSON}', person_id::text FROM (
    SELECT there.person_id FROM pipedrive.persons AS there JOIN chosen ON chosen.kind = '{CONTACT}'
        AND chosen.administration = there.administration AND chosen.key = there.contact_id
    UNION SELECT change.person_id FROM pipedrive.person_changes AS change JOIN chosen ON chosen.kind = '{CONTACT}'
        AND lower(chosen.key) = lower(change.contact_id)
    UNION SELECT change.person_id FROM pipedrive.person_changes AS change
        JOIN pipedrive.organizations AS there ON there.org_id = change.org_id
        JOIN chosen ON chosen.kind = '{ACCOUNT}' AND chosen.administration = there.administration
        AND chosen.key = there.customer_id
    UNION SELECT there.record_id FROM pipedrive.duplicates AS there JOIN chosen ON chosen.kind = '{CONTACT}'
        AND there.kind = 'persons' AND chosen.key = there.key) AS found {_ONCE}""",
    f"""{_ADD} SELECT placed.administration, '{ORDER}', placed.order_id FROM erp.orders AS placed JOIN chosen
    ON chosen.kind = '{ACCOUNT}' AND chosen.administration = placed.administration
    AND chosen.key = placed.customer_id {_ONCE}""",
)


def _delete(kind: str, table: str, key: str, more: str = "") -> tuple[str, str]:
    condition = f"chosen.kind = '{kind}' AND chosen.administration = there.administration AND chosen.key = there.{key}"
    return table, f"DELETE FROM {table} AS there USING chosen WHERE {condition} {more}"


def _update(kind: str, table: str, key: str, settings: str, unless: str) -> tuple[str, str]:
    """Sets columns of the chosen rows, `unless` they stand so already."""
    condition = f"chosen.kind = '{kind}' AND chosen.administration = there.administration AND chosen.key = there.{key}"
    return table, f"UPDATE {table} AS there SET {settings} FROM chosen WHERE {condition} AND NOT ({unless})"


# Content that Pipedrive shows no more, so that the difference with what is wanted names each of these parts.
_PERSON_BLANK = """'{"name": "", "emails": "", "phones": ""}'::jsonb"""
_ORGANIZATION_BLANK = """'{"name": "", "address": "", "website": ""}'::jsonb"""
_DEAL_BLANK = """'{"title": ""}'::jsonb"""
_LINKED = """EXISTS (SELECT FROM pipedrive.persons AS known
    WHERE known.administration = there.administration AND known.contact_id = there.contact_id)
    OR EXISTS (SELECT FROM pipedrive.intents AS doubt WHERE doubt.administration = there.administration
    AND doubt.kind = 'persons' AND doubt.key = there.contact_id)"""
_NOWHERE = "there.postcode IS NULL AND there.city IS NULL AND there.website IS NULL"
_STATEMENTS = (
    _delete(CONTACT, "exact_online.contacts", "id"),
    _delete(CONTACT, "erp.contacts", "contact_id"),
    _delete(CONTACT, "crm.contact_conflicts", "contact_id"),
    _delete(CONTACT, "exact_online.written_contacts", "contact_id"),
    _delete(CONTACT, "exact_online.contact_intents", "contact_id"),
    _delete(CONTACT, "crm.persons", "contact_id", f"AND NOT ({_LINKED})"),
    _update(
        CONTACT,
        "crm.persons",
        "contact_id",
        "name = :erased, customer_id = NULL, e_mail = NULL, phone = NULL, mobile = NULL",
        "(there.name, there.customer_id, there.e_mail, there.phone, there.mobile) "
        "IS NOT DISTINCT FROM (CAST(:erased AS text), NULL, NULL, NULL, NULL)",
    ),
    _update(
        CONTACT,
        "pipedrive.persons",
        "contact_id",
        f"written = there.written || {_PERSON_BLANK}",
        "there.written IS NULL OR there.written ->> 'name' IN ('', :erased)",
    ),
    (
        "pipedrive.person_changes",
        f"DELETE FROM pipedrive.person_changes AS there USING chosen WHERE chosen.kind = '{PERSON}' "
        "AND chosen.key = there.person_id::text",
    ),
    (
        "exact_online.contact_intents",
        f"DELETE FROM exact_online.contact_intents AS there USING chosen WHERE chosen.kind = '{PERSON}' "
        "AND chosen.key = there.person_id::text",
    ),
    _update(
        ACCOUNT,
        "exact_online.accounts",
        "id",
        f"name = btrim(coalesce(code, '')), {', '.join(f'{name} = NULL' for name in erasures.EMPTIED)}",
        f"there.name = btrim(coalesce(there.code, '')) AND there.address_line1 IS NULL AND {_NOWHERE}",
    ),
    _update(
        ACCOUNT,
        "erp.customers",
        "customer_id",
        "name = coalesce(debtor_code, ''), address_line = NULL, postcode = NULL, city = NULL, website = NULL",
        f"there.name = coalesce(there.debtor_code, '') AND there.address_line IS NULL AND {_NOWHERE}",
    ),
    _update(
        ACCOUNT,
        "crm.organizations",
        "customer_id",
        "name = debtor_code, address = NULL, postcode = NULL, website = NULL",
        "(there.name, there.address, there.postcode, there.website) "
        "IS NOT DISTINCT FROM (there.debtor_code, NULL, NULL, NULL)",
    ),
    (
        "pipedrive.organizations",
        f"""UPDATE pipedrive.organizations AS there SET written = there.written || {_ORGANIZATION_BLANK}
FROM chosen JOIN crm.organizations AS wanted ON wanted.administration = chosen.administration
    AND wanted.customer_id = chosen.key
WHERE chosen.kind = '{ACCOUNT}' AND chosen.administration = there.administration AND chosen.key = there.customer_id
    AND there.written IS NOT NULL AND NOT there.written ->> 'name' IN ('', wanted.debtor_code)""",
    ),
    *(
        _update(
            ACCOUNT,
            mart,
            "customer_id",
            "customer = coalesce(debtor_code, '')",
            "there.customer IS NOT DISTINCT FROM coalesce(there.debtor_code, '')",
        )
        for mart in ("marts.revenue_per_customer", "marts.dormant_customers")
    ),
    *(
        _delete(kind, table, "key", f"AND there.kind = '{of}'")
        for kind, of in ((CONTACT, "persons"), (ACCOUNT, "organizations"))
        for table in ("pipedrive.rejected", "pipedrive.drift")
    ),
    _delete(ORDER, "pipedrive.drift", "key", "AND there.kind = 'deals' AND there.field = 'title'"),
    *(
        _update(
            kind,
            "pipedrive.intents",
            "key",
            f"body = there.body || {blank}",
            f"there.kind <> '{of}' OR there.body IS NULL OR there.body @> {blank}",
        )
        for kind, of, blank in (
            (CONTACT, "persons", _PERSON_BLANK),
            (ACCOUNT, "organizations", _ORGANIZATION_BLANK),
        )
    ),
    *(
        (
            "inbox.webhook_events",
            f"""DELETE FROM inbox.webhook_events AS there USING chosen WHERE chosen.kind = '{kind}'
    AND there.topic = '{topic}' AND chosen.administration = there.administration
    AND lower(chosen.key) = lower(there.key)""",
        )
        for kind, topic in ((CONTACT, "Contacts"), (ACCOUNT, "Accounts"))
    ),
)
_TITLES = f"""
SELECT deal.administration, deal.order_id, deal.order_number, deal.title, coalesce(customer.debtor_code, '') AS name
FROM chosen JOIN crm.deals AS deal ON deal.administration = chosen.administration AND deal.order_id = chosen.key
LEFT JOIN erp.customers AS customer
    ON customer.administration = deal.administration AND customer.customer_id = deal.customer_id
WHERE chosen.kind = '{ORDER}'
"""
_RETITLE = """
UPDATE crm.deals AS there SET title = given.title
FROM unnest(CAST(:administrations AS text[]), CAST(:keys AS text[]), CAST(:titles AS text[]))
    AS given (administration, key, title)
WHERE given.administration = there.administration AND given.key = there.order_id
"""
_OF_DEALS = (
    (
        "pipedrive.deals",
        f"""UPDATE pipedrive.deals AS there SET written = there.written || {_DEAL_BLANK}
FROM chosen JOIN crm.deals AS wanted ON wanted.administration = chosen.administration AND wanted.order_id = chosen.key
WHERE chosen.kind = '{ORDER}' AND chosen.administration = there.administration AND chosen.key = there.order_id
    AND NOT there.written ->> 'title' IN ('', wanted.title)""",
    ),
    _update(
        ORDER,
        "pipedrive.intents",
        "key",
        f"body = there.body || {_DEAL_BLANK}",
        f"there.kind <> 'deals' OR there.body IS NULL OR there.body @> {_DEAL_BLANK}",
    ),
)
# What Pipedrive has still to be told: whatever is linked there and shows something else than is wanted now.
_QUEUE = f"""
INSERT INTO state.pending (stage, administration, key)
SELECT 'pipedrive/persons', there.administration, there.contact_id FROM pipedrive.persons AS there JOIN chosen
    ON chosen.kind = '{CONTACT}' AND chosen.administration = there.administration AND chosen.key = there.contact_id
    JOIN crm.persons AS wanted ON wanted.administration = there.administration AND wanted.contact_id = there.contact_id
    WHERE there.written ->> 'name' IS DISTINCT FROM wanted.name
UNION SELECT 'pipedrive/organizations', there.administration, there.customer_id FROM pipedrive.organizations AS there
    JOIN chosen ON chosen.kind = '{ACCOUNT}' AND chosen.administration = there.administration
    AND chosen.key = there.customer_id JOIN crm.organizations AS wanted
    ON wanted.administration = there.administration AND wanted.customer_id = there.customer_id
    WHERE there.written ->> 'name' IS DISTINCT FROM wanted.name
UNION SELECT 'pipedrive/deals', there.administration, there.order_id FROM pipedrive.deals AS there JOIN chosen
    ON chosen.kind = 'order' AND chosen.administration = there.administration AND chosen.key = there.order_id
    JOIN crm.deals AS wanted ON wanted.administration = there.administration AND wanted.order_id = there.order_id
    WHERE there.written ->> 'title' IS DISTINCT FROM wanted.title
{QUEUED_AGAIN}
"""
_JOINED = "JOIN chosen ON chosen.kind = '{kind}' AND chosen.administration = there.administration AND chosen.key = "
_OF_CONTACT, _OF_ACCOUNT = (f"{_JOINED.format(kind=kind)}there." for kind in (CONTACT, ACCOUNT))
_WORDS = f"""
SELECT unnest(ARRAY[concat_ws(' ', first_name, middle_name, last_name), concat_ws(' ', first_name, last_name),
    email, business_email, phone, business_phone, mobile, business_mobile])
    FROM exact_online.contacts AS there {_OF_CONTACT}id
UNION SELECT unnest(ARRAY[concat_ws(' ', first_name, middle_name, last_name), e_mail, phone, mobile])
    FROM erp.contacts AS there {_OF_CONTACT}contact_id
UNION SELECT unnest(ARRAY[name, e_mail, phone, mobile]) FROM crm.persons AS there {_OF_CONTACT}contact_id
    WHERE name <> '{ERASED_NAME}'
UNION SELECT unnest(ARRAY[theirs, ours]) FROM crm.contact_conflicts AS there {_OF_CONTACT}contact_id
    WHERE field <> 'org_id'
UNION SELECT unnest(ARRAY[name, e_mail, phone, mobile]) FROM pipedrive.person_changes AS there
    JOIN chosen ON chosen.kind = '{PERSON}' AND chosen.key = there.person_id::text
UNION SELECT said FROM (
    SELECT there.written FROM pipedrive.persons AS there {_OF_CONTACT}contact_id
    UNION ALL SELECT there.body FROM pipedrive.intents AS there {_OF_CONTACT}key WHERE there.kind = 'persons')
    AS known (body), LATERAL (SELECT body ->> 'name' UNION SELECT jsonb_path_query(body, '$.emails[*].value') #>> '{{}}'
        UNION SELECT jsonb_path_query(body, '$.phones[*].value') #>> '{{}}') AS parts (said)
    WHERE body ->> 'name' <> '{ERASED_NAME}'
UNION SELECT unnest(ARRAY[name, address_line1, website]) FROM exact_online.accounts AS there {_OF_ACCOUNT}id
    WHERE name <> btrim(coalesce(code, ''))
UNION SELECT unnest(ARRAY[name, address_line, website]) FROM erp.customers AS there {_OF_ACCOUNT}customer_id
    WHERE name <> coalesce(debtor_code, '')
UNION SELECT unnest(ARRAY[name, address, website]) FROM crm.organizations AS there {_OF_ACCOUNT}customer_id
    WHERE name <> debtor_code
UNION SELECT unnest(ARRAY[there.written ->> 'name', there.written #>> '{{address,value}}', there.written ->> 'website'])
    FROM pipedrive.organizations AS there {_OF_ACCOUNT}customer_id JOIN crm.organizations AS wanted
    ON wanted.administration = there.administration AND wanted.customer_id = there.customer_id
    WHERE there.written ->> 'name' <> wanted.debtor_code
"""
