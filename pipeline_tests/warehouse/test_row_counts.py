"""Rows of whole tables: exact whatever became of them, and not counted again while nothing did."""

import pytest
from sqlalchemy import Engine, text

from pipeline.warehouse import memory
from pipeline.warehouse.row_counts import row_counts

pytestmark = pytest.mark.postgres

NAME = "erp.item_groups"
ADD = f"""INSERT INTO {NAME} (administration, item_group_id, item_group_code, item_group)
SELECT 'nl', key, key, key FROM unnest(CAST('{{%s}}' AS text[])) AS key"""


def counted(engine: Engine, *, fresh: bool = False) -> int:
    with engine.begin() as tx:
        return row_counts(tx, [NAME, "erp.orders"], fresh=[NAME] if fresh else ())[NAME]


def by_hand(engine: Engine, statement: str) -> None:
    """As somebody does at another connection, which tells the statistics at once."""
    with engine.begin() as tx:
        tx.execute(text("SELECT pg_stat_force_next_flush()"))
        tx.execute(text(statement))


def note_wrongly(engine: Engine) -> None:
    """Whoever is told of 99 rows afterwards has not counted."""
    with engine.begin() as tx:
        memory.note(tx, f"rows of {NAME}", memory.recall(tx, f"rows of {NAME}") | {"rows": 99})


def test_a_table_is_counted_once_until_rows_come_or_go(engine: Engine):
    by_hand(engine, ADD % "A,B,C")
    assert counted(engine) == 3
    note_wrongly(engine)
    by_hand(engine, f"UPDATE {NAME} SET item_group = 'another'")
    assert counted(engine) == 99  # no row came or went, so nobody looked
    assert counted(engine, fresh=True) == 3
    note_wrongly(engine)
    by_hand(engine, ADD % "D,E")
    assert counted(engine) == 5
    note_wrongly(engine)
    by_hand(engine, f"DELETE FROM {NAME} WHERE item_group_code < 'C'")
    assert counted(engine) == 3


@pytest.mark.parametrize(
    ("what", "rows"),
    [
        (f"TRUNCATE {NAME}", 0),
        (f"DROP TABLE {NAME} CASCADE; CREATE TABLE {NAME} AS SELECT 1 AS one", 1),
        ("SELECT pg_stat_reset()", 3),
        ("SELECT pg_stat_reset_shared('bgwriter')", 3),  # as a crash does, which loses the numbers too
    ],
    ids=["truncated", "restored", "statistics reset", "statistics lost"],
)
def test_a_table_is_counted_when_the_statistics_begin_anew(what: str, rows: int, engine: Engine):
    by_hand(engine, ADD % "A,B,C")
    assert counted(engine) == 3
    note_wrongly(engine)
    by_hand(engine, what)
    assert counted(engine) == rows


def test_a_server_that_keeps_no_statistics_counts_every_time(engine: Engine):
    by_hand(engine, ADD % "A,B,C")
    with engine.begin() as tx:
        tx.execute(text("SET LOCAL track_counts = off"))
        before = row_counts(tx, [NAME])
        tx.execute(text(ADD % "D"))
        assert (before, row_counts(tx, [NAME])) == ({NAME: 3}, {NAME: 4})
