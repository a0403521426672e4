"""Many requests at once, each with its own outcome; after a fatal one nothing new is begun, and what ran is told."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Generic, TypeVar

from pipeline.errors import HoldRow, OutcomeUnknown, PipelineError

WORKERS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Done(Generic[Item, Result]):
    """It was carried out."""

    item: Item
    result: Result


@dataclass(frozen=True)
class Refused(Generic[Item]):
    """Pipedrive refused this record; the others go on."""

    item: Item
    reason: str


@dataclass(frozen=True)
class InDoubt(Generic[Item]):
    """It was sent and never answered."""

    item: Item


@dataclass(frozen=True)
class NotSent(Generic[Item]):
    """It was never sent, or surely not carried out; `stopped_by` says why nothing more is sent."""

    item: Item
    stopped_by: PipelineError


Outcome = Done[Item, Result] | Refused[Item] | InDoubt[Item] | NotSent[Item]


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], *, workers: int = WORKERS
) -> Iterator[Outcome[Item, Result]]:
    """The outcome of each item, in their order."""
    stop, reasons = Event(), []

    def attempt(item: Item) -> Outcome[Item, Result]:
        if stop.is_set():
            return NotSent(item, reasons[0])
        try:
            return Done(item, work(item))
        except HoldRow as refusal:
            return Refused(item, str(refusal))
        except OutcomeUnknown:
            return InDoubt(item)
        except PipelineError as error:
            reasons.append(error)
            stop.set()
            return NotSent(item, error)

    with ThreadPoolExecutor(workers, thread_name_prefix="pipedrive") as pool:
        yield from pool.map(attempt, items)
