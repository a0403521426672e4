"""The plan carried out: live changes whole, then history newest first, then what only the catalogue and customers need.

The only place that writes to Pipedrive. Whoever calls `apply` gets a report; a day whose tokens are used up is no
failure, and what is left waits for the next run.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection, Engine, text

from pipeline import progress
from pipeline.config import Config
from pipeline.errors import BudgetSpent, RetryLater
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.parallel import Workers
from pipeline.steps.account import adopt_organizations, group_names, schema_for
from pipeline.steps.doubts import settle_doubts
from pipeline.steps.outcomes import KINDS, Report
from pipeline.steps.write_records import Waiting, Writer, write_records
from pipeline.steps.write_rows import write_rows
from pipeline.warehouse import memory
from pipeline.warehouse.connection import only_one

Connect = Callable[[Ledger], PipedriveClient]
LOCK = "pipedrive"
_MANY = 1_000  # records waiting


def apply(engine: Engine, connect: Connect, config: Config, *, daily_tokens: int) -> Report:
    """Writes what waits. Asks Pipedrive nothing at all when nothing waits.

    Raises GiveUp or RetryLater when Pipedrive can't be worked with; what was written until then is remembered.
    """
    report = Report()
    with only_one(engine, LOCK):
        if _anything_waits(engine, config):
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
    settle_doubts(engine, client, schema, config)
    with engine.connect() as connection:
        names = group_names(connection)
        new_customers = connection.execute(text(_NEW_CUSTOMERS)).scalar_one()
    if new_customers:
        adopt_organizations(engine, client, schema)
    with Workers() as workers:
        writer = Writer(engine, client, schema, names, report, workers)
        for live in (True, False):
            _write_orders(writer, live=live)
        for kind in ("organizations", "products"):
            _write(writer, kind, _REST, live=False)
    with engine.begin() as tx:
        tx.execute(text("DELETE FROM state.pending WHERE stage = 'pipedrive/item_groups'"))


def _tell_the_planner(engine: Engine) -> None:
    """PostgreSQL plans what follows by its statistics, and a first load fills tables faster than they are gathered."""
    with engine.begin() as tx:
        if tx.execute(text("SELECT count(*) FROM state.pending")).scalar_one() > _MANY:
            tx.execute(text("ANALYZE state.pending, crm.deals, crm.deal_products, crm.products, crm.organizations"))


def _write_orders(writer: Writer, *, live: bool) -> None:
    """Deals and their rows, with the organizations and products they need before them; all deals before any row."""
    _write(writer, "organizations", _NEEDED_ORGANIZATIONS, live=live)
    _write(writer, "deals", _DEALS, live=live)
    _write(writer, "products", _NEEDED_PRODUCTS, live=live)
    _write(writer, "deal_products", _ROWS, live=live)


def _write(writer: Writer, kind: str, query: str, *, live: bool) -> None:
    with writer.engine.connect() as connection:
        waiting = _waiting(connection, query, kind, live)
    done = 0

    def tell(written: int) -> None:
        nonlocal done
        done += written
        progress.report(kind.replace("_", " "), done, len(waiting))

    write = write_rows if kind == "deal_products" else partial(write_records, kind=kind)
    write(writer, waiting=waiting, live=live, progress=tell)


def _waiting(connection: Connection, query: str, kind: str, live: bool) -> Sequence[Waiting]:
    rows = connection.execute(text(query), {"stage": f"pipedrive/{kind}", "live": live})
    return [Waiting(row.administration, row.key, row.ticket) for row in rows]


def _anything_waits(engine: Engine, config: Config) -> bool:
    with engine.connect() as connection:
        known = memory.recall(connection, "pipedrive names")
        configured = {"pipeline": config.pipedrive.pipeline, "stages": config.pipedrive.stages.model_dump()}
        return known != configured or connection.execute(text(_ANYTHING)).scalar_one()


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


_ANYTHING = """
SELECT EXISTS (SELECT FROM state.pending WHERE stage IN
        ('pipedrive/organizations', 'pipedrive/products', 'pipedrive/deals', 'pipedrive/item_groups'))
    OR EXISTS (SELECT FROM pipedrive.intents WHERE kind <> 'deal_products')
    OR EXISTS (SELECT FROM state.pending AS waiting JOIN pipedrive.deals AS deal
        ON deal.administration = waiting.administration AND deal.order_id = waiting.key
        WHERE waiting.stage = 'pipedrive/deal_products')
"""
_NEW_CUSTOMERS = """
SELECT EXISTS (SELECT FROM state.pending AS waiting
    JOIN crm.organizations AS wanted
        ON wanted.administration = waiting.administration AND wanted.customer_id = waiting.key
    WHERE waiting.stage = 'pipedrive/organizations' AND NOT EXISTS (SELECT FROM pipedrive.organizations AS there
        WHERE there.administration = waiting.administration AND there.customer_id = waiting.key))
"""
_DEALS = """
SELECT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
JOIN crm.deals AS deal ON deal.administration = waiting.administration AND deal.order_id = waiting.key
WHERE waiting.stage = :stage AND deal.is_live = :live
ORDER BY deal.order_date DESC NULLS LAST, deal.order_number DESC
"""
_ROWS = """
SELECT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
JOIN pipedrive.deals AS there ON there.administration = waiting.administration AND there.order_id = waiting.key
JOIN crm.deals AS deal ON deal.administration = waiting.administration AND deal.order_id = waiting.key
WHERE waiting.stage = :stage AND deal.is_live = :live
ORDER BY deal.order_date DESC NULLS LAST, deal.order_number DESC
"""
_NEEDED_ORGANIZATIONS = """
SELECT DISTINCT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
JOIN crm.deals AS deal ON deal.administration = waiting.administration AND deal.customer_id = waiting.key
JOIN state.pending AS order_waiting ON order_waiting.stage = 'pipedrive/deals'
    AND order_waiting.administration = deal.administration AND order_waiting.key = deal.order_id
LEFT JOIN pipedrive.organizations AS there
    ON there.administration = waiting.administration AND there.customer_id = waiting.key
WHERE waiting.stage = :stage AND deal.is_live = :live AND there.org_id IS NULL
"""
_NEEDED_PRODUCTS = """
SELECT DISTINCT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
JOIN crm.deal_products AS line ON line.administration = waiting.administration AND line.product_key = waiting.key
JOIN crm.deals AS deal ON deal.administration = line.administration AND deal.order_id = line.order_id
JOIN state.pending AS order_waiting ON order_waiting.stage = 'pipedrive/deal_products'
    AND order_waiting.administration = deal.administration AND order_waiting.key = deal.order_id
LEFT JOIN pipedrive.products AS there
    ON there.administration = waiting.administration AND there.product_key = waiting.key
WHERE waiting.stage = :stage AND deal.is_live = :live AND there.product_id IS NULL
"""
_REST = """
SELECT administration, key, ticket FROM state.pending WHERE stage = :stage ORDER BY administration, key
"""
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
