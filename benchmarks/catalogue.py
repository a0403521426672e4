"""10,000 products and 5,000 customers with their contacts, mirrored the first time.

Then the job `catalogue_delta` with nothing changed, and after one item group got another name, without and with
`category_amounts`. Limits are off: tokens and calls are counted, each beside its floor. Both simulators stand in this
process and their records in its memory, so that what it uses before the first reading is shown beside the most.
"""

import argparse
import math
import resource
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.migration import warehouse
from benchmarks.table import Row, run
from pipeline.automation.jobs import catalogue_delta
from pipeline.domain.budget import WRITE
from pipeline.sandbox.company_catalogue import agree_prices, stock_catalogue
from pipeline.sandbox.company_clock import SandboxClock
from pipeline.sandbox.company_customers import employ, register_customers
from pipeline.sandbox.company_orders import take_orders
from pipeline.sandbox.company_state import Company
from pipeline_tests.automation import factory
from pipeline_tests.world import SETTINGS, World

PAGE, LARGE_PAGE = 60, 1000
PATCHES = ("PATCH /api/v2/products/{id}", "PATCH /api/v2/deals/{id}")
WRITES = (("POST", ""), ("PATCH", "/{id}"))
RECORDS = ("organizations", "persons", "products")
MOST_TOKENS = 1.02  # by their floor


@dataclass
class Lines:
    """What was measured, line by line."""

    rows: list[Row] = field(default_factory=list)

    def add(self, what: str, measured: float, most: float | None = None, unit: str = "") -> None:
        """One figure, beside the most it may be; without a unit it was counted."""
        row = Row(what=f"catalogue, {what}", ours=measured, line=most, unit=unit, counted=not unit)
        self.rows.append(row)
        print("  ".join(row.cells()), flush=True)


class Watch:
    """Counts what both sides are asked from now on."""

    def __init__(self, world: World) -> None:
        self._world, self._began = world, time.monotonic()
        self._exact, self._pipedrive = Counter(world.exact.calls), Counter(world.requests())
        self._tokens = world.control("ledger")["total"]

    @property
    def seconds(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self._began

    @property
    def exact(self) -> Counter[str]:
        """Calls to Exact Online by collection."""
        return Counter(self._world.exact.calls) - self._exact

    @property
    def pipedrive(self) -> Counter[str]:
        """Requests to Pipedrive by endpoint."""
        return Counter(self._world.requests()) - self._pipedrive

    @property
    def tokens(self) -> int:
        """Tokens of Pipedrive."""
        return self._world.control("ledger")["total"] - self._tokens


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--customers", type=int, default=5_000)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """A first load, nothing changed, a group renamed."""
    lines = Lines()
    company = company_of(chosen.products, chosen.customers)
    with warehouse() as engine:
        world = World(engine, company=company)
        first_load(world, lines)
        nothing_changed(world, lines)
        renamed_group(world, lines)
    return lines.rows


def company_of(products: int, customers: int) -> Company:
    """The seeded wholesaler of that size, with ten orders."""
    company = Company(seed=1, clock=SandboxClock())
    employ(company)
    stock_catalogue(company, products)
    register_customers(company, customers)
    agree_prices(company)
    take_orders(company, 10)
    return company


def first_load(world: World, lines: Lines) -> None:
    """Everything for the first time: calls beside full pages, tokens beside five a record."""
    books, before, watch = world.company, memory(), Watch(world)
    catalogue_run(world)
    there = {kind: len(world.control(f"state?only={kind}")[kind]) for kind in RECORDS}
    writes = (f"{request} /api/v2/{kind}{place}" for kind in RECORDS for request, place in WRITES)
    of_records = sum(watch.pipedrive[request] for request in writes)
    for kind, number in there.items():
        lines.add(f"{kind} in Pipedrive", number)
    lines.add("tokens of these", of_records * WRITE, MOST_TOKENS * WRITE * sum(there.values()))
    lines.add("tokens besides: setup once, and what is live of ten orders", watch.tokens - of_records * WRITE)
    tables = (books.accounts, books.contacts, books.items, books.prices)
    pages = sum(math.ceil(len(table) / LARGE_PAGE) for table in tables) + math.ceil(len(books.item_groups) / PAGE)
    feeds = ("Accounts", "Contacts", "Items", "SalesItemPrices", "ItemGroups")
    calls = sum(number for path, number in watch.exact.items() if path.split("/")[-1] in feeds)
    lines.add("Exact calls for the catalogue", calls, pages)
    lines.add("Exact calls besides (orders, invoices, where feeds begin)", watch.exact.total() - calls)
    lines.add("seconds", watch.seconds, unit="s")
    lines.add("memory, simulators and their records included, before", before, unit="MB")
    lines.add("memory at most", memory(), unit="MB")


def catalogue_run(world: World) -> None:
    """One run of the job, which has to go through."""
    if not factory.run(world, catalogue_delta.name).success:
        raise SystemExit("the run failed; the log above says why")


def nothing_changed(world: World, lines: Lines) -> None:
    """The same job once more: one call a feed at most, and nothing of Pipedrive."""
    catalogue_run(world)  # with the look after the watermarks, two calls every six hours
    watch = Watch(world)
    catalogue_run(world)
    lines.add("nothing changed: calls of the feed asked most", max(watch.exact.values()), 1)
    lines.add("nothing changed: Exact calls", watch.exact.total(), 10)
    lines.add("nothing changed: Pipedrive requests", watch.pipedrive.total(), 0)
    lines.add("nothing changed: seconds", watch.seconds, unit="s")


def renamed_group(world: World, lines: Lines) -> None:
    """An item group with hundreds of products gets another name."""
    group = next(iter(world.company.item_groups))
    other = World(world.engine, company=world.company, settings=SETTINGS | {"pipedrive": {"category_amounts": True}})
    other.pipedrive = world.pipedrive
    for one, name in ((world, "group renamed"), (other, "the same with category_amounts")):
        if one is other:
            one.company.change("item_groups", group.id, description="Hernoemd, en de velden gemaakt")
            catalogue_run(one)
            one.write()  # what deals of history wait for since
        watch = Watch(one)
        one.company.change("item_groups", group.id, description=f"Hernoemd {name}")
        catalogue_run(one)
        writes = {request: number for request, number in watch.pipedrive.items() if "GET" not in request}
        lines.add(f"{name}: Exact calls", watch.exact.total(), 10)
        lines.add(f"{name}: fields written, each one call", sum(writes.values()), 3 if one is world else 5)
        lines.add(f"{name}: products and deals written", sum(writes.get(request, 0) for request in PATCHES), 0)
        lines.add(f"{name}: tokens, reading the fields included", watch.tokens)
        for request, number in sorted(writes.items()):
            lines.add(f"    {request}", number)


def memory() -> float:
    """The most this process has used so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    run(__doc__, options, measure)
