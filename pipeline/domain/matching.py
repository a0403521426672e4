"""Which organization in Pipedrive stands for which customer: by debtor code, or recognised by name and place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """An organization as it stands in Pipedrive."""

    org_id: int
    name: str
    debtor_code: str | None
    administration: str | None
    address: str | None
    website: str | None


@dataclass(frozen=True)
class Wanted:
    """A customer that needs an organization."""

    customer_id: str
    name: str
    debtor_code: str
    administration: str
    postcode: str | None
    website: str | None


def match(wanted: Iterable[Wanted], candidates: Iterable[Candidate]) -> dict[str, int]:
    """Customer → organization, for each customer that has one; nobody's organization goes to two customers.

    An organization with the right debtor code and the same administration or none is the customer's. One without a
    debtor code is adopted only when it alone has the name and the postcode or website.
    """
    wanted = list(wanted)
    by_code: dict[tuple[str, str | None], list[int]] = {}
    by_name: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda candidate: candidate.org_id):
        if candidate.debtor_code:
            key = (candidate.debtor_code.strip(), candidate.administration)
            by_code.setdefault(key, []).append(candidate.org_id)
        else:
            by_name.setdefault(_folded(candidate.name), []).append(candidate)
    matched = {customer.customer_id: org for customer in wanted if (org := _by_code(customer, by_code)) is not None}
    claims: dict[int, list[str]] = {}
    for customer in wanted:
        if customer.customer_id not in matched and (org := _by_name(customer, by_name)) is not None:
            claims.setdefault(org, []).append(customer.customer_id)
    return matched | {customers[0]: org for org, customers in claims.items() if len(customers) == 1}


def joined_postcode(postcode: str | None) -> str | None:
    """A postcode without blanks in capitals, so that 1234 AB and 1234ab are one."""
    return "".join((postcode or "").split()).upper() or None


def _by_code(customer: Wanted, by_code: Mapping[tuple[str, str | None], list[int]]) -> int | None:
    for administration in (customer.administration, None):
        if found := by_code.get((customer.debtor_code, administration)):
            return found[0]
    return None


def _by_name(customer: Wanted, by_name: Mapping[str, list[Candidate]]) -> int | None:
    alike = [candidate for candidate in by_name.get(_folded(customer.name), []) if _same_place(customer, candidate)]
    return alike[0].org_id if len(alike) == 1 else None


def _same_place(customer: Wanted, candidate: Candidate) -> bool:
    in_address = "".join((candidate.address or "").split()).upper()
    same_postcode = bool(customer.postcode) and str(customer.postcode) in in_address
    same_website = bool(customer.website) and _site(customer.website) == _site(candidate.website)
    return same_postcode or same_website


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()


def _site(website: str | None) -> str:
    bare = _folded(website or "").removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return bare.rstrip("/")
