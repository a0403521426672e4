"""Which organization in Pipedrive stands for which customer: by debtor code, or recognised by name and place."""

import re
from collections.abc import Callable, Iterable, Mapping
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
    matched: dict[str, int] = {}
    for found in (_by_code(by_code), _by_code(by_code, anywhere=True), lambda customer: _by_name(customer, by_name)):
        claims: dict[int, list[str]] = {}
        for customer in wanted:
            if customer.customer_id not in matched and (org := found(customer)) is not None:
                claims.setdefault(org, []).append(customer.customer_id)
        matched |= {customers[0]: org for org, customers in claims.items() if len(customers) == 1}
    return matched


def joined_postcode(postcode: str | None) -> str | None:
    """A postcode without blanks in capitals, so that 1234 AB and 1234ab are one."""
    return "".join((postcode or "").split()).upper() or None


def _by_code(
    by_code: Mapping[tuple[str, str | None], list[int]], *, anywhere: bool = False
) -> Callable[[Wanted], int | None]:
    """Who has the customer's code in its own administration, or in none."""

    def found(customer: Wanted) -> int | None:
        return next(iter(by_code.get((customer.debtor_code, None if anywhere else customer.administration), ())), None)

    return found


def _by_name(customer: Wanted, by_name: Mapping[str, list[Candidate]]) -> int | None:
    alike = [candidate for candidate in by_name.get(_folded(customer.name), []) if _same_place(customer, candidate)]
    return alike[0].org_id if len(alike) == 1 else None


def _same_place(customer: Wanted, candidate: Candidate) -> bool:
    site = _site(customer.website)
    return _stands_in(customer.postcode, candidate.address) or bool(site and site == _site(candidate.website))


def _stands_in(postcode: str | None, address: str | None) -> bool:
    """Whether the postcode stands in the address by itself, not as a part of another number."""
    spaced = r"\s*".join(map(re.escape, postcode or ""))
    return bool(postcode and re.search(rf"(?<![0-9A-Z]){spaced}(?![0-9A-Z])", (address or "").upper()))


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()


def _site(website: str | None) -> str:
    bare = _folded(website or "").removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return bare.rstrip("/")
