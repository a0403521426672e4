"""Everything a writing to Pipedrive needs. One at a time in the world: whoever makes it holds the lock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine

from pipeline.config import Config
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.parallel import Workers
from pipeline.pipedrive.schema import Schema
from pipeline.steps.account import reread_schema
from pipeline.steps.outcomes import Report


@dataclass(frozen=True)
class Access:
    """A way to the account, for whoever holds the lock."""

    engine: Engine
    connect: Callable[[Ledger], PipedriveClient]
    config: Config
    daily_tokens: int
    still_locked: Callable[[], None]  # raises RetryLater when the lock was lost


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

    def schema_was_mended(self) -> bool:
        """Whether the account's fields, options, stages or users are others than we knew; asked once a run."""
        if self.has_reread:
            return False
        self.has_reread = True
        schema, changed = reread_schema(self.engine, self.client, self.config)
        if changed:
            self.schema = schema
        return changed
