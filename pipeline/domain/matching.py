"""Which organization in Pipedrive stands for which customer: by debtor code, or recognised by name and place."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

_Key = TypeVar("_Key")


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

    @property
    def record(self) -> tuple[str, str]:
        """Administration and key."""
        return self.administration, self.customer_id


class How(StrEnum):
    """How a customer comes by its organization."""

    BY_CODE = "debtor code"
    ADOPTED = "adopted"
    DECIDED = "decided"  # a person said so
    AMBIGUOUS = "ambiguous"  # a new one is made unless a person decides otherwise
    NEW = "new"


@dataclass(frozen=True)
class Match:
    """What was found for a customer: its organization, or those that may be."""

    how: How
    org_id: int | None = None
    alike: Sequence[Candidate] = ()


@dataclass(frozen=True)
class Decisions:
    """What people said of pairs of a customer, by administration and key, and an organization."""

    adopted: Mapping[tuple[str, str], int] = field(default_factory=dict)
    refused: frozenset[tuple[tuple[str, str], int]] = frozenset()

    @cached_property
    def refusing(self) -> frozenset[tuple[str, str]]:
        """The customers of whom an organization was refused."""
        return frozenset(customer for customer, _ in self.refused)


NO_DECISIONS = Decisions()


def match(
    wanted: Iterable[Wanted], candidates: Iterable[Candidate], decisions: Decisions = NO_DECISIONS
) -> dict[tuple[str, str], Match]:
    """What stands for each customer, by administration and key; nobody's organization goes to two customers.

    An organization with the right debtor code and the same administration or none is the customer's. Then come those
    that a person chose. One without a debtor code is adopted only when it alone has the name and the postcode or
    website. What else has the name, or a debtor code that differs only in case, is for a person to look at.
    """
    wanted, candidates = list(wanted), sorted(candidates, key=lambda candidate: candidate.org_id)
    by_code = _grouped((one for one in candidates if _code(one)), lambda one: (_code(one), one.administration))
    by_name = _grouped((one for one in candidates if not _code(one)), lambda one: _folded(one.name))
    rounds: list[tuple[How, Callable[[Wanted], int | None]]] = [
        (How.BY_CODE, lambda customer: _first(by_code.get((customer.debtor_code, customer.administration)))),
        (How.BY_CODE, lambda customer: _first(by_code.get((customer.debtor_code, None)))),
        (How.DECIDED, lambda customer: decisions.adopted.get(customer.record)),
        (How.ADOPTED, lambda customer: _by_name(customer, by_name, decisions)),
    ]
    found: dict[tuple[str, str], Match] = {}
    free = {one.org_id for one in candidates}
    for how, organization_of in rounds:
        claims: dict[int, list[Wanted]] = {}
        for customer in wanted:
            org_id = None if customer.record in found else organization_of(customer)
            if org_id is not None and org_id in free:
                claims.setdefault(org_id, []).append(customer)
        settled = {org_id: customers[0] for org_id, customers in claims.items() if len(customers) == 1}
        found |= {customer.record: Match(how, org_id) for org_id, customer in settled.items()}
        free -= settled.keys()
    alike = _Alike([one for one in candidates if one.org_id in free], wanted, decisions)
    return {customer.record: found.get(customer.record) or alike.match(customer) for customer in wanted}


def likeness(customer: Wanted, candidate: Candidate) -> list[str]:
    """What the two have in common: name, postcode, website, debtor code (but for its case)."""
    alike = {
        "debtor code (but for capitals)": _code(candidate).casefold() == customer.debtor_code.casefold(),
        "name": _folded(candidate.name) == _folded(customer.name),
        "postcode": _stands_in(customer.postcode, candidate.address),
        "website": bool(_site(customer.website)) and _site(customer.website) == _site(candidate.website),
    }
    return [what for what, is_alike in alike.items() if is_alike]


def joined_postcode(postcode: str | None) -> str | None:
    """A postcode without blanks in capitals, so that 1234 AB and 1234ab are one."""
    return "".join((postcode or "").split()).upper() or None


class _Alike:
    """Organizations that nobody has, by what makes them look like a customer's."""

    def __init__(self, left: Sequence[Candidate], wanted: Iterable[Wanted], decisions: Decisions) -> None:
        codes = {customer.debtor_code for customer in wanted}
        self._by_code = _grouped(left, lambda one: _code(one).casefold())
        self._by_name = _grouped((one for one in left if _code(one) not in codes), lambda one: _folded(one.name))
        self._refused = decisions.refused

    def match(self, customer: Wanted) -> Match:
        """Those that may be the customer's, unless a person said they are not."""
        near = [*self._by_name.get(_folded(customer.name), ()), *self._by_code.get(customer.debtor_code.casefold(), ())]
        of = {one.org_id: one for one in near if one.administration in {None, customer.administration}}
        alike = [of[org_id] for org_id in sorted(of) if (customer.record, org_id) not in self._refused]
        return Match(How.AMBIGUOUS, alike=alike) if alike else Match(How.NEW)


def _grouped(candidates: Iterable[Candidate], key_of: Callable[[Candidate], _Key]) -> dict[_Key, list[Candidate]]:
    groups: dict[_Key, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(key_of(candidate), []).append(candidate)
    return groups


def _code(candidate: Candidate) -> str:
    return (candidate.debtor_code or "").strip()


def _first(candidates: Sequence[Candidate] | None) -> int | None:
    return candidates[0].org_id if candidates else None


def _by_name(customer: Wanted, by_name: Mapping[str, list[Candidate]], decisions: Decisions) -> int | None:
    alike = [
        one
        for one in by_name.get(_folded(customer.name), [])
        if _same_place(customer, one) and (customer.record, one.org_id) not in decisions.refused
    ]
    return _first(alike) if len(alike) == 1 else None


def _same_place(customer: Wanted, candidate: Candidate) -> bool:
    return not {"postcode", "website"}.isdisjoint(likeness(customer, candidate))


def _stands_in(postcode: str | None, address: str | None) -> bool:
    """Whether the postcode stands in the address by itself, not as a part of another number."""
    spaced = r"\s*".join(map(re.escape, postcode or ""))
    return bool(postcode and re.search(rf"(?<![0-9A-Z]){spaced}(?![0-9A-Z])", (address or "").upper()))


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()


def _site(website: str | None) -> str:
    bare = _folded(website or "").removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return bare.rstrip("/")
