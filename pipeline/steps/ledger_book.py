"""The day's tokens across runs: what a run begins with, and what it books while it goes.

Booked with every chunk, so that a killed run has not spent unseen.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from pipeline.config import Config
from pipeline.errors import Blocked
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.warehouse import memory

FACTS = BUDGET, _BLOCKED = "pipedrive budget", "pipedrive blocked until"


def ledger_of_today(engine: Engine, config: Config, daily_tokens: int) -> Ledger:
    """The day's budget as the last run left it; a day is UTC's until an answer tells more."""
    with engine.connect() as connection:
        kept = memory.recall(connection, BUDGET) or {}
    is_told = bool(kept.get("told"))
    limit = kept["limit"] if is_told else daily_tokens
    spent = kept["limit"] - kept["remaining"] if kept.get("day") == _today() else 0
    is_refused = bool(kept.get("refused")) and spent > 0
    told = {"is_told": is_told, "is_refused": is_refused}
    return Ledger(limit, limit - spent, config.budget.keep_for_live, day=_today(), **told)


def book(tx: Connection, ledger: Ledger) -> None:
    """Notes what is left of the day, and what was spent since the last booking."""
    ledger.begin_day(_today())
    budget = {"day": _today(), "limit": ledger.limit, "remaining": ledger.remaining}
    memory.note(tx, BUDGET, budget | {"told": ledger.is_told, "refused": ledger.is_refused})
    new = [
        {"request": request, "requests": requests, "tokens": tokens}
        for request, (requests, tokens) in ledger.unbooked().items()
    ]
    if new:
        tx.execute(text(_BOOK), {"day": _today(), "new": json.dumps(new)})


@contextmanager
def only_reading(
    engine: Engine, connect: Callable[[Ledger], PipedriveClient], config: Config, daily_tokens: int
) -> Iterator[PipedriveClient]:
    """A client for somebody who only reads, beside whoever writes; its tokens are booked."""
    refuse_while_blocked(engine)
    ledger = ledger_of_today(engine, config, daily_tokens)
    try:
        yield connect(ledger)
    except Blocked:
        note_block(engine)
        raise
    finally:
        with engine.begin() as tx:
            book(tx, ledger)


def refuse_while_blocked(engine: Engine) -> None:
    """Raises Blocked while Pipedrive shuts us out: asking on makes it longer."""
    with engine.connect() as connection:
        until = memory.recall(connection, _BLOCKED)
    if until and datetime.now(UTC) < datetime.fromisoformat(until):
        raise Blocked(f"Pipedrive blocked this API token for asking too fast; nothing is sent before {until[:16]} UTC.")


def note_block(engine: Engine) -> None:
    """Nothing more is sent today."""
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    with engine.begin() as tx:
        memory.note(tx, _BLOCKED, tomorrow.isoformat())


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


_BOOK = """
INSERT INTO pipedrive.token_usage AS booked (budget_day, request, requests, tokens)
SELECT :day, request, requests, tokens
FROM json_to_recordset(CAST(:new AS json)) AS new (request text, requests integer, tokens integer)
ON CONFLICT (budget_day, request) DO UPDATE
SET requests = booked.requests + excluded.requests, tokens = booked.tokens + excluded.tokens
"""
