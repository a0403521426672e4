"""A compare of all ids, every night: nothing that changed in Exact stays unseen because a feed passed over it.

Headers with the ids of their lines are asked for, 1,000 orders a call: 20,000 orders take 20 calls. What differs is
read whole; what is here and not there is asked for by its id before it counts as deleted. What Exact said each order is
worth is kept in `exact_online.order_totals`, apart from what landed, so that the one proves the other.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import md5
from typing import Any

from sqlalchemy import Connection, Engine, text

from pipeline.config import Administration
from pipeline.errors import GiveUp
from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.odata import datetime_literal, nested_rows, plain
from pipeline.steps.deletions import AT_ONCE, ORDER_STAGES, forget_orders, still_there
from pipeline.steps.landing import begin_order_feeds, lines_of
from pipeline.steps.order_history import land_orders, window
from pipeline.warehouse import memory
from pipeline.warehouse.connection import only_one
from pipeline.warehouse.pending import queue

MONTHS_ASKED = " months asked"  # remembered under this name, after the administration's: which, and when
MOST_BY_ID = 250  # orders; of more their months are read, which takes fewer calls
_SELECT = "OrderID,OrderNumber,OrderDate,Currency,AmountFCExclVat,Modified,SalesOrderLines/ID"
_COLUMNS = """order_id text PRIMARY KEY, order_number integer, order_date timestamp, month date, currency text,
    amount_fc_excl_vat numeric, modified timestamp, lines text"""


@dataclass(frozen=True)
class Compared:
    """What a compare found: orders in Exact, those that were read again, those that are gone, and what it cost."""

    orders: int
    read: int
    gone: int
    calls: int

    def figures(self) -> dict[str, int]:
        """What a materialisation shows of the compare."""
        return {"orders": self.orders, "read_again": self.read, "gone": self.gone, "exact_calls": self.calls}


def compare_orders(
    engine: Engine, client: ExactOnlineClient, administration: Administration, *, months: int
) -> Compared:
    """Compares the orders of the months that were read, within the last so many, with those that Exact shows.

    Raises GiveUp when Exact shows next to nothing, and whatever a reading raises; then the totals stay what they were.
    """
    name, calls = administration.name, client.calls
    with engine.connect() as connection:
        landed = memory.landed_months(connection, name) & set(window(administration, months))
    if not landed:
        return Compared(0, 0, 0, 0)
    with only_one(engine, f"{name} order_history"), _table_of_its_own(engine) as there:
        as_of = begin_order_feeds(engine, client, administration)
        asked_at = datetime.fromtimestamp(client.now(), UTC)
        for page in _pages(client, min(landed)):
            there.execute(text(_ADD), page)
        of = {"administration": name, "landed": list(landed), "first": min(landed), "newest": max(landed)}
        differing = list(there.execute(text(_DIFFERING), of).all())
        suspected = [row.order_id for row in there.execute(text(_SUSPECTED), of)]
        orders = there.execute(text("SELECT count(*) FROM there")).scalar_one()
        _check(len(suspected), orders)
        found = still_there(client, suspected)
        ids = sorted(found | {row.order_id for row in differing})
        with engine.begin() as tx:
            forget_orders(tx, name, set(suspected) - found)
            if len(ids) > MOST_BY_ID:
                memory.ask_for_months(tx, name, {min(row.month, max(landed)) for row in differing})
        if len(ids) <= MOST_BY_ID:
            land_orders(engine, client, administration, ids, as_of=as_of)
            _take_over_headers(engine, name, ids)
        _keep_totals(there, of | {"asked_at": asked_at})
    return Compared(orders, len(ids), len(suspected) - len(found), client.calls - calls)


@contextmanager
def _table_of_its_own(engine: Engine) -> Iterator[Connection]:
    """A connection with a temporary table for what Exact shows; no transaction stays open while Exact is asked."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE TEMPORARY TABLE there ({_COLUMNS})"))
        try:
            yield connection
        finally:
            connection.execute(text("DROP TABLE there"))


def _pages(client: ExactOnlineClient, first: date) -> Any:
    for page in client.pages(
        feeds.ORDER_HISTORY.path,
        filter=f"OrderDate ge {datetime_literal(first)}",
        select=_SELECT,
        expand="SalesOrderLines",
    ):
        lines = {order["OrderID"]: nested_rows(order.get("SalesOrderLines")) for order in page}
        cut_off = [order_id for order_id, found in lines.items() if found is None]
        asked: dict[str, list[dict[str, Any]]] = {order_id: [] for order_id in cut_off}
        for start in range(0, len(cut_off), AT_ONCE):
            for part in lines_of(client, cut_off[start : start + AT_ONCE]):
                for line in part:
                    asked[line["order_id"]].append({"ID": line["id"]})
        if page:
            yield [_row(order, asked.get(order["OrderID"]) or lines[order["OrderID"]] or []) for order in page]


def _row(order: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    ordered = plain(order.get("OrderDate"))
    ids = ",".join(sorted(line["ID"] for line in lines))
    return {
        "order_id": order["OrderID"],
        "order_number": order.get("OrderNumber"),
        "order_date": ordered,
        "currency": plain(order.get("Currency")),
        "amount_fc_excl_vat": order.get("AmountFCExclVat"),
        "month": ordered.date().replace(day=1) if ordered else None,
        "modified": plain(order.get("Modified")),
        "lines": md5(ids.encode(), usedforsecurity=False).hexdigest(),
    }


def _keep_totals(there: Connection, of: Mapping[str, Any]) -> None:
    """What Exact said takes the place of what it said the last time, with the months it was asked about."""
    asked = {"asked_at": of["asked_at"].isoformat(), "months": sorted(month.isoformat() for month in of["landed"])}
    dbapi: Any = there.connection.driver_connection  # by hand, since only this connection has the temporary table
    with dbapi.transaction():
        there.execute(text("DELETE FROM exact_online.order_totals WHERE administration = :administration"), of)
        there.execute(text(_TOTALS), of)
        memory.note(there, f"{of['administration']}{MONTHS_ASKED}", asked)


def _check(suspected: int, orders: int) -> None:
    """Half a company does not vanish in a day: then the answer is wrong, not the warehouse."""
    if suspected > max(MOST_BY_ID, orders):
        raise GiveUp(
            f"Exact Online shows {orders:,} orders, and {suspected:,} that are known here are not among them; nothing "
            "was taken out. Check the division in pipeline.yaml and the user's rights."
        )


def _take_over_headers(engine: Engine, administration: str, order_ids: list[str]) -> None:
    """Headers that the feed told and changed since without telling: the newer reading takes their place."""
    with engine.begin() as tx:
        of = {"administration": administration, "ids": order_ids}
        queue(tx, ORDER_STAGES, administration, [row.order_id for row in tx.execute(text(_TAKE_OVER), of)])


_HEADER = [column for _, column in feeds.ORDER_HISTORY.columns if column != "order_id"]
_ADD = """
INSERT INTO there (order_id, order_number, order_date, month, currency, amount_fc_excl_vat, modified, lines)
VALUES (:order_id, :order_number, :order_date, :month, :currency, :amount_fc_excl_vat, :modified, :lines)
ON CONFLICT DO NOTHING
"""
_ASKED = "(there.month = ANY(:landed) OR there.month > :newest)"
_TOTALS = f"""
INSERT INTO exact_online.order_totals
    (administration, order_id, order_number, order_date, currency, amount_fc_excl_vat, asked_at)
SELECT :administration, order_id, order_number, order_date, currency, amount_fc_excl_vat, :asked_at
FROM there WHERE {_ASKED}
"""
_ON_THE_WAY = """
EXISTS (SELECT FROM state.pending AS waiting WHERE waiting.stage IN ('erp/orders', 'erp/order_lines')
    AND waiting.administration = :administration AND waiting.key = {order_id})
"""
_DIFFERING = f"""
SELECT there.order_id, there.month FROM there
LEFT JOIN erp.orders AS known ON known.administration = :administration AND known.order_id = there.order_id
LEFT JOIN exact_online.order_history AS landed
    ON landed.administration = :administration AND landed.order_id = there.order_id
LEFT JOIN exact_online.order_changes AS changed
    ON changed.administration = :administration AND changed.order_id = there.order_id
LEFT JOIN LATERAL (SELECT md5(coalesce(string_agg(line.line_id, ',' ORDER BY line.line_id COLLATE "C"), '')) AS lines
    FROM erp.order_lines AS line
    WHERE line.administration = :administration AND line.order_id = there.order_id) AS here ON true
WHERE {_ASKED} AND NOT {_ON_THE_WAY.format(order_id="there.order_id")}
    AND (known.order_id IS NULL OR known.is_deleted OR here.lines <> there.lines
        OR there.modified IS NOT NULL AND there.modified IS DISTINCT FROM landed.modified
            AND there.modified IS DISTINCT FROM changed.modified)
ORDER BY there.order_id
"""
_SUSPECTED = f"""
SELECT known.order_id FROM erp.orders AS known
WHERE known.administration = :administration AND known.order_date >= :first AND NOT known.is_deleted
    AND NOT EXISTS (SELECT FROM there WHERE there.order_id = known.order_id)
    AND NOT {_ON_THE_WAY.format(order_id="known.order_id")}
ORDER BY known.order_id
"""
_TAKE_OVER = f"""
UPDATE exact_online.order_changes AS told SET ({", ".join(_HEADER)}) = ROW({", ".join(f"whole.{c}" for c in _HEADER)})
FROM exact_online.order_history AS whole
WHERE told.administration = :administration AND told.order_id = ANY(:ids)
    AND whole.administration = told.administration AND whole.order_id = told.order_id
    AND told.timestamp > whole.as_of AND whole.modified > told.modified
RETURNING told.order_id
"""
