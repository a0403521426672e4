"""The charts of the marts, as Dagster and the analysts' page show them: what is drawn, out of which rows.

How a chart looks is in `charts.py`. Queries answer with what is in the picture, however long history is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import Connection, text

from pipeline.charts import COLOURS, Chart, Number, Series, stacked_bars, stacked_columns
from pipeline.language import Language, number, short_month
from pipeline.report_words import said

MONTHS, MIGRATION_MONTHS, DAYS = 13, 24, 14
_NAMED = len(COLOURS) - 1  # the rest is one series, "other"
AGES = ("open_up_to_7_days", "open_8_to_30_days", "open_31_to_90_days", "open_over_90_days")
STAGES = ("new", "backorder", "shipped", "held")


@dataclass(frozen=True)
class Pivot:
    """Values by name at each of some months or days, the largest names first, what is left over as "other"."""

    places: Sequence[date]
    series: Sequence[tuple[str, Sequence[Number]]]
    currency: str = ""
    later: Number = 0  # what lies beyond the last place

    @property
    def totals(self) -> list[Number]:
        """The sum of all names at each place."""
        return [sum((values[n] for _, values in self.series), 0) for n in range(len(self.places))]


def revenue_charts(connection: Connection, language: Language) -> list[str]:
    """Revenue by item group and month, one chart for each currency."""
    pivots = revenue_by_month(connection, language) or [Pivot([], [])]
    return [stacked_columns(_revenue_chart(pivot, language), partial(number, language)) for pivot in pivots]


def migration_chart(connection: Connection, language: Language) -> list[str]:
    """What is still to be written to Pipedrive, by month of the orders."""
    rows = connection.execute(text(_TO_GO)).all()
    older, shown = rows[:-MIGRATION_MONTHS], rows[-MIGRATION_MONTHS:]
    kinds = ("deals_to_go", "rows_to_go")
    before = {name: [sum(getattr(row, name) for row in older)] if older else [] for name in kinds}
    named = {name: [*before[name], *(getattr(row, name) for row in shown)] for name in kinds}
    is_known = rows or connection.execute(text(_ANY_MONTH)).scalar_one()
    chart = Chart(
        said(language, "migration_chart"),
        [*([said(language, "older")] if older else []), *(short_month(language, row.month) for row in shown)],
        [Series(said(language, name), values) for name, values in named.items()],
        said(language, "nothing_to_go" if is_known else "nothing_yet"),
    )
    return [stacked_columns(chart, partial(number, language))]


def token_chart(connection: Connection, language: Language) -> list[str]:
    """Tokens by day and purpose beside the day's budget."""
    pivot, budgets = tokens_by_day(connection, language)
    chart = Chart(
        said(language, "tokens_chart"),
        [f"{day:%d-%m}" for day in pivot.places],
        [Series(said(language, name), values) for name, values in pivot.series],
        said(language, "no_tokens"),
        said(language, "budget"),
        budgets,
    )
    return [stacked_columns(chart, partial(number, language))]


def age_chart(connection: Connection, language: Language) -> list[str]:
    """Open orders by age, each bar by stage."""
    by_stage = {row.stage: row for row in connection.execute(text(_AGES))}
    chart = Chart(
        said(language, "ages_chart"),
        [said(language, age) for age in AGES],
        [
            Series(said(language, stage), [getattr(by_stage[stage], age) for age in AGES])
            for stage in STAGES
            if stage in by_stage
        ],
        said(language, "no_open_orders"),
    )
    return [stacked_bars(chart, partial(number, language))]


PICTURES: Mapping[str, Callable[[Connection, Language], list[str]]] = {
    "marts.revenue_per_category": revenue_charts,
    "marts.migration": migration_chart,
    "marts.crm_token_usage": token_chart,
    "marts.order_status": age_chart,
}


def revenue_by_month(connection: Connection, language: Language, *, today: date | None = None) -> list[Pivot]:
    """For each currency, the one with most orders first, the last months up to today's with revenue by item group."""
    today = today or datetime.now(UTC).date()
    by_currency: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(text(_REVENUE), {"today": today, "months": MONTHS - 1}):
        by_currency[row.currency].append(row)
    return [
        _pivot(
            list(_months(MONTHS, max(row.last for row in rows))),
            ((row.month, _group(row.item_group, language), row.value) for row in rows),
            currency,
            language,
        )
        for currency, rows in by_currency.items()
    ]


def tokens_by_day(connection: Connection, language: Language) -> tuple[Pivot, list[int | None]]:
    """Tokens by purpose of the last days with any, and each day's budget where it was known."""
    rows = connection.execute(text(_TOKENS), {"days": DAYS - 1}).all()
    if not rows:
        return Pivot([], []), []
    first, last = min(row.budget_day for row in rows), max(row.budget_day for row in rows)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    budgets = {row.budget_day: row.budget for row in rows}
    pivot = _pivot(days, ((row.budget_day, row.purpose, row.tokens) for row in rows), "", language)
    return pivot, [budgets.get(day) for day in days]


def _revenue_chart(pivot: Pivot, language: Language) -> Chart:
    return Chart(
        said(language, "revenue_chart", currency=pivot.currency).removesuffix(" ()"),
        [short_month(language, month) for month in pivot.places],
        [Series(name, values) for name, values in pivot.series],
        said(language, "no_revenue"),
    )


def _pivot(
    places: Sequence[date], rows: Iterable[tuple[date, str, Number]], currency: str, language: Language
) -> Pivot:
    """The rows by name and place, summed; what lies after the last place is only counted."""
    at, named, later = {place: n for n, place in enumerate(places)}, {}, Decimal(0)
    for place, name, value in rows:
        if place in at:
            values = named.setdefault(name, [Decimal(0)] * len(places))
            values[at[place]] += value
        elif place > places[-1]:
            later += value
    largest = sorted(named.items(), key=lambda entry: (-sum(abs(value) for value in entry[1]), entry[0]))
    kept, rest = (largest, []) if len(largest) <= len(COLOURS) else (largest[:_NAMED], largest[_NAMED:])
    other = [(said(language, "other_series"), [sum(column) for column in zip(*(v for _, v in rest), strict=True)])]
    return Pivot(places, [*kept, *(other if rest else [])], currency, later)


def _months(count: int, last: date) -> Iterable[date]:
    """So many first days of months, the last one given."""
    ordinal = last.year * 12 + last.month - 1
    return (date(n // 12, n % 12 + 1, 1) for n in range(ordinal - count + 1, ordinal + 1))


def _group(name: str, language: Language) -> str:
    return {"-": said(language, "no_group"), "Toeslag/korting": said(language, "charges")}.get(name, name)


# The picture ends with the present month, or the last one before it that has revenue; what comes later is told.
_REVENUE = """
WITH shown AS (
    SELECT currency, sum(orders) AS orders,
        coalesce(max(month) FILTER (WHERE month <= :today), max(month)) AS last
    FROM marts.revenue_per_salesperson GROUP BY currency)
SELECT currency, month, item_group, shown.last, sum(revenue_excl_vat) AS value
FROM marts.revenue_per_category JOIN shown USING (currency)
WHERE month >= shown.last - make_interval(months => :months)
GROUP BY currency, month, item_group, shown.last, shown.orders ORDER BY shown.orders DESC, currency, month
"""
# History goes newest month first, so what is to go is in the oldest ones: those with nothing to go are left out.
_TO_GO = """
SELECT month, sum(deals_to_go)::int AS deals_to_go, sum(rows_to_go)::int AS rows_to_go FROM marts.migration
WHERE deals_to_go > 0 OR rows_to_go > 0 GROUP BY month ORDER BY month
"""
_ANY_MONTH = "SELECT EXISTS (SELECT FROM marts.migration)"
_TOKENS = """
SELECT budget_day, purpose, tokens, max(budget) OVER (PARTITION BY budget_day) AS budget FROM marts.crm_token_usage
WHERE budget_day >= (SELECT max(budget_day) FROM marts.crm_token_usage) - CAST(:days AS int)
"""
_AGES = f"""
SELECT stage, {", ".join(f"sum({age})::int AS {age}" for age in AGES)} FROM marts.order_status
WHERE stage NOT IN ('won', 'lost') GROUP BY stage
"""
