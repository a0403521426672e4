"""A synchronisation with nothing to do, on 2,000 orders and on a hundred times as many: it must not follow history.

2,000 orders are synchronised with the simulators in this process. The others are copies of these that SQL makes in
every table that has orders, lines or invoices, each with keys of its own; so the warehouse has all rows, indexes and
statistics of 200,000 orders, and both vendors still say that nothing changed. Dagster's storage is one in memory, made
before anything is measured: a run finds it there.
"""

import argparse
import time
from collections.abc import Callable

import dagster as dg
from sqlalchemy import Engine, Table, Text, text

from benchmarks.migration import warehouse
from benchmarks.table import Row, run
from pipeline.automation.jobs import catalogue_delta
from pipeline.sandbox.company import seeded_company
from pipeline.warehouse.tables import crm, erp, exact_online, pipedrive, state
from pipeline_tests.automation import factory
from pipeline_tests.world import World

MOST, MOST_SECONDS, ROUNDS = 1.5, 2.0, 5
# In the order of their foreign keys, each with the columns whose values no two copies may share.
COPIED: dict[Table, tuple[str, ...]] = {
    exact_online.order_history: ("order_id",),
    exact_online.order_changes: ("order_id",),
    exact_online.order_line_changes: ("id", "order_id"),
    exact_online.sales_invoices: ("id", "invoice_id"),
    exact_online.payment_terms: ("id",),
    erp.orders: ("order_id",),
    erp.order_lines: ("line_id", "order_id"),
    erp.invoices: ("invoice_id",),
    erp.invoice_orders: ("invoice_id", "order_id"),
    erp.receivables: ("receivable_id",),
    crm.deals: ("order_id",),
    crm.deal_products: ("order_id", "row_key"),
    pipedrive.deals: ("order_id", "deal_id"),
    pipedrive.deal_products: ("order_id", "row_key", "attachment_id"),
    state.counted_revenue: ("order_id",),
}


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--times", type=int, default=100)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Seconds before and after there are so many more."""
    with warehouse() as engine, dg.DagsterInstance.ephemeral() as instance:
        world = World(engine, company=seeded_company(orders=chosen.orders))
        world.sync()
        vacuum(engine)
        works: dict[str, Callable[[], object]] = {
            "quiet sync, its steps": world.sync,
            "quiet sync, as Dagster's job": lambda: factory.run(world, catalogue_delta.name, instance=instance),
        }
        few = {name: least_seconds(work) for name, work in works.items()}
        multiply(engine, chosen.times - 1)
        many = {name: least_seconds(work) for name, work in works.items()}
        orders = world.ask("SELECT count(*) FROM erp.orders")[0][0]
    rows = []
    for name, seconds in many.items():
        what = f"{name}, {chosen.orders:,} → {orders:,} orders"
        rows.append(Row(what=what, ours=seconds, beside=few[name], named="s before", line=MOST, unit="s"))
        rows.append(Row(what=f"{name}, {orders:,} orders, in process", ours=seconds, line=MOST_SECONDS, unit="s"))
    return rows


def least_seconds(work: Callable[[], object]) -> float:
    """Of several times; the first, which fills caches, counts for nothing."""
    work()
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def multiply(engine: Engine, copies: int) -> None:
    """Each row of these tables so many times more."""
    with engine.begin() as tx:
        # Foreign keys hold by the way the copies are made; looking up three million of them is not what is measured.
        tx.execute(text("SET LOCAL session_replication_role = replica"))
        for table, own in COPIED.items():
            names = [column.name for column in table.columns]
            values = [copied(table, name) if name in own else name for name in names]
            query = (
                f"INSERT INTO {table.fullname} ({', '.join(names)}) "
                f"SELECT {', '.join(values)} FROM {table.fullname}, generate_series(1, :copies) AS copy"
            )
            tx.execute(text(query), {"copies": copies})
    vacuum(engine)


def copied(table: Table, name: str) -> str:
    """A key of the copy: a text with the copy's number behind it, a number moved far away."""
    if isinstance(table.columns[name].type, Text):
        return f"{name} || '~' || copy"
    return f"{name} + 10000000::bigint * copy"


def vacuum(engine: Engine) -> None:
    """What autovacuum would have come to by then."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


if __name__ == "__main__":
    run(__doc__, options, measure)
