"""The one way to PostgreSQL: a URL becomes an engine, and a lock keeps two runs from doing the same work."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from hashlib import blake2b
from typing import Any

from psycopg.errors import DiskFull
from sqlalchemy import Connection, Dialect, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from pipeline.errors import ConfigurationError, RetryLater
from pipeline.warehouse.complaints import shortened

RESTED = 1.0  # seconds in the pool, after which a connection is asked whether it still stands
USED = "used"
_LOG = logging.getLogger("pipeline")
event.listen(Engine, "handle_error", shortened)


def warehouse_url(url: str, driver: str = "psycopg") -> str:
    """The URL with its driver said: a bare postgresql:// means another one in every release of SQLAlchemy."""
    wrong = "WAREHOUSE_URL is not a URL; write postgresql://user:password@host/database, and in the password %XX for "
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose words may be a part of the password
        raise ConfigurationError(f"{wrong}anything but letters and digits.") from None
    if "@" in (parsed.host or ""):
        raise ConfigurationError(f"{wrong}anything but letters and digits: it has an @ in it.")
    if parsed.drivername.split("+")[0] not in {"postgresql", "postgres"}:
        raise ConfigurationError(f"WAREHOUSE_URL names {parsed.drivername}; the warehouse is PostgreSQL only.")
    return parsed.set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False)


@cache
def engine_of(url: str) -> Engine:
    """The process's engine for that database."""
    names = {"application_name": "pipeline"}
    return asked_after_rest(create_engine(warehouse_url(url), hide_parameters=True, connect_args=names))


def asked_after_rest(engine: Engine) -> Engine:
    """The engine, whose connections are asked whether they stand once they rested.

    SQLAlchemy's own `pool_pre_ping` asks at every use, which is one more question for each transaction.
    """
    event.listen(engine, "checkin", _note_when)
    event.listen(engine, "checkout", partial(_ask_whether_it_stands, engine.dialect))
    return engine


def _note_when(_: Any, record: ConnectionPoolEntry) -> None:
    record.info[USED] = time.monotonic()


def _ask_whether_it_stands(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
    if time.monotonic() - record.info.get(USED, math.inf) > RESTED:
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error:
            raise DisconnectionError from None  # for which the pool makes a new one


@contextmanager
def connected(url: str) -> Iterator[Engine]:
    """An engine whose database was seen to answer; raises RetryLater with one sentence where it does not."""
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError as error:
        reason = str(error.orig).splitlines()[0]
        raise RetryLater(f"The warehouse does not answer: {reason}. Check WAREHOUSE_URL.") from None
    yield engine


def went_away(error: OperationalError) -> str:
    """The sentence for a server that ended, or ran out of room, in the middle of something."""
    reason = str(error.orig).splitlines()[0]
    if isinstance(error.orig, DiskFull):
        return (
            f"The warehouse's disk is full: {reason}. What was committed is kept and nothing was half done: make room "
            "(docs/operations.md), and the next run goes on from there."
        )
    return f"The warehouse went away: {reason}. Start it and run this again."


@contextmanager
def only_one(engine: Engine, name: str) -> Iterator[Callable[[], None]]:
    """Holds the lock of that name; a second holder waits, and a killed process gives it back.

    The lock belongs to a connection of its own, so it outlives the transactions made under it. Gives a function that
    raises RetryLater when that connection, and with it the lock, was lost.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"key": _lock_key(name)}
        if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one():
            _say_for_whom(connection, name)
            connection.execute(text("SELECT pg_advisory_lock(:key)"), key)

        def still_held() -> None:
            try:
                connection.execute(text("SELECT 1"))
            except DBAPIError:
                raise RetryLater(f"The database session that held '{name}' was cut; the next run goes on.") from None

        try:
            yield still_held
        finally:
            with suppress(SQLAlchemyError):  # cut: the lock is free already
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)


def _say_for_whom(connection: Connection, name: str) -> None:
    number = _lock_key(name) % 2**64
    halves = {"high": number >> 32, "low": number & 0xFFFFFFFF}
    holder = connection.execute(text(_HOLDER), halves).one_or_none()
    since = f" (it runs since {holder.since:%H:%M:%S} UTC, database session {holder.pid})" if holder else ""
    _LOG.info("waiting for another run that holds '%s'%s", name, since)


def is_taken(engine: Engine, name: str) -> bool:
    """Whether somebody holds the lock of that name now."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return connection.execute(text(_TAKEN), {"key": _lock_key(name)}).scalar_one()


def lock_until_commit(tx: Connection, name: str) -> None:
    """Keeps everybody else who asks for that name out until this transaction ends."""
    tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key(name)})


_TAKEN = "SELECT CASE WHEN pg_try_advisory_lock(:key) THEN NOT pg_advisory_unlock(:key) ELSE true END"
_HOLDER = """
SELECT held.pid, session.backend_start AT TIME ZONE 'UTC' AS since FROM pg_locks AS held
JOIN pg_stat_activity AS session ON session.pid = held.pid
WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
    AND held.classid = CAST(:high AS bigint)::oid AND held.objid = CAST(:low AS bigint)::oid
"""


def _lock_key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
