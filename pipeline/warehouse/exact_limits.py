"""Exact Online's limits, shared by all processes of an administration: each call is taken out of one row."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, Row, text

from pipeline.domain.allowance import Allowance, Told, Window
from pipeline.errors import BudgetSpent, GiveUp

HOUR = 3600.0
ALIKE, AT_ALL = 3, 8  # refusals of one endpoint within an hour; at more than ten Exact closes it, for longer each time


class SharedLimits:
    """What one administration may still send. `now` is the database's clock, which all processes have in common."""

    def __init__(self, engine: Engine, administration: str, *, now: Callable[[], float] | None = None) -> None:
        self._engine, self._administration, self._now = engine, administration, now

    def take(self, endpoint: str, told: Told, *, keep: float) -> float:
        """Takes one call, or says in how many seconds there may be one.

        Raises BudgetSpent when the day has none for this work, GiveUp when the endpoint refused too often.
        """
        with self._engine.begin() as tx:
            row = self._locked(tx, endpoint)
            now = self._now() if self._now else float(row.now)
            if row.refusals:
                _check(endpoint, row.refusals, now)
            allowance = Allowance(
                _window(row.minute_limit, row.minute_left, row.minute_ends),
                _window(row.day_limit, row.day_left, row.day_ends),
            )
            allowance, spent, wait = allowance.after(told, now).at(now), None, 0.0
            try:
                allowance, wait = allowance.one_less(now, keep=keep)
            except BudgetSpent as problem:
                spent = problem
            tx.execute(text(_KEEP), {"administration": self._administration, **_columns(allowance)})
        if spent:
            raise spent
        return wait

    def refused(self, endpoint: str, status: int, said: str) -> None:
        """Notes a refusal; those that are older than an hour no longer count."""
        with self._engine.begin() as tx:
            now = self._now() if self._now else tx.execute(text("SELECT extract(epoch FROM now())")).scalar_one()
            refusal = {
                "administration": self._administration,
                "endpoint": endpoint,
                "status": status,
                "said": said.replace("\x00", ""),
                "at": datetime.fromtimestamp(float(now), UTC),
            }
            tx.execute(text(_REFUSED), refusal)

    def _locked(self, tx: Connection, endpoint: str) -> Row:
        of = {"administration": self._administration, "endpoint": endpoint}
        row = tx.execute(text(_LOCKED), of).one_or_none()
        if row is None:
            tx.execute(text(_FIRST), {"administration": self._administration})
            row = tx.execute(text(_LOCKED), of).one()
        return row


def _check(endpoint: str, refusals: list[list], now: float) -> None:
    """Raises GiveUp where one more refusal would bring the endpoint near to being closed."""
    recent = [(status, said, at) for status, said, at in refusals if now - at < HOUR]
    most_alike = max((sum(one[:2] == other[:2] for one in recent) for other in recent), default=0)
    if most_alike < ALIKE and len(recent) < AT_ALL:
        return
    status, said, _ = recent[-1]
    reason = f"{status} {said}".rstrip()
    until = f"{datetime.fromtimestamp(recent[0][2] + HOUR, UTC):%H:%M} UTC"
    raise GiveUp(
        f"Exact Online refused {endpoint} {len(recent)} times within an hour (the last time {reason}). Ten refusals "
        f"would close it for all, so it is not asked again before {until}. Check the user's rights, the app's scopes "
        "and the division in pipeline.yaml."
    )


def _window(limit: int | None, left: int | None, ends: float | None) -> Window | None:
    return None if limit is None or left is None or ends is None else Window(limit, left, float(ends))


def _columns(allowance: Allowance) -> dict[str, int | datetime | None]:
    found: dict[str, int | datetime | None] = {}
    for name, window in (("minute", allowance.minute), ("day", allowance.day)):
        found[f"{name}_limit"] = window.limit if window else None
        found[f"{name}_left"] = window.left if window else None
        found[f"{name}_ends"] = datetime.fromtimestamp(window.ends, UTC) if window else None
    return found


_LOCKED = """
SELECT minute_limit, minute_left, extract(epoch FROM minute_ends) AS minute_ends,
    day_limit, day_left, extract(epoch FROM day_ends) AS day_ends, extract(epoch FROM clock_timestamp()) AS now,
    (SELECT jsonb_agg(jsonb_build_array(status, said, extract(epoch FROM refused_at)) ORDER BY number)
        FROM state.exact_refusals AS refusal
        WHERE refusal.administration = :administration AND refusal.endpoint = :endpoint) AS refusals
FROM state.exact_limits WHERE administration = :administration FOR UPDATE OF exact_limits
"""
_FIRST = "INSERT INTO state.exact_limits (administration) VALUES (:administration) ON CONFLICT DO NOTHING"
_KEEP = """
UPDATE state.exact_limits SET minute_limit = :minute_limit, minute_left = :minute_left, minute_ends = :minute_ends,
    day_limit = :day_limit, day_left = :day_left, day_ends = :day_ends
WHERE administration = :administration
"""
_REFUSED = """
WITH old AS (DELETE FROM state.exact_refusals
    WHERE administration = :administration AND refused_at < CAST(:at AS timestamptz) - interval '1 hour')
INSERT INTO state.exact_refusals (administration, endpoint, status, said, refused_at)
VALUES (:administration, :endpoint, :status, :said, :at)
"""
