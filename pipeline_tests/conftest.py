"""What many tests need: one embedded PostgreSQL for all of them, and a fresh, migrated database for each."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, make_url

from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.embedded import embedded_postgres
from pipeline.warehouse.migrating import migrate

FIRST = ("domain", "test_layers", "test_config", "transform")
LONGEST = ("chaos", "flows", "browser", "automation/test_handling", "steps/", "webhooks", "warehouse", "demo")
_numbers = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pure rules first; then the longest files, so that two processes end together; then what needs a database."""

    def cost(item: pytest.Item) -> int:
        place = str(item.path)
        if any(word in place for word in FIRST):
            return 0
        return next((rank for rank, word in enumerate(LONGEST, start=1) if word in place), len(LONGEST) + 1)

    items.sort(key=cost)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server of our own, with a migrated database `template` to copy from.

    Not in pytest's own temporary folder: as root the server has an account of its own, which pytest would shut out.
    """
    with tempfile.TemporaryDirectory() as home, embedded_postgres(Path(home)) as url:
        # No test here outlives a power cut, and most of their time would be waiting for the disk.
        for setting in ("synchronous_commit", "fsync", "full_page_writes"):
            _statement(url, f"ALTER SYSTEM SET {setting} = off")
        _statement(url, "SELECT pg_reload_conf()")
        _statement(url, "CREATE DATABASE template")
        engine = create_engine(warehouse_url(_database(url, "template")))
        migrate(engine)
        engine.dispose()
        yield url


@contextmanager
def fresh_engine(postgres: str) -> Iterator[Engine]:
    """An engine on a fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    _statement(postgres, f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
    engine = create_engine(warehouse_url(_database(postgres, name)))
    yield engine
    engine.dispose()
    _statement(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(postgres: str) -> Iterator[Engine]:
    """A fresh, migrated warehouse for one test."""
    with fresh_engine(postgres) as engine:
        yield engine


@pytest.fixture(scope="module")
def shared_engine(postgres: str) -> Iterator[Engine]:
    """A migrated warehouse for the tests of one file that only look at it."""
    with fresh_engine(postgres) as engine:
        yield engine


def _statement(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


def _database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's folder."""
    return Path(__file__).resolve().parent.parent
