"""Any sequence of what people do to orders, of faults and of runs: what each step does, and how the end is judged.

Steps are a word and two numbers, so that hypothesis can draw and shrink them; the numbers choose among what is there.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from sqlalchemy import Engine

from pipeline.errors import PipelineError
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.company_rows import Order, OrderLine
from pipeline_tests.chaos.comparison import differences
from pipeline_tests.world import World

Step = tuple[str, int, int]
STATUSES = (
    (12, 12, 12),
    (20, 20, 12),
    (20, 21, 12),
    (20, 20, 20),
    (21, 21, 21),
    (20, 12, 21),
    (45, 45, 45),
    (21, 12, 12),  # no rule covers this one
)
FAULTS = ("drop_after", "status_after", "truncate", "malformed", "drop_before", "status_before", "burst_429")
ENDPOINTS = (
    ("POST", "/api/v2/deals"),
    ("POST", "/api/v2/organizations"),
    ("POST", "/api/v2/products"),
    ("POST", "/api/v2/persons"),
    ("PATCH", "/api/v2/persons/{id}"),
    ("POST", "/api/v2/deals/{id}/products"),
    ("POST", "/products/bulk"),
    ("PATCH", "/api/v2/deals/{id}"),
    ("PATCH", "/api/v2/deals/{id}/products/{id}"),
    ("DELETE", "/products"),
    ("POST", "Fields"),
    ("POST", "/api/v2/stages"),
    ("POST", "/api/v2/pipelines"),
    ("GET", "/api/v2/"),
    (None, ""),
)


@dataclass
class Play:
    """One world and what is done to it."""

    world: World
    runs: int = 0

    def quantity(self, one: int, other: int) -> None:
        if line := self._line(one, other):
            self.world.company.change_line(line.id, quantity=other % 7 - 1)

    def price(self, one: int, other: int) -> None:
        if line := self._line(one, other):
            self.world.company.change_line(line.id, net_price=round(other / 8, 3))

    def swapped_item(self, one: int, other: int) -> None:
        if line := self._line(one, other):
            self.world.company.change_line(line.id, item_id=self._item(one + other))

    def new_line(self, one: int, other: int) -> None:
        if order := self._order(one):
            for place in range(1 + other % 3 * 3):
                self.world.company.add_line(order.id, self._item(other + place), 1 + other % 5, 2.5)

    def removed_line(self, one: int, other: int) -> None:
        if line := self._line(one, other):
            self.world.company.remove_line(line.id)

    def emptied(self, one: int, other: int) -> None:
        for line in list(order.lines) if (order := self._order(one)) else []:
            self.world.company.remove_line(line.id)

    def header(self, one: int, other: int) -> None:
        if order := self._order(one):
            changes: tuple[dict[str, Any], ...] = (
                {"your_ref": f"REF {other}"},
                {"your_ref": None},
                {"delivery_date": None},
                {"delivery_date": order.order_date + timedelta(days=other % 30)},
                {"discount": other % 3 / 20},
                {"charges": other % 4 * 2.25},
                {"remarks": f"note {other}"},
                {"account_id": list(self.world.company.accounts.rows)[other % len(self.world.company.accounts)]},
            )
            self.world.company.change_order(order.id, **changes[other % len(changes)])

    def status(self, one: int, other: int) -> None:
        if order := self._order(one):
            self.world.company.set_status(order.id, *STATUSES[other % len(STATUSES)])

    def cancel(self, one: int, other: int) -> None:
        if order := self._order(one):
            self.world.company.cancel(order.id)

    def reopen(self, one: int, other: int) -> None:
        if order := self._order(one):
            self.world.company.reopen(order.id)

    def delete(self, one: int, other: int) -> None:
        if order := self._order(one):
            self.world.company.delete_order(order.id)

    def new_order(self, one: int, other: int) -> None:
        accounts = list(self.world.company.accounts.rows)
        lines = [(self._item(one + place), 1 + place, 3.35) for place in range(other % 7)]
        self.world.company.place_order(accounts[one % len(accounts)], lines, charges=1.5)

    def renamed(self, one: int, other: int) -> None:
        account = list(self.world.company.accounts)[one % len(self.world.company.accounts)]
        self.world.company.rename_customer(account.id, f"Klant {other}")

    def renamed_item(self, one: int, other: int) -> None:
        self.world.company.change("items", self._item(one), description=f"Artikel {other}")

    def fault(self, one: int, other: int) -> None:
        method, path = ENDPOINTS[one % len(ENDPOINTS)]
        kind = FAULTS[other % len(FAULTS)]
        where = {"path": path} | ({"method": method} if method else {})
        often = {"times": 1 + one % 3, "after": other % 4, "status": (500, 502, 503)[one % 3]}
        assert self.world.pipedrive.faults.order({"kind": kind, **where, **often}) is None

    def spent_day(self, one: int, other: int) -> None:
        self.world.pipedrive.faults.order({"kind": "daily_429", "times": 1 + one % 3, "after": other % 20})

    def clock(self, one: int, other: int) -> None:
        """On both sides, or at Pipedrive alone: clocks differ."""
        seconds = (2000, 4000, 50_000, 90_000)[other % 4]
        (self.world.wait if one % 2 else self.world.pipedrive.advance)(seconds)

    def run(self, one: int, other: int) -> None:
        """A run may end any way the product knows; with anything else the test ends."""
        self.runs += 1
        with suppress(PipelineError):
            self.world.sync()

    def _order(self, number: int) -> Order | None:
        orders = list(self.world.company.orders)
        return orders[number % len(orders)] if orders else None

    def _line(self, number: int, other: int) -> OrderLine | None:
        order = self._order(number)
        return order.lines[other % len(order.lines)] if order and order.lines else None

    def _item(self, number: int) -> str:
        items = list(self.world.company.items.rows)
        return items[number % len(items)]


STEPS: dict[str, Callable[[Play, int, int], None]] = {
    name: getattr(Play, name)
    for name in (
        *("quantity", "price", "swapped_item", "new_line", "removed_line", "emptied", "header"),
        *("status", "cancel", "reopen", "delete", "new_order", "renamed", "renamed_item"),
        *("fault", "spent_day", "clock", "run"),
    )
}
ORDERS_AND_RUNS = (*STEPS, "run", "run", "run", "fault", "fault")
sequences = st.lists(
    st.tuples(st.sampled_from(ORDERS_AND_RUNS), st.integers(0, 99), st.integers(0, 99)), min_size=3, max_size=18
)


def ending(engine: Engine, steps: Sequence[Step]) -> list[str]:
    """Plays the steps, lets two quiet runs follow, and tells every difference that is left."""
    world = World(engine, company=seeded_company(orders=6, products=12), account={"daily_tokens": 1_000_000})
    play = Play(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", world.wait)
        for name, one, other in steps:
            STEPS[name](play, one, other)
        world.pipedrive.faults.open.clear()
        world.pipedrive.advance(60)
        world.sync()
        world.sync()
        found = differences(engine, world.pipedrive.state(), world.company)
        asked = world.requests()
        world.sync()
        if world.requests() != asked:
            found.append("a third quiet run asked Pipedrive something")
    return found
