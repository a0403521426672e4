"""Which organization in Pipedrive each customer would get, before anything is written there."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, RowMapping, text

from pipeline.config import Config
from pipeline.domain.matching import Candidate, Decisions, How, Match, Wanted, joined_postcode, likeness
from pipeline.errors import GiveUp
from pipeline.pipedrive import present, setup
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.steps.account import kept_schema
from pipeline.steps.customer_decisions import check_decisions, read_decisions
from pipeline.steps.customer_matching import decide, decisions, linked_organizations, matches
from pipeline.steps.ledger_book import only_reading

LINKED, HELD = "linked", "held"
HOWS: tuple[str, ...] = (LINKED, *How, HELD)
_SAID: dict[str, str] = {How.ADOPTED: "the only one with ", How.DECIDED: "a person chose it: ", How.AMBIGUOUS: ""}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is calculated by spreadsheets


@dataclass(frozen=True)
class CustomerRow:
    """A customer and the organization it has, would get or may be; an ambiguous customer has a row for each."""

    administration: str
    customer_id: str
    debtor_code: str | None
    customer: str
    postcode: str | None
    website: str | None
    match: str
    org_id: int | None = None
    organization: str | None = None
    organization_code: str | None = None
    organization_address: str | None = None
    organization_website: str | None = None
    reason: str | None = None
    decision: str | None = None


@dataclass(frozen=True)
class CustomerReport:
    """Every mirrored customer, how many were found how, and what was decided anew."""

    rows: Sequence[CustomerRow]
    organizations: int
    decided: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Customers by how they come by their organization."""
        counted = Counter({(row.administration, row.customer_id): row.match for row in self.rows}.values())
        return {how: counted[how] for how in HOWS}

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of `pipeline customers --json`."""
        rows = [vars(row) for row in self.rows]
        return {"counts": self.counts, "organizations": self.organizations, "decided": self.decided, "customers": rows}

    def save(self, path: Path) -> None:
        """All rows as CSV with semicolons and a byte-order mark, as a Dutch Excel opens and saves it."""
        names = list(CustomerRow.__annotations__)
        try:
            with path.open("w", encoding="utf-8-sig", newline="") as file:
                sheet = csv.writer(file, delimiter=";")
                sheet.writerow(names)
                sheet.writerows([_cell(getattr(row, name)) for name in names] for row in self.rows)
        except OSError as error:
            raise GiveUp(f"Cannot write {path}: {error.strerror}.") from None


def customer_report(
    engine: Engine,
    connect: Callable[[Ledger], PipedriveClient],
    config: Config,
    *,
    daily_tokens: int,
    decide_from: Path | None = None,
) -> CustomerReport:
    """Reads Pipedrive's organizations and writes nothing there; first takes in what people decided in `decide_from`.

    Raises GiveUp when no customers were read yet, or the file says something that can't be.
    """
    decided = read_decisions(decide_from) if decide_from else []
    with engine.connect() as connection:
        if not connection.execute(text(_ANY_CUSTOMER)).scalar_one():
            raise GiveUp(
                "No customers have been read from Exact Online yet. `pipeline sync --dry-run` reads them and writes "
                "nothing to Pipedrive; then run this again."
            )
        schema = kept_schema(connection)
    with only_reading(engine, connect, config, daily_tokens) as client:
        if ("organization", "Debiteurnummer") not in schema.fields:
            schema = setup.there_already(client, "organization")
        organizations = {one.org_id: one for one in present.candidates(client, schema)}
    with engine.begin() as tx:
        customers = tx.execute(text(_CUSTOMERS)).mappings().all()
        if decided:
            known = {(row["administration"], row["customer_id"]) for row in customers}
            found = matches(tx, organizations.values())
            check_decisions(decided, known, set(organizations), linked_organizations(tx), found)
            decide(tx, [one.decided for one in decided])
        found, said = matches(tx, organizations.values()), decisions(tx)
    looking = Counter(one.org_id for match in found.values() for one in match.alike)
    rows = [
        row
        for customer in customers
        for row in _rows_of(
            customer,
            found.get((customer["administration"], customer["customer_id"]), Match(How.NEW)),
            organizations,
            said,
            looking,
        )
    ]
    return CustomerReport(rows, len(organizations), len(decided))


def _rows_of(
    customer: RowMapping, match: Match, organizations: Mapping[int, Candidate], said: Decisions, looking: Counter[int]
) -> Iterator[CustomerRow]:
    own = {name: customer[name] for name in ("administration", "customer_id", "debtor_code", "customer")}
    own |= {name: customer[name] for name in ("postcode", "website")}
    org_id = customer["org_id"] or match.org_id
    if customer["reason"]:
        yield CustomerRow(**own, match=HELD, org_id=org_id, reason=customer["reason"])
        return
    how = LINKED if customer["org_id"] else match.how
    wanted = _wanted(customer)
    alike = match.alike or [one for one in [organizations.get(org_id or 0)] if one]
    for one in alike:
        yield CustomerRow(
            **own,
            match=how,
            org_id=one.org_id,
            organization=one.name,
            organization_code=one.debtor_code,
            organization_address=one.address,
            organization_website=one.website,
            reason=_reason(how, wanted, one, candidates=len(alike), customers=looking[one.org_id]),
            decision="adopt" if said.adopted.get(wanted.record) == one.org_id else None,
        )
    if not alike:
        yield CustomerRow(**own, match=how, org_id=org_id, decision="new" if wanted.record in said.refusing else None)


def _wanted(customer: RowMapping) -> Wanted:
    record = customer["customer_id"], customer["customer"], customer["debtor_code"], customer["administration"]
    return Wanted(*record, joined_postcode(customer["postcode"]), customer["website"])


def _reason(how: str, wanted: Wanted, one: Candidate, *, candidates: int, customers: int) -> str | None:
    if how not in _SAID:
        return None
    same = f"{_SAID[how]}the same {' and '.join(likeness(wanted, one)) or 'nothing'}"
    several = [f"{candidates} organizations look alike"] if candidates > 1 else []
    several += [f"{customers} customers look alike"] if customers > 1 else []
    code = [f"it has debtor code {one.debtor_code}"] if one.debtor_code and how == How.AMBIGUOUS else []
    return "; ".join([same, *several, *code])


def _cell(value: Any) -> Any:
    """What a spreadsheet shows as it is and doesn't calculate."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


_ANY_CUSTOMER = "SELECT EXISTS (SELECT FROM erp.customers)"
_CUSTOMERS = """
SELECT customer.administration, customer.customer_id, customer.debtor_code, customer.postcode, customer.website,
    coalesce(wanted.name, customer.name) AS customer, held.reason, there.org_id
FROM erp.customers AS customer
LEFT JOIN crm.organizations AS wanted
    ON wanted.administration = customer.administration AND wanted.customer_id = customer.customer_id
LEFT JOIN pipedrive.organizations AS there
    ON there.administration = customer.administration AND there.customer_id = customer.customer_id
LEFT JOIN crm.held AS held
    ON held.administration = customer.administration AND held.entity = 'customer' AND held.key = customer.customer_id
WHERE wanted.customer_id IS NOT NULL OR held.key IS NOT NULL
ORDER BY customer.administration, customer.debtor_code NULLS LAST, customer.customer_id
"""
