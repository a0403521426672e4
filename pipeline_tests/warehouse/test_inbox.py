"""The inbox: each notification once, in order of receipt, and handled only up to where a run had looked."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from pipeline.warehouse.inbox import Event, mark_handled, newest, store, store_all, waiting
from pipeline.warehouse.tables import metadata

pytestmark = pytest.mark.postgres

CAME = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def event(hash_code: str, **more: Any) -> Event:
    told: dict[str, Any] = {"administration": "nl", "division": 123456, "topic": "SalesOrders", "action": "Update"}
    told |= {"key": "8c1b", "content": '{"Topic":"SalesOrders"}', "received_at": CAME}
    return Event(hash_code=hash_code, **(told | more))


def kept(engine: Engine, *events: Event) -> list[int]:
    """Stores them one by one; their numbers."""
    with engine.begin() as tx:
        for one in events:
            assert store(tx, one)
    with engine.connect() as connection:
        numbers = "SELECT number FROM inbox.webhook_events WHERE hash_code = ANY(:codes) ORDER BY number"
        codes = [one.hash_code for one in events]
        return list(connection.execute(text(numbers), {"codes": codes}).scalars())


def unhandled(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        query = "SELECT hash_code FROM inbox.webhook_events WHERE handled_at IS NULL ORDER BY number"
        return list(connection.execute(text(query)).scalars())


def mark(engine: Engine, topics: Iterable[str], up_to: int, administration: str = "nl") -> int:
    with engine.begin() as tx:
        return mark_handled(tx, administration, topics, up_to)


def test_the_migrations_make_the_tables_that_the_code_declares(shared_engine: Engine):
    with shared_engine.connect() as connection:
        options = {
            "version_table_schema": "state",
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == "inbox",
            "compare_type": True,
        }
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        comments = "SELECT count(*) FROM pg_description WHERE objoid = 'inbox.webhook_events'::regclass"
        assert connection.execute(text(comments)).scalar_one() == 1 + len(metadata.tables["inbox.webhook_events"].c)
    # Tables of other schemas were left out on the side of the database only.
    assert [found for found in differences if "inbox" in str(found)] == []


def test_what_was_received_is_there_to_the_byte(engine: Engine):
    content = '{"Topic":"SalesOrders","ExactOnlineEndpoint":"https:\\/\\/start.exactonline.nl","é":"\\u0000"}'
    kept(engine, event("AB", content=content))
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM inbox.webhook_events")).mappings().one()
    assert {name: row[name] for name in ("hash_code", "administration", "division", "topic", "action", "key")} == {
        "hash_code": "AB",
        "administration": "nl",
        "division": 123456,
        "topic": "SalesOrders",
        "action": "Update",
        "key": "8c1b",
    }
    assert (row["content"], row["received_at"], row["handled_at"]) == (content, CAME, None)


def test_the_same_notification_is_stored_once_also_after_it_was_handled(engine: Engine):
    (number,) = kept(engine, event("AB"))
    with engine.begin() as tx:
        assert not store(tx, event("AB"))
        assert store_all(tx, [event("CD"), event("CD"), event("AB")]) == 1
    mark(engine, ["SalesOrders"], number)
    with engine.begin() as tx:
        assert not store(tx, event("AB"))
    assert unhandled(engine) == ["CD"]


def test_numbers_follow_the_order_of_receipt(engine: Engine):
    kept(engine, event("B"), event("A"))
    with engine.begin() as tx:
        store_all(tx, [event("D"), event("C")])
    assert unhandled(engine) == ["B", "A", "D", "C"]


def test_the_newest_number_counts_what_was_handled_and_only_its_own_administration(engine: Engine):
    with engine.connect() as connection:
        assert newest(connection, "nl") == 0
    mine, others = kept(engine, event("A"), event("B", administration="be"))
    mark(engine, ["SalesOrders"], mine)
    with engine.connect() as connection:
        assert (newest(connection, "nl"), newest(connection, "be")) == (mine, others)


def test_only_what_came_before_the_reading_is_handled(engine: Engine):
    before, _ = kept(engine, event("A"), event("B"))
    assert mark(engine, ["SalesOrders"], before) == 1
    assert unhandled(engine) == ["B"]
    assert mark(engine, ["SalesOrders"], before) == 0


def test_a_run_handles_its_own_topics_of_its_own_administration(engine: Engine):
    numbers = kept(engine, event("A"), event("B", topic="Items"), event("C", administration="be"))
    assert mark(engine, ["Items", "Accounts"], numbers[-1]) == 1
    assert unhandled(engine) == ["A", "C"]


@pytest.mark.parametrize(
    ("topic", "is_waiting"),
    [
        ("SalesOrders", True),
        ("Items", True),
        ("Accounts", True),
        ("Contacts", True),
        ("SalesInvoices", True),
        ("StockPositions", False),
        ("GoodsDeliveries", False),
    ],
)
def test_what_no_feed_reads_is_handled_when_it_comes(engine: Engine, topic: str, is_waiting: bool):
    (number,) = kept(engine, event("A", topic=topic))
    with engine.connect() as connection:
        assert waiting(connection) == ({"nl": number} if is_waiting else {})
        handled = connection.execute(text("SELECT handled_at FROM inbox.webhook_events")).scalar_one()
    assert handled == (None if is_waiting else CAME)


def test_what_waits_is_told_by_administration_with_its_highest_number(engine: Engine):
    numbers = kept(engine, event("A"), event("B"), event("C", administration="be"), event("D", topic="StockPositions"))
    with engine.connect() as connection:
        assert waiting(connection) == {"nl": numbers[1], "be": numbers[2]}
    mark(engine, ["SalesOrders"], numbers[1])
    with engine.connect() as connection:
        assert waiting(connection) == {"be": numbers[2]}


def test_a_number_is_given_out_before_a_later_one_even_when_its_commit_comes_later(engine: Engine):
    with engine.connect() as slow:
        store(slow, event("A"))
        (second,) = kept(engine, event("B"))
        with engine.connect() as connection:
            noted = newest(connection, "nl")
        slow.commit()
    assert noted == second
    assert mark(engine, ["SalesOrders"], noted) == 2
