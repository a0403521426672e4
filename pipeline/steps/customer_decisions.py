"""What a person decided about organizations that look like a customer's, read back from the report's CSV.

All of the file is taken or nothing of it; the first mistake is named with its line.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from pipeline.domain.matching import How, Match
from pipeline.errors import GiveUp
from pipeline.steps.customer_matching import Decided

NEEDED = ("administration", "customer_id", "org_id", "decision")
WORDS = {"adopt": True, "new": False}
_DELIMITERS = (";", ",", "\t")
_Record = tuple[str, str]


@dataclass(frozen=True)
class Line:
    """A line that says something: whether the organization is the customer's."""

    number: int
    administration: str
    customer_id: str
    org_id: int
    is_adopted: bool

    @property
    def customer(self) -> _Record:
        """Administration and key."""
        return self.administration, self.customer_id

    @property
    def decided(self) -> Decided:
        """As it is kept."""
        return *self.customer, self.org_id, self.is_adopted

    def wrong(self, what: str) -> GiveUp:
        """The mistake in this line."""
        return _wrong(self.number, what)


def read_decisions(path: Path) -> list[Line]:
    """The lines with a decision; commas, semicolons or tabs, with or without a byte-order mark, as Excel saves them.

    Raises GiveUp for a file that can't be read, has other columns, or has a line that can't be meant.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GiveUp(f"Cannot read {path}: {error.strerror}.") from None
    try:
        return list(_lines(_text(content), path))
    except csv.Error as error:
        raise GiveUp(f"{path} is not a CSV file: {error}. Nothing of it was taken.") from None


def check_decisions(
    lines: Sequence[Line],
    customers: Set[_Record],
    organizations: Set[int],
    linked: Mapping[int, _Record],
    found: Mapping[_Record, Match],
) -> None:
    """Raises GiveUp for the first line that can't be carried out.

    `linked`: whose an organization is already; `found`: what is found for the customers without one.
    """
    owners = {match.org_id: customer for customer, match in found.items() if match.how is How.BY_CODE and match.org_id}
    takers = {customer: org_id for org_id, customer in (owners | dict(linked)).items()}
    for line in lines:
        if line.customer not in customers:
            raise line.wrong(f"there is no customer {line.customer_id} in administration {line.administration}")
        if line.org_id in linked:
            raise line.wrong(f"organization {line.org_id} is linked to customer {linked[line.org_id][1]} already")
        if line.org_id not in organizations:
            raise line.wrong(f"there is no organization {line.org_id} in Pipedrive")
        if line.org_id in owners:
            raise line.wrong(f"organization {line.org_id} has the debtor code of customer {owners[line.org_id][1]}")
        if line.is_adopted and line.customer in takers:
            raise line.wrong(f"customer {line.customer_id} has organization {takers[line.customer]} already")
    _check_one_against_the_other(lines)


def _check_one_against_the_other(lines: Sequence[Line]) -> None:
    said: dict[tuple[_Record, int], Line] = {}
    chosen: dict[_Record | int, Line] = {}
    for line in lines:
        before = said.setdefault((line.customer, line.org_id), line)
        if before.is_adopted != line.is_adopted:
            raise line.wrong(f"line {before.number} says otherwise")
        for what in (line.customer, line.org_id) if line.is_adopted else ():
            other = chosen.setdefault(what, line)
            if other.decided != line.decided:
                raise line.wrong(f"line {other.number} adopts for the same customer or the same organization")


def _text(content: bytes) -> str:
    """Excel saves UTF-8 with a mark, UTF-16 for "Unicode text", and else what Windows uses in the Netherlands."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _lines(content: str, path: Path) -> Iterator[Line]:
    first, _, rest = content.partition("\n")
    skipped = 0
    if first.strip().lower().startswith("sep="):  # Excel's own way to say what parts the columns
        content, skipped = rest, 1
    columns, delimiter = _columns(content, path)
    rows = csv.reader(StringIO(content, newline=""), delimiter=delimiter)
    next(rows)
    began = rows.line_num
    for cells in rows:
        number, began = began + 1 + skipped, rows.line_num
        row = {name: cells[place].strip() if place < len(cells) else "" for name, place in columns.items()}
        if row["decision"] and (line := _line(number, row)):
            yield line


def _columns(content: str, path: Path) -> tuple[dict[str, int], str]:
    """Where each needed column stands, and what parts them."""
    names: list[str] = []
    for delimiter in _DELIMITERS:
        header = next(csv.reader(StringIO(content, newline=""), delimiter=delimiter), [])
        names = max(names, [name.strip().lower() for name in header], key=len)
        if all(names.count(name) == 1 for name in NEEDED):
            return {name: names.index(name) for name in NEEDED}, delimiter
    raise GiveUp(
        f"{path} has other columns than the report: it needs {', '.join(NEEDED)} and has {', '.join(names) or 'none'}. "
        "Nothing of it was taken."
    )


def _line(number: int, row: Mapping[str, str]) -> Line | None:
    """What the line says; None where there is no organization that could be refused."""
    word, org_id = row["decision"].lower(), row["org_id"]
    if word not in WORDS:
        raise _wrong(number, f"'{row['decision']}' is neither adopt nor new")
    if not org_id and not WORDS[word]:
        return None
    if not org_id.isdecimal() or len(org_id) > 18:
        raise _wrong(number, f"'{org_id}' is not the number of an organization")
    return Line(number, row["administration"], row["customer_id"], int(org_id), WORDS[word])


def _wrong(number: int, what: str) -> GiveUp:
    return GiveUp(f"Line {number}: {what}. Nothing of the file was taken.")
