"""Databases for tests: each a copy of one that is migrated already, or of one that a world was left in."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Engine, create_engine, make_url

from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.migrating import migrate

TEMPLATE, EMPTY = "template", "template1"
_numbers = itertools.count()


def prepare(postgres: str) -> None:
    """Makes the server quick, and the migrated database that others are copied from."""
    # No test here outlives a power cut, and most of their time would be waiting for the disk.
    for setting in ("synchronous_commit", "fsync", "full_page_writes"):
        _statement(postgres, f"ALTER SYSTEM SET {setting} = off")
    _statement(postgres, "SELECT pg_reload_conf()")
    _statement(postgres, f"CREATE DATABASE {TEMPLATE}")
    engine = _engine(postgres, TEMPLATE)
    migrate(engine)
    engine.dispose()


def copied(postgres: str, template: str) -> Engine:
    """An engine on a new database that is like that one, to which nobody may be connected."""
    name = f"test_{next(_numbers)}"
    _statement(postgres, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return _engine(postgres, name)


@contextmanager
def fresh_engine(postgres: str, template: str = TEMPLATE) -> Iterator[Engine]:
    """An engine on a database of its own, gone afterwards."""
    engine = copied(postgres, template)
    yield engine
    engine.dispose()
    _statement(postgres, f"DROP DATABASE {engine.url.database} WITH (FORCE)")


def _engine(postgres: str, database: str) -> Engine:
    url = make_url(postgres).set(database=database).render_as_string(hide_password=False)
    return create_engine(warehouse_url(url))


def _statement(postgres: str, statement: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]
