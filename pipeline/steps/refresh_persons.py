"""`crm.persons` takes in what changed in `erp`: who stands in Pipedrive, and at which customer's organization."""

from sqlalchemy import Connection, Engine, text

from pipeline.config import Config
from pipeline.steps.refresh_crm import MIRRORED
from pipeline.transform.persons import to_persons
from pipeline.warehouse.pending import queue, work_off
from pipeline.warehouse.reading import frame, rows
from pipeline.warehouse.tables import crm
from pipeline.warehouse.writing import upsert


def refresh_persons(engine: Engine, config: Config) -> int:
    """Decides what persons Pipedrive should hold, and returns how many changed.

    Contacts of held customers wait with them: such a person stays as it is. One who left, or whose customer is not
    mirrored any more, keeps its content and loses its customer.
    """
    changed = 0
    for administration in config.administrations:
        work_off(engine, "crm/persons of customers", administration.name, _queue_contacts_of, size=20_000)
        changed += work_off(engine, "crm/persons", administration.name, _decide)
    return changed


def _queue_contacts_of(tx: Connection, administration: str, keys: list[str]) -> int:
    """What became of a customer is decided for its contacts too."""
    contacts = tx.execute(text(_CONTACTS_OF), {"administration": administration, "keys": keys})
    queue(tx, ("crm/persons",), administration, [row.contact_id for row in contacts])
    return 0


def _decide(tx: Connection, administration: str, keys: list[str]) -> int:
    of = {"administration": administration, "keys": keys}
    wanted = to_persons(frame(tx, _CONTACTS_TO_SHOW, of))
    changed = upsert(tx, crm.persons, rows(wanted), pending=("pipedrive/persons",), pending_key="contact_id")
    left = [row.contact_id for row in tx.execute(text(_UNLINK), of)]
    queue(tx, ("pipedrive/persons",), administration, left)
    return changed + len(left)


_CONTACTS_OF = """
SELECT contact_id FROM erp.contacts WHERE administration = :administration AND customer_id = ANY(:keys)
"""
_THERE = f"""erp.contacts AS contact JOIN erp.customers AS customer
    ON customer.administration = contact.administration AND customer.customer_id = contact.customer_id
WHERE contact.administration = :administration AND NOT contact.is_deleted AND {MIRRORED}"""
_CONTACTS_TO_SHOW = f"""
SELECT contact.*, customer.name AS customer_name, customer.debtor_code FROM {_THERE}
    AND contact.contact_id = ANY(:keys)
    AND NOT EXISTS (SELECT FROM crm.held AS held WHERE held.administration = customer.administration
        AND held.entity = 'customer' AND held.key = customer.customer_id)
"""
_UNLINK = f"""
UPDATE crm.persons AS shown SET customer_id = NULL
WHERE shown.administration = :administration AND shown.contact_id = ANY(:keys) AND shown.customer_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM {_THERE} AND contact.contact_id = shown.contact_id)
RETURNING shown.contact_id
"""
