"""Tags by which tables are found in Dagster: what they are about, how often they follow, where people's data lies."""

from sqlalchemy import Table

from pipeline.assets.freshness import AFTER_ORDERS, CATALOGUE, NIGHTLY, ORDERS, freshness_of
from pipeline.warehouse.tables import crm, erp, exact_online, pipedrive

# The first whose word is in a table's name.
_ABOUT = {
    "revenue": "revenue",
    "budget": "token",
    "orders": "order deal drift deletions held differences reconciliation migration",
    "customers": "account customer organization dormant",
    "contacts": "contact person",
    "products": "item product",
    "invoices": "invoice payment receivable",
    "salespeople": "salespeople",
}
_WITH_CONTACTS = {
    exact_online.contacts,
    erp.contacts,
    crm.persons,
    pipedrive.persons,
    pipedrive.person_changes,
    pipedrive.drift,
}
_FOLLOWS = {id(ORDERS): "live", id(AFTER_ORDERS): "live", id(CATALOGUE): "every-15-minutes", id(NIGHTLY): "nightly"}


def tags_of(table: Table) -> dict[str, str]:
    """The table's tags."""
    about = next(topic for topic, words in _ABOUT.items() if any(word in table.name for word in words.split()))
    return {
        "about": about,
        "follows": _FOLLOWS.get(id(freshness_of(table)), "by-month"),
        **({"personal-data": "contacts"} if table in _WITH_CONTACTS else {}),
    }
