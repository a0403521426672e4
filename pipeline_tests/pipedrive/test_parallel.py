"""Many requests at once: every item has its own outcome, in their order, and nothing is begun after a fatal one."""

from collections.abc import Callable

import pytest

from pipeline.errors import BudgetSpent, ConfigurationError, GiveUp, HoldRow, OutcomeUnknown, PipelineError, RetryLater
from pipeline.pipedrive.parallel import Done, InDoubt, NotSent, Outcome, Refused, in_parallel


def failing_at(place: int, error: Exception) -> Callable[[int], int]:
    """Work that doubles a number, but for one."""

    def work(number: int) -> int:
        if number == place:
            raise error
        return 2 * number

    return work


def outcomes(work: Callable[[int], int], count: int = 40, *, workers: int = 8) -> list[Outcome[int, int]]:
    return list(in_parallel(work, range(count), workers=workers))


def test_outcomes_come_in_the_order_of_the_items():
    assert outcomes(lambda number: 2 * number) == [Done(number, 2 * number) for number in range(40)]


@pytest.mark.parametrize(
    ("error", "outcome"), [(HoldRow("odd"), Refused(7, "odd")), (OutcomeUnknown("lost"), InDoubt(7))], ids=str
)
def test_what_happens_to_one_record_does_not_stop_the_others(error: Exception, outcome: Outcome[int, int]):
    found = outcomes(failing_at(7, error))
    assert found[7] == outcome
    assert [one for one in found if isinstance(one, Done)] == [
        Done(number, 2 * number) for number in range(40) if number != 7
    ]


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
