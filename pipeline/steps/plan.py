"""What a sync would write to Pipedrive now, what that costs and when it is done; nothing is asked or written there."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from pipeline.config import Config
from pipeline.domain.budget import READ_LIST, READ_STAGES, READ_USERS, WRITE
from pipeline.domain.forecast import Tokens, Work, days_until_done
from pipeline.pipedrive.fields import PATHS, category_field
from pipeline.steps.account import kept_schema, wanted_fields
from pipeline.steps.ledger_book import ledger_of_today
from pipeline.steps.outcomes import KINDS
from pipeline.steps.to_go import ToGo, to_go


@dataclass
class Plan:
    """What is to go, in the order of work, and the tokens there are for it."""

    to_go: list[ToGo]
    setup: int  # tokens that go before all of it
    available: Tokens
    today: date  # the budget day that is going on

    @property
    def tokens(self) -> int:
        """What all of it costs."""
        return self.setup + sum(part.tokens for part in self.to_go)

    def expected(self) -> list[date | None]:
        """The day on which each part is done, if nothing else comes; None when no day has tokens enough for it."""
        return self._days()[1:]

    @property
    def done_on(self) -> date | None:
        """The day on which all of it is done; None when it never is."""
        return self._days()[-1]

    def _days(self) -> list[date | None]:
        work = [Work(1, self.setup, is_live=True), *(part.work for part in self.to_go)]
        days = days_until_done(work, self.available)
        return [None if day is None else self.today + timedelta(days=day) for day in days]

    @property
    def assumption(self) -> str:
        """What the expected days rest on."""
        a_day = f"{self.available.a_day - self.available.kept:,}"
        return (
            f"History may use {a_day} tokens a day (Pipedrive's budget as last told, else PIPEDRIVE_DAILY_TOKENS; "
            "less keep_for_live), live changes stay within the share that is kept for them, and nothing else comes."
        )

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain numbers."""
        created, updated, tokens = Counter(), Counter(), Counter()
        for part in self.to_go:
            created[part.kind] += part.created
            updated[part.kind] += part.updated
            tokens[part.kind] += part.tokens
        done_on = self.done_on
        return {
            **{kind: {"create": created[kind], "update": updated[kind], "tokens": tokens[kind]} for kind in KINDS},
            "setup": self.setup,
            "tokens": self.tokens,
            "tokens_left_today": self.available.today,
            "tokens_a_day": self.available.a_day - self.available.kept,
            "done_on": done_on and done_on.isoformat(),
        }


def plan(engine: Engine, config: Config, daily_tokens: int) -> Plan:
    """The plan as it stands."""
    with engine.connect() as connection:
        found, setup = to_go(connection), _setup_price(connection, config)
    ledger = ledger_of_today(engine, config, daily_tokens)
    kept = int(ledger.limit * config.budget.keep_for_live)
    available = Tokens(ledger.may_spend(live=True), ledger.limit, kept)
    return Plan(found, setup, available, datetime.now(UTC).date())


def _setup_price(connection: Connection, config: Config) -> int:
    fields = wanted_fields(connection, config)
    schema = kept_schema(connection)
    out = {category_field(group) for group in schema.left_out}
    wanted = [field for field in fields if field.name not in out]
    missing = [field for field in wanted if (field.entity, field.name) not in schema.fields]
    reading = 0 if schema.users else READ_USERS + 2 * READ_STAGES + len(PATHS) * READ_LIST
    return reading + len(missing) * WRITE
