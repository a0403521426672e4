"""Many requests at once, each with its own outcome; after a fatal one nothing new is begun, and what ran is told."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import local
from typing import Generic, Self, TypeVar

import httpx

from pipeline.errors import Full, HoldRow, OutcomeUnknown, PipelineError, RecordsGone, RefusedAlike

WORKERS = 8
ALIKE = 3  # refusals for one reason in a row, after which no further record is tried

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
class Stale(Generic[Item]):
    """Something it rests on is no longer in Pipedrive; nothing was carried out."""

    item: Item
    gone: RecordsGone


@dataclass(frozen=True)
class Paused(Generic[Item]):
    """The plan has no room for it; nothing was carried out."""

    item: Item
    reason: str


@dataclass(frozen=True)
class NotSent(Generic[Item]):
    """It was never sent, or surely not carried out; `stopped_by` says why nothing more is sent."""

    item: Item
    stopped_by: PipelineError


Outcome = Done[Item, Result] | Refused[Item] | InDoubt[Item] | Stale[Item] | Paused[Item] | NotSent[Item]


class Workers:
    """Threads that send requests side by side, for as long as one carrying out of a plan lasts."""

    def __init__(self, count: int = WORKERS) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="pipedrive")
        self._stop = _Stop()

    @property
    def stopped_by(self) -> PipelineError | None:
        """Why nothing further is sent."""
        return self._stop.reason

    def resume(self) -> None:
        """The records' refusals that stopped the work were met; whatever else stopped it still does."""
        if isinstance(self._stop.reason, RefusedAlike | None):
            self._stop = _Stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Outcome[Item, Result]]:
        """Begins the work on all items at once; the outcomes come in their order, as they are asked for."""
        stop = self._stop

        def attempt(item: Item) -> Outcome[Item, Result]:
            if stop.reason:
                return NotSent(item, stop.reason)
            try:
                result = work(item)
            except HoldRow as refusal:
                stop.count(refusal)
                return Refused(item, str(refusal))
            except OutcomeUnknown:
                return InDoubt(item)
            except RecordsGone as gone:
                return Stale(item, gone)
            except Full as full:
                return Paused(item, str(full))
            except PipelineError as error:
                stop.reason = stop.reason or error
                return NotSent(item, error)
            stop.alike.clear()
            return Done(item, result)

        return self._pool.map(attempt, items)


class _Stop:
    """Why nothing further is sent: a fatal error, or the same refusal of one record after the other."""

    def __init__(self) -> None:
        self.reason: PipelineError | None = None
        self.alike: list[str] = []

    def count(self, refusal: HoldRow) -> None:
        """Notes a refusal."""
        said = str(refusal)
        self.alike = [*(known for known in self.alike if known == said), said] if refusal.may_be_systematic else []
        if len(self.alike) >= ALIKE:
            self.reason = self.reason or RefusedAlike(f"{ALIKE} records in a row were refused alike. {said}")


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
