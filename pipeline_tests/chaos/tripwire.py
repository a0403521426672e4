"""Counts what passes between the process and the two sides, and kills the process at one chosen point.

No vendor's rules and no SQL here: `theatre.py` and `database_proxy.py` tell what passes.
"""

import os
import re
import signal
from collections import Counter
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Literal

Moment = Literal["before", "after"]
_DEADLINE = 60.0
_IDS = (
    (re.compile(r"\(guid'[^']*'\)"), "({id})"),
    (re.compile(r"(?<=/)[0-9a-f]{40}(?=/|$)"), "{code}"),
    (re.compile(r"(?<=/)\d+(?=/|$)"), "{id}"),
)


@dataclass(frozen=True)
class Point:
    """The `number`th passing of one kind: before it is worked on, or worked on and not yet answered."""

    kind: str
    number: int
    moment: Moment

    def __str__(self) -> str:
        return f"{self.moment} {self.kind} #{self.number}"


@dataclass
class Tripwire:
    """One wire for one run of one process."""

    point: Point | None = None
    counts: Counter[str] = field(default_factory=Counter)
    struck: bool = False
    _process: int = 0
    _known: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    def watch(self, process: int) -> None:
        """From now on it is known who is to be killed."""
        self._process = process
        self._known.set()

    def passing(self, kind: str) -> int:
        """One more of that kind comes by; says which it is."""
        with self._lock:
            self.counts[kind] += 1
            return self.counts[kind]

    def is_hit(self, kind: str, number: int, moment: Moment) -> bool:
        """Whether this is the chosen point; the process is dead then."""
        if self.point != Point(kind, number, moment):
            return False
        if not self._known.wait(_DEADLINE):
            raise TimeoutError("nobody said which process to kill")
        self.struck = True
        os.kill(self._process, signal.SIGKILL)
        return True

    def requests(self, side: str) -> int:
        """How many requests one side was sent."""
        return sum(count for kind, count in self.counts.items() if kind.startswith(f"{side}: "))


def kind_of(side: str, method: str, path: str) -> str:
    """The kind of a request: its method and its path without what names one record."""
    for pattern, placeholder in _IDS:
        path = pattern.sub(placeholder, path)
    return f"{side}: {method} {path}"
