"""Holds a process to the revision of the warehouse it was made for: beside a migrated one it says so and does nothing.

Every transaction begins with one SELECT on the connection it has anyway, so that processes that were there before an
upgrade stop with it, whichever they are. Not here: bringing the warehouse to another revision (`migrating.py`).
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, event

from pipeline.errors import GiveUp

FOLDER = Path(__file__).parent / "migrations"
# Read once: a release that is put in the place of this one brings other files, and this process stays what it is.
NEEDED = max(file.name.split("_")[0] for file in (FOLDER / "versions").glob("[0-9]*.py"))

REVISION = "SELECT version_num FROM state.alembic_version"


class AnotherRevision(GiveUp):
    """The warehouse was brought to another revision while this process ran, or before it came."""


def held_to_this_release(engine: Engine) -> Engine:
    """The same engine, on which no transaction begins when the warehouse is not at this release's revision.

    Raises AnotherRevision then. The engine given stays as it was: migrations need it so.
    """
    held = engine.execution_options()
    event.listen(held, "begin", _compare)
    return held


def _compare(connection: Connection) -> None:
    found = connection.exec_driver_sql(REVISION).scalar()
    if found != NEEDED:
        raise AnotherRevision(
            f"The database is at revision {found}, and this process is of a release that needs {NEEDED}: another "
            "release migrated it meanwhile. Start this again with that release; nothing was written by this one."
        )
