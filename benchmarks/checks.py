"""How long each check on the tables takes on half a million order lines.

The warehouse is that of `benchmarks.marts`, with rows on every deal. A check of live runs may take a tenth of a second
with a hundred orders about to be written, another one five seconds.
"""

import argparse
import tempfile
import time
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from benchmarks.marts import CHANGED, CONFIG, LINES, fill, rebuild
from benchmarks.table import Row, run
from pipeline.automation.checks import LIVE, RULES
from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.embedded import embedded_postgres
from pipeline.warehouse.migrating import migrate

MOST_LIVE, MOST = 0.1, 5.0
_ROWS = """
INSERT INTO crm.deal_products (administration, order_id, row_key, position, product_key, quantity, item_price, comments)
SELECT administration, order_id, line_id, line_number, line_id, quantity, net_price, '' FROM erp.order_lines
"""
_ABOUT_TO_BE_WRITTEN = """
INSERT INTO state.pending (stage, administration, key)
SELECT stage, administration, order_id
FROM (SELECT administration, order_id FROM crm.deals ORDER BY md5(order_id) LIMIT :changed) AS deal,
    unnest(ARRAY['pipedrive/deals', 'pipedrive/deal_products']) AS stage
"""


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--lines", type=int, default=LINES)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """The slowest of those that go with live runs, the slowest of the night's, and all together."""
    live = {spec.name for bundle in LIVE for spec in bundle.check_specs}
    with tempfile.TemporaryDirectory() as home, embedded_postgres(Path(home)) as url:
        engine = create_engine(warehouse_url(url))
        migrate(engine)
        fill(engine, chosen.lines)
        with engine.begin() as tx:
            tx.execute(text(_ROWS))
            tx.execute(text(_ABOUT_TO_BE_WRITTEN), {"changed": CHANGED})
        rebuild(engine)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        took = seconds_of_each(engine)
        engine.dispose()
    for name, seconds in sorted(took.items(), key=lambda item: -item[1]):
        print(f"{name:44}{seconds:>8.3f} s{'  with every live run' if name in live else ''}")
    of_live = max(took[name] for name in live)
    of_night = max(seconds for name, seconds in took.items() if name not in live)
    return [
        Row(what=f"slowest check of a live run, {chosen.lines:,} lines", ours=of_live, line=MOST_LIVE, unit="s"),
        Row(what=f"slowest check of a night, {chosen.lines:,} lines", ours=of_night, line=MOST, unit="s"),
        Row(what="all checks of a night", ours=sum(took.values()), unit="s"),
    ]


def seconds_of_each(engine: Engine) -> dict[str, float]:
    """How long each check takes."""
    took = {}
    with engine.connect() as connection:
        for rule in RULES:
            began = time.monotonic()
            rule.outcome(connection, CONFIG)
            took[rule.name] = time.monotonic() - began
    return took


if __name__ == "__main__":
    run(__doc__, options, measure)
