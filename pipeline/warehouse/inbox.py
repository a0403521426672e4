"""The inbox of webhooks: what was told, in order of receipt, and which of it a run has read meanwhile.

A number is given out after its notification came. So whoever notes the newest number and then reads the feeds has
read what all notifications up to that number told of, those not committed yet included.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

# Topics whose feeds a run reads. What others told is kept, and there is nothing to do about it.
TOPICS_WITH_FEED = frozenset({"SalesOrders", "Items", "Accounts", "Contacts", "SalesInvoices"})

_STORE = """
INSERT INTO inbox.webhook_events
    (hash_code, administration, division, topic, action, key, content, received_at, handled_at)
SELECT * FROM unnest(
    CAST(:hash_code AS text[]), CAST(:administration AS text[]), CAST(:division AS bigint[]), CAST(:topic AS text[]),
    CAST(:action AS text[]), CAST(:key AS text[]), CAST(:content AS text[]), CAST(:received_at AS timestamptz[]),
    CAST(:handled_at AS timestamptz[])
)
ON CONFLICT (hash_code) DO NOTHING
"""
_NEWEST = "SELECT coalesce(max(number), 0) FROM inbox.webhook_events WHERE administration = :administration"
_MARK = """
UPDATE inbox.webhook_events SET handled_at = now()
WHERE handled_at IS NULL AND administration = :administration AND topic = ANY(:topics) AND number <= :up_to
"""
_FORGET = "DELETE FROM inbox.webhook_events WHERE handled_at < now() - make_interval(days => :days)"
_AGE = """
SELECT extract(epoch FROM clock_timestamp() - max(received_at))::float FROM inbox.webhook_events
WHERE handled_at IS NULL AND administration = :administration
"""
_WAITING = """
SELECT administration, max(number) AS number FROM inbox.webhook_events WHERE handled_at IS NULL GROUP BY administration
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A notification whose signature was right, of an administration that we have."""

    hash_code: str
    administration: str
    division: int
    topic: str
    action: str | None
    key: str | None
    content: str
    received_at: datetime

    @property
    def handled_at(self) -> datetime | None:
        """When nothing has to be done about it: at once."""
        return None if self.topic in TOPICS_WITH_FEED else self.received_at


_COLUMNS = (
    "hash_code",
    "administration",
    "division",
    "topic",
    "action",
    "key",
    "content",
    "received_at",
    "handled_at",
)


def store(tx: Connection, event: Event) -> bool:
    """Keeps one notification; False when it was there already."""
    return store_all(tx, [event]) == 1


def store_all(tx: Connection, events: Sequence[Event]) -> int:
    """Keeps notifications in one statement and returns how many of them were new."""
    return tx.execute(text(_STORE), {name: [getattr(event, name) for event in events] for name in _COLUMNS}).rowcount


def newest(connection: Connection, administration: str) -> int:
    """The highest number received; 0 where nothing ever was. Note it before the feeds are read."""
    return connection.execute(text(_NEWEST), {"administration": administration}).scalar_one()


def mark_handled(tx: Connection, administration: str, topics: Iterable[str], up_to: int) -> int:
    """Marks what was received up to that number; belongs in the transaction that commits what the feeds said."""
    parameters = {"administration": administration, "topics": list(topics), "up_to": up_to}
    return tx.execute(text(_MARK), parameters).rowcount


def forget_handled(tx: Connection, days: int) -> int:
    """Removes what was handled so many days ago; Exact repeats a notification for less than two."""
    return tx.execute(text(_FORGET), {"days": days}).rowcount


def waiting(connection: Connection) -> dict[str, int]:
    """Administrations with something unhandled, each with its highest unhandled number."""
    return {row.administration: row.number for row in connection.execute(text(_WAITING))}


def age_of_newest(connection: Connection, administration: str) -> float | None:
    """Seconds since the newest of what is unhandled was received; None where nothing is."""
    return connection.execute(text(_AGE), {"administration": administration}).scalar_one()
