"""What the analysts' page is made of: charts and rows of the marts, all of one moment, in plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine, Row, text

from pipeline.language import Language
from pipeline.steps import pictures
from pipeline.steps.pictures import DAYS, MIGRATION_MONTHS, MONTHS, Pivot

MOST = 25  # customers of a list
MOST_HELD = 200  # orders that wait

Rows = Sequence[Row[Any]]


@dataclass(frozen=True)
class Found:
    """Charts as SVG, and rows as the tables have them."""

    made_at: datetime
    administrations: Sequence[str]
    read_at: dict[str, datetime]
    charts: dict[str, list[str]]
    revenue: Sequence[Pivot]
    customers: dict[str, Rows]
    salespeople: dict[str, Rows]
    dormant: Rows
    funnel: Rows
    reconciliation: Rows
    tokens: Rows
    migration: Rows
    held: Rows


def look(engine: Engine, administrations: Sequence[str], language: Language, *, today: date | None = None) -> Found:
    """Reads it all in one snapshot; nothing is written and nobody is asked."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        revenue = pictures.revenue_by_month(connection, language, today=today)
        of = {"most": MOST, "held": MOST_HELD, "days": DAYS - 1, "migration": MIGRATION_MONTHS, "months": MONTHS}

        def asked(query: str, **more: Any) -> Rows:
            return connection.execute(text(query), of | more).all()

        windows = {
            pivot.currency: {"currency": pivot.currency, "first": pivot.places[0], "last": pivot.places[-1]}
            for pivot in revenue
        }
        return Found(
            made_at=datetime.now(UTC),
            administrations=administrations,
            read_at={row.administration: row.read_at for row in asked(_READ_AT)},
            charts={name: draw(connection, language) for name, draw in pictures.PICTURES.items()},
            revenue=revenue,
            customers={currency: asked(_CUSTOMERS, **window) for currency, window in windows.items()},
            salespeople={currency: asked(_SALESPEOPLE, **window) for currency, window in windows.items()},
            dormant=asked(_DORMANT),
            funnel=asked(_FUNNEL),
            reconciliation=asked(_RECONCILIATION),
            tokens=asked(_TOKENS),
            migration=asked(_MIGRATION),
            held=asked(_HELD),
        )


_READ_AT = """
SELECT administration, max(read_at) AS read_at FROM state.watermarks WHERE feed LIKE 'order_changes%' GROUP BY 1
"""
_BY = """
SELECT {columns}, sum(revenue_excl_vat) AS revenue, sum(orders)::int AS orders,
    sum(revenue_excl_vat) / nullif(sum(sum(revenue_excl_vat)) OVER (), 0) AS share, count(*) OVER () AS listed
FROM {mart} WHERE currency = :currency AND month BETWEEN :first AND :last
GROUP BY administration, {key} ORDER BY revenue DESC, administration, {key}
"""
_CUSTOMERS = _BY.format(
    columns="administration, customer_id, max(debtor_code) AS debtor_code, max(customer) AS customer",
    mart="marts.revenue_per_customer",
    key="customer_id",
) + " LIMIT :most"  # fmt: skip
_SALESPEOPLE = _BY.format(
    columns="administration, salesperson_id, max(salesperson) AS salesperson",
    mart="marts.revenue_per_salesperson",
    key="salesperson_id",
)
_DORMANT = """
SELECT *, count(*) OVER () AS listed FROM marts.dormant_customers WHERE is_quiet OR is_dormant
ORDER BY revenue_year_to_last_order_excl_vat DESC, administration, customer_id LIMIT :most
"""
_FUNNEL = """
SELECT stage, currency, sum(orders)::int AS orders, sum(value_excl_vat) AS value, max(oldest_days) AS oldest_days,
    sum(open_up_to_7_days)::int AS open_up_to_7_days, sum(open_8_to_30_days)::int AS open_8_to_30_days,
    sum(open_31_to_90_days)::int AS open_31_to_90_days, sum(open_over_90_days)::int AS open_over_90_days
FROM marts.order_status GROUP BY stage, currency
ORDER BY array_position(ARRAY['new', 'backorder', 'shipped', 'held', 'won', 'lost'], stage), currency
"""
_RECONCILIATION = """
SELECT * FROM marts.reconciliation WHERE month IN (SELECT DISTINCT month FROM marts.reconciliation
    ORDER BY month DESC LIMIT :months) OR differing > 0
ORDER BY month DESC, administration, currency
"""
_TOKENS = """
SELECT budget_day, sum(requests)::int AS requests, sum(tokens)::bigint AS tokens, max(budget) AS budget
FROM marts.crm_token_usage WHERE budget_day >= (SELECT max(budget_day) FROM marts.crm_token_usage) - CAST(:days AS int)
GROUP BY budget_day ORDER BY budget_day DESC
"""
_MIGRATION = """
SELECT * FROM marts.migration WHERE month IN (SELECT DISTINCT month FROM marts.migration ORDER BY month DESC
    LIMIT :migration) OR tokens_to_go > 0 OR deals_to_go > 0 OR rows_to_go > 0 ORDER BY month DESC, administration
"""
_HELD = """
SELECT administration, order_number, reason, since, count(*) OVER () AS listed FROM crm.held_orders
ORDER BY since DESC, administration, order_number LIMIT :held
"""
