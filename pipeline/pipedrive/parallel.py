"""Many requests at once, each with its own outcome; after a fatal one nothing new is begun, and what ran is told."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, local
from typing import Generic, Self, TypeVar

import httpx

from pipeline.errors import HoldRow, OutcomeUnknown, PipelineError

WORKERS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")
Chunk = TypeVar("Chunk")
Begun = TypeVar("Begun")


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


class Workers:
    """Threads that send requests side by side, for as long as one carrying out of a plan lasts."""

    def __init__(self, count: int = WORKERS) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="pipedrive")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Outcome[Item, Result]]:
        """Begins the work on all items at once; the outcomes come in their order, as they are asked for."""
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

        return self._pool.map(attempt, items)


def overlapping(chunks: Iterable[Chunk], begin: Callable[[Chunk], Begun], finish: Callable[[Begun], None]) -> None:
    """Begins each chunk before the one before it is finished, so that sending and remembering go side by side.

    Whatever stops the work, all that was begun is finished.
    """
    under_way: deque[Begun] = deque()
    try:
        for chunk in chunks:
            under_way.append(begin(chunk))
            if len(under_way) > 1:
                finish(under_way.popleft())
    finally:
        while under_way:
            finish(under_way.popleft())


class TransportPerThread(httpx.BaseTransport):
    """Gives each thread a connection of its own: one pool for all would make them wait for each other."""

    def __init__(self, make: Callable[[], httpx.BaseTransport]) -> None:
        self._make, self._own, self._all = make, local(), []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends over this thread's connection."""
        transport = getattr(self._own, "transport", None)
        if transport is None:
            transport = self._own.transport = self._make()
            self._all.append(transport)
        return transport.handle_request(request)

    def close(self) -> None:
        """Closes every thread's connection."""
        for transport in self._all:
            transport.close()
