"""What came of a plan: counts for each table, what is left, and why the work stopped before its end."""

from dataclasses import asdict, dataclass, field

KINDS = ("organizations", "persons", "products", "deals", "deal_products")


@dataclass
class Tally:
    """Records of one table."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    held: int = 0
    left: int = 0


@dataclass
class Report:
    """One carrying out of a plan."""

    tallies: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in KINDS})
    tokens: int = 0
    in_doubt: int = 0
    again: int = 0  # records that were looked at anew and can be written now
    stopped: str | None = None  # the sentence that says what ran out
    made_way: bool = False  # whether a run with live changes was let in between, and the rest waits
    paused: str | None = None  # why no further records of a kind are made
    left_out: list[str] = field(default_factory=list)  # item groups for whose revenue the plan has no field

    def changed(self, kind: str) -> int:
        """Records of one table that were written."""
        return self.tallies[kind].created + self.tallies[kind].updated

    def figures(self, kind: str) -> dict[str, int | str]:
        """What a materialisation shows of one table: its counts, and of the whole what it cost and why it stopped."""
        stopped = {"stopped": self.stopped} if self.stopped else {}
        tokens = {"pipedrive_tokens": self.tokens} if kind == KINDS[0] else {}
        left_out = {"item_groups_left_out": ", ".join(self.left_out)} if self.left_out and kind == "deals" else {}
        return {**asdict(self.tallies[kind]), **tokens, **left_out, **stopped}
