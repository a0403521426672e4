"""`make chaos`: the whole crash test, fault storm, property test and comparison of executors, with figures.

It ends with another status than 0 on any violation.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence

from hypothesis import HealthCheck, Phase, given, settings
from rich.console import Console
from rich.table import Table

from pipeline_tests.chaos.crashes import Crash, Scene, crash, figures, scenes, summed
from pipeline_tests.chaos.executors import differences
from pipeline_tests.chaos.sequence import Step, ending, sequences
from pipeline_tests.chaos.storm import Round, storm
from pipeline_tests.chaos.theatre import Theatre, opened, own_postgres
from pipeline_tests.chaos.tripwire import Point
from pipeline_tests.databases import fresh_engine

SHARES = {"setup": 0.2, "first load": 0.4, "changes": 0.4}
# Killed as the console command: Dagster's runs, its storage and its lock lie in between there.
AT_THE_CONSOLE = (
    ("first load", "pipedrive: POST /api/v2/deals", "after"),
    ("first load", "commit: pipedrive.deals", "before"),
    ("changes", "pipedrive: PATCH /api/v2/deals/{id}", "after"),
    ("changes", "commit: pipedrive.intents", "after"),
)
SHOWN = 20  # violations of one kind of test
console = Console(width=150)


def main() -> int:
    """All parts, or those that are named."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("parts", nargs="*", default=["crashes", "storm", "sequences", "executors"])
    parser.add_argument("--points", type=int, default=150, help="where a synchronisation is killed")
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--examples", type=int, default=200, help="sequences of the property test")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    violations: list[str] = []
    with own_postgres() as postgres, opened(postgres) as theatre:
        if "crashes" in wanted.parts:
            violations += _crashes(theatre, wanted)
        if "storm" in wanted.parts:
            violations += _storm(theatre, wanted)
        if "sequences" in wanted.parts:
            violations += _sequences(postgres, wanted)
    if "executors" in wanted.parts:
        violations += _executors()
    for violation in violations:
        console.print(f"VIOLATION {violation}", soft_wrap=True, markup=False)
    console.print(f"{len(violations)} violations")
    return 1 if violations else 0


def _crashes(theatre: Theatre, wanted: argparse.Namespace) -> list[str]:
    began = time.monotonic()
    made = scenes(theatre, orders=wanted.orders, seed=wanted.seed)
    crashes = list(_killed(theatre, made, wanted.points))
    table = _table("Crashes", "scene", "killed at", "points", "wasted least", "middle", "most", "violations")
    for line in figures(crashes):
        table.add_row(*line)
    console.print(table)
    undisturbed = {name: scene.tokens for name, scene in made.items()}
    console.print(f"tokens of an undisturbed run: {undisturbed}; of all crashes: {summed(crashes)}")
    console.print(f"{len(crashes)} crashes in {time.monotonic() - began:.0f} s")
    return [
        f"{'console' if one.console else 'run'} {one.scene}, killed {one.point}: {what}"
        for one in crashes
        for what in one.violations[:SHOWN]
    ]


def _killed(theatre: Theatre, made: dict[str, Scene], points: int) -> Iterator[Crash]:
    for name, kind, moment in AT_THE_CONSOLE:
        point = Point(kind, max(1, made[name].counts[kind] // 2), moment)
        yield _told(crash(theatre, made[name], point, console=True))
    for name, share in SHARES.items():
        for point in made[name].points(round(points * share)):
            yield _told(crash(theatre, made[name], point))


def _told(one: Crash) -> Crash:
    """A line for each crash, since there are minutes of them."""
    how = "console" if one.console else "run"
    end = f"{len(one.violations)} VIOLATIONS" if one.violations else "equal"
    console.print(f"{how} {one.scene}: {one.point}, {one.runs} more, {one.wasted} tokens wasted, {end}", markup=False)
    return one


def _storm(theatre: Theatre, wanted: argparse.Namespace) -> list[str]:
    began = time.monotonic()
    rounds = storm(theatre, orders=wanted.orders, seed=wanted.seed)
    table = _table("Fault storm", "synchronisation", "runs", "faults", "tokens", "wasted", "violations")
    for one in rounds:
        faults = ", ".join(f"{count} {kind}" for kind, count in one.faults.most_common())
        table.add_row(one.name, str(len(one.endings)), faults, str(one.tokens), str(one.wasted), _count(one))
    console.print(table)
    console.print(f"in {time.monotonic() - began:.0f} s")
    return [f"storm, {one.name}: {what}" for one in rounds for what in one.violations[:SHOWN]]


def _count(one: Round) -> str:
    return str(len(one.violations))


def _sequences(postgres: str, wanted: argparse.Namespace) -> list[str]:
    """hypothesis stops at the first sequence that ends wrong, and makes it as short as it can."""
    began, tried, worst = time.monotonic(), 0, list[str]()

    @settings(
        max_examples=wanted.examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(sequences)
    def ends_equal(steps: Sequence[Step]) -> None:
        nonlocal tried, worst
        tried += 1
        with fresh_engine(postgres) as engine:
            if found := ending(engine, steps):
                worst = [f"sequence {steps}: {what}" for what in found]
                raise AssertionError(worst)

    try:
        ends_equal()
    except Exception as error:
        worst = worst or [f"sequences: {type(error).__name__}: {error}"]
    console.print(f"Sequences: {tried} in {time.monotonic() - began:.0f} s, {'wrong' if worst else 'all equal'}")
    return worst


def _executors() -> list[str]:
    began = time.monotonic()
    found = [f"executors: {what}" for what in differences()]
    console.print(f"Executors: {'wrong' if found else 'both end the same'}, in {time.monotonic() - began:.0f} s")
    return found


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title)
    for name in columns:
        table.add_column(name, justify="right" if name[-4:] in {"ints", "east", "ddle", "most", "runs"} else "left")
    return table


if __name__ == "__main__":
    sys.exit(main())
