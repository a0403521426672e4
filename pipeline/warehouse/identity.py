"""Whether the warehouse is still the one that Pipedrive was last written from, or was put back from a backup since.

A restored table is another table to PostgreSQL, whoever restored it and with what: it has another number, in a database
with another number, on a server with another one; a server put back to a moment goes on under another timeline. A
snapshot of the whole machine is the same to the last byte and can't be told: `pipeline restore --snapshot` notes it.
"""

from sqlalchemy import Connection, text

from pipeline.warehouse import memory

_NOTED, RESTORED = "pipedrive written from", "restored"

_IDENTITY = """
SELECT concat_ws('/', server.system_identifier, point.timeline_id, warehouse.oid, 'state.remembered'::regclass::oid)
FROM pg_control_system() AS server, pg_control_checkpoint() AS point, pg_database AS warehouse
WHERE warehouse.datname = current_database()
"""
_FORGET = "DELETE FROM state.remembered WHERE name = :name"
MARK = f"""
INSERT INTO state.remembered (name, value, remembered_at) VALUES ('{RESTORED}', 'true', now())
ON CONFLICT (name) DO UPDATE SET value = excluded.value, remembered_at = excluded.remembered_at;
"""


def was_put_back(tx: Connection) -> bool:
    """Whether what is remembered of Pipedrive may be older than Pipedrive."""
    noted = memory.recall(tx, _NOTED)
    return bool(memory.recall(tx, RESTORED)) or (noted is not None and noted != _identity(tx))


def note_up_to_date(tx: Connection) -> None:
    """What is remembered of Pipedrive is what stands there, in this database."""
    identity = _identity(tx)
    if memory.recall(tx, _NOTED) != identity:
        memory.note(tx, _NOTED, identity)
    tx.execute(text(_FORGET), {"name": RESTORED})


def note_put_back(tx: Connection) -> None:
    """Somebody put this database back in a way that can't be told from inside."""
    tx.execute(text(MARK))


def _identity(tx: Connection) -> str:
    return tx.execute(text(_IDENTITY)).scalar_one()
