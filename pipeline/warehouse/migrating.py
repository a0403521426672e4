"""Brings the warehouse to the shape this release needs, and one step back again.

Every entry point runs the first; at the head it does nothing. Each is one transaction: half a migration never stays.
Alembic is imported where there is something to migrate: it takes a fifth of a second, of every process that starts.
"""

import logging
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from pipeline.errors import GiveUp
from pipeline.warehouse.analysts import let_analysts_read, may_read
from pipeline.warehouse.connection import lock_until_commit
from pipeline.warehouse.receiver_role import is_receiver, let_receiver_in
from pipeline.warehouse.revision import FOLDER, NEEDED, REVISION

if TYPE_CHECKING:
    from alembic.config import Config

_LOG = logging.getLogger("pipeline")


def migrate(engine: Engine) -> None:
    """Runs the migrations that are missing; a receiver's login, which may not, goes on without.

    Raises GiveUp when the database was made by a newer release than this one, or when a migration fails; then nothing
    is changed.
    """
    with engine.begin() as tx:
        if is_receiver(tx):
            return
        lock_until_commit(tx, "migrations")
        tx.execute(text("CREATE SCHEMA IF NOT EXISTS state"))
        tx.execute(text("CREATE SCHEMA IF NOT EXISTS dagster"))
        found = revision(tx)
        if found == NEEDED:
            if not may_read(tx):  # the roles were made since, or the data came from another server
                let_analysts_read(tx)
            let_receiver_in(tx)
            return
        _upgrade(tx, found)
        if sentence := let_analysts_read(tx):
            _LOG.warning(sentence)
        let_receiver_in(tx)


def _upgrade(tx: Connection, found: str | None) -> None:
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(configuration(tx), "head")
    except CommandError:
        raise GiveUp(
            f"The database is at revision {found}, which this release does not know: install the release "
            "that made it, or a newer one."
        ) from None
    except DBAPIError as error:
        raise _nothing_done(error, f"from {found or 'an empty one'} to {NEEDED}") from None


def step_back(engine: Engine) -> tuple[str, str]:
    """Takes back this release's last migration, for the release before it; returns both revisions, newer first.

    What only the newer one knows is gone afterwards. Raises GiveUp, with nothing changed, when the database is at
    another revision than this release's or the step fails.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    before = ScriptDirectory(str(FOLDER)).get_revision(NEEDED).down_revision
    with engine.begin() as tx:
        lock_until_commit(tx, "migrations")
        if (found := revision(tx)) != NEEDED:
            raise GiveUp(f"The database is at revision {found} and this release's is {NEEDED}: nothing to take back.")
        try:
            command.downgrade(configuration(tx), "-1")
        except DBAPIError as error:
            raise _nothing_done(error, f"from {NEEDED} back to {before}") from None
    return NEEDED, str(before)


def _nothing_done(error: DBAPIError, step: str) -> DBAPIError | GiveUp:
    if error.connection_invalidated:
        return error  # the server went away, which is told as everywhere
    reason = str(error.orig).splitlines()[0]
    return GiveUp(
        f"The migration {step} failed and was taken back whole, so the release before this one still runs: {reason}. "
        "Mend that and run this again."
    )


def revision(connection: Connection) -> str | None:
    """The revision the database is at; None before the first migration."""
    if connection.execute(text("SELECT to_regclass('state.alembic_version')")).scalar() is None:
        return None
    return connection.execute(text(REVISION)).scalar()


def configuration(connection: Connection) -> "Config":
    """Alembic's configuration, on that connection."""
    from alembic.config import Config

    alembic = Config()
    alembic.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    alembic.attributes["connection"] = connection
    return alembic
