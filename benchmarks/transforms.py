"""`erp/orders` and `erp/order_lines`: how many lines a second they take in, with nothing there before.

Orders that landed in the warehouse, transformed and written by the steps of both assets. The database works for it on
the same machine.
"""

import argparse
import time

from sqlalchemy import Engine, text

from benchmarks.migration import warehouse
from benchmarks.quiet import vacuum
from benchmarks.table import Row, run
from pipeline.sandbox.company import seeded_company
from pipeline.steps import refresh_erp
from pipeline.warehouse.tables.exact_online import order_history
from pipeline_tests.world import World

LEAST, ROUNDS = 50_000, 3
_EMPTY = (
    "TRUNCATE erp.orders, erp.order_lines CASCADE",
    "DELETE FROM state.pending",
    """INSERT INTO state.pending (stage, administration, key) SELECT stage, administration, order_id
    FROM exact_online.order_history, unnest(ARRAY['erp/orders', 'erp/order_lines']) AS stage""",
)
# Ids of lines stand inside of the document; so many more orders whose lines are their own, each line three times:
# orders of a wholesaler have some twenty.
_MORE = """
INSERT INTO exact_online.order_history ({columns})
SELECT {values} FROM exact_online.order_history, generate_series(1, :copies) AS copy
"""


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--copies", type=int, default=4, help="of each order, made by SQL")


def measure(chosen: argparse.Namespace) -> list[Row]:
    """The best of some rounds."""
    with warehouse() as engine:
        world = World(engine, company=seeded_company(orders=chosen.orders))
        world.land()
        world.refresh()
        copy_orders(engine, chosen.copies)
        speed, lines = max(one_round(world) for _ in range(ROUNDS))
    what = f"erp/orders and erp/order_lines, {lines:,} lines, lines a second"
    return [Row(what=what, ours=speed, line=LEAST, at_least=True)]


def one_round(world: World) -> tuple[float, int]:
    """Lines a second, and lines."""
    with world.engine.begin() as tx:
        for statement in _EMPTY:
            tx.execute(text(statement))
    vacuum(world.engine)
    world.engine.dispose()  # a plan that was kept for the tables before they were emptied is nobody's
    (administration,) = world.config.administrations
    began = time.perf_counter()
    refresh_erp.refresh_orders(world.engine, administration)
    middle = time.perf_counter()
    refresh_erp.refresh_order_lines(world.engine, administration)
    ended = time.perf_counter()
    lines = world.ask("SELECT count(*) FROM erp.order_lines")[0][0]
    print(f"orders {middle - began:.2f} s, their {lines:,} lines {ended - middle:.2f} s", flush=True)
    return lines / (ended - began), lines


def copy_orders(engine: Engine, copies: int) -> None:
    """Each order that landed so many times more, with lines of its own."""
    own = {
        "order_id": "order_id || '~' || copy",
        "lines": """(SELECT jsonb_agg(line || jsonb_build_object('id', concat_ws('~', line ->> 'id', copy, again)))
            FROM jsonb_array_elements(lines) AS line, generate_series(1, 3) AS again)""",
    }
    names = [column.name for column in order_history.columns]
    query = _MORE.format(columns=", ".join(names), values=", ".join(own.get(name, name) for name in names))
    with engine.begin() as tx:
        tx.execute(text(query), {"copies": copies})


if __name__ == "__main__":
    run(__doc__, options, measure)
