"""`crm.persons` from contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.domain.deal import LONGEST_NAME

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without


def to_persons(contacts: pd.DataFrame) -> pd.DataFrame:
    """One row a contact; `contacts` has the columns of `erp.contacts` and, of the customer, `customer_name` and
    `debtor_code`; only contacts of customers that are mirrored and not held.
    """
    import pandas as pd

    rows = [
        {
            "administration": contact.administration,
            "contact_id": contact.contact_id,
            "customer_id": contact.customer_id,
            "name": _name(contact)[:LONGEST_NAME],
            "e_mail": contact.e_mail,
            "phone": contact.phone,
            "mobile": contact.mobile,
        }
        for contact in contacts.itertuples(index=False)
    ]
    return pd.DataFrame(rows, dtype=object)


def _name(contact: Any) -> str:
    """What people call the contact; of one without any name, the address or the customer tells who that is."""
    parts = (contact.first_name, contact.middle_name, contact.last_name)
    return " ".join(filter(None, parts)) or contact.e_mail or contact.customer_name or contact.debtor_code
