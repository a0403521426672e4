"""`crm.organizations` from customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.domain.deal import LONGEST_NAME
from pipeline.domain.matching import joined_postcode

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without

FIGURES = ("last_order_date", "revenue_12_months", "open_amount", "currency", "is_dormant")


def to_organizations(customers: pd.DataFrame, *, e_mails: Mapping[str, str], default_owner: str | None) -> pd.DataFrame:
    """One row a customer that is mirrored; `customers` has the columns of `erp.customers` and the figures of each."""
    import pandas as pd

    rows = [
        {
            "administration": customer.administration,
            "customer_id": customer.customer_id,
            "name": (customer.name or customer.debtor_code)[:LONGEST_NAME],
            "debtor_code": customer.debtor_code,
            "address": _address(customer.address_line, customer.postcode, customer.city, customer.country_code),
            "postcode": joined_postcode(customer.postcode),
            "website": customer.website,
            "owner_e_mails": _owners(customer.account_manager_id, e_mails, default_owner),
            **{name: getattr(customer, name) for name in FIGURES},
        }
        for customer in customers.itertuples(index=False)
    ]
    return pd.DataFrame(rows, dtype=object)


def _address(street: str | None, postcode: str | None, city: str | None, country: str | None) -> str | None:
    place = " ".join(part for part in (postcode, city) if part)
    return ", ".join(part for part in (street, place, country) if part) or None


def _owners(manager: str | None, e_mails: Mapping[str, str], default_owner: str | None) -> list[str]:
    chosen = (e_mails.get((manager or "").lower()), default_owner)
    return list(dict.fromkeys(e_mail for e_mail in chosen if e_mail))
