"""The plan carried out: live changes whole, then history newest first, then what only the catalogue and customers need.

The only place that writes to Pipedrive. Whoever calls `apply` gets a report; a day whose tokens are used up is no
failure, and what is left waits for the next run.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Engine, text

from pipeline import progress
from pipeline.config import Config
from pipeline.errors import BudgetSpent, RetryLater
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.parallel import Workers
from pipeline.steps import backlog
from pipeline.steps.account import adopt_organizations, group_names, schema_for
from pipeline.steps.doubts import settle_doubts
from pipeline.steps.outcomes import KINDS, Report
from pipeline.steps.write_records import Writer, write_records
from pipeline.steps.write_rows import write_rows
from pipeline.warehouse import memory
from pipeline.warehouse.connection import only_one

Connect = Callable[[Ledger], PipedriveClient]
LOCK = "pipedrive"
PASSES = 3  # over what waits, when answers were lost: the later ones write what was looked up
_MANY = 1_000  # records waiting


def apply(engine: Engine, connect: Connect, config: Config, *, daily_tokens: int) -> Report:
    """Writes what waits. Asks Pipedrive nothing at all when nothing waits.

    Raises GiveUp or RetryLater when Pipedrive can't be worked with; what was written until then is remembered.
    """
    report = Report()
    with only_one(engine, LOCK):
        if backlog.anything_waits(engine, config):
            ledger = _ledger(engine, config, daily_tokens)
            try:
                _carry_out(engine, connect(ledger), config, report)
            except BudgetSpent as spent:
                report.stopped = str(spent)
            finally:
                report.tokens = ledger.spent
                _book(engine, ledger)
        _count(engine, report)
    if report.in_doubt:
        raise RetryLater(
            f"{report.in_doubt} writes to Pipedrive were never answered; the next run looks them up first."
        )
    return report


def _carry_out(engine: Engine, client: PipedriveClient, config: Config, report: Report) -> None:
    if client.ledger.may_spend(live=False) <= 0:
        client.get("/api/v1/users/me")  # the answer's headers tell whether another budget day has begun
    _tell_the_planner(engine)
    schema = schema_for(engine, client, config)
    with engine.connect() as connection:
        names = group_names(connection)
    with Workers() as workers:
        writer = Writer(engine, client, schema, names, report, workers)
        for _ in range(PASSES):
            report.in_doubt = 0
            settle_doubts(engine, client, schema, config)
            _write_all(writer)
            if not report.in_doubt:
                break
    with engine.begin() as tx:
        tx.execute(text("DELETE FROM state.pending WHERE stage = 'pipedrive/item_groups'"))


def _write_all(writer: Writer) -> None:
    """Everything that waits, in its order of work: all deals of history before any of their rows."""
    for live in (True, False):
        if backlog.has_new_customers(writer.engine, live=live) and writer.client.ledger.may_spend(live=live) > 0:
            adopt_organizations(writer.engine, writer.client, writer.schema)
        for kind, choice in backlog.OF_ORDERS:
            _write(writer, kind, choice, live=live)
    for kind in ("organizations", "products"):
        _write(writer, kind, backlog.ALL, live=False)


def _tell_the_planner(engine: Engine) -> None:
    """PostgreSQL plans what follows by its statistics, and a first load fills tables faster than they are gathered."""
    with engine.begin() as tx:
        if tx.execute(text("SELECT count(*) FROM state.pending")).scalar_one() > _MANY:
            tx.execute(text("ANALYZE state.pending, crm.deals, crm.deal_products, crm.products, crm.organizations"))


def _write(writer: Writer, kind: str, choice: str, *, live: bool) -> None:
    with writer.engine.connect() as connection:
        waiting = backlog.waiting(connection, kind, choice, live=live)
    done = 0

    def tell(written: int) -> None:
        nonlocal done
        done += written
        progress.report(kind.replace("_", " "), done, len(waiting))

    write = write_rows if kind == "deal_products" else partial(write_records, kind=kind)
    write(writer, waiting=waiting, live=live, progress=tell)


def _ledger(engine: Engine, config: Config, daily_tokens: int) -> Ledger:
    """The day's budget as the last run left it; a day is UTC's until an answer tells more."""
    with engine.connect() as connection:
        kept = memory.recall(connection, "pipedrive budget") or {}
    is_told = bool(kept.get("told"))
    limit = kept["limit"] if is_told else daily_tokens
    spent = kept["limit"] - kept["remaining"] if kept.get("day") == datetime.now(UTC).date().isoformat() else 0
    return Ledger(limit, limit - spent, config.budget.keep_for_live, is_told=is_told)


def _book(engine: Engine, ledger: Ledger) -> None:
    today = datetime.now(UTC).date()
    with engine.begin() as tx:
        budget = {
            "day": today.isoformat(),
            "limit": ledger.limit,
            "remaining": ledger.remaining,
            "told": ledger.is_told,
        }
        memory.note(tx, "pipedrive budget", budget)
        for request, tokens in ledger.tokens.items():
            row = {"day": today, "request": request, "requests": ledger.requests[request], "tokens": tokens}
            tx.execute(text(_BOOK), row)


def _count(engine: Engine, report: Report) -> None:
    """What stands unchanged, what is held and what is left, for each table."""
    with engine.connect() as connection:
        counts = {row.kind: row for row in connection.execute(text(_COUNTS))}
    for kind in KINDS:
        tally, row = report.tallies[kind], counts[kind]
        tally.held, tally.left = row.held, row.waiting
        tally.unchanged = max(0, row.written - tally.created - tally.updated)


_BOOK = """
INSERT INTO pipedrive.token_usage AS booked (budget_day, request, requests, tokens)
VALUES (:day, :request, :requests, :tokens) ON CONFLICT (budget_day, request) DO UPDATE
SET requests = booked.requests + excluded.requests, tokens = booked.tokens + excluded.tokens
"""
_COUNTS = """
SELECT kind, written, waiting, held FROM (VALUES
    ('organizations', (SELECT count(*) FROM pipedrive.organizations), (SELECT count(*) FROM state.pending
        WHERE stage = 'pipedrive/organizations'), (SELECT count(*) FROM crm.held WHERE entity = 'customer')),
    ('products', (SELECT count(*) FROM pipedrive.products), (SELECT count(*) FROM state.pending
        WHERE stage = 'pipedrive/products'), 0),
    ('deals', (SELECT count(*) FROM pipedrive.deals), (SELECT count(*) FROM state.pending
        WHERE stage = 'pipedrive/deals'), (SELECT count(*) FROM crm.held WHERE entity = 'order')),
    ('deal_products', (SELECT count(*) FROM pipedrive.deal_products), (SELECT count(*) FROM crm.deal_products AS line
        JOIN state.pending AS waiting ON waiting.administration = line.administration AND waiting.key = line.order_id
        WHERE waiting.stage = 'pipedrive/deal_products'), 0)) AS counted (kind, written, waiting, mapping_held),
LATERAL (SELECT mapping_held + (
    SELECT count(*) FROM pipedrive.rejected WHERE rejected.kind = counted.kind) AS held) AS summed
"""
