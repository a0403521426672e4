"""Tokens and calls: of a first load, of one change, and of none, each beside its floor.

In one process, with the simulators in it and their limits off. Of a company that was made a moment ago every row counts
as just changed, and Exact may still commit rows before them: of thousands a poll would read more than one page again.
"""

import argparse
import math
from collections import Counter
from itertools import islice

from benchmarks.migration import floor, warehouse
from benchmarks.table import Row, run
from pipeline.domain.budget import WRITE
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.company_rows import Order
from pipeline_tests.world import World

LARGE_PAGE, PAGE = 1_000, 60
MOST_TOKENS, MOST_CALLS = 1.02, 1.05
# What is read once for a first load, by the collection it is read from.
TABLES = {
    "Accounts": "accounts",
    "Contacts": "contacts",
    "Items": "items",
    "SalesItemPrices": "prices",
    "SalesOrders": "orders",
}
SETUP = ("Fields", "users", "pipelines", "stages", "GET /api/v2/organizations")
OPEN = (12, 12, 12)


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--orders", type=int, default=600)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """The counts."""
    with warehouse() as engine:
        world = World(engine, company=seeded_company(orders=chosen.orders))
        return [*first_load(world), *changes(world)]


def first_load(world: World) -> list[Row]:
    """Tokens of what stands in Pipedrive beside the fewest that make it; what comes once is told by itself."""
    world.sync()
    setup = setup_tokens(world.control("ledger")["endpoints"])
    of_feeds = {path: calls for path, calls in world.exact.calls.items() if path.split("/")[-1] in TABLES}
    besides = sum(world.exact.calls.values()) - sum(of_feeds.values())
    return [
        Row(
            what="Pipedrive tokens, first load, setup apart",
            ours=spent(world) - setup,
            beside=floor(world),
            named="floor",
            line=MOST_TOKENS,
            counted=True,
        ),
        Row(what="Pipedrive tokens of the setup, once", ours=setup, counted=True),
        Row(
            what="Exact calls, first load",
            ours=sum(of_feeds.values()),
            beside=full_pages(world),
            named="full pages",
            line=MOST_CALLS,
            counted=True,
        ),
        Row(what="Exact calls besides: token, division, where feeds begin", ours=besides, counted=True),
    ]


def changes(world: World) -> list[Row]:
    """Tokens of a status, of a line, and of nothing; the calls of a poll that finds nothing."""
    of_status, of_line = (order for order in islice(filter(is_open, world.company.orders.rows.values()), 2))
    world.company.set_status(of_status.id, 20, 21, 12)
    status = tokens_of_a_run(world)
    world.company.change_line(of_line.lines[0].id, quantity=of_line.lines[0].quantity + 1)
    line = tokens_of_a_run(world)
    calls = Counter(world.exact.calls)
    nothing = tokens_of_a_run(world)
    asked = Counter(world.exact.calls) - calls
    of_deals = sum(tokens for endpoint, tokens in line.items() if "/deals" in endpoint)
    return [
        change("one status changed", status.total(), WRITE),
        change("one line changed, the deal and its rows", of_deals, WRITE),
        change("one line changed, with its customer's revenue", line.total(), 2 * WRITE),
        Row(what="Pipedrive tokens, nothing changed", ours=nothing.total(), line=0, counted=True),
        Row(what="Exact calls, quiet poll, of the feed asked most", ours=max(asked.values()), line=1, counted=True),
    ]


def change(what: str, tokens: int, floor: int) -> Row:
    """A change that needs one PATCH for each record that says something else."""
    return Row(what=f"Pipedrive tokens, {what}", ours=tokens, beside=floor, named="floor", line=1, counted=True)


def is_open(order: Order) -> bool:
    """Whether nothing of it was delivered or invoiced."""
    return bool(order.lines) and (order.status, order.delivery_status, order.invoice_status) == OPEN


def tokens_of_a_run(world: World) -> Counter[str]:
    """Tokens that one synchronisation takes, by endpoint."""
    before = Counter(world.control("ledger")["endpoints"])
    world.sync()
    return Counter(world.control("ledger")["endpoints"]) - before


def spent(world: World) -> int:
    """Tokens so far, by Pipedrive's own books."""
    return world.control("ledger")["total"]


def setup_tokens(endpoints: dict[str, int]) -> int:
    """Tokens of what makes and looks up fields, stages and users, and of looking for organizations to adopt."""
    return sum(tokens for endpoint, tokens in endpoints.items() if any(word in endpoint for word in SETUP))


def full_pages(world: World) -> int:
    """Calls if every table were read in pages of 1,000; one more where a feed has to be asked whether that was all."""
    books = world.company
    sizes = {name: len(getattr(books, table)) for name, table in TABLES.items()}
    return sum(max(1, math.ceil(size / LARGE_PAGE)) for size in sizes.values())


if __name__ == "__main__":
    run(__doc__, options, measure)
