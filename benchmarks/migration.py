"""A whole migration, day by day on simulated clocks, both sides with their limits on.

Every day one live order comes in before history goes on. Printed are the day the forecast named before anything was
written beside the real one, the tokens beside their floor, what history took of each day, and how many of the live
orders had their deal, with all rows, in the run after they were placed.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from benchmarks.table import Row, run
from pipeline.domain.budget import WRITE, add_price
from pipeline.entry import ready
from pipeline.processes import sandbox_environment
from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.company_clock import wall_ms
from pipeline.steps.apply import apply
from pipeline.steps.plan import plan
from pipeline_tests.world import World

MOST_TOKENS, MOST_DAYS_OFF = 1.02, 0.05  # tokens by their floor; days by which the forecast may be wrong, of all days
DAY = 86_400


@dataclass
class Migration:
    """What came of it, day by day."""

    expected_days: int
    live_tokens: list[int] = field(default_factory=list)
    history_tokens: list[int] = field(default_factory=list)
    in_time: int = 0  # live orders that had their deal after one run

    @property
    def days(self) -> int:
        """Days it took."""
        return len(self.history_tokens)


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--orders", type=int, default=25_000)
    parser.add_argument("--lines", type=int, default=20, help="lines of each order")
    parser.add_argument("--daily-tokens", type=int, default=75_000)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """What came of it, and whether it is what was said before."""
    company = company_of(chosen.orders, chosen.lines)
    with warehouse() as engine:
        limits = {"daily_tokens": chosen.daily_tokens, "burst": 80, "search_burst": 10}
        world = World(engine, company=company, erp={"limits": True}, account=limits)
        began = time.monotonic()
        done = migrated(world, chosen.lines, chosen.daily_tokens)
        return rows_of(world, done, chosen.daily_tokens, time.monotonic() - began)


def company_of(orders: int, lines: int) -> Company:
    """A company with so many orders over the last twelve months, each with so many lines."""
    company = seeded_company(orders=0, products=1_000)
    accounts, items, today = list(company.accounts.rows), list(company.items.rows), company.clock.today
    for place in range(orders):
        day = today - timedelta(days=366 - place * 365 // orders)  # until the day before yesterday
        chosen = company.random.sample(items, lines)
        rows = [(item, 2, 12.35) for item in chosen]
        company.place_order(company.random.choice(accounts), rows, order_date=day, at_ms=wall_ms(day))
    return company


def migrated(world: World, lines: int, daily_tokens: int) -> Migration:
    """Goes on day by day until everything is there."""
    world.land()
    world.refresh()
    forecast = plan(world.engine, world.config, daily_tokens)
    expected = forecast.done_on
    assert expected, "no day has tokens enough"
    done = Migration((expected - forecast.today).days + 1)
    stopped: str | None = "not begun"
    while stopped:
        if done.days:
            world.wait(DAY)
        items = list(world.company.items.rows)[:lines]
        placed = world.company.place_order(next(iter(world.company.accounts.rows)), [(item, 1, 9.95) for item in items])
        world.land()
        world.refresh()
        live = apply(world.engine, world.pipedrive_client, world.config, daily_tokens=daily_tokens, with_history=False)
        rows = world.ask("SELECT FROM pipedrive.deal_products WHERE order_id = :order", order=placed.id)
        done.in_time += len(rows) == lines
        report = world.write(daily_tokens)
        stopped = report.stopped
        done.live_tokens.append(live.tokens)
        done.history_tokens.append(report.tokens)
        print(f"day {done.days}: {live.tokens} tokens live, {report.tokens:,} history", flush=True)
    return done


def rows_of(world: World, done: Migration, daily_tokens: int, seconds: float) -> list[Row]:
    """The figures, each beside what it should be."""
    share = int(daily_tokens * (1 - world.config.budget.keep_for_live))
    off, most = abs(done.days - done.expected_days), max(done.history_tokens)
    deals, orders = len(world.control("state")["deals"]), len(world.company.orders.rows)
    missed = done.days - done.in_time
    spent, least = world.control("ledger")["total"], floor(world)
    of = f"migration of {orders:,} orders"
    return [
        Row(what=f"{of}, days", ours=done.days, beside=done.expected_days, named="foreseen", counted=True),
        Row(what=f"{of}, days off", ours=off, line=int(MOST_DAYS_OFF * done.days), counted=True),
        Row(what=f"{of}, tokens", ours=spent, beside=least, named="floor", line=MOST_TOKENS, counted=True),
        Row(what=f"{of}, most that history took of a day", ours=most, line=share, counted=True),
        Row(what=f"{of}, live orders not there after one run", ours=missed, line=0, counted=True),
        Row(what=f"{of}, orders without a deal", ours=orders - deals, line=0, counted=True),
        Row(what=f"{of}", ours=seconds, unit="s"),
    ]


def floor(world: World) -> int:
    """The fewest tokens that make what stands in Pipedrive: one request a record, rows a hundred at a time."""
    rows = world.ask("SELECT count(*) AS number FROM pipedrive.deal_products GROUP BY administration, order_id")
    records = sum(
        world.ask(f"SELECT count(*) AS number FROM pipedrive.{table}")[0].number
        for table in ("organizations", "persons", "products", "deals")
    )
    return records * WRITE + sum(add_price(row.number) for row in rows)


@contextmanager
def warehouse() -> Iterator[Engine]:
    """An empty warehouse of its own."""
    with tempfile.TemporaryDirectory(prefix="pipeline-migration-") as home:
        os.environ.update(sandbox_environment(Path(home), "http://unused.example", "http://unused.example"))
        with ready() as engine:
            yield engine


if __name__ == "__main__":
    run(__doc__, options, measure)
