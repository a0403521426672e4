"""Whole months of orders from Exact Online, with their lines, into `exact_online.order_history`.

A month that is read again is replaced exactly: what vanished in Exact vanishes here, and only what differs goes on.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from pipeline.config import Administration, Config
from pipeline.errors import BudgetSpent
from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.odata import any_of, datetime_literal, nested_rows, record
from pipeline.steps.deletions import AT_ONCE as ORDERS_AT_ONCE
from pipeline.steps.deletions import ORDER_STAGES
from pipeline.steps.landing import begin_order_feeds, lines_of
from pipeline.warehouse import memory
from pipeline.warehouse.connection import only_one
from pipeline.warehouse.pending import QUEUED_AGAIN
from pipeline.warehouse.tables import exact_online as tables
from pipeline.warehouse.writing import upsert

AT_ONCE = 24  # months that are read in one go
_LOG = logging.getLogger("pipeline")
_EARLIEST = date(1900, 1, 1)
_LINE_COLUMNS = feeds.ORDER_HISTORY_LINES.columns[1:]


@dataclass
class Month:
    """What Exact said of one administration's month in a reading."""

    orders: int = 0
    lines: int = 0
    vanished: int = 0
    value: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))  # excl. VAT, by currency
    is_whole: bool = False  # whether the reading came to its end


@dataclass
class MonthsRead:
    """What a reading of months brought, by administration and month."""

    calls: int = 0
    changed: int = 0
    months: dict[tuple[str, date], Month] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    stopped: str | None = None  # the sentence that says why it ended before its end

    @property
    def orders(self) -> dict[tuple[str, date], int]:
        """Orders by administration and month."""
        return {key: month.orders for key, month in self.months.items()}

    def figures(self) -> dict[str, Any]:
        """What a materialisation shows of the reading as a whole."""
        stopped = {"stopped": self.stopped} if self.stopped else {}
        months = self.months.values()
        return {
            "exact_calls": self.calls,
            "orders": sum(month.orders for month in months),
            "lines": sum(month.lines for month in months),
            "vanished": sum(month.vanished for month in months),
            **stopped,
        }

    def add(self, other: "MonthsRead") -> None:
        """Takes in the reading of other months."""
        self.calls, self.changed = self.calls + other.calls, self.changed + other.changed
        self.months |= other.months
        self.stopped = other.stopped or self.stopped


def land_history(
    engine: Engine,
    client_of: Callable[[str], ExactOnlineClient],
    config: Config,
    months: Mapping[str, Sequence[date]],
) -> MonthsRead:
    """Reads the months of each administration, newest first, those that follow each other in one go.

    A share of the day's calls is left to live changes. Where it is reached, what landed stays, and the months that were
    not read to their end are kept to be read later (`finish_history`).
    """
    read = MonthsRead()
    for name, chosen in months.items():
        administration, client = config.administration(name), client_of(name)
        with engine.begin() as tx:
            memory.ask_for_months(tx, name, chosen)
        today = datetime.now(ZoneInfo(administration.time_zone)).date()
        with client.sparing(config.budget.keep_for_live):
            for row in in_parts(chosen):
                read.add(land_months(engine, client, administration, row, today=today))
                if read.stopped:
                    break
    return read


def finish_history(engine: Engine, client: ExactOnlineClient, config: Config, administration: str) -> MonthsRead:
    """Reads the months that were asked for and not read to their end."""
    with engine.connect() as connection:
        left = memory.months_to_read(connection, administration)
    return land_history(engine, lambda _: client, config, {administration: sorted(left)} if left else {})


def in_parts(months: Sequence[date]) -> list[list[date]]:
    """The months in groups without a gap and not too long, so that a day's calls are enough for one; newest first."""
    parts = [row[start : start + AT_ONCE] for row in in_a_row(months) for start in range(0, len(row), AT_ONCE)]
    return parts[::-1]


def in_a_row(months: Sequence[date]) -> list[list[date]]:
    """The months in groups that follow each other without a gap."""
    groups: list[list[date]] = []
    for month in sorted(months):
        if groups and next_month(groups[-1][-1]) == month:
            groups[-1].append(month)
        else:
            groups.append([month])
    return groups


def land_months(
    engine: Engine, client: ExactOnlineClient, administration: Administration, months: Sequence[date], *, today: date
) -> MonthsRead:
    """Reads those months, which follow each other, in one go, and replaces what stood there.

    The month of today takes in every later order date too: such an order has no month of its own yet.
    """
    read = MonthsRead(months={(administration.name, month): Month() for month in months})
    calls = client.calls
    with only_one(engine, f"{administration.name} order_history"):
        try:
            as_of = begin_order_feeds(engine, client, administration)
            for page in pages_of_months(client, months, today):
                rows = [_landed(administration.name, order, lines, as_of, months) for order, lines in page]
                _count(read, rows)
                read.changed += _write(engine, rows)
                _LOG.info("%s: %s orders of %s read", administration.name, f"{len(read.seen):,}", _shown(months))
            _forget_vanished(engine, administration.name, months, as_of, read)
        except BudgetSpent as problem:
            read.stopped = str(problem)
    read.calls = client.calls - calls
    return read


def _shown(months: Sequence[date]) -> str:
    return " to ".join(f"{month:%Y-%m}" for month in dict.fromkeys((months[0], months[-1])))


def land_orders(
    engine: Engine, client: ExactOnlineClient, administration: Administration, order_ids: Sequence[str], *, as_of: int
) -> int:
    """Reads single orders whole, as a reading of their months would have brought them; returns how many differ."""
    changed, months = 0, window(administration, 0)
    for start in range(0, len(order_ids), ORDERS_AT_ONCE):
        asked = any_of("OrderID", order_ids[start : start + ORDERS_AT_ONCE])
        for page in read_whole(client, asked):
            rows = [_landed(administration.name, order, lines, as_of, [_EARLIEST, *months]) for order, lines in page]
            for row in rows:
                row.pop("line_count")
            changed += _write(engine, rows)
    return changed


def _write(engine: Engine, rows: list[dict[str, Any]]) -> int:
    with engine.begin() as tx:
        return upsert(tx, tables.order_history, rows, pending=ORDER_STAGES, pending_key="order_id", ignoring=("as_of",))


def pages_of_months(
    client: ExactOnlineClient, months: Sequence[date], today: date
) -> Iterator[list[tuple[dict, list[dict]]]]:
    """Pages of the orders of months that follow each other, those dated later than today with the month of today."""
    later = next_month(months[-1])
    until = "" if later > today else f" and OrderDate lt {datetime_literal(later)}"
    return read_whole(client, f"OrderDate ge {datetime_literal(months[0])}{until}")


def read_whole(client: ExactOnlineClient, which: str) -> Iterator[list[tuple[dict, list[dict]]]]:
    """Pages of orders, each with all its lines: where an answer cut them off they are read by their order."""
    for page in client.pages(
        feeds.ORDER_HISTORY.path,
        filter=which,
        select=feeds.expanded_lines(),
        expand="SalesOrderLines",
    ):
        lines = {order["OrderID"]: nested_rows(order.get("SalesOrderLines")) for order in page}
        for order_id in [order_id for order_id, found in lines.items() if found is None]:
            lines[order_id] = [line for part in lines_of(client, [order_id]) for line in part]
        yield [(order, [_line(line) for line in lines[order["OrderID"]] or []]) for order in page]


def _line(line: dict[str, Any]) -> dict[str, Any]:
    """A line in columns, whether it came expanded or was asked for."""
    return {column: line[column] for _, column in _LINE_COLUMNS} if "id" in line else record(line, _LINE_COLUMNS)


def _landed(administration: str, order: dict, lines: list[dict], as_of: int, months: Sequence[date]) -> dict[str, Any]:
    header = record(order, feeds.ORDER_HISTORY.columns)
    month = header["order_date"].date().replace(day=1) if header["order_date"] else months[-1]
    return {
        "administration": administration,
        **header,
        "month": min(max(month, months[0]), months[-1]),
        "as_of": as_of,
        "lines": json.dumps(lines, default=str, ensure_ascii=False),
        "line_count": len(lines),
    }


def _count(read: MonthsRead, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        read.seen.add(row["order_id"])
        month = read.months[row["administration"], row["month"]]
        month.orders += 1
        month.lines += row.pop("line_count")
        month.value[row["currency"] or ""] += Decimal(str(row["amount_fc_excl_vat"] or 0))


def _forget_vanished(engine: Engine, administration: str, months: Sequence[date], as_of: int, read: MonthsRead) -> None:
    parameters = {
        "administration": administration,
        "months": list(months),
        "first": months[0],
        "behind": next_month(months[-1]),
        "as_of": as_of,
        "seen": list(read.seen),
        "stages": list(ORDER_STAGES),
    }
    with engine.begin() as tx:
        for row in tx.execute(text(_FORGET), parameters):
            read.months[administration, row.month].vanished = row.orders
        landed = ({"month": month, **_counts(read.months[administration, month])} for month in months)
        memory.note_landed(tx, ({"administration": administration, **row} for row in landed))
        memory.months_were_read(tx, administration, months)
    for month in months:
        read.months[administration, month].is_whole = True


def _counts(month: Month) -> dict[str, int]:
    return {"orders": month.orders, "lines": month.lines}


def figures_by_month(engine: Engine, config: Config, read: MonthsRead) -> dict[tuple[str, date], dict[str, Any]]:
    """What Exact said of each month that was read, beside what stands in `erp` for it now."""
    presents = {name: window(config.administration(name), 0)[-1] for name, _ in read.months}
    in_erp: dict[tuple[str, date], Month] = defaultdict(Month)
    with engine.connect() as connection:
        for name, present in presents.items():
            for row in connection.execute(text(_IN_ERP), {"administration": name, "present": present}):
                in_erp[name, row.month].orders += row.orders
                in_erp[name, row.month].value[row.currency] = row.value
    return {
        key: {
            "orders": month.orders,
            "lines": month.lines,
            "vanished": month.vanished,
            "value_in_exact": _amounts(month.value),
            "orders_in_erp": in_erp[key].orders,
            "value_in_erp": _amounts(in_erp[key].value),
            "read_to_its_end": month.is_whole,
        }
        for key, month in read.months.items()
    }


def _amounts(value: Mapping[str, Decimal]) -> str:
    """Amounts excl. VAT, each with its currency."""
    return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(value.items())) or "0"


def window(administration: Administration, months: int) -> list[date]:
    """The months of the history window, the present one last."""
    today = datetime.now(ZoneInfo(administration.time_zone)).date()
    month = date(today.year - (months - today.month + 12) // 12, (today.month - 1 - months) % 12 + 1, 1)
    found = [month]
    while next_month(found[-1]) <= today:
        found.append(next_month(found[-1]))
    return found


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


_FORGET = f"""
WITH seen AS (SELECT unnest(CAST(:seen AS text[])) AS order_id),
from_history AS (
    DELETE FROM exact_online.order_history AS kept
    WHERE kept.administration = :administration AND kept.month = ANY(CAST(:months AS date[]))
        AND NOT EXISTS (SELECT FROM seen WHERE seen.order_id = kept.order_id)
    RETURNING kept.order_id, kept.month),
from_changes AS (
    DELETE FROM exact_online.order_changes AS kept
    WHERE kept.administration = :administration AND kept.timestamp <= :as_of
        AND kept.order_date >= :first AND kept.order_date < :behind
        AND NOT EXISTS (SELECT FROM seen WHERE seen.order_id = kept.order_id)
    RETURNING kept.order_id, date_trunc('month', kept.order_date)::date AS month),
vanished AS (
    SELECT order_id, max(month) AS month FROM (SELECT * FROM from_history UNION ALL SELECT * FROM from_changes) AS gone
    GROUP BY order_id),
queued AS (
    INSERT INTO state.pending (stage, administration, key)
    SELECT stage, :administration, order_id FROM vanished, unnest(CAST(:stages AS text[])) AS stage
    {QUEUED_AGAIN})
SELECT month, count(*) AS orders FROM vanished GROUP BY month
"""
# As months are read: the present one takes in what is dated later.
_IN_ERP = """
SELECT least(date_trunc('month', order_date)::date, CAST(:present AS date)) AS month, currency, count(*) AS orders,
    coalesce(sum(amount_excl_vat), 0) AS value
FROM erp.orders WHERE administration = :administration AND NOT is_deleted AND order_date IS NOT NULL GROUP BY 1, 2
"""
