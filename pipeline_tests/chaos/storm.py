"""The fault storm: three synchronisations in a row over a network and two vendors that break all the time.

Each round is repeated until a run ends well; then both sides have to be equal, and what it cost is counted.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline.sandbox.exact_online.faults import Fault
from pipeline.sandbox.pipedrive import simulated_pipedrive
from pipeline.sandbox.wire import Request
from pipeline_tests.chaos.changes import busy_week
from pipeline_tests.chaos.crashes import compared, spent, time_passes
from pipeline_tests.chaos.theatre import EMPTY, Run, Theatre
from pipeline_tests.chaos.tripwire import kind_of
from pipeline_tests.chaos.victim import AGAIN, DONE, STOPPED

ROUNDS = ("first load", "changes", "more changes")
MOST_RUNS = 40
# Share of the requests that each kind of fault hits; a storm of 429s goes on for several requests.
AT_PIPEDRIVE = {
    "drop_after": 0.05,
    "status_before": 0.025,
    "status_after": 0.025,
    "drop_before": 0.02,
    "malformed": 0.02,
    "truncate": 0.02,
    "burst_429": 0.004,
}
AT_EXACT = {"drop_after": 0.03, "status": 0.03, "drop": 0.02, "truncate": 0.02}
STORM = (3, 12)  # answers in one storm of 429s
# Refusals never open the vendor's block of a whole minute here: that one is a person's to look at.
LIMITS = {"burst": 100_000, "search_burst": None, "storm_refusals": None}
SPARED = "/api/oauth2/"  # each refresh token is good for one use: a lost answer there needs a new consent


@dataclass
class Weather:
    """What hits the n-th request of a kind follows from the seed, however the kinds mix."""

    theatre: Theatre
    seed: int
    is_bad: bool = False
    struck: Counter[str] = field(default_factory=Counter)
    _passed: Counter[str] = field(default_factory=Counter)

    def __call__(self, side: str, request: Request) -> None:
        """Orders the fault that is to hit this request, if any is."""
        if not self.is_bad or request.path.startswith(("/__sandbox/", SPARED)):
            return
        passing = kind_of(side, request.method, request.path)
        self._passed[passing] += 1
        draw = random.Random(f"{self.seed} {passing} {self._passed[passing]}")
        shares = AT_PIPEDRIVE if side == "pipedrive" else AT_EXACT
        left = draw.random()
        for kind, share in shares.items():
            left -= share
            if left < 0:
                self._order(side, kind, draw)
                return

    def _order(self, side: str, kind: str, draw: random.Random) -> None:
        self.struck[kind] += 1
        status = draw.choice((500, 502, 503))
        if side == "exact":
            assert self.theatre.exact is not None
            self.theatre.exact.faults.waiting.append(Fault(path="", kind=kind, status=status))
            return
        assert self.theatre.pipedrive is not None
        times = draw.randint(*STORM) if kind == "burst_429" else 1
        self.theatre.pipedrive.faults.order({"kind": kind, "status": status, "times": times})


@dataclass
class Round:
    """What one synchronisation came to."""

    name: str
    endings: list[int]
    faults: Counter[str]
    tokens: int
    violations: list[str]
    wasted: int = 0


def storm(theatre: Theatre, *, orders: int, seed: int = 1) -> list[Round]:
    """The three rounds in fair weather for their price, then in bad."""
    fair = rounds(theatre, orders=orders, seed=seed, is_bad=False)
    bad = rounds(theatre, orders=orders, seed=seed, is_bad=True)
    for quiet, rough in zip(fair, bad, strict=True):
        rough.wasted = rough.tokens - quiet.tokens
        rough.violations += [f"in fair weather: {what}" for what in quiet.violations]
    return bad


def rounds(theatre: Theatre, *, orders: int, seed: int, is_bad: bool) -> list[Round]:
    """Three synchronisations in a row, each with its own changes, on a fresh account."""
    return list(_rounds(theatre, orders=orders, seed=seed, is_bad=is_bad))


def _rounds(theatre: Theatre, *, orders: int, seed: int, is_bad: bool) -> Iterator[Round]:
    company = seeded_company(orders=orders, seed=seed, products=max(20, orders // 2))
    theatre.exact, theatre.pipedrive = simulated_exact_online(company, limits=False), simulated_pipedrive(**LIMITS)
    theatre.database = theatre.copied_database(EMPTY)
    weather = theatre.before_request = Weather(theatre, seed)
    for number, name in enumerate(ROUNDS):
        if number:
            busy_week(company, seed=seed + number)
        weather.is_bad, weather.struck, before = is_bad, Counter(), spent(theatre)
        runs = _until_one_ends_well(theatre)
        weather.is_bad = False
        _calm(theatre)
        violations = _judged(theatre, company, runs)
        endings = [run.status for run in runs]
        yield Round(name, endings, weather.struck, spent(theatre) - before, violations)
    theatre.before_request = lambda side, request: None
    theatre.drop(theatre.database)


def _until_one_ends_well(theatre: Theatre) -> list[Run]:
    runs: list[Run] = []
    while len(runs) < MOST_RUNS and not (runs and runs[-1].went_well):
        if runs:
            time_passes(theatre)
        runs.append(theatre.run())
    return runs


def _calm(theatre: Theatre) -> None:
    """Takes back the faults that were ordered and have hit nobody."""
    assert theatre.pipedrive is not None
    assert theatre.exact is not None
    theatre.pipedrive.faults.open.clear()
    theatre.exact.faults.waiting.clear()


def _judged(theatre: Theatre, company: Company, runs: list[Run]) -> list[str]:
    """Ends that are no ends, differences, and a quiet run that asks Pipedrive anything."""
    found = [f"a run ended with {run.status}" for run in runs if run.status not in (DONE, AGAIN, STOPPED)]
    if not runs[-1].went_well:
        found.append(f"none of {len(runs)} runs ended well")
    found += compared(theatre, company)
    quiet = theatre.run()
    if not quiet.went_well or quiet.wire.requests("pipedrive"):
        found.append(f"the quiet run ended with {quiet.status} and asked {dict(quiet.wire.counts)}")
    return found
