"""Keeps events: all that wait go into one statement and one commit, and then all their senders are answered.

One thread writes, so that a commit is waited for once however many came meanwhile. Not here: HTTP.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pipeline.errors import RetryLater
from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.inbox import Event, store_all
from pipeline.warehouse.revision import AnotherRevision, held_to_this_release

_LOG = logging.getLogger("pipeline")
MOST_AT_ONCE = 500
ANSWER_WITHIN = 8.0  # seconds; whoever waits longer is asked to come again
GATHERING = 0.004  # seconds for others to come along into the same commit
# What is answered must outlive a killed server, whatever the database's own habit is; a lock must not hold up answers.
_SAFELY = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
UNION ALL SELECT set_config('statement_timeout', '3000', false)
"""
_TIMEOUTS = {"connect_timeout": 3, "tcp_user_timeout": 5000}
_Waiting = tuple[Event, "asyncio.Future[None]"]
_Result = TypeVar("_Result")


def inbox_engine(url: str) -> Engine:
    """An engine whose database answers soon or is taken for gone, and whose every statement is committed at once."""
    engine = create_engine(
        warehouse_url(url),
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={"application_name": "pipeline webhooks", **_TIMEOUTS},
    )
    event.listen(engine, "connect", lambda connection, _: connection.execute(_SAFELY))
    return held_to_this_release(engine)


class Writer:
    """Keeps events for as long as it runs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="inbox", daemon=True)
        self._works = True

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, then ends."""
        self._queue.put(None)
        self._thread.join()

    async def keep(self, told: Event) -> None:
        """Returns once it is committed; raises RetryLater where that could not be had."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put((told, kept))
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await kept
        except TimeoutError:
            raise RetryLater("The inbox took too long.") from None

    def database_answers(self) -> bool:
        """Whether the database does, and is the one that this release writes to."""
        try:
            self._attempted(lambda connection: connection.execute(text("SELECT 1")))
        except (SQLAlchemyError, AnotherRevision):
            return False
        return True

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, ended = self._with_those_behind(first)
            problem = self._problem_of([told for told, _ in batch])
            with suppress(RuntimeError):  # a loop that is closed: nobody waits any more
                batch[0][1].get_loop().call_soon_threadsafe(_answer, batch, problem)
            if ended:
                break

    def _with_those_behind(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        batch = [first]
        time.sleep(GATHERING)
        while len(batch) < MOST_AT_ONCE:
            try:
                more = self._queue.get_nowait()
            except Empty:
                break
            if more is None:
                return batch, True
            batch.append(more)
        return batch, False

    def _problem_of(self, events: Sequence[Event]) -> RetryLater | None:
        """None when they are committed. Whatever went wrong, the thread lives on and the senders hear of it."""
        try:
            self._attempted(lambda connection: store_all(connection, events))
        except Exception as error:
            self._tell(works=False, reason=_reason(error))
            return RetryLater("The inbox could not be written.")
        self._tell(works=True)
        return None

    def _attempted(self, work: Callable[[Connection], _Result]) -> _Result:
        """The work, on a new connection once more where an old one was found dead.

        Doing it twice does no harm: an event that was committed after all is there already.
        """
        try:
            return self._done(work)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._done(work)

    def _done(self, work: Callable[[Connection], _Result]) -> _Result:
        with self._engine.connect() as connection:
            return work(connection)

    def _tell(self, *, works: bool, reason: str = "") -> None:
        """Once when it begins, once when it is over."""
        if works != self._works:
            self._works = works
            state = "written again" if works else f"not written, and senders get 503 so that they repeat: {reason}"
            _LOG.warning("webhooks: the inbox is %s", state)


def _reason(error: Exception) -> str:
    """What happened, without the rows it happened to."""
    if isinstance(error, AnotherRevision):
        return str(error)
    said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()
    return said[0] if said else type(error).__name__


def _answer(batch: Sequence[_Waiting], problem: RetryLater | None) -> None:
    for _, kept in batch:
        if kept.done():
            continue
        if problem:
            kept.set_exception(problem)
        else:
            kept.set_result(None)
