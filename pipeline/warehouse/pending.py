"""Work that waits: which records a table has still to take in.

A change and its entry here are committed together, and so are the work and the entry's removal: a stop at any moment
leaves the rest to the next run, whose effort follows the size of the change and not of the history.
"""

from collections.abc import Callable, Iterable, Sequence

from psycopg.errors import DeadlockDetected
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from pipeline.warehouse.connection import lock_until_commit

QUEUED_AGAIN = "ON CONFLICT (stage, administration, key) DO UPDATE SET ticket = excluded.ticket"

Step = Callable[[Connection, str, list[str]], int]

_ANY = "SELECT EXISTS (SELECT FROM state.pending WHERE stage = :stage AND administration = :administration)"
# By place in the table: a join here is planned badly while a first load fills the table faster than it is analysed.
_TAKE = """
DELETE FROM state.pending WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM state.pending WHERE stage = :stage AND administration = :administration LIMIT :size)) RETURNING key
"""

_DONE = """
DELETE FROM state.pending WHERE ctid = ANY(ARRAY(
    SELECT still.ctid FROM state.pending AS still JOIN {noted} AS noted
        ON noted.administration = still.administration AND noted.{key} = still.key AND noted.ticket = still.ticket
    WHERE still.stage = :stage FOR UPDATE OF still SKIP LOCKED))
"""


def queue(tx: Connection, stages: Sequence[str], administration: str, keys: Iterable[str]) -> None:
    """Lets the stages take in those records."""
    tx.execute(
        text(
            "INSERT INTO state.pending (stage, administration, key) SELECT DISTINCT stage, :administration, key "
            "FROM unnest(CAST(:stages AS text[])) AS stage, unnest(CAST(:keys AS text[])) AS key "
            f"ORDER BY stage, key {QUEUED_AGAIN}"  # two runs that queue the same records then wait, and don't deadlock
        ),
        {"stages": list(stages), "administration": administration, "keys": list(keys)},
    )


def work_off(engine: Engine, stage: str, administration: str, step: Step, *, size: int = 2000) -> int:
    """Lets `step` take in all that waits for the stage, a batch a transaction, and returns what it wrote.

    A batch that got into a deadlock with another run's is taken once more.
    """
    written, of = 0, {"stage": stage, "administration": administration, "size": size}
    while True:
        try:
            with engine.begin() as tx:
                if not tx.execute(text(_ANY), of).scalar_one():  # what another run is about to commit is still there
                    return written
                lock_until_commit(tx, stage)
                keys = [row.key for row in tx.execute(text(_TAKE), of)]
                if not keys:
                    return written
                done = step(tx, administration, keys)
        except OperationalError as problem:
            if not isinstance(problem.orig, DeadlockDetected):
                raise
        else:
            written += done


def note_waiting(tx: Connection, stage: str, into: str, key: str) -> int:
    """Puts what waits for the stage into a temporary table (administration, `key`, ticket), and says how much it is.

    It goes on waiting until `noted_is_done`: nobody who queues the same record has to wait for this transaction.
    """
    tx.execute(text(f"CREATE TEMPORARY TABLE {into} (administration text, {key} text, ticket bigint) ON COMMIT DROP"))
    noted = tx.execute(
        text(f"INSERT INTO {into} SELECT administration, key, ticket FROM state.pending WHERE stage = :stage"),
        {"stage": stage},
    ).rowcount
    tx.execute(text(f"ANALYZE {into}"))
    return noted


def noted_is_done(tx: Connection, stage: str, noted: str, key: str) -> None:
    """What was put into that table waits no longer, unless it is queued again by now."""
    tx.execute(text(_DONE.format(noted=noted, key=key)), {"stage": stage})


def waiting(tx: Connection, stage: str) -> dict[str, int]:
    """How many records wait for the stage, by administration."""
    query = "SELECT administration, count(*) AS waiting FROM state.pending WHERE stage = :stage GROUP BY administration"
    return {row.administration: row.waiting for row in tx.execute(text(query), {"stage": stage})}
