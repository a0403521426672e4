"""Which columns hold personal data, and whose: what docs/gdpr/gegevensstromen.md lists and an erasure empties.

A column added to a table belongs here, or into NOT_PERSONAL with its reason, when it may hold something about a person;
a test holds both to the declared tables.
"""

from collections.abc import Mapping
from enum import Enum


class Whose(Enum):
    """Of whom the data is."""

    CONTACT = "contactpersoon"
    CUSTOMER = "klant (eenmanszaak)"
    EMPLOYEE = "medewerker"


_CHANNELS = ("email", "business_email", "phone", "business_phone", "mobile", "business_mobile")
_ADDRESS = ("postcode", "city", "website")

PERSONAL: Mapping[str, Mapping[Whose, tuple[str, ...]]] = {
    "exact_online.accounts": {
        Whose.CUSTOMER: ("name", "address_line1", *_ADDRESS),
        Whose.EMPLOYEE: ("account_manager_full_name",),
    },
    "exact_online.contacts": {Whose.CONTACT: ("first_name", "middle_name", "last_name", *_CHANNELS)},
    "exact_online.order_history": {Whose.EMPLOYEE: ("salesperson_full_name",), Whose.CUSTOMER: ("your_ref",)},
    "exact_online.order_changes": {Whose.EMPLOYEE: ("salesperson_full_name",), Whose.CUSTOMER: ("your_ref",)},
    "exact_online.written_contacts": {Whose.CONTACT: ("content_hash",)},
    "exact_online.contact_intents": {Whose.CONTACT: ("e_mail", "content_hash", "hash_before")},
    "erp.customers": {Whose.CUSTOMER: ("name", "address_line", *_ADDRESS)},
    "erp.contacts": {Whose.CONTACT: ("first_name", "middle_name", "last_name", "e_mail", "phone", "mobile")},
    "erp.salespeople": {Whose.EMPLOYEE: ("full_name",)},
    "erp.orders": {Whose.CUSTOMER: ("customer_reference",)},
    "crm.organizations": {
        Whose.CUSTOMER: ("name", "address", "postcode", "website"),
        Whose.EMPLOYEE: ("owner_e_mails",),
    },
    "crm.persons": {Whose.CONTACT: ("name", "e_mail", "phone", "mobile")},
    "crm.deals": {Whose.CUSTOMER: ("title", "customer_reference"), Whose.EMPLOYEE: ("owner_e_mails",)},
    "crm.contact_conflicts": {Whose.CONTACT: ("theirs", "ours")},
    "pipedrive.organizations": {Whose.CUSTOMER: ("written",)},
    "pipedrive.persons": {Whose.CONTACT: ("written",)},
    "pipedrive.deals": {Whose.CUSTOMER: ("written",)},
    "pipedrive.intents": {Whose.CONTACT: ("body",)},
    "pipedrive.rejected": {Whose.CONTACT: ("number", "reason")},
    "pipedrive.drift": {Whose.CONTACT: ("number", "found", "wanted")},
    "pipedrive.person_changes": {Whose.CONTACT: ("name", "e_mail", "phone", "mobile", "reason")},
    "pipedrive.users": {Whose.EMPLOYEE: ("e_mail",)},
    "marts.revenue_per_customer": {Whose.CUSTOMER: ("customer",)},
    "marts.revenue_per_salesperson": {Whose.EMPLOYEE: ("salesperson",)},
    "marts.dormant_customers": {Whose.CUSTOMER: ("customer",), Whose.EMPLOYEE: ("account_manager",)},
}

# Columns whose name sounds like a person and that hold none.
NOT_PERSONAL: Mapping[str, str] = {
    "crm.products.name": "an article",
    "erp.products.name": "an article",
    "pipedrive.products.written": "an article",
    "pipedrive.fields.name": "a field",
    "pipedrive.field_options.name": "a field",
    "state.remembered.name": "the name of a fact",
    "state.tokens.name": "the name of a chain",
    "crm.held.number": "an order number or a debtor code",
    "crm.held.reason": "words of this pipeline with a debtor code at most",
    "crm.deals.lost_reason": "words of this pipeline",
    "state.exact_refusals.said": "what Exact Online says of a request; an erasure looks through it all the same",
    "inbox.webhook_events.content": "topic, action and id of a record",
    "exact_online.accounts.account_manager": "an id",
    "exact_online.order_changes.salesperson": "an id",
    "exact_online.order_history.salesperson": "an id",
    **dict.fromkeys(
        (
            *("crm.deals.order_number", "erp.orders.order_number", "marts.differences.order_number"),
            *("erp.invoices.invoice_number", "erp.receivables.invoice_number"),
        ),
        "the number of a document",
    ),
}
