"""What analysts may read, tried with logins of their own."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, create_engine, make_url, text

from pipeline.warehouse.analysts import ANALYST, CONTACTS, OF_CONTACTS, SCHEMAS, let_analysts_read, may_read
from pipeline.warehouse.migrating import migrate
from pipeline.warehouse.tables import metadata
from pipeline.warehouse.tables.views import VIEWS

LOGINS = {"bi_tool": [ANALYST], "bi_of_sales": [ANALYST, OF_CONTACTS]}
READABLE = sorted({name for name, table in metadata.tables.items() if table.schema in SCHEMAS} | set(VIEWS))
CLOSED = sorted(set(metadata.tables) - set(READABLE))


@pytest.fixture(scope="module")
def logins(shared_engine: Engine) -> Iterator[dict[str, psycopg.Connection]]:
    """Connections of two BI tools, made as docs/operations.md says."""
    opened = {}
    with shared_engine.begin() as tx:
        for login, roles in LOGINS.items():
            tx.execute(text(f"CREATE ROLE {login} LOGIN PASSWORD 'a' IN ROLE {', '.join(roles)}"))
        tx.execute(text("CREATE TABLE marts.made_later (n integer)"))
    for login in LOGINS:
        url = make_url(shared_engine.url).set(drivername="postgresql", username=login, password="a")
        opened[login] = psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
    yield opened
    for connection in opened.values():
        connection.close()
    with shared_engine.begin() as tx:
        for login in LOGINS:
            tx.execute(text(f"DROP ROLE {login}"))


def may(login: psycopg.Connection, statement: str) -> bool:
    try:
        login.execute(statement.encode())
    except InsufficientPrivilege:
        return False
    return True


def readable(login: psycopg.Connection, tables: list[str]) -> set[str]:
    return {table for table in tables if may(login, f"SELECT * FROM {table} LIMIT 1")}


def test_an_analyst_reads_erp_crm_and_marts_without_contacts_and_nothing_else(logins: dict[str, psycopg.Connection]):
    tool = logins["bi_tool"]
    assert readable(tool, READABLE) == set(READABLE) - set(CONTACTS)
    assert readable(tool, [*CLOSED, "state.alembic_version"]) == set()
    assert may(tool, "SELECT * FROM marts.made_later")
    assert not any(
        may(tool, statement)
        for statement in (
            "UPDATE erp.orders SET currency = 'XXX'",
            "DELETE FROM marts.order_status",
            "CREATE TABLE marts.mine (n int)",
            "CREATE TABLE dagster.mine (n int)",
        )
    )


def test_contacts_are_read_by_those_who_were_granted_them(logins: dict[str, psycopg.Connection]):
    assert readable(logins["bi_of_sales"], READABLE) == set(READABLE)


def test_every_table_with_an_address_or_a_number_of_a_person_is_among_the_closed_ones():
    personal = {
        name
        for name in READABLE
        if name in metadata.tables and {"e_mail", "phone", "mobile"} & set(metadata.tables[name].columns.keys())
    }
    assert personal <= set(CONTACTS) <= set(READABLE)


def test_a_user_who_may_not_make_roles_is_told_what_to_do_and_the_warehouse_works(engine: Engine):
    """The roles belong to the whole server: renamed for the moment, they are missing."""
    owner = "plain_owner"
    renamed = {role: f"{role}_elsewhere" for role in (ANALYST, OF_CONTACTS)}
    with engine.begin() as tx:
        tx.execute(text(f"CREATE ROLE {owner} LOGIN PASSWORD 'a'"))
        for role, elsewhere in renamed.items():
            tx.execute(text(f"ALTER ROLE {role} RENAME TO {elsewhere}"))
    plain = create_engine(make_url(engine.url).set(username=owner, password="a"))
    try:
        with plain.begin() as tx:
            sentence = let_analysts_read(tx)
        assert sentence == (
            "The database user plain_owner may not make the roles that analysts read with; all else goes on. Let an "
            "administrator of the server run: CREATE ROLE analyst NOLOGIN; CREATE ROLE analyst_contacts NOLOGIN; "
            "The next command then lets them read."
        )
        with engine.begin() as tx:
            for role in renamed:
                tx.execute(text(f"CREATE ROLE {role} NOLOGIN"))
        with plain.begin() as tx:
            sentence = let_analysts_read(tx)
        assert sentence
        assert "does not own the warehouse's tables" in sentence
        migrate(engine)
        with engine.connect() as connection:
            assert may_read(connection)
    finally:
        plain.dispose()
        with engine.begin() as tx:
            for role, elsewhere in renamed.items():
                tx.execute(text(f"DROP OWNED BY {role}"))
                tx.execute(text(f"DROP ROLE {role}"))
                tx.execute(text(f"ALTER ROLE {elsewhere} RENAME TO {role}"))
            tx.execute(text(f"DROP ROLE {owner}"))
