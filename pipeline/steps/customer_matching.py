"""Customers without an organization, those in Pipedrive that nobody has, and what people decided about them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from pipeline.domain.matching import Candidate, Decisions, Match, Wanted, match
from pipeline.warehouse.tables import state
from pipeline.warehouse.writing import upsert

Decided = tuple[str, str, int, bool]  # administration, customer, organization, whether it is the customer's


def matches(tx: Connection, organizations: Iterable[Candidate]) -> dict[tuple[str, str], Match]:
    """What stands in Pipedrive for each customer without an organization, by administration and key."""
    taken = linked_organizations(tx)
    free = [candidate for candidate in organizations if candidate.org_id not in taken]
    return match((Wanted(**row._mapping) for row in tx.execute(text(_WITHOUT_ORGANIZATION))), free, decisions(tx))


def linked_organizations(tx: Connection) -> dict[int, tuple[str, str]]:
    """The organizations that are a customer's, with the customer's administration and key."""
    rows = tx.execute(text("SELECT org_id, administration, customer_id FROM pipedrive.organizations"))
    return {row.org_id: (row.administration, row.customer_id) for row in rows}


def decisions(tx: Connection) -> Decisions:
    """What people said."""
    rows = tx.execute(state.organization_decisions.select()).all()
    pairs = [((row.administration, row.customer_id), row.org_id, row.is_adopted) for row in rows]
    return Decisions(
        adopted={customer: org_id for customer, org_id, is_adopted in pairs if is_adopted},
        refused=frozenset((customer, org_id) for customer, org_id, is_adopted in pairs if not is_adopted),
    )


def decide(tx: Connection, decided: Sequence[Decided]) -> None:
    """Keeps what people said; an organization chosen now is nobody else's, nor has its customer another one."""
    now = datetime.now(UTC)
    columns = ("administration", "customer_id", "org_id", "is_adopted")
    for administration, customer_id, org_id, is_adopted in decided:
        if is_adopted:
            of = {"administration": administration, "customer_id": customer_id, "org_id": org_id}
            tx.execute(text(_CHOSEN_BEFORE), of)
    upsert(
        tx,
        state.organization_decisions,
        (dict(zip(columns, one, strict=True)) | {"decided_at": now} for one in decided),
        ignoring=("decided_at",),
    )


_WITHOUT_ORGANIZATION = """
SELECT customer_id, name, debtor_code, administration, postcode, website FROM crm.organizations AS wanted
WHERE NOT EXISTS (SELECT FROM pipedrive.organizations AS there
    WHERE there.administration = wanted.administration AND there.customer_id = wanted.customer_id)
AND NOT EXISTS (SELECT FROM crm.held AS held WHERE held.administration = wanted.administration
    AND held.entity = 'customer' AND held.key = wanted.customer_id)
"""
_CHOSEN_BEFORE = """
DELETE FROM state.organization_decisions
WHERE is_adopted AND (org_id = :org_id OR (administration = :administration AND customer_id = :customer_id))
"""
