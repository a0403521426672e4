"""What stands out in the books of an ERP before anything is synchronised: counting on plain values.

Reading the books is `steps/verify_books.py`'s, Pipedrive's side `steps/verify_account.py`'s.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

LONGEST_CODE = 18  # places a debtor code has in Exact Online; one that fills them is a number of something else
_E_MAIL = re.compile(r"[^@\s\"\\]+@[^@\s\"\\]+")
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Customer:
    """An account that is mirrored, as far as it can be wrong."""

    customer_id: str
    debtor_code: str | None
    name: str
    country_code: str | None


@dataclass(frozen=True)
class Spread:
    """How a count is spread over its records: the middle one, the one that 95 of 100 stay within, the largest."""

    median: float = 0.0
    p95: int = 0
    most: int = 0


@dataclass(frozen=True)
class Unmapped:
    """A salesperson whose records no active user of Pipedrive would get by himself."""

    salesperson_id: str
    name: str | None
    e_mail: str | None  # as the ERP knows it
    orders: int


def why_customers_are_held(customers: Iterable[Customer]) -> dict[str, str]:
    """The reason by id of each customer that can't be mirrored: no debtor code, or one it shares."""
    customers = list(customers)
    sharing = _together(customers, lambda customer: customer.debtor_code)
    held: dict[str, str] = {}
    for customer in customers:
        code = customer.debtor_code
        if code is None:
            held[customer.customer_id] = "the customer has no debtor code"
        elif len(sharing[code]) > 1:
            reason = f"the customer shares debtor code {code} with {len(sharing[code]) - 1} more"
            held[customer.customer_id] = reason
    return held


def shared_codes(customers: Iterable[Customer]) -> list[list[Customer]]:
    """Customers of each debtor code that several have."""
    found = _together(customers, lambda customer: customer.debtor_code)
    return [found[code] for code in sorted(code for code in found if code) if len(found[code]) > 1]


def codes_alike(customers: Iterable[Customer]) -> list[list[Customer]]:
    """Customers whose debtor codes differ only in capitals."""
    found = _together(customers, lambda customer: (customer.debtor_code or "").casefold())
    several = (found[code] for code in sorted(found) if code)
    return [group for group in several if len({customer.debtor_code for customer in group}) > 1]


def long_codes(customers: Iterable[Customer]) -> list[Customer]:
    """Customers whose debtor code fills all places Exact has for it, or more."""
    return [customer for customer in customers if len(customer.debtor_code or "") >= LONGEST_CODE]


def alike_but_for_capitals(labels: Iterable[str]) -> list[list[str]]:
    """Labels that differ only in capitals, which people take for one."""
    found: dict[str, set[str]] = defaultdict(set)
    for label in labels:
        found[label.casefold()].add(label)
    return [sorted(group) for _, group in sorted(found.items()) if len(group) > 1]


def spread(counts: Iterable[int]) -> Spread:
    """How those counts are spread; all 0 where there are none."""
    ordered = sorted(counts)
    if not ordered:
        return Spread()
    return Spread(float(median(ordered)), ordered[-(-95 * len(ordered) // 100) - 1], ordered[-1])


def lines_for_settings(people: Sequence[Unmapped]) -> list[str]:
    """Lines to be pasted below `salespeople:` in pipeline.yaml, the busiest first.

    One whose e-mail address the ERP doesn't tell is commented out: half a line would stop the start.
    """
    return [_line(person) for person in sorted(people, key=lambda one: (-one.orders, one.salesperson_id))]


def _line(person: Unmapped) -> str:
    printable = "".join(letter for letter in " ".join((person.name or "").split()) if letter.isprintable())
    who = printable or "name unknown"
    key, note = json.dumps(person.salesperson_id), f"# {who}, {person.orders:,} orders"
    e_mail = (person.e_mail or "").strip()
    if _E_MAIL.fullmatch(e_mail):
        return f"  {key}: {json.dumps(e_mail.lower())}  {note}"
    return f"  # {key}: e-mail of the Pipedrive user  {note}"


def _together(customers: Iterable[Customer], key_of: Callable[[Customer], _Key]) -> dict[_Key, list[Customer]]:
    found: dict[_Key, list[Customer]] = defaultdict(list)
    for customer in customers:
        found[key_of(customer)].append(customer)
    return found
