"""Where orders stand, and how old what is open has become: `marts.order_status`."""

from datetime import date

from sqlalchemy import Engine, text

from pipeline.config import Config
from pipeline.steps.mart_stages import ORDER_STATUS
from pipeline.steps.refresh_crm import todays
from pipeline.warehouse import memory
from pipeline.warehouse.connection import lock_until_commit
from pipeline.warehouse.pending import note_waiting, noted_is_done, waiting


def rebuild_order_status(engine: Engine, config: Config, *, today: dict[str, date] | None = None) -> int:
    """Rebuilds the table and returns its rows; 0 when neither an order nor the day is another one.

    `today` is the date on the calendar of each administration.
    """
    today = today or todays(config)
    of = {"administrations": list(today), "days": list(today.values())}
    with engine.begin() as tx:
        lock_until_commit(tx, ORDER_STATUS)
        is_another_day = memory.recall(tx, ORDER_STATUS) != (mark := [day.isoformat() for day in of["days"]])
        if not waiting(tx, ORDER_STATUS) and not is_another_day:
            return 0
        note_waiting(tx, ORDER_STATUS, "noted", "key")
        memory.note(tx, ORDER_STATUS, mark)
        tx.execute(text("DELETE FROM marts.order_status"))
        made = tx.execute(text(_ORDER_STATUS), of).rowcount
        noted_is_done(tx, ORDER_STATUS, "noted", "key")
        return made


_ORDER_STATUS = """
INSERT INTO marts.order_status (administration, stage, status, delivery_status, invoice_status, currency, orders,
    value_excl_vat, oldest_order_date, oldest_days, open_up_to_7_days, open_8_to_30_days, open_31_to_90_days,
    open_over_90_days)
SELECT administration, stage, status, delivery_status, invoice_status, currency, count(*),
    coalesce(sum(amount_excl_vat), 0), min(order_date), max(age), count(*) FILTER (WHERE age <= 7),
    count(*) FILTER (WHERE age BETWEEN 8 AND 30), count(*) FILTER (WHERE age BETWEEN 31 AND 90),
    count(*) FILTER (WHERE age > 90)
FROM (
    SELECT placed.*, stands.stage,
        CASE WHEN stands.stage NOT IN ('won', 'lost') THEN today.day - placed.order_date END AS age
    FROM erp.orders AS placed
    JOIN unnest(CAST(:administrations AS text[]), CAST(:days AS date[])) AS today (administration, day)
        USING (administration)
    LEFT JOIN crm.deals AS deal USING (administration, order_id),
    LATERAL (SELECT CASE WHEN deal.status IS NULL THEN 'held' WHEN deal.status = 'open' THEN deal.stage
        ELSE deal.status END AS stage) AS stands
    WHERE NOT placed.is_deleted) AS standing
GROUP BY 1, 2, 3, 4, 5, 6
"""
