"""Worlds that are made once and copied for each test that begins with one: a first synchronisation takes seconds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import Engine

from pipeline.sandbox.company import seeded_company
from pipeline.warehouse.identity import note_up_to_date
from pipeline_tests.databases import TEMPLATE, copied, fresh_engine
from pipeline_tests.world import World

Make = Callable[[Engine], World]


@cache
def first_reading(*, orders: int, products: int) -> Make:
    """Makes a world that was read and refreshed; nothing is written yet."""

    def make(engine: Engine) -> World:
        world = World(engine, company=seeded_company(orders=orders, products=products))
        world.land()
        world.refresh()
        return world

    return make


@cache
def first_sync(*, orders: int, products: int) -> Make:
    """Makes a world after its first synchronisation."""

    def make(engine: Engine) -> World:
        world = first_reading(orders=orders, products=products)(engine)
        world.write()
        return world

    return make


class Worlds:
    """Worlds by the function that makes them."""

    def __init__(self, postgres: str) -> None:
        self._postgres = postgres
        self._made: dict[Make, World] = {}

    @contextmanager
    def after(self, make: Make) -> Iterator[World]:
        """A world as `make` leaves it, with a warehouse of its own."""
        if make not in self._made:
            engine = copied(self._postgres, TEMPLATE)
            self._made[make] = make(engine)
            engine.dispose()  # a database with connections can't be copied
        original = self._made[make]
        with fresh_engine(self._postgres, original.engine.url.database or "") as engine:
            with engine.begin() as tx:
                note_up_to_date(tx)  # else the copy counts as restored from a backup, as it should
            yield original.again_on(engine)
