"""What a rule is, and how several make one step of a run: a step for each would cost more than its query."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import dagster as dg
from sqlalchemy import Connection, Engine, Table, text

from pipeline.assets.described import asset_key
from pipeline.config import Config

SHOWN = 10  # rows that a check names


class Weight(Enum):
    """What happens when a rule is broken."""

    WARNS = "warns"
    ERRS = "error"  # shown in red; the run goes on
    FAILS = "fails the run"  # at the end of its step, so that somebody is told
    BLOCKS = "blocks"  # fails the run before anything is written to Pipedrive


@dataclass(frozen=True)
class Found:
    """The rows that break a rule: how many there are, and the first of them by column."""

    broken: int
    first: Sequence[Mapping[str, Any]] = ()
    said: str | None = None
    is_explained: bool = False


Find = Callable[[Connection, Config], Found]


def rows_of(query: str, *, explained: str | None = None) -> Find:
    """Finds the rows of a query, of which only the first are fetched; `explained` asks whether they are only news."""

    def find(connection: Connection, config: Config) -> Found:
        counted = f"SELECT count(*) OVER () AS broken, found.* FROM ({query}) AS found LIMIT {SHOWN}"
        rows = connection.execute(text(counted), _parameters(counted, config)).mappings().all()
        if not rows:
            return Found(0, is_explained=explained is not None)
        is_explained = bool(explained and connection.execute(text(explained)).scalar_one())
        first = [{name: value for name, value in row.items() if name != "broken"} for row in rows]
        return Found(rows[0]["broken"], first, is_explained=is_explained)

    return find


def _parameters(query: str, config: Config) -> dict[str, Any]:
    """Time zones of the administrations, for queries that ask for a day on their calendars."""
    if ":zones" not in query:
        return {}
    one = config.administrations
    return {"administrations": [each.name for each in one], "zones": [each.time_zone for each in one]}


@dataclass(frozen=True)
class Rule:
    """What must hold of a table: what it means, and how the rows that break it are found and called."""

    name: str
    table: Table
    says: str
    broken: str
    find: Find
    weight: Weight = Weight.WARNS

    @property
    def spec(self) -> dg.AssetCheckSpec:
        """How Dagster knows it."""
        is_blocking = self.weight is Weight.BLOCKS
        return dg.AssetCheckSpec(
            self.name,
            asset=asset_key(self.table),
            description=self.says,
            blocking=is_blocking,
            metadata={"when_broken": self.weight.value, "table": self.table.fullname},
        )

    def outcome(self, connection: Connection, config: Config) -> dg.AssetCheckResult:
        """Looks, and says how many rows break the rule and which are the first."""
        found = self.find(connection, config)
        mild = self.weight is Weight.WARNS or found.is_explained
        description = found.said or f"{found.broken or 'no'} {self.broken}"
        return dg.AssetCheckResult(
            asset_key=asset_key(self.table),
            check_name=self.name,
            passed=not found.broken,
            severity=dg.AssetCheckSeverity.WARN if mild else dg.AssetCheckSeverity.ERROR,
            description=description,
            metadata={"rows": found.broken, "first": dg.MetadataValue.md(as_table(found.first))},
        )


def bundle(name: str, rules: Sequence[Rule]) -> dg.AssetChecksDefinition:
    """One step for all of those rules; any of them can be chosen alone."""

    @dg.multi_asset_check(name=name, specs=[rule.spec for rule in rules], can_subset=True)
    def check(
        context: dg.AssetCheckExecutionContext,
        engine: dg.ResourceParam[Engine],
        configuration: dg.ResourceParam[Config],
    ) -> Iterator[dg.AssetCheckResult]:
        chosen = [rule for rule in rules if rule.spec.key in context.selected_asset_check_keys]
        failed: list[str] = []
        with engine.connect() as connection:
            for rule in chosen:
                yield (result := rule.outcome(connection, configuration))
                if not result.passed and rule.weight in {Weight.FAILS, Weight.BLOCKS}:
                    failed.append(f"{result.description} (check {rule.name})")
        if failed:
            raise dg.Failure(f"{'; '.join(failed)}. The checks name the first of them.", allow_retries=False)

    return check


def as_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows for people, under the names of their columns."""
    if not rows:
        return "none"
    lines = [list(rows[0]), ["---"] * len(rows[0])] + [[_shown(value) for value in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: Any) -> str:
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
