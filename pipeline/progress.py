"""How far long work has come: told in one place, shown as lines or as a bar by whoever runs it."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Reporter = Callable[[str, int, int], None]
_EVERY = 5.0  # seconds between two lines on the same work


class Lines:
    """Plain lines in the log, not more often than every few seconds."""

    def __init__(self) -> None:
        self._log = logging.getLogger("pipeline")
        self._last: dict[str, float] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - self._last.get(what, 0.0) >= _EVERY:
            self._last[what] = now
            self._log.info("%s: %s of %s", what, f"{done:,}", f"{total:,}")


_reporter: list[Reporter] = [Lines()]


def report(what: str, done: int, total: int) -> None:
    """Tells how much of the work is done."""
    _reporter[0](what, done, total)


class Bars:
    """A bar for each kind of work, on a terminal."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description:>14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.display = Progress(*columns, transient=False)
        self._tasks: dict[tuple[str, int], Any] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        task = self._tasks.get((what, total))
        if task is None:
            task = self._tasks[what, total] = self.display.add_task(what, total=total)
        self.display.update(task, completed=done)


@contextmanager
def shown() -> Iterator[None]:
    """Shows bars while standard error is a terminal, lines elsewhere."""
    if not sys.stderr.isatty():
        yield
        return
    bars = Bars()
    before, _reporter[0] = _reporter[0], bars
    try:
        with bars.display:
            yield
    finally:
        _reporter[0] = before
