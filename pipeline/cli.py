"""The console command `pipeline`. Arguments in, a sentence or JSON out; the work is done elsewhere."""

import json
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline import logs, progress
from pipeline.connect import connect
from pipeline.demo import Demo, run_demo
from pipeline.entry import addressed
from pipeline.erase import erase
from pipeline.errors import GiveUp
from pipeline.language import Language
from pipeline.sandbox.commands import Orders, OrdersFrom, sandbox
from pipeline.sentences import sentences as _sentences
from pipeline.sentences import working as _working
from pipeline.settings import settings
from pipeline.webhooks.commands import webhooks

SPENT = 3

app = typer.Typer(
    help="Exact Online sales orders as Pipedrive deals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(sandbox, name="sandbox")
app.add_typer(connect, name="connect")
app.add_typer(webhooks, name="webhooks")
app.command("erase")(erase)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output and nothing else there.")]


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit when it is done instead of keeping the UI up.")] = False,
    orders: Orders = None,
    orders_from: OrdersFrom = None,
) -> None:
    """Simulated Exact and Pipedrive, one full sync, a summary, then the Dagster UI."""
    with _sentences():
        run_demo(Demo(once=once, orders=orders, orders_from=orders_from))


@app.command()
def sync(
    administration: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    months: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=240,
            help="Months of history to read instead of pipeline.yaml's; what was read before is still written.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing to Pipedrive; show the plan.")] = False,
    as_json: AsJson = False,
) -> None:
    """Everything once, from the ERP to Pipedrive and the marts."""
    began = time.monotonic()
    with _working() as (engine, config):
        from pipeline.automation.running import synchronise
        from pipeline.presentation import plan_text, sync_text
        from pipeline.steps.plan import plan as planned

        _need_credentials(write=not dry_run)
        chosen = [config.administration(administration)] if administration else config.administrations
        history = config.history.months if months is None else months
        with progress.shown():
            done = synchronise(engine, config, chosen, months=history, write=not dry_run)
        if dry_run:
            found = planned(engine, config, settings().daily_tokens).as_dict()
            _show(found, plan_text(found), as_json)
            return
        counts = done.as_dict(time.monotonic() - began)
        _show(counts, sync_text(counts, done.stopped), as_json)
        if done.stopped:
            raise typer.Exit(SPENT)


@app.command()
def history(
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM", help="The first month.")],
    last: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM", help="The last month; the present one if left out.")
    ] = None,
    administration: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Reads those months whole, again where they were read before, and takes them on to Pipedrive and the marts."""
    began = time.monotonic()
    with _working() as (engine, config):
        from pipeline.automation.running import read_history
        from pipeline.presentation import history_text

        _need_credentials(write=True)
        chosen = [config.administration(administration)] if administration else config.administrations
        with progress.shown():
            done = read_history(engine, config, chosen, first=first, last=last)
        counts = done.history_as_dict(time.monotonic() - began)
        _show(counts, history_text(counts, done.stopped), as_json)
        if done.stopped:
            raise typer.Exit(SPENT)


@app.command()
def audit(
    full: Annotated[
        bool, typer.Option("--full", help="Read everything, not only what changed since the last.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What people changed in Pipedrive: found by reading back, and put right where it is the ERP's."""
    with _working() as (engine, _):
        from pipeline.automation.running import audited
        from pipeline.presentation import audit_text

        settings().required("PIPEDRIVE_API_TOKEN")
        with progress.shown():
            found, stopped = audited(engine, full=full)
        _show(found, audit_text(found, stopped), as_json)
        if stopped:
            raise typer.Exit(SPENT)


@app.command()
def customers(
    to: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Every customer as CSV.")] = None,
    decide: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="That file with adopt or new under decision, to be taken in."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Which organization each customer would get: found, adopted, new or for a person to decide; nothing is written."""
    with _working() as (engine, config):
        from pipeline.connections import pipedrive_client
        from pipeline.presentation import customers_text
        from pipeline.steps.customer_report import customer_report

        environment = settings()
        environment.required("PIPEDRIVE_API_TOKEN")
        report = customer_report(
            engine,
            lambda ledger: pipedrive_client(environment, ledger),
            config,
            daily_tokens=environment.daily_tokens,
            decide_from=decide,
        )
        if to:
            report.save(to)
        found = report.as_dict()
        _show(found, customers_text(found, str(to) if to else None), as_json)


@app.command()
def verify(
    to: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="The same as a page to be sent or printed.")
    ] = None,
    language: Annotated[Language, typer.Option(help="The page's language: nl or en.")] = Language.NL,
    as_json: AsJson = False,
) -> None:
    """What both accounts hold and what a migration would take; reads them live, writes nothing."""
    with _working() as (engine, config):
        from pipeline.connections import exact_client, pipedrive_client
        from pipeline.page import save
        from pipeline.presentation import verify_text
        from pipeline.steps.verify import verify as looked
        from pipeline.verify_page import verify_page

        environment = settings()
        _need_credentials(write=True)
        with progress.shown():
            found = looked(
                engine,
                lambda administration: exact_client(environment, config, engine, administration),
                lambda ledger: pipedrive_client(environment, ledger),
                config,
                daily_tokens=environment.daily_tokens,
            )
        if to:
            save(verify_page(found, language), to)
        _show(found, verify_text(found, str(to) if to else None), as_json)


@app.command()
def report(
    to: Annotated[Path, typer.Option(metavar="FILE.html", help="The file; one of that name is replaced.")],
    language: Annotated[Language, typer.Option(help="The page's language: nl or en.")] = Language.NL,
) -> None:
    """The analysts' page: charts and tables of the marts in one file, to be read, sent or printed."""
    with _working() as (engine, config):
        from pipeline.page import save
        from pipeline.report_page import report_page
        from pipeline.steps.report import look

        save(report_page(look(engine, [one.name for one in config.administrations], language), language), to)
        print(f"Written to {to}")


@app.command("export")
def export_table(
    table: Annotated[str, typer.Argument(help="A table of erp, crm, pipedrive or marts, such as erp.orders.")],
    to: Annotated[Path, typer.Option(metavar="FILE", help="A file that ends in .parquet or .csv.")],
) -> None:
    """One table as a file, exactly as the warehouse has it; docs/tables.md says what is in it."""
    with _working() as (engine, _):
        from pipeline.steps.export import export

        rows = export(engine, table, to)
        print(f"{rows:,} rows of {table} are in {to}")


@app.command()
def backup(
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where dumps are kept; PIPELINE_HOME/backups if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A dump of warehouse and state, tried out; 14 days, 8 weeks and 12 months of them are kept."""
    with _working() as (engine, _):
        from pipeline.presentation import backup_text
        from pipeline.steps.backup import backup as made

        done = made(engine, to or settings().backups).as_dict()
        _show(done, backup_text(done), as_json)


@app.command()
def restore(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A dump that `pipeline backup` made.")] = None,
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="The whole machine was put back already: only note it.")
    ] = False,
) -> None:
    """A dump in the place of warehouse and state; the next sync reads back from Pipedrive what came after it."""
    with _working(migrated=False) as (engine, config):
        from pipeline.presentation import RESTORED
        from pipeline.presentation_erasure import erased_again_text
        from pipeline.steps.erase import erase_again
        from pipeline.steps.restore import note_snapshot
        from pipeline.steps.restore import restore as put_back

        if (file is None) != snapshot:
            raise GiveUp("Name the dump: pipeline restore FILE; or --snapshot where the whole machine was put back.")
        if file is None:
            note_snapshot(engine)
        else:
            print(f"The warehouse is that of {put_back(engine, file).made_at} again.")
            print(erased_again_text(erase_again(engine, config, file.parent, settings().backups)))
        print(RESTORED)


@app.command()
def downgrade() -> None:
    """The last migration taken back, for the release before this one; what only this one knows is gone then."""
    with _working(migrated=False) as (engine, _):
        from pipeline.warehouse.migrating import step_back

        newer, older = step_back(engine)
        print(f"The database is at revision {older} again, before that {newer}: now start the release before this one.")
        print("Any command of this release, but this, brings it forward again.")


@app.command()
def plan(as_json: AsJson = False) -> None:
    """What a sync would write to Pipedrive now, with its cost in tokens."""
    with _working() as (engine, config):
        from pipeline.presentation import plan_text
        from pipeline.steps.plan import plan as planned

        found = planned(engine, config, settings().daily_tokens).as_dict()
        _show(found, plan_text(found), as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Freshness of each table, backlog, budget left, held orders, last failure."""
    with _working() as (engine, _):
        from pipeline.presentation import status_text
        from pipeline.steps.status import status as found_status

        found = found_status(engine)
        _show(found, status_text(found), as_json)


@app.command()
def metrics(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to answer on.")],
    host: Annotated[str, typer.Option(help="Address to answer on; in a container 0.0.0.0.")] = "127.0.0.1",
) -> None:
    """How things stand as figures for Prometheus, in the foreground: GET /metrics, and GET /health."""
    with _sentences(), addressed() as url:
        from pipeline.monitoring.serving import serve

        environment = settings()
        serve(url, {"home": environment.home, "backups": environment.backups}, host=host, port=port)


def main() -> None:
    """The entry point of the console command."""
    warnings.simplefilter("ignore")
    try:
        logs.set_up()
    except GiveUp as error:
        sys.exit(f"pipeline: {error}")
    # A shell that starts this in the background lets it ignore Ctrl-C, and Dagster gives SIGTERM the same handler:
    # both have to unwind, so that child processes and servers end too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()


def _need_credentials(*, write: bool) -> None:
    environment = settings()
    for name in ("EXACT_CLIENT_ID", "EXACT_CLIENT_SECRET", "PIPELINE_SECRET_KEY"):
        environment.required(name)
    _ = environment.daily_tokens
    if write:
        environment.required("PIPEDRIVE_API_TOKEN")
        _ = environment.pipedrive_base_url


def _show(found: Any, text: str, as_json: bool) -> None:
    print(json.dumps(found, default=str, ensure_ascii=False) if as_json else text)
