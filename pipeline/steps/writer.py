"""Everything a writing to Pipedrive needs. One at a time in the world: whoever makes it holds the lock."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field

from sqlalchemy import Engine

from pipeline.config import Config
from pipeline.errors import MadeWay
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.parallel import Workers
from pipeline.pipedrive.schema import Schema
from pipeline.steps.account import reread_schema
from pipeline.steps.outcomes import Report
from pipeline.warehouse.connection import is_taken, only_one

LOCK, LIVE = "pipedrive", "pipedrive, live changes"  # whoever writes holds the first; who waits with haste the second
LEAST, MOST = 16, 64  # records whose intents are committed together


@contextmanager
def the_only_writer(engine: Engine, *, with_haste: bool = False) -> Iterator[Callable[[], None]]:
    """Holds the lock of writing; whoever writes history makes way for one who waits `with_haste`.

    Gives a function that raises RetryLater when the lock was lost.
    """
    with ExitStack() as held:
        with only_one(engine, LIVE) if with_haste else nullcontext():
            still_locked = held.enter_context(only_one(engine, LOCK))
        yield still_locked


@dataclass(frozen=True)
class Access:
    """A way to the account, for whoever holds the lock."""

    engine: Engine
    connect: Callable[[Ledger], PipedriveClient]
    config: Config
    daily_tokens: int
    still_locked: Callable[[], None]  # raises RetryLater when the lock was lost
    with_history: bool = True  # whether it writes more than live changes


@dataclass
class Writer:
    """One carrying out of a plan."""

    engine: Engine
    client: PipedriveClient
    config: Config
    schema: Schema
    group_names: Mapping[str, str]
    report: Report
    workers: Workers
    still_locked: Callable[[], None]
    full: dict[str, str] = field(default_factory=dict)  # kinds the plan has no more room for, and what was said
    opens_for_rows: bool = False  # whether this account takes rows on open deals only
    has_reread: bool = False
    adopts_again: bool = False  # whether a link to an organization was forgotten in this run
    with_history: bool = True

    @property
    def chunk(self) -> int:
        """How many records' intents are committed together: what the burst window lets out in a second.

        After a crash twice so many are looked for at most, and who waits with haste waits for as many.
        """
        burst = self.client.ledger.burst
        return MOST if burst is None else min(max(burst // 2, LEAST), MOST)

    def make_way(self, *, live: bool) -> None:
        """Raises MadeWay when a run with live changes waits and it is something else that is being written."""
        if not live and is_taken(self.engine, LIVE):
            raise MadeWay("A run with live changes wants to write to Pipedrive; the rest goes on after it.")

    def schema_was_mended(self) -> bool:
        """Whether the account's fields, options, stages or users are others than we knew; asked once a run."""
        if self.has_reread:
            return False
        self.has_reread = True
        schema, changed = reread_schema(self.engine, self.client, self.config)
        if changed:
            self.schema = schema
        return changed
