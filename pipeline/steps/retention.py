"""What nobody needs any more: contacts that were deleted in the ERP so long ago, and what people had written on them.

Their persons in Pipedrive are the sales team's and stay there; an erasure empties those too (`steps/erase.py`).
"""

from sqlalchemy import Connection, text


def forget_deleted_contacts(tx: Connection, days: int) -> int:
    """Removes contacts whose deletion is so many days old, from every table, and returns how many there were."""
    tx.execute(text(_CHOOSE), {"days": days})
    for table, key in _TABLES:
        tx.execute(text(_REMOVE.format(table=table, key=key)))
    tx.execute(
        text("DELETE FROM crm.contact_conflicts WHERE since < now() - make_interval(days => :days)"), {"days": days}
    )
    found = tx.execute(text("SELECT count(*) FROM long_gone")).scalar_one()
    tx.execute(text("DROP TABLE long_gone"))
    return found


# The day of a deletion is the source's own; what vanished without one waits for the day it was changed last.
_CHOOSE = """
CREATE TEMPORARY TABLE long_gone ON COMMIT DROP AS
SELECT contact.administration, contact.contact_id FROM erp.contacts AS contact
LEFT JOIN exact_online.deletions AS gone ON gone.administration = contact.administration AND gone.entity_type = '5'
    AND gone.entity_key = contact.contact_id
WHERE contact.is_deleted AND coalesce(gone.deleted_date, contact.modified_at AT TIME ZONE 'UTC')
    < now() AT TIME ZONE 'UTC' - make_interval(days => :days)
"""
_REMOVE = """
DELETE FROM {table} AS there USING long_gone
WHERE long_gone.administration = there.administration AND long_gone.contact_id = there.{key}
"""
_TABLES = (
    ("exact_online.contacts", "id"),
    ("exact_online.written_contacts", "contact_id"),
    ("crm.persons", "contact_id"),
    ("crm.contact_conflicts", "contact_id"),
    ("pipedrive.persons", "contact_id"),
    ("erp.contacts", "contact_id"),
)
