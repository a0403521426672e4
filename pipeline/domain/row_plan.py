"""The difference between the rows a deal has and the rows it should have, at the lowest price.

A new row always lands behind those already there, so whatever must stand behind a new row is removed and added again;
a longer stay of old rows is cheaper most of the time, replacing all of them sometimes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.domain.budget import WRITE, add_price, delete_price
from pipeline.domain.deal_products import DealRow


@dataclass(frozen=True)
class WrittenRow:
    """A row as it stands on the deal, under its id in Pipedrive."""

    attachment_id: int
    row: DealRow


@dataclass(frozen=True)
class RowPlan:
    """What to do to a deal's rows, in this order: change, remove, add."""

    change: tuple[tuple[int, DealRow, DealRow], ...] = ()  # attachment id, as it is, as it should be
    remove: tuple[int, ...] = ()
    add: tuple[DealRow, ...] = ()

    @property
    def price(self) -> int:
        """Tokens it costs."""
        return len(self.change) * WRITE + delete_price(len(self.remove)) + add_price(len(self.add))


def plan_rows(written: Sequence[WrittenRow], wanted: Sequence[DealRow]) -> RowPlan:
    """The cheapest way from the rows that are there, in their order, to the wanted ones, in theirs."""
    first_of_key: dict[str, tuple[int, WrittenRow]] = {}
    for place, row in enumerate(written):
        first_of_key.setdefault(row.row.row_key, (place, row))
    longest = _stay(wanted, first_of_key)
    changed = [first_of_key[row.row_key][1].row != row for row in wanted[:longest]]

    def price(stay: int) -> int:
        changes = sum(changed[:stay]) * WRITE
        return changes + delete_price(len(written) - stay) + add_price(len(wanted) - stay)

    return _plan(written, wanted, first_of_key, min(range(longest, -1, -1), key=price))


def _stay(wanted: Sequence[DealRow], there: Mapping[str, tuple[int, WrittenRow]]) -> int:
    """How many of the first wanted rows are there already, in the same order."""
    last_place = -1
    for stay, row in enumerate(wanted):
        place = there[row.row_key][0] if row.row_key in there else -1
        if place <= last_place:
            return stay
        last_place = place
    return len(wanted)


def _plan(
    written: Sequence[WrittenRow],
    wanted: Sequence[DealRow],
    there: Mapping[str, tuple[int, WrittenRow]],
    stay: int,
) -> RowPlan:
    kept = {row.row_key: there[row.row_key][1] for row in wanted[:stay]}
    kept_ids = {row.attachment_id for row in kept.values()}
    return RowPlan(
        change=tuple(
            (kept[row.row_key].attachment_id, kept[row.row_key].row, row)
            for row in wanted[:stay]
            if kept[row.row_key].row != row
        ),
        remove=tuple(row.attachment_id for row in written if row.attachment_id not in kept_ids),
        add=tuple(wanted[stay:]),
    )
