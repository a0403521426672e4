"""What an organization shows of its customer's orders and receivables, and whom a passing day or month touches.

Reckoned in `erp` for the customers asked for; the SQL below is joined to them where organizations are decided.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from pipeline.config import Administration
from pipeline.warehouse import memory
from pipeline.warehouse.pending import QUEUED_AGAIN


def figure_parameters(administration: Administration, *, today: date, dormant_after_days: int) -> dict[str, Any]:
    """The parameters of `FIGURES`; `today` is the administration's."""
    until = today.replace(day=1)
    return {
        "currency": administration.currency,
        "first": until.replace(year=until.year - 1),
        "until": until,
        "dormant_before": today - timedelta(days=dormant_after_days),
    }


def queue_whom_time_touches(tx: Connection, administration: Administration, *, today: date, dormant: date) -> None:
    """Lets the customers be decided anew whose figures another day or month changes; the first on a day looks.

    `dormant`: the newest order of a customer who is not is of this day or later.
    """
    fact = f"{administration.name} figures of customers are of"
    before = memory.recall(tx, fact)
    if before == today.isoformat():
        return
    memory.note(tx, fact, today.isoformat())
    of = {"administration": administration.name, "dormant_before": dormant}
    tx.execute(text(_QUEUE_DORMANT), of)
    if before is None or before[:7] == today.isoformat()[:7]:
        return
    months = sorted((date.fromisoformat(before).replace(day=1), today.replace(day=1)))
    earlier, later = ([month.replace(year=month.year - back) for month in months] for back in (1, 0))
    for first, until in (earlier, later):  # the months that left the twelve, and those that came to them
        tx.execute(text(_QUEUE_OF_MONTHS), of | {"first": first, "until": until})


# For each `customer` of the query around it. An order that tells no rate of its other currency adds nothing.
FIGURES = """
LATERAL (SELECT max(placed.order_date) AS last_order_date, coalesce(sum(round(
        CASE WHEN placed.currency = :currency THEN placed.amount_excl_vat
        ELSE placed.amount_excl_vat * placed.amount_incl_vat_home / nullif(placed.amount_incl_vat, 0) END, 2))
        FILTER (WHERE placed.order_date >= :first AND placed.order_date < :until), 0) AS revenue_12_months,
    coalesce(max(placed.order_date) < :dormant_before, true) AS is_dormant
    FROM erp.orders AS placed WHERE placed.administration = customer.administration
        AND placed.customer_id = customer.customer_id AND NOT placed.is_deleted AND placed.status <> 'cancelled'
    ) AS ordered,
LATERAL (SELECT coalesce(sum(due.amount_home), 0) AS open_amount FROM erp.receivables AS due
    WHERE due.administration = customer.administration AND due.customer_id = customer.customer_id
        AND NOT due.is_paid) AS owed
"""
FIGURE_COLUMNS = """ordered.last_order_date, ordered.revenue_12_months, ordered.is_dormant, owed.open_amount,
    CAST(:currency AS text) AS currency"""
_QUEUE = "INSERT INTO state.pending (stage, administration, key) SELECT DISTINCT 'crm/organizations', administration,"
_QUEUE_DORMANT = f"""
{_QUEUE} customer_id FROM crm.organizations WHERE administration = :administration
    AND is_dormant <> (last_order_date IS NULL OR last_order_date < :dormant_before)
ORDER BY 3 {QUEUED_AGAIN}
"""
_QUEUE_OF_MONTHS = f"""
{_QUEUE} customer_id FROM erp.orders WHERE administration = :administration AND customer_id IS NOT NULL
    AND order_date >= :first AND order_date < :until
ORDER BY 3 {QUEUED_AGAIN}
"""
