"""The plan carried out: live changes whole, then history newest first, then what only the catalogue and customers need.

The only place that writes to Pipedrive. Whoever calls `apply` gets a report; a day whose tokens are used up is no
failure, and what is left waits for the next run.
"""

from collections.abc import Callable, Set
from functools import partial
from hashlib import sha256

from sqlalchemy import Engine, text

from pipeline import progress
from pipeline.config import Config
from pipeline.errors import Blocked, BudgetSpent, GiveUp, MadeWay, OutcomeUnknown, RetryLater
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.parallel import Workers
from pipeline.steps import backlog
from pipeline.steps.account import adopt_organizations, claim_products, group_names, schema_for
from pipeline.steps.archive import archive_old, make_room
from pipeline.steps.bookkeeping import queue_refused
from pipeline.steps.doubts import settle_doubts
from pipeline.steps.duplicates import close_duplicates
from pipeline.steps.ledger_book import book, ledger_of_today, note_block, refuse_while_blocked
from pipeline.steps.outcomes import KINDS, Report
from pipeline.steps.person_changes import forget_all, look_before_persons_are_changed
from pipeline.steps.read_back import read_back_if_restored, waits_for_reading_back
from pipeline.steps.reopening import takes_rows_on_open_deals_only
from pipeline.steps.write_records import write_records
from pipeline.steps.write_rows import write_rows
from pipeline.steps.writer import Access, Writer, the_only_writer
from pipeline.warehouse import memory
from pipeline.warehouse.row_counts import row_counts

Connect = Callable[[Ledger], PipedriveClient]
Chosen = Set[tuple[str, str, str]]  # administration, kind, key
PASSES = 3  # over what waits, when answers were lost: the later ones write what was looked up
_MANY = 1_000  # records waiting


def apply(engine: Engine, connect: Connect, config: Config, *, daily_tokens: int, with_history: bool = True) -> Report:
    """Writes what waits; without history live changes and changes of what is there, the rest when no history waits.

    Asks Pipedrive nothing at all when nothing waits. While history is written, a run with live changes goes between.
    Raises GiveUp or RetryLater when Pipedrive can't be worked with; what was written until then is remembered.
    """
    report, with_haste = Report(made_way=True), not with_history
    while report.made_way:
        report.made_way = False
        with the_only_writer(engine, with_haste=with_haste) as still_locked:
            _notice_configuration(engine, config)
            waits = backlog.anything_waits(engine, config) or waits_for_reading_back(engine)
            if waits:
                with_writer(
                    Access(engine, connect, config, daily_tokens, still_locked, with_history), report, carry_out
                )
            _count(engine, report, worked=waits)
        with_haste = False  # who made way has written what is live; two in haste would make way for each other for ever
    raise_what_stays_undone(report)
    return report


def with_writer(access: Access, report: Report, work: Callable[[Writer], None]) -> None:
    """Works with today's budget; the caller holds the lock. A spent day ends the work, and the report says so."""
    refuse_while_blocked(access.engine)
    ledger = ledger_of_today(access.engine, access.config, access.daily_tokens)
    client = access.connect(ledger)
    try:
        with Workers() as workers:
            _on_the_right_day(_writer(access, client, report, workers), partial(_begin_with_the_truth, work))
    except BudgetSpent as spent:
        report.stopped = str(spent)
        if spent.is_told:
            ledger.exhaust()
    except MadeWay:
        report.made_way = True
    except OutcomeUnknown as unknown:  # while setting up: what was made is found by its name next time
        raise RetryLater(str(unknown)) from unknown
    except Blocked:
        note_block(access.engine)
        raise
    finally:
        report.tokens += ledger.spent
        with access.engine.begin() as tx:
            book(tx, ledger)


def _begin_with_the_truth(work: Callable[[Writer], None], writer: Writer) -> None:
    read_back_if_restored(writer)
    claim_products(writer.engine, writer.config)
    work(writer)


def _writer(access: Access, client: PipedriveClient, report: Report, workers: Workers) -> Writer:
    if client.ledger.may_spend(live=not access.with_history) <= 0:
        _ask_for_the_day(client)
    schema = schema_for(access.engine, client, access.config)
    report.left_out = schema.left_out
    with access.engine.connect() as connection:
        names, opens = group_names(connection), takes_rows_on_open_deals_only(connection)
    sides = (access.engine, client, access.config, schema, names, report, workers, access.still_locked)
    return Writer(*sides, opens_for_rows=opens, with_history=access.with_history)


def _on_the_right_day(writer: Writer, work: Callable[[Writer], None]) -> None:
    """Does the work. Before history gives up without having sent anything, it asks whether another day began."""
    ledger = writer.client.ledger
    try:
        work(writer)
    except BudgetSpent:
        left = ledger.may_spend(live=True)
        if ledger.spent or not writer.with_history:
            raise
        _ask_for_the_day(writer.client)
        if ledger.may_spend(live=True) <= left:
            raise
        work(writer)


def _ask_for_the_day(client: PipedriveClient) -> None:
    """The answer's headers tell what is left of the budget day that is going on."""
    client.get("/api/v1/users/me")
    client.ledger.answered()


def carry_out(writer: Writer, only: Chosen | None = None) -> None:
    """Writes what waits, or what of it is chosen; in further passes also what had to be looked at first."""
    _tell_the_planner(writer.engine)
    for _ in range(PASSES):
        writer.report.in_doubt = writer.report.again = 0
        settle_doubts(writer)
        close_duplicates(writer.engine, writer.client)
        _write_all(writer, only)
        if not writer.report.in_doubt and not writer.report.again:
            break
    with writer.engine.begin() as tx:
        tx.execute(text("DELETE FROM state.pending WHERE stage = 'pipedrive/item_groups'"))


def raise_what_stays_undone(report: Report) -> None:
    """Raises RetryLater for answers that never came, GiveUp where the plan is full."""
    if report.in_doubt:
        raise RetryLater(
            f"{report.in_doubt} writes to Pipedrive were never answered; the next run looks them up first."
        )
    if report.paused:
        raise GiveUp(
            f"{report.paused} No further ones are made, all else was written: get a larger plan, or let old deals be "
            "archived (archive_after_months, deal_cap)."
        )


def _notice_configuration(engine: Engine, config: Config) -> None:
    """Lets what was refused be tried again under another configuration."""
    now = sha256(config.model_dump_json().encode()).hexdigest()
    with engine.begin() as tx:
        before = memory.recall(tx, "configuration of the last writing")
        if before != now:
            memory.note(tx, "configuration of the last writing", now)
            queue_refused(tx)
            if not config.contacts_to_exact:
                forget_all(tx)


def _write_all(writer: Writer, only: Chosen | None) -> None:
    """Everything that waits, in its order of work: all deals of history before any of their rows."""
    for live in (True, False) if writer.with_history else (True,):
        if backlog.has_new_customers(writer.engine, live=live) and writer.client.ledger.may_spend(live=live) > 0:
            adopt_organizations(writer.engine, writer.client, writer.schema)
        make_room(writer, live=live)
        for kind, choice in backlog.OF_ORDERS:
            _write(writer, kind, choice, only, live=live)
    if writer.adopts_again:
        adopt_organizations(writer.engine, writer.client, writer.schema)
        writer.adopts_again = False
    if only is None:  # who chose some has looked
        look_before_persons_are_changed(writer)
    history_comes_first = not writer.with_history and backlog.history_waits(writer.engine)
    for kind, choice in backlog.CHANGES if history_comes_first else backlog.OF_THE_REST:
        _write(writer, kind, choice, only, live=False)
    if not history_comes_first:
        archive_old(writer)


def _tell_the_planner(engine: Engine) -> None:
    """PostgreSQL plans what follows by its statistics, and a first load fills tables faster than they are gathered."""
    with engine.begin() as tx:
        if tx.execute(text("SELECT count(*) FROM state.pending")).scalar_one() > _MANY:
            wanted = "crm.deals, crm.deal_products, crm.products, crm.organizations, crm.persons"
            tx.execute(text(f"ANALYZE state.pending, {wanted}"))


def _write(writer: Writer, kind: str, choice: str, only: Chosen | None, *, live: bool) -> None:
    with writer.engine.connect() as connection:
        waiting = backlog.waiting(connection, kind, choice, live=live)
    if only is not None:
        waiting = [entry for entry in waiting if (entry.administration, kind, entry.key) in only]
    done = 0

    def tell(written: int) -> None:
        nonlocal done
        done += written
        progress.report(kind.replace("_", " "), done, len(waiting))

    write = write_rows if kind == "deal_products" else partial(write_records, kind=kind)
    write(writer, waiting=waiting, live=live, progress=tell)


def _count(engine: Engine, report: Report, *, worked: bool) -> None:
    """What stands unchanged, what is held and what is left, for each table."""
    names = [f"pipedrive.{kind}" for kind in KINDS]
    with engine.begin() as tx:
        written = row_counts(tx, names, fresh=names if worked else ())
        counts = {row.kind: row for row in tx.execute(text(_COUNTS))}
    for kind, name in zip(KINDS, names, strict=True):
        tally, row = report.tallies[kind], counts[kind]
        tally.held, tally.left = row.held, row.waiting
        tally.unchanged = max(0, written[name] - tally.created - tally.updated)


_COUNTS = """
SELECT kind, waiting, held FROM (VALUES
    ('organizations', (SELECT count(*) FROM state.pending
        WHERE stage = 'pipedrive/organizations'), (SELECT count(*) FROM crm.held WHERE entity = 'customer')),
    ('persons', (SELECT count(*) FROM state.pending WHERE stage = 'pipedrive/persons'), 0),
    ('products', (SELECT count(*) FROM state.pending WHERE stage = 'pipedrive/products'), 0),
    ('deals', (SELECT count(*) FROM state.pending
        WHERE stage = 'pipedrive/deals'), (SELECT count(*) FROM crm.held WHERE entity = 'order')),
    ('deal_products', (SELECT count(*) FROM crm.deal_products AS line
        JOIN state.pending AS waiting ON waiting.administration = line.administration AND waiting.key = line.order_id
        WHERE waiting.stage = 'pipedrive/deal_products'), 0)) AS counted (kind, waiting, mapping_held),
LATERAL (SELECT mapping_held + (
    SELECT count(*) FROM pipedrive.rejected WHERE rejected.kind = counted.kind) AS held) AS summed
"""
