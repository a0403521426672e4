"""Whole months of orders from Exact Online, with their lines, into `exact_online.order_history`.

A month that is read again is replaced exactly: what vanished in Exact vanishes here, and only what differs goes on.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
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
_EARLIEST = date(1900, 1, 1)
_LINE_COLUMNS = feeds.ORDER_HISTORY_LINES.columns[1:]


@dataclass
class MonthsRead:
    """What a reading of months brought."""

    calls: int = 0
    changed: int = 0
    vanished: int = 0
    orders: dict[date, int] = field(default_factory=dict)
    lines: dict[date, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    stopped: str | None = None  # the sentence that says why it ended before its end

    def figures(self) -> dict[str, Any]:
        """What a materialisation shows of the reading."""
        stopped = {"stopped": self.stopped} if self.stopped else {}
        return {
            "exact_calls": self.calls,
            "orders": sum(self.orders.values()),
            "lines": sum(self.lines.values()),
            "vanished": self.vanished,
            **stopped,
        }

    def add(self, other: "MonthsRead") -> None:
        """Takes in another administration's reading."""
        self.calls, self.changed = self.calls + other.calls, self.changed + other.changed
        self.vanished, self.stopped = self.vanished + other.vanished, other.stopped or self.stopped
        for month in other.orders:
            self.orders[month] = self.orders.get(month, 0) + other.orders[month]
            self.lines[month] = self.lines.get(month, 0) + other.lines[month]


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
            for row in _in_parts(chosen):
                read.add(land_months(engine, client, administration, row, today=today))
                if read.stopped:
                    break
    return read


def finish_history(engine: Engine, client: ExactOnlineClient, config: Config, administration: str) -> MonthsRead:
    """Reads the months that were asked for and not read to their end."""
    with engine.connect() as connection:
        left = memory.months_to_read(connection, administration)
    return land_history(engine, lambda _: client, config, {administration: sorted(left)} if left else {})


def _in_parts(months: Sequence[date]) -> list[list[date]]:
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
    read = MonthsRead(orders=dict.fromkeys(months, 0), lines=dict.fromkeys(months, 0))
    calls = client.calls
    with only_one(engine, f"{administration.name} order_history"):
        try:
            as_of = begin_order_feeds(engine, client, administration)
            for page in _pages(client, months, today):
                rows = [_landed(administration.name, order, lines, as_of, months) for order, lines in page]
                _count(read, rows)
                read.changed += _write(engine, rows)
            _forget_vanished(engine, administration.name, months, as_of, read)
        except BudgetSpent as problem:
            read.stopped = str(problem)
    read.calls = client.calls - calls
    return read


def land_orders(
    engine: Engine, client: ExactOnlineClient, administration: Administration, order_ids: Sequence[str], *, as_of: int
) -> int:
    """Reads single orders whole, as a reading of their months would have brought them; returns how many differ."""
    changed, months = 0, window(administration, 0)
    for start in range(0, len(order_ids), ORDERS_AT_ONCE):
        asked = any_of("OrderID", order_ids[start : start + ORDERS_AT_ONCE])
        for page in _read_whole(client, asked):
            rows = [_landed(administration.name, order, lines, as_of, [_EARLIEST, *months]) for order, lines in page]
            for row in rows:
                row.pop("line_count")
            changed += _write(engine, rows)
    return changed


def _write(engine: Engine, rows: list[dict[str, Any]]) -> int:
    with engine.begin() as tx:
        return upsert(tx, tables.order_history, rows, pending=ORDER_STAGES, pending_key="order_id", ignoring=("as_of",))


def _pages(client: ExactOnlineClient, months: Sequence[date], today: date) -> Iterator[list[tuple[dict, list[dict]]]]:
    later = next_month(months[-1])
    until = "" if later > today else f" and OrderDate lt {datetime_literal(later)}"
    return _read_whole(client, f"OrderDate ge {datetime_literal(months[0])}{until}")


def _read_whole(client: ExactOnlineClient, which: str) -> Iterator[list[tuple[dict, list[dict]]]]:
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
        read.orders[row["month"]] += 1
        read.lines[row["month"]] += row.pop("line_count")


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
        read.vanished = tx.execute(text(_FORGET), parameters).scalar_one()
        memory.note_landed(
            tx,
            (
                {
                    "administration": administration,
                    "month": month,
                    "orders": read.orders[month],
                    "lines": read.lines[month],
                }
                for month in months
            ),
        )
        memory.months_were_read(tx, administration, months)


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
    RETURNING kept.order_id),
from_changes AS (
    DELETE FROM exact_online.order_changes AS kept
    WHERE kept.administration = :administration AND kept.timestamp <= :as_of
        AND kept.order_date >= :first AND kept.order_date < :behind
        AND NOT EXISTS (SELECT FROM seen WHERE seen.order_id = kept.order_id)
    RETURNING kept.order_id),
vanished AS (SELECT order_id FROM from_history UNION SELECT order_id FROM from_changes),
queued AS (
    INSERT INTO state.pending (stage, administration, key)
    SELECT stage, :administration, order_id FROM vanished, unnest(CAST(:stages AS text[])) AS stage
    {QUEUED_AGAIN})
SELECT count(*) FROM vanished
"""
