"""The crash test: a synchronisation is killed at one point, started again, and both sides are compared.

Which points there are is found out by a run nobody kills; they are spread over every kind of request and commit.
"""

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.exact_online import ExactOnlineSimulator, simulated_exact_online
from pipeline.sandbox.pipedrive import Pipedrive, simulated_pipedrive
from pipeline_tests.chaos.changes import busy_week
from pipeline_tests.chaos.comparison import differences
from pipeline_tests.chaos.theatre import EMPTY, KILLED, Run, Theatre
from pipeline_tests.chaos.tripwire import Moment, Point

NO_LIMITS: dict[str, Any] = {"burst": None, "search_burst": None}
MOMENTS: tuple[Moment, ...] = ("before", "after")
SETUP = ("/pipelines", "/stages", "Fields", "/users")
LATER = 30.0  # seconds
MOST_RUNS = 4  # until one ends well
# The token endpoint gives each refresh token one use: an answer that is lost there needs a person, by Exact's rules.
UNANSWERABLE = {("exact: POST /api/oauth2/token", "after"), ("commit: state.tokens", "before")}


@dataclass
class Scene:
    """Where a run begins, and what it takes when nobody disturbs it."""

    name: str
    exact: ExactOnlineSimulator
    company: Company
    account: Pipedrive
    database: str = EMPTY
    tokens: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chain = copy.deepcopy(self.exact.tokens)

    @contextmanager
    def begun(self, theatre: Theatre) -> Iterator[None]:
        """A fresh copy of both sides and of the warehouse."""
        self.exact.tokens = copy.deepcopy(self.chain)
        theatre.exact, theatre.pipedrive = self.exact, copied(self.account)
        theatre.database = theatre.copied_database(self.database)
        yield
        theatre.drop(theatre.database)

    def rehearse(self, theatre: Theatre) -> None:
        """The run that nobody kills: its tokens, and all points it passes."""
        with self.begun(theatre):
            run = theatre.run()
            assert run.went_well, f"{self.name}: a run that nobody disturbed ended with {run.status}"
            self.tokens, self.counts = spent(theatre), run.wire.counts
            found = compared(theatre, self.company)
            assert not found, found[:10]

    def points(self, most: int) -> list[Point]:
        """So many points at most: every kind of write before and after, every other kind once, then more writes."""
        kinds = sorted(kind for kind in self.counts if _belongs(kind, self.name))
        writes = [kind for kind in kinds if _writes(kind)]
        others = [kind for kind in kinds if not _writes(kind)]
        chosen = [(kind, moment, 0) for moment in MOMENTS for kind in writes]
        chosen += [(kind, MOMENTS[place % 2], 0) for place, kind in enumerate(others)]
        turns = range(1, max(self.counts.values()))
        chosen += [(kind, moment, turn) for turn in turns for moment in MOMENTS for kind in writes]
        found: dict[Point, None] = {}
        for kind, moment, turn in chosen:
            if (kind, moment) not in UNANSWERABLE and len(found) < most:
                found[Point(kind, _number(self.counts[kind], turn, moment), moment)] = None
        return list(found)


@dataclass
class Crash:
    """What came of one kill."""

    scene: str
    point: Point
    happened: bool
    runs: int
    wasted: int
    violations: list[str]
    console: bool = False


def copied(account: Pipedrive) -> Pipedrive:
    """The same account once more, with an empty ledger."""
    clock = copy.deepcopy(account.clock)
    again = Pipedrive(account.settings, clock)
    again.company = copy.deepcopy(account.company, {id(account.clock): clock, id(account.settings): account.settings})
    return again


def scenes(theatre: Theatre, *, orders: int, seed: int = 1) -> dict[str, Scene]:
    """A first load, a round of changes, and the setup of a fresh account; each rehearsed."""
    made = {"first load": _fresh("first load", orders, seed), "setup": _fresh("setup", min(orders, 6), seed)}
    made["changes"] = _after_a_week(theatre, _fresh("changes", orders, seed), seed)
    for scene in made.values():
        scene.rehearse(theatre)
    return made


def crash(theatre: Theatre, scene: Scene, point: Point, *, console: bool = False) -> Crash:
    """Kills a run there, starts again at once until one ends well, and compares; one more may ask Pipedrive nothing."""
    with scene.begun(theatre):
        killed = theatre.run(point, console=console)
        violations = [] if killed.status == KILLED else [f"the run was not killed but ended with {killed.status}"]
        restarted = again(theatre, console=console)
        runs = len(restarted)
        if not restarted[-1].went_well:
            violations.append(f"no run of {runs} ended well after the crash: {restarted[-1]}")
        wasted = spent(theatre) - scene.tokens
        quiet = theatre.run()
        if not quiet.went_well or quiet.wire.requests("pipedrive"):
            violations.append(f"the quiet run ended with {quiet.status} and asked {dict(quiet.wire.counts)}")
        violations += compared(theatre, scene.company)
    return Crash(scene.name, point, killed.wire.struck, runs, wasted, violations, console)


def again(theatre: Theatre, *, console: bool) -> list[Run]:
    """Runs until one ends well, but no more than a few."""
    runs = [theatre.run(console=console)]
    while len(runs) < MOST_RUNS and not runs[-1].went_well:
        runs.append(theatre.run(console=console))
    return runs


def spent(theatre: Theatre) -> int:
    """Tokens the account has counted."""
    assert theatre.pipedrive is not None
    return theatre.pipedrive.meter.ledger()["total"]


def compared(theatre: Theatre, company: Company) -> list[str]:
    """The differences between both sides."""
    assert theatre.pipedrive is not None
    with theatre.warehouse() as engine:
        return differences(engine, theatre.pipedrive.state(), company)


def time_passes(theatre: Theatre) -> None:
    """The next run starts later: the account's clock has gone on, and what is in doubt is that much older."""
    assert theatre.pipedrive is not None
    theatre.pipedrive.advance(LATER)
    with theatre.warehouse() as engine, engine.begin() as tx:
        tx.execute(
            text("UPDATE pipedrive.intents SET intended_at = intended_at - make_interval(secs => :later)"),
            {"later": LATER},
        )


def _fresh(name: str, orders: int, seed: int) -> Scene:
    company = seeded_company(orders=orders, seed=seed, products=max(20, orders // 2))
    return Scene(name, simulated_exact_online(company, limits=False), company, simulated_pipedrive(**NO_LIMITS))


def _after_a_week(theatre: Theatre, scene: Scene, seed: int) -> Scene:
    """Everything is written once, then a week goes by in the ERP."""
    theatre.exact, theatre.pipedrive = scene.exact, scene.account
    theatre.database = scene.database = theatre.copied_database(EMPTY)
    assert theatre.run().went_well
    scene.chain = copy.deepcopy(scene.exact.tokens)
    busy_week(scene.company, seed=seed)
    return scene


def _number(count: int, turn: int, moment: Moment) -> int:
    """First and last, then ever finer parts in between."""
    if turn == 0:
        return 1 if moment == "before" else count
    part, weight = 0.0, 0.5
    while turn:
        part, turn, weight = part + weight * (turn % 2), turn // 2, weight / 2
    return 1 + int(part * count)


def _belongs(kind: str, scene: str) -> bool:
    """Setting the account up is a scene of its own."""
    is_setup = kind == "commit: pipedrive.stages" or any(word in kind for word in SETUP)
    return is_setup == (scene == "setup")


def _writes(kind: str) -> bool:
    """Whether it changes something in Pipedrive, or what is remembered of that."""
    return kind.startswith("commit: pipedrive.") or (kind.startswith("pipedrive: ") and "GET" not in kind)


def figures(crashes: Sequence[Crash]) -> Iterator[tuple[str, ...]]:
    """One line for each scene and kind of point: how many, tokens wasted, violations."""
    kinds: dict[tuple[str, str], list[Crash]] = {}
    for one in crashes:
        kinds.setdefault((one.scene, one.point.kind), []).append(one)
    for (scene, kind), group in sorted(kinds.items()):
        wasted = sorted(one.wasted for one in group)
        middle = wasted[len(wasted) // 2]
        bad = sum(bool(one.violations) for one in group)
        yield scene, kind, str(len(group)), f"{wasted[0]}", f"{middle}", f"{wasted[-1]}", str(bad)


def summed(crashes: Sequence[Crash]) -> Mapping[str, int]:
    """Over all of them: tokens wasted and the longest way back."""
    wasted = sorted(one.wasted for one in crashes)
    return {
        "points": len(crashes),
        "least": wasted[0],
        "middle": wasted[len(wasted) // 2],
        "most": wasted[-1],
        "most runs": max(one.runs for one in crashes),
    }
