"""The receiver with a login that may do nothing but add to its inbox."""

from collections.abc import Iterator

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.migrating import migrate
from pipeline.warehouse.receiver_role import RECEIVER
from pipeline.warehouse.tables import metadata
from pipeline_tests.webhooks.receiving import serving, stored
from pipeline_tests.webhooks.sending import hash_code, notification

LOGIN = "receiver_of_a_test"


@pytest.fixture(scope="module")
def login(shared_engine: Engine) -> Iterator[str]:
    """Its address, made as docs/security.md says."""
    with shared_engine.begin() as tx:
        tx.execute(text(f"CREATE ROLE {LOGIN} LOGIN PASSWORD 'a' IN ROLE {RECEIVER}"))
    url = make_url(shared_engine.url).set(drivername="postgresql", username=LOGIN, password="a")
    yield url.render_as_string(hide_password=False)
    with shared_engine.begin() as tx:
        tx.execute(text(f"DROP ROLE {LOGIN}"))


def refused(engine: Engine, statement: str) -> bool:
    with engine.connect() as connection:
        try:
            connection.execute(text(statement))
        except ProgrammingError as problem:
            return isinstance(problem.orig, InsufficientPrivilege)
    return False


def test_the_receiver_takes_webhooks_with_a_login_that_may_do_nothing_else(shared_engine: Engine, login: str):
    engine = create_engine(warehouse_url(login))
    migrate(engine)  # as its command does first: with this login it looks and goes on
    told = notification()
    with serving(shared_engine, login) as served:
        assert [served.post(told), served.post(told), served.http.get("/health").status_code] == [200, 200, 200]
    assert stored(shared_engine) == {hash_code(told)}
    others = sorted(set(metadata.tables) - {"inbox.webhook_events"})
    assert [table for table in others if not refused(engine, f"SELECT * FROM {table}")] == []
    assert [table for table in metadata.tables if not refused(engine, f"DELETE FROM {table}")] == []
    assert [
        statement
        for statement in (
            "SELECT content FROM inbox.webhook_events",
            "UPDATE inbox.webhook_events SET handled_at = now()",
            "UPDATE state.alembic_version SET version_num = ''",
            "CREATE TABLE inbox.mine (n int)",
            "CREATE SCHEMA mine",
            "DROP TABLE inbox.webhook_events",
        )
        if not refused(engine, statement)
    ] == []
    engine.dispose()
