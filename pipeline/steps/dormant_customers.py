"""Who went quiet, each against his own rhythm: `marts.dormant_customers`.

Of a customer whose orders or name changed the row is made anew; of all of them on a new day, which makes all silences
longer.
"""

from datetime import date

from sqlalchemy import Engine, text

from pipeline.config import Config
from pipeline.steps.mart_stages import DORMANT
from pipeline.steps.refresh_crm import todays
from pipeline.warehouse import memory
from pipeline.warehouse.connection import lock_until_commit
from pipeline.warehouse.pending import QUEUED_AGAIN, note_waiting, noted_is_done, waiting

QUIET = 2  # times the usual days
LEAST_GAPS = 2  # between days with orders, before they are called a rhythm


def refresh_dormant_customers(engine: Engine, config: Config, *, today: dict[str, date] | None = None) -> int:
    """Makes the rows of customers anew that changed, all on another day, and returns how many rows that are.

    `today` is the date on the calendar of each administration.
    """
    today = today or todays(config)
    of = {
        "administrations": list(today),
        "days": list(today.values()),
        "currencies": [config.administration(name).currency for name in today],
        "dormant_after": config.dormant_after_days,
    }
    mark = [*(day.isoformat() for day in of["days"]), config.dormant_after_days]
    with engine.begin() as tx:
        lock_until_commit(tx, DORMANT)
        if memory.recall(tx, DORMANT) != mark:
            tx.execute(text(_QUEUE_ALL), {"stage": DORMANT})
            memory.note(tx, DORMANT, mark)
        if not waiting(tx, DORMANT):
            return 0
        note_waiting(tx, DORMANT, "chosen", "customer_id")
        tx.execute(text(_REMOVE))
        made = tx.execute(text(_RHYTHMS), of | {"quiet": QUIET, "gaps": LEAST_GAPS}).rowcount
        noted_is_done(tx, DORMANT, "chosen", "customer_id")
        return made


_QUEUE_ALL = f"""
INSERT INTO state.pending (stage, administration, key)
SELECT :stage, administration, customer_id FROM erp.orders WHERE customer_id IS NOT NULL
GROUP BY 2, 3 ORDER BY 2, 3 {QUEUED_AGAIN}
"""
_REMOVE = """
DELETE FROM marts.dormant_customers AS shown USING chosen
WHERE shown.administration = chosen.administration AND shown.customer_id = chosen.customer_id
"""
# Orders of one day are one occasion. An order that tells no rate of its other currency adds nothing, as in crm.
_RHYTHMS = """
WITH today AS (
    SELECT * FROM unnest(CAST(:administrations AS text[]), CAST(:days AS date[]), CAST(:currencies AS text[]))
        AS today (administration, day, currency)),
occasions AS (
    SELECT administration, customer_id, order_date, count(*) AS orders, coalesce(sum(round(
            CASE WHEN placed.currency = today.currency THEN placed.amount_excl_vat
            ELSE placed.amount_excl_vat * placed.amount_incl_vat_home / nullif(placed.amount_incl_vat, 0) END, 2)), 0)
            AS revenue
    FROM chosen JOIN erp.orders AS placed USING (administration, customer_id) JOIN today USING (administration)
    WHERE NOT placed.is_deleted AND placed.status <> 'cancelled' AND placed.order_date IS NOT NULL
    GROUP BY 1, 2, 3),
gaps AS (
    SELECT *, order_date - lag(order_date) OVER of_customer AS gap,
        max(order_date) OVER (PARTITION BY administration, customer_id) AS last_order_date
    FROM occasions WINDOW of_customer AS (PARTITION BY administration, customer_id ORDER BY order_date)),
customers AS (
    SELECT administration, customer_id, last_order_date, greatest(today.day - last_order_date, 0) AS silence,
        CASE WHEN count(gap) >= :gaps
            THEN round(CAST(percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS numeric), 1) END AS usual,
        sum(orders) AS orders, today.currency,
        coalesce(sum(revenue) FILTER (WHERE order_date > today.day - 365 AND order_date <= today.day), 0) AS last_year,
        sum(revenue) FILTER (WHERE order_date > last_order_date - 365) AS year_to_last
    FROM gaps JOIN today USING (administration)
    GROUP BY administration, customer_id, last_order_date, today.day, today.currency)
INSERT INTO marts.dormant_customers (administration, customer_id, debtor_code, customer, account_manager,
    last_order_date, days_since_last_order, usual_days_between_orders, times_usual, is_quiet, is_dormant, orders,
    revenue_last_year_excl_vat, revenue_year_to_last_order_excl_vat, currency)
SELECT counted.administration, counted.customer_id, known.debtor_code, known.name, manager.full_name,
    last_order_date, silence, usual, round(silence / usual, 1), coalesce(silence > :quiet * usual, false),
    silence > :dormant_after, orders, last_year, year_to_last, currency
FROM customers AS counted
LEFT JOIN erp.customers AS known USING (administration, customer_id)
LEFT JOIN erp.salespeople AS manager ON manager.administration = counted.administration
    AND manager.salesperson_id = known.account_manager_id
WHERE known.is_deleted IS NOT true
"""
