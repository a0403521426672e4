"""No room left: a sentence, nothing half done, and the next run goes on. (Backups: steps/test_backups.py.)"""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pipeline.errors import GiveUp
from pipeline.page import save
from pipeline.steps.export import export
from pipeline.warehouse.connection import went_away
from pipeline_tests.worlds import Worlds, first_reading

# What PostgreSQL raises where a table can't grow, raised by PostgreSQL where a table is to grow.
FULL = """
CREATE FUNCTION no_room_left() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file "base/16384/16999": No space left on device' USING ERRCODE = 'disk_full';
END $$
"""


@pytest.fixture
def no_room() -> Iterator[None]:
    """No file of this process grows beyond 100 bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_warehouse_on_a_full_disk_loses_nothing_and_writes_nothing_twice(worlds: Worlds):
    with worlds.after(first_reading(orders=10, products=10)) as world:
        for table in ("pipedrive.deals", "pipedrive.deal_products"):
            with world.engine.begin() as tx:
                tx.execute(text(FULL))
                tx.execute(text(f"CREATE TRIGGER no_room BEFORE INSERT ON {table} EXECUTE FUNCTION no_room_left()"))
            with pytest.raises(OperationalError) as raised:
                world.write()
            told = went_away(raised.value)
            assert told.startswith("The warehouse's disk is full: could not extend file")
            assert "What was committed is kept and nothing was half done: make room" in told
            with world.engine.begin() as tx:
                tx.execute(text("DROP FUNCTION no_room_left() CASCADE"))
        world.sync()
        assert set(world.deals()) == {order.id for order in world.company.orders}
        assert len(world.control("state")["deals"]) == len(world.company.orders)
        assert world.write().changed("deals") == 0


@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet", "report.html"])
def test_a_file_there_is_no_room_for_leaves_the_one_before(worlds: Worlds, tmp_path: Path, no_room: None, name: str):
    before = tmp_path / name
    before.write_text("the one before")
    with worlds.after(first_reading(orders=10, products=10)) as world, pytest.raises(GiveUp, match=name):
        save("x" * 1000, before) if name.endswith("html") else export(world.engine, "erp.orders", before)
    assert list(tmp_path.iterdir()) == [before]
    assert before.read_text() == "the one before"
