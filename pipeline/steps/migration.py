"""How far each month's orders are on their way into Pipedrive, and when they will be there: `marts.migration`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, text

from pipeline.config import Config
from pipeline.steps.months import month_of
from pipeline.steps.plan import Plan, plan
from pipeline.steps.to_go import ToGo
from pipeline.warehouse import memory
from pipeline.warehouse.connection import lock_until_commit
from pipeline.warehouse.tables import marts as tables
from pipeline.warehouse.writing import upsert

_MARK = "marts/migration"


@dataclass
class Migration:
    """The table as it stands, newest month first, and the plan behind it; without one nothing was to go."""

    months: list[dict[str, Any]] = field(default_factory=list)
    planned: Plan | None = None

    @property
    def rebuilt(self) -> int:
        """Rows that were written."""
        return len(self.months) if self.planned else 0

    def figures(self) -> dict[str, Any]:
        """What a materialisation shows beside the months."""
        if not self.planned or not self.planned.tokens:
            return {"tokens_to_go": 0}
        done_on = self.planned.done_on
        return {
            "tokens_to_go": self.planned.tokens,
            "expected_on": done_on.isoformat() if done_on else "never: no day has tokens enough for it",
            "assumption": self.planned.assumption,
        }


def rebuild_migration(engine: Engine, config: Config, daily_tokens: int) -> Migration:
    """Rebuilds the table, unless nothing waits and nothing was queued since nothing did."""
    with engine.begin() as tx:
        lock_until_commit(tx, _MARK)
        now = tx.execute(text(_NOW)).one()
        mark = [now.ticket, str(now.landed_at)]
        if not now.waits and memory.recall(tx, _MARK) == mark:
            return Migration(months_of_migration(tx))
        planned = plan(engine, config, daily_tokens)
        tx.execute(tables.migration.delete())
        upsert(tx, tables.migration, _rows(tx, planned))
        memory.note(tx, _MARK, None if now.waits else mark)
        return Migration(months_of_migration(tx), planned)


def months_of_migration(connection: Connection) -> list[dict[str, Any]]:
    """The table's rows, newest month first."""
    return [dict(row._mapping) for row in connection.execute(text(_TABLE))]


def _rows(tx: Connection, planned: Plan) -> Iterable[dict[str, Any]]:
    """A row for each administration and month that was read, has orders, or has something to go."""
    counted = {(row.administration, row.month): row for row in tx.execute(text(_COUNTED))}
    waiting: dict[tuple[str, date], list[tuple[ToGo, date | None]]] = {month: [] for month in counted}
    for part, day in zip(planned.to_go, planned.expected(), strict=True):
        if part.month:
            waiting.setdefault((part.administration, part.month), []).append((part, day))
    for (administration, month), parts in waiting.items():
        row = counted.get((administration, month))
        deals = [entry for entry in parts if entry[0].kind in ("organizations", "deals")]
        yield {
            "administration": administration,
            "month": month,
            "orders_in_exact": row.orders_in_exact if row else None,
            "orders": row.orders if row else 0,
            "deals": row.deals if row else 0,
            "deals_to_go": sum(part.pieces for part, _ in parts if part.kind == "deals"),
            "rows_to_go": sum(part.pieces for part, _ in parts if part.kind == "deal_products"),
            "tokens_to_go": sum(part.tokens for part, _ in parts),
            "deals_on": _last_day(deals),
            "done_on": _last_day(parts),
        }


def _last_day(parts: Iterable[tuple[ToGo, date | None]]) -> date | None:
    """The day on which all of them are done; None when there are none, or one never is."""
    days = [day for _, day in parts]
    known = [day for day in days if day]
    return max(known) if known and len(known) == len(days) else None


# A ticket is taken for whatever is queued: the same one as before means that nothing was.
_NOW = """
SELECT (SELECT last_value FROM state.tickets) AS ticket,
    (SELECT max(landed_at) FROM state.landed_months) AS landed_at,
    EXISTS (SELECT FROM state.pending WHERE stage LIKE 'pipedrive/%') AS waits
"""
_TABLE = "SELECT * FROM marts.migration ORDER BY month DESC, administration"
_COUNTED = f"""
SELECT administration, month, landed.orders AS orders_in_exact,
    coalesce(placed.orders, 0) AS orders, coalesce(placed.deals, 0) AS deals
FROM (
    SELECT administration, {month_of("order_date")} AS month,
        count(*) FILTER (WHERE NOT is_deleted) AS orders,
        count(deal.deal_id) FILTER (WHERE NOT is_deleted) AS deals
    FROM erp.orders LEFT JOIN pipedrive.deals AS deal USING (administration, order_id) GROUP BY 1, 2) AS placed
FULL JOIN state.landed_months AS landed USING (administration, month)
"""
