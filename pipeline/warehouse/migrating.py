"""Brings the warehouse to the shape this release needs. Every entry point runs it; at the head it does nothing."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from pipeline.errors import GiveUp
from pipeline.warehouse.analysts import let_analysts_read, may_read
from pipeline.warehouse.connection import lock_until_commit

_LOG = logging.getLogger("pipeline")
FOLDER = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Runs the migrations that are missing, in one transaction: half a migration never stays.

    Raises GiveUp when the database was made by a newer release than this one.
    """
    with engine.begin() as tx:
        lock_until_commit(tx, "migrations")
        tx.execute(text("CREATE SCHEMA IF NOT EXISTS state"))
        tx.execute(text("CREATE SCHEMA IF NOT EXISTS dagster"))
        if revision(tx) == newest_revision():
            if not may_read(tx):  # the roles were made since, or the data came from another server
                let_analysts_read(tx)
            return
        try:
            command.upgrade(configuration(tx), "head")
        except CommandError:
            raise GiveUp(
                f"The database is at revision {revision(tx)}, which this release does not know: install the release "
                "that made it, or a newer one."
            ) from None
        if sentence := let_analysts_read(tx):
            _LOG.warning(sentence)


def revision(connection: Connection) -> str | None:
    """The revision the database is at."""
    return MigrationContext.configure(connection, opts={"version_table_schema": "state"}).get_current_revision()


def newest_revision() -> str | None:
    """The revision this release needs."""
    return ScriptDirectory(str(FOLDER)).get_current_head()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration, on that connection."""
    alembic = Config()
    alembic.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    alembic.attributes["connection"] = connection
    return alembic
