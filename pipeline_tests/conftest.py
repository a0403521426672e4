"""What many tests need: one embedded PostgreSQL for all of them, and a fresh, migrated database for each."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine

from pipeline.warehouse.embedded import embedded_postgres
from pipeline_tests.console import Console
from pipeline_tests.console import console as a_console
from pipeline_tests.databases import fresh_engine, prepare
from pipeline_tests.worlds import Worlds

MEMORY, ROOM = Path("/dev/shm"), 8_000_000_000  # bytes, of which a gigabyte is used
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
    # A database is a thousand files: copied on a disk it takes half a second, most of it the file system's.
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# A machine that does much else at once is no reason to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

FIRST = ("domain", "test_layers", "test_config", "transform")
LONGEST = ("chaos", "flows", "browser", "automation/test_handling", "steps/", "webhooks", "warehouse", "demo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pure rules first; then the longest files, so that two processes end together; then what needs a database."""

    def cost(item: pytest.Item) -> int:
        place = str(item.path)
        if any(word in place for word in FIRST):
            return 0
        return next((rank for rank, word in enumerate(LONGEST, start=1) if word in place), len(LONGEST) + 1)

    items.sort(key=cost)


def pytest_collection_finish() -> None:
    """Seven thousand tests and their libraries stay: the collector need not walk through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server of our own, with a migrated database `template` to copy from.

    Not in pytest's own temporary folder: as root the server has an account of its own, which pytest would shut out.
    """
    with tempfile.TemporaryDirectory() as home, embedded_postgres(Path(home)) as url:
        prepare(url)
        yield url


@pytest.fixture(scope="session")
def worlds(postgres: str) -> Worlds:
    """Worlds to begin with, each made once."""
    return Worlds(postgres)


@pytest.fixture(scope="session")
def console() -> Iterator[Console]:
    """Starts the console command."""
    with a_console() as console:
        yield console


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


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's folder."""
    return Path(__file__).resolve().parent.parent
