"""What is still to be written to Pipedrive, by month of its orders, in the order of work and with its price in tokens.

Counted in the warehouse; Pipedrive is asked nothing. On which days it is done is `domain/forecast.py`'s.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Row, text

from pipeline.domain.budget import WRITE, add_price
from pipeline.domain.forecast import Work
from pipeline.domain.row_plan import plan_rows
from pipeline.steps.backlog import Waiting
from pipeline.steps.months import month_of
from pipeline.steps.row_tasks import row_tasks

_ORDER_OF_WORK = ("organizations", "deals", "products", "deal_products", "persons")
_CHUNK = 500  # deals
_MANY = 1_000  # waiting: then everything is joined at once, whatever the planner knows of tables that were just filled


@dataclass(frozen=True)
class ToGo:
    """Pieces of one kind and price for the orders of a month: records, or the rows of one deal each.

    Customers and products stand in the month that needs them first; those that no order waits for, and persons, have
    no month and come last.
    """

    kind: str
    administration: str
    month: date | None
    is_live: bool
    price: int  # tokens of one piece
    pieces: int
    created: int  # records or rows, of all pieces together
    updated: int

    @property
    def tokens(self) -> int:
        """Tokens of all pieces."""
        return self.price * self.pieces

    @property
    def work(self) -> Work:
        """The same for a forecast."""
        return Work(self.price, self.pieces, self.is_live)


def to_go(connection: Connection) -> list[ToGo]:
    """Everything that waits, in the order in which it is written; see `steps/apply.py`."""
    many = connection.execute(text(_HOW_MANY)).scalar_one() > _MANY
    if many:
        connection.execute(text("SET LOCAL enable_nestloop = off"))
    found = [_records(row) for row in connection.execute(text(_RECORDS))]
    rows = connection.execute(text(_ROWS)).all()
    connection.execute(text("SET LOCAL enable_nestloop = on"))
    found += [_new_rows(row) for row in rows if not row.changed]
    found += _changed_rows(connection, [row for row in rows if row.changed])
    return sorted(found, key=_place)


def _place(part: ToGo) -> tuple[int, int, int]:
    if part.month is None:
        return 2, _ORDER_OF_WORK.index(part.kind), 0
    return (0 if part.is_live else 1), _ORDER_OF_WORK.index(part.kind), -part.month.toordinal()


def _records(row: Row) -> ToGo:
    pieces = row.created + row.updated
    place = (row.kind, row.administration, row.month, row.is_live)
    return ToGo(*place, price=WRITE, pieces=pieces, created=row.created, updated=row.updated)


def _new_rows(row: Row) -> ToGo:
    place = ("deal_products", row.administration, row.month, row.is_live)
    return ToGo(*place, price=add_price(row.rows), pieces=row.deals, created=row.rows * row.deals, updated=0)


def _changed_rows(connection: Connection, changed: Sequence[Row]) -> list[ToGo]:
    """The rows of deals that have some: what each takes is found as the writer finds it."""
    pieces: Counter[tuple] = Counter()
    created: Counter[tuple] = Counter()
    updated: Counter[tuple] = Counter()
    for start in range(0, len(changed), _CHUNK):
        chunk = {(row.administration, row.changed): row for row in changed[start : start + _CHUNK]}
        for task in row_tasks(connection, [Waiting(*record, ticket=0) for record in chunk]):
            row, task.plan = chunk[task.waiting.record], plan_rows(task.written, task.wanted)
            place = (row.administration, row.month, row.is_live, task.price)
            pieces[place] += 1
            created[place] += len(task.plan.add)
            updated[place] += len(task.plan.change)
    return [
        ToGo("deal_products", *place, pieces=count, created=created[place], updated=updated[place])
        for place, count in pieces.items()
    ]


_HOW_MANY = "SELECT count(*) FROM state.pending WHERE stage LIKE 'pipedrive/%'"
_MONTH = month_of("deal.order_date")
_DEALS_TO_GO = f"""deals_to_go AS MATERIALIZED (
    SELECT deal.administration, deal.order_id, deal.customer_id, deal.is_live, {_MONTH} AS month,
        there.deal_id IS NULL AS is_new
    FROM state.pending AS waiting
    JOIN crm.deals AS deal ON deal.administration = waiting.administration AND deal.order_id = waiting.key
    LEFT JOIN pipedrive.deals AS there
        ON there.administration = deal.administration AND there.order_id = deal.order_id
    WHERE waiting.stage = 'pipedrive/deals' AND (there.deal_id IS NOT NULL OR NOT deal.is_deleted))"""
_ROWS_TO_GO = f"""rows_to_go AS MATERIALIZED (
    SELECT deal.administration, deal.order_id, deal.is_live, {_MONTH} AS month
    FROM state.pending AS waiting
    JOIN crm.deals AS deal ON deal.administration = waiting.administration AND deal.order_id = waiting.key
    LEFT JOIN pipedrive.deals AS there
        ON there.administration = deal.administration AND there.order_id = deal.order_id
    WHERE waiting.stage = 'pipedrive/deal_products' AND (there.deal_id IS NOT NULL OR NOT deal.is_deleted))"""
_WAITING_RECORD = """waiting_{kind} AS MATERIALIZED (
    SELECT waiting.administration, waiting.key, there.{id} IS NULL AS is_new
    FROM state.pending AS waiting
    JOIN crm.{kind} AS wanted ON wanted.administration = waiting.administration AND wanted.{key} = waiting.key
    LEFT JOIN pipedrive.{kind} AS there
        ON there.administration = waiting.administration AND there.{key} = waiting.key
    WHERE waiting.stage = 'pipedrive/{kind}'{also})"""
_TO_LINK = " AND (there.person_id IS NOT NULL OR wanted.customer_id IS NOT NULL)"  # who left before is never made
_FIRST_NEEDED = """SELECT needed.administration, needed.key, bool_or(by.is_live) AS is_live,
        coalesce(max(by.month) FILTER (WHERE by.is_live), max(by.month)) AS month"""
_COUNTED = """count(*) FILTER (WHERE is_new) AS created, count(*) FILTER (WHERE NOT is_new) AS updated"""
_RECORDS = f"""
WITH {_DEALS_TO_GO},
{_ROWS_TO_GO},
{_WAITING_RECORD.format(kind="organizations", key="customer_id", id="org_id", also="")},
{_WAITING_RECORD.format(kind="products", key="product_key", id="product_id", also="")},
{_WAITING_RECORD.format(kind="persons", key="contact_id", id="person_id", also=_TO_LINK)},
organizations_needed AS (
    {_FIRST_NEEDED} FROM waiting_organizations AS needed
    JOIN deals_to_go AS by ON by.administration = needed.administration AND by.customer_id = needed.key
    WHERE needed.is_new GROUP BY 1, 2),
products_needed AS (
    {_FIRST_NEEDED} FROM waiting_products AS needed
    JOIN crm.deal_products AS line ON line.administration = needed.administration AND line.product_key = needed.key
    JOIN rows_to_go AS by ON by.administration = line.administration AND by.order_id = line.order_id
    WHERE needed.is_new GROUP BY 1, 2)
SELECT 'deals' AS kind, administration, month, is_live, {_COUNTED} FROM deals_to_go GROUP BY 2, 3, 4
UNION ALL
SELECT 'organizations', administration, month, coalesce(is_live, false), {_COUNTED}
FROM waiting_organizations LEFT JOIN organizations_needed USING (administration, key) GROUP BY 2, 3, 4
UNION ALL
SELECT 'products', administration, month, coalesce(is_live, false), {_COUNTED}
FROM waiting_products LEFT JOIN products_needed USING (administration, key) GROUP BY 2, 3, 4
UNION ALL
SELECT 'persons', administration, NULL, false, {_COUNTED} FROM waiting_persons GROUP BY 2
"""
# By index for each deal: quick for one and for all, whatever the planner knows of the tables.
_ROWS_COUNTED = f"""
WITH {_ROWS_TO_GO}
SELECT administration, order_id, month, is_live,
    (SELECT count(*) FROM crm.deal_products AS line
        WHERE line.administration = rows_to_go.administration AND line.order_id = rows_to_go.order_id) AS rows,
    (SELECT true FROM pipedrive.deal_products AS there
        WHERE there.administration = rows_to_go.administration AND there.order_id = rows_to_go.order_id
        LIMIT 1) AS known
FROM rows_to_go
"""
_ROWS = f"""
SELECT administration, month, is_live, CASE WHEN known THEN order_id END AS changed,
    CASE WHEN known THEN 0 ELSE rows END AS rows, count(*) AS deals
FROM ({_ROWS_COUNTED}) AS counted GROUP BY 1, 2, 3, 4, 5
"""
