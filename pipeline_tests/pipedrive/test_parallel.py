"""Many requests at once: every item has its own outcome, in their order, and nothing is begun after a fatal one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from pipeline.errors import (
    BudgetSpent,
    ConfigurationError,
    Full,
    GiveUp,
    HoldRow,
    OutcomeUnknown,
    PipelineError,
    RecordsGone,
    RefusedAlike,
    RetryLater,
)
from pipeline.pipedrive.parallel import (
    Done,
    InDoubt,
    NotSent,
    Outcome,
    Paused,
    Refused,
    Stale,
    TransportPerThread,
    Workers,
    overlapping,
)


def failing_at(place: int, error: Exception) -> Callable[[int], int]:
    """Work that doubles a number, but for one."""

    def work(number: int) -> int:
        if number == place:
            raise error
        return 2 * number

    return work


def outcomes(work: Callable[[int], int], count: int = 40, *, workers: int = 8) -> list[Outcome[int, int]]:
    with Workers(workers) as team:
        return list(team.begin(work, range(count)))


def test_outcomes_come_in_the_order_of_the_items():
    assert outcomes(lambda number: 2 * number) == [Done(number, 2 * number) for number in range(40)]


GONE = RecordsGone("gone", kind="products", keys=["A"])


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (HoldRow("odd"), Refused(7, "odd")),
        (OutcomeUnknown("lost"), InDoubt(7)),
        (GONE, Stale(7, GONE)),
        (Full("full"), Paused(7, "full")),
    ],
    ids=str,
)
def test_what_happens_to_one_record_does_not_stop_the_others(error: Exception, outcome: Outcome[int, int]):
    found = outcomes(failing_at(7, error))
    assert found[7] == outcome
    assert [one for one in found if isinstance(one, Done)] == [
        Done(number, 2 * number) for number in range(40) if number != 7
    ]


def refusing(refusals: dict[int, HoldRow]) -> Callable[[int], int]:
    def work(number: int) -> int:
        if number in refusals:
            raise refusals[number]
        return number

    return work


@pytest.mark.parametrize(
    ("refused", "stops"),
    [
        ({3: "a", 4: "a", 5: "a"}, True),
        ({3: "a", 4: "a"}, False),
        ({3: "a", 4: "a", 6: "a"}, False),
        ({3: "a", 4: "b", 5: "a"}, False),
    ],
    ids=str,
)
def test_the_third_refusal_of_one_kind_in_a_row_stops_the_work(refused: dict[int, str], stops: bool):
    refusals = {number: HoldRow(said, may_be_systematic=True) for number, said in refused.items()}
    found = outcomes(refusing(refusals), count=10, workers=1)
    stopped = [one.stopped_by for one in found if isinstance(one, NotSent)]
    assert bool(stopped) is stops
    assert all(isinstance(error, RefusedAlike) for error in stopped)


def test_refusals_of_single_records_never_stop_the_work_however_many():
    refusals = {number: HoldRow("too long") for number in range(8)}
    assert not any(isinstance(one, NotSent) for one in outcomes(refusing(refusals), count=10, workers=1))


@pytest.mark.parametrize(("error", "goes_on"), [(RefusedAlike("alike"), True), (GiveUp("broken"), False)], ids=str)
def test_work_goes_on_only_when_refusals_stopped_it_that_were_met(error: PipelineError, goes_on: bool):
    with Workers(1) as team:
        assert isinstance(next(iter(team.begin(failing_at(0, error), [0]))), NotSent)
        assert team.stopped_by is error
        team.resume()
        assert isinstance(next(iter(team.begin(lambda number: number, [5]))), Done if goes_on else NotSent)


@pytest.mark.parametrize("kind", [BudgetSpent, GiveUp, RetryLater, ConfigurationError])
def test_after_what_concerns_all_nothing_new_is_begun(kind: type[PipelineError]):
    error = kind("enough")
    found = outcomes(failing_at(7, error), workers=1)
    assert found == [Done(number, 2 * number) for number in range(7)] + [
        NotSent(number, error) for number in range(7, 40)
    ]


def test_a_mistake_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        outcomes(failing_at(3, ZeroDivisionError()))


# --- chunks side by side ---


def steps(count: int, *, stops_at: int | None = None) -> tuple[list[str], bool]:
    """What happened in which order to so many chunks, and whether the work was stopped."""
    happened: list[str] = []

    def begin(chunk: int) -> int:
        happened.append(f"begin {chunk}")
        return chunk

    def finish(chunk: int) -> None:
        happened.append(f"finish {chunk}")
        if chunk == stops_at:
            raise BudgetSpent("enough")

    try:
        overlapping(range(count), begin, finish)
    except BudgetSpent:
        return happened, True
    return happened, False


@pytest.mark.parametrize(
    ("count", "stops_at", "expected"),
    [
        (0, None, ""),
        (1, None, "b0 f0"),
        (3, None, "b0 b1 f0 b2 f1 f2"),
        (9, 1, "b0 b1 f0 b2 f1 f2"),
        (2, 0, "b0 b1 f0 f1"),
        (2, 1, "b0 b1 f0 f1"),
    ],
)
def test_a_chunk_begins_before_the_last_is_finished_and_all_that_began_is_finished(
    count: int, stops_at: int | None, expected: str
):
    happened, stopped = steps(count, stops_at=stops_at)
    assert " ".join(f"{step[0]}{step[-1]}" for step in happened) == expected
    assert stopped is (stops_at is not None)


def test_every_thread_has_a_connection_of_its_own_and_all_are_closed():
    class Counting(httpx.BaseTransport):
        def __init__(self) -> None:
            self.sent, self.closed = 0, False
            made.append(self)

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.sent += 1
            return httpx.Response(200)

        def close(self) -> None:
            self.closed = True

    made: list[Counting] = []
    together = Barrier(3)
    with httpx.Client(transport=TransportPerThread(Counting)) as http, ThreadPoolExecutor(3) as pool:

        def ask(_: int) -> list[int]:
            together.wait()
            return [http.get("https://x.example").status_code for _ in range(2)]

        assert list(pool.map(ask, range(3))) == [[200, 200]] * 3
    assert [(transport.sent, transport.closed) for transport in made] == [(2, True)] * 3
