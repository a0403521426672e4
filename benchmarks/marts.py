"""How long the marts take: all of them from half a million order lines, and after a hundred orders changed.

A warehouse of its own is filled by SQL, spread over three years, every line of an order in another item group: the
most there can be to remember. The memory is that of this process, which only sends statements: it must not follow the
lines. With `--orders-from FILE.parquet` the lines are real, and pandas adds
them up a second time: the marts have to agree to the cent.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Engine, create_engine, text

from benchmarks.table import Row, run
from pipeline.config import Config
from pipeline.sandbox.retail import order_lines
from pipeline.sandbox.retail_groups import RetailGroups
from pipeline.steps.dormant_customers import refresh_dormant_customers
from pipeline.steps.order_status import rebuild_order_status
from pipeline.steps.revenue import refresh_revenue
from pipeline.steps.token_usage import refresh_token_usage
from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.embedded import embedded_postgres
from pipeline.warehouse.migrating import migrate

LINES, LINES_AN_ORDER, CUSTOMERS, GROUPS = 500_000, 20, 5_000, 30
CHANGED = 100
MOST = {"all marts": 10.0, "after 100 orders, anywhere": 1.0, "after 100 orders of one month": 1.0, "nothing new": 1.0}
CONFIG = Config.model_validate(
    {"administrations": [{"name": "nl", "source": "exact_online", "division": 1, "time_zone": "Europe/Amsterdam"}]}
)


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--orders-from", type=Path)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Seconds of each case."""
    with tempfile.TemporaryDirectory() as home, embedded_postgres(Path(home)) as url:
        engine = create_engine(warehouse_url(url))
        migrate(engine)
        real = fill_from(engine, chosen.orders_from) if chosen.orders_from else fill(engine, chosen.lines)
        before = memory()
        took = {"all marts": seconds(lambda: rebuild(engine))}
        if real is not None:
            agree(engine, real)
        take_up(engine, "true")
        took["after 100 orders, anywhere"] = seconds(lambda: rebuild(engine))
        take_up(engine, "order_date >= (SELECT date_trunc('month', max(order_date)) FROM erp.orders)")
        took["after 100 orders of one month"] = seconds(lambda: rebuild(engine))
        took["nothing new"] = seconds(lambda: rebuild(engine))
        engine.dispose()
    rows = [Row(what=f"marts, {case}", ours=took[case], line=most, unit="s") for case, most in MOST.items()]
    grown = Row(what="marts, memory of this process", ours=memory(), beside=before, named="MB before", unit="MB")
    return [*rows, grown]


def rebuild(engine: Engine) -> None:
    """What the assets of the marts do."""
    for name, work in STEPS.items():
        began = time.monotonic()
        work(engine)
        print(f"    {name:32}{time.monotonic() - began:>8.2f} s")


STEPS: dict[str, Callable[[Engine], object]] = {
    "revenue": refresh_revenue,
    "dormant_customers": lambda engine: refresh_dormant_customers(engine, CONFIG),
    "order_status": lambda engine: rebuild_order_status(engine, CONFIG),
    "crm_token_usage": refresh_token_usage,
}


def seconds(work: Callable[[], None]) -> float:
    """How long it took."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def memory() -> float:
    """The most this process has used so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fill(engine: Engine, lines: int) -> None:
    """Customers, item groups, orders and lines; all orders wait for the marts, as after a first load."""
    size = {"lines": lines, "each": LINES_AN_ORDER, "customers": CUSTOMERS, "groups": GROUPS}
    with engine.begin() as tx:
        for statement in _FILL:
            tx.execute(text(statement), size)


def fill_from(engine: Engine, file: Path) -> pd.DataFrame:
    """Real order lines, as the sandbox takes them; gives them back with their amounts in whole cents."""
    lines, cancelled = order_lines(pd.read_parquet(file), None)
    groups = RetailGroups(file.parent)
    codes = {code: groups.of(code, "")[0] for code in lines["StockCode"].unique()}
    exact = lines["Quantity"] * lines["Price"] * 100
    lines = lines.assign(
        cents=(np.sign(exact) * np.floor(np.abs(exact) + 0.5 + 1e-5)).astype("int64"),
        status=np.where(lines["Invoice"].isin(list(cancelled)), "cancelled", "complete"),
        code=[codes[code] for code in lines["StockCode"]],
        day=lines["Ordered"].dt.date,
        month=lines["Ordered"].dt.to_period("M").dt.start_time.dt.date,
    )
    columns = ["Invoice", "day", "Customer", "status", "code", "Quantity", "cents"]
    with engine.begin() as tx:
        tx.execute(text(_REAL))
        with tx.connection.cursor().copy("COPY sold FROM STDIN") as copy:
            for row in lines[columns].itertuples(index=False):
                copy.write_row(row)
        for statement in (*_FILL_REAL, *_FILL[-3:]):
            tx.execute(text(statement))
    return lines


def agree(engine: Engine, lines: pd.DataFrame) -> None:
    """Ends the program where a mart says another cent than pandas does."""
    counted = lines[lines["status"] != "cancelled"]
    for key, mart, column in (
        ("code", "revenue_per_category", "item_group_code"),
        ("Customer", "revenue_per_customer", "customer_id"),
    ):
        sums = counted.groupby(["month", key]).agg(
            cents=("cents", "sum"), orders=("Invoice", "nunique"), lines=("cents", "size")
        )
        wanted = {place: tuple(map(int, row)) for place, row in zip(sums.index, sums.to_numpy(), strict=True)}
        with engine.connect() as connection:
            rows = connection.execute(text(f"SELECT *, {column} AS key FROM marts.{mart}")).all()
        found = {(row.month, row.key): (int(row.revenue_excl_vat * 100), row.orders, row.lines) for row in rows}
        if found != wanted:
            raise SystemExit(f"marts.{mart} does not agree with pandas")
        print(f"marts.{mart}: {len(found):,} rows agree to the cent with pandas, of {len(counted):,} lines")


def take_up(engine: Engine, which: str) -> None:
    """A hundred orders change, in amount and lines."""
    with engine.begin() as tx:
        tx.execute(text(_CHANGE.format(which=which)), {"changed": CHANGED})


_FILL = (
    """INSERT INTO erp.customers (administration, customer_id, debtor_code, name, is_customer, is_deleted)
    SELECT 'nl', 'c' || number, number::text, 'Customer ' || number, true, false
    FROM generate_series(1, :customers) AS number""",
    """INSERT INTO erp.item_groups (administration, item_group_id, item_group_code, item_group)
    SELECT 'nl', 'g' || number, number::text, 'Group ' || number FROM generate_series(1, :groups) AS number""",
    """INSERT INTO erp.salespeople (administration, salesperson_id, full_name)
    SELECT 'nl', 's' || number, 'Person ' || number FROM generate_series(1, 6) AS number""",
    """INSERT INTO erp.orders (administration, order_id, order_number, order_date, customer_id, salesperson_id,
        currency, amount_excl_vat, amount_incl_vat, amount_incl_vat_home, status, delivery_status, invoice_status,
        is_deleted, is_live)
    SELECT 'nl', 'o' || number, number::text, current_date - number * 1095 / (:lines / :each), 'c' || number * 7919
        % :customers + 1, 's' || number % 6 + 1, CASE WHEN number % 10 = 0 THEN 'USD' ELSE 'EUR' END, 1000 + number % 7,
        1210, 1100, CASE WHEN number % 50 = 0 THEN 'cancelled' ELSE 'complete' END, 'complete', 'complete', false, false
    FROM generate_series(1, :lines / :each) AS number""",
    """INSERT INTO erp.order_lines (administration, line_id, order_id, line_number, quantity, net_price,
        amount_excl_vat, item_group_code, known_as_of)
    SELECT 'nl', 'l' || number, 'o' || number / :each + 1, number % :each + 1, 2, 24.995, 49.99,
        number * 31 % :groups + 1, 0
    FROM generate_series(0, :lines - 1) AS number""",
    """INSERT INTO crm.deals (administration, order_id, title, customer_id, owner_e_mails, currency, value, status,
        stage, order_number, item_group_codes, is_deleted, is_live)
    SELECT administration, order_id, order_number, customer_id, '{}', currency, amount_excl_vat,
        CASE WHEN order_date > current_date - 60 THEN 'open' ELSE 'won' END, 'shipped', order_number, '{}', false, false
    FROM erp.orders""",
    "INSERT INTO state.pending (stage, administration, key) SELECT 'marts/revenue', 'nl', order_id FROM erp.orders",
    "INSERT INTO state.pending (stage, administration, key) VALUES ('marts/order_status', 'nl', 'all')",
)
_REAL = """
CREATE TEMPORARY TABLE sold (invoice text, day date, customer text, status text, code text, quantity numeric,
    cents bigint) ON COMMIT DROP
"""
_FILL_REAL = (
    """INSERT INTO erp.orders (administration, order_id, order_number, order_date, customer_id, currency,
        amount_excl_vat, status, delivery_status, invoice_status, is_deleted, is_live)
    SELECT 'nl', invoice, invoice, min(day), min(customer), 'EUR', sum(cents) / 100.0, min(status), min(status),
        min(status), false, false FROM sold GROUP BY invoice""",
    """INSERT INTO erp.order_lines (administration, line_id, order_id, line_number, quantity, net_price,
        amount_excl_vat, item_group_code, known_as_of)
    SELECT 'nl', row_number() OVER (), invoice, 1, quantity, 1, cents / 100.0, code, 0 FROM sold""",
)
_CHANGE = """
WITH changed AS (
    UPDATE erp.orders SET amount_excl_vat = amount_excl_vat + 10.01 WHERE order_id IN (
        SELECT order_id FROM erp.orders WHERE {which} ORDER BY md5(order_id) LIMIT :changed)
    RETURNING administration, order_id, customer_id),
lines AS (
    UPDATE erp.order_lines AS line SET amount_excl_vat = line.amount_excl_vat + 1 FROM changed
    WHERE line.administration = changed.administration AND line.order_id = changed.order_id)
INSERT INTO state.pending (stage, administration, key)
SELECT 'marts/revenue', administration, order_id FROM changed
UNION SELECT 'marts/dormant_customers', administration, customer_id FROM changed
UNION SELECT 'marts/order_status', administration, 'all' FROM changed
"""

if __name__ == "__main__":
    run(__doc__, options, measure)
