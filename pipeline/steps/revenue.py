"""The revenue marts: by month, and item group, customer or salesperson.

`state.counted_revenue` remembers what each order counts for. An order that changed has that taken back and is counted
anew, so the work follows the size of the change, and an order that moves to another month, customer or group leaves
nothing behind. The three marts are changed by one difference, and so agree to the cent.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from pipeline.steps.mart_stages import NAMES, REVENUE
from pipeline.warehouse.connection import lock_until_commit
from pipeline.warehouse.pending import note_waiting, noted_is_done, waiting

MANY = 500  # orders from which on the planner is told how large the tables have become


@dataclass(frozen=True)
class Mart:
    """How a mart is told from the two others: its key, the names it shows, which rows it takes."""

    table: str
    key: str
    names: tuple[str, ...]
    known: str  # the names of today, as (administration, key, *names)
    shown: str  # what a new row shows of them
    takes: str  # which rows of the difference
    is_order: str  # which of those stand for a whole order, or for its part under this key


PER_CATEGORY = Mart(
    "marts.revenue_per_category",
    "item_group_code",
    ("item_group",),
    "SELECT administration, item_group_code AS key, max(item_group) AS item_group FROM erp.item_groups GROUP BY 1, 2",
    "CASE WHEN key = '' THEN 'Toeslag/korting' ELSE coalesce(item_group, key) END",
    "item_group_code <> '' OR revenue_excl_vat <> 0",
    "true",
)
PER_CUSTOMER = Mart(
    "marts.revenue_per_customer",
    "customer_id",
    ("debtor_code", "customer"),
    "SELECT administration, customer_id AS key, debtor_code, name AS customer FROM erp.customers",
    "debtor_code, customer",
    "true",
    "item_group_code = ''",
)
PER_SALESPERSON = Mart(
    "marts.revenue_per_salesperson",
    "salesperson_id",
    ("salesperson",),
    "SELECT administration, salesperson_id AS key, full_name AS salesperson FROM erp.salespeople",
    "salesperson",
    "true",
    "item_group_code = ''",
)
MARTS = (PER_CATEGORY, PER_CUSTOMER, PER_SALESPERSON)


def refresh_revenue(engine: Engine) -> dict[str, int]:
    """Counts the orders that changed anew, follows names that changed, and returns the rows changed by mart."""
    with engine.begin() as tx:
        lock_until_commit(tx, REVENUE)
        changed = dict.fromkeys((mart.table for mart in MARTS), 0)
        if _take_orders(tx):
            _count(tx)
            for mart in MARTS:
                changed[mart.table] += tx.execute(text(_add(mart))).rowcount
                tx.execute(text(f"DELETE FROM {mart.table} WHERE orders = 0"))
            for statement in (_FORGET, _REMEMBER):
                tx.execute(text(statement))
            noted_is_done(tx, REVENUE, "changed_orders", "order_id")
        if tx.execute(text("DELETE FROM state.pending WHERE stage = :stage"), {"stage": NAMES}).rowcount:
            for mart in MARTS:
                changed[mart.table] += tx.execute(text(_rename(mart))).rowcount
        return changed


def _take_orders(tx: Connection) -> int:
    """The orders that wait, in the table `changed_orders`; how many there are."""
    if not waiting(tx, REVENUE):
        return 0
    taken = note_waiting(tx, REVENUE, "changed_orders", "order_id")
    if taken >= MANY:
        tx.execute(text("ANALYZE erp.orders, erp.order_lines"))
        for setting in _FOR_MANY:
            tx.execute(text(f"SET LOCAL {setting}"))
    return taken


def _count(tx: Connection) -> None:
    """What they count for now, in the table `counted_anew`."""
    tx.execute(text("CREATE TEMPORARY TABLE counted_anew (LIKE state.counted_revenue) ON COMMIT DROP"))
    tx.execute(text(_LINES))
    tx.execute(text("ANALYZE counted_anew"))
    tx.execute(text(_REST))


def _add(mart: Mart) -> str:
    names = ", ".join(mart.names)
    figures = ("revenue_excl_vat", "orders", "lines", "quantity")
    sums = ", ".join(f"{name} = there.{name} + excluded.{name}" for name in figures)
    return f"""
INSERT INTO {mart.table} AS there (administration, month, {mart.key}, currency, {names}, {", ".join(figures)})
SELECT administration, month, key, currency, {mart.shown}, {", ".join(figures)}
FROM (
    SELECT administration, month, {mart.key} AS key, currency, sum(sign * revenue_excl_vat) AS revenue_excl_vat,
        coalesce(sum(sign) FILTER (WHERE {mart.is_order}), 0) AS orders,
        sum(sign * lines) AS lines, sum(sign * quantity) AS quantity
    FROM ({_DIFFERENCE}) AS difference WHERE {mart.takes} GROUP BY 1, 2, 3, 4) AS changed
LEFT JOIN ({mart.known}) AS known USING (administration, key)
WHERE ({", ".join(figures)}) <> (0, 0, 0, 0)
ON CONFLICT (administration, month, {mart.key}, currency) DO UPDATE SET {sums}
"""


def _rename(mart: Mart) -> str:
    names = ", ".join(mart.names)
    shown, today = (", ".join(f"{side}.{name}" for name in mart.names) for side in ("shown", "known"))
    return f"""
UPDATE {mart.table} AS shown SET ({names}) = ROW ({today}) FROM ({mart.known}) AS known
WHERE known.administration = shown.administration AND known.key = shown.{mart.key}
    AND ({shown}) IS DISTINCT FROM ({today})
"""


# Sums of all orders at once are kept in memory rather than sorted on the disk.
_FOR_MANY = ("work_mem = '128MB'", "jit = off")
_COLUMNS = """administration, order_id, item_group_code, month, customer_id, salesperson_id, currency,
    revenue_excl_vat, lines, quantity"""
_COUNTED = """(SELECT placed.administration, placed.order_id, date_trunc('month', placed.order_date)::date AS month,
        coalesce(placed.customer_id, '-') AS customer_id, coalesce(placed.salesperson_id, '-') AS salesperson_id,
        placed.currency, placed.amount_excl_vat
    FROM changed_orders JOIN erp.orders AS placed USING (administration, order_id)
    WHERE NOT placed.is_deleted AND placed.status <> 'cancelled' AND placed.order_date IS NOT NULL
        AND placed.amount_excl_vat IS NOT NULL) AS counted"""
_LINES = f"""
INSERT INTO counted_anew ({_COLUMNS})
SELECT administration, order_id, item_group_code, month, customer_id, salesperson_id, currency,
    line.revenue_excl_vat, line.lines, line.quantity
FROM {_COUNTED} JOIN (
    SELECT administration, order_id, coalesce(item_group_code, '-') AS item_group_code,
        sum(amount_excl_vat) AS revenue_excl_vat, count(*) AS lines, sum(quantity) AS quantity
    FROM changed_orders JOIN erp.order_lines USING (administration, order_id) GROUP BY 1, 2, 3
) AS line USING (administration, order_id)
"""
# What the lines don't explain of an order's amount (header discount, charges), so that a month adds up to its orders
# to the cent. Every order that counts has this row: it is what the other two marts count orders by.
_REST = f"""
INSERT INTO counted_anew ({_COLUMNS})
SELECT administration, order_id, '', month, customer_id, salesperson_id, currency,
    amount_excl_vat - coalesce(explained.amount, 0), 0, 0
FROM {_COUNTED} LEFT JOIN (
    SELECT administration, order_id, sum(revenue_excl_vat) AS amount FROM counted_anew GROUP BY 1, 2
) AS explained USING (administration, order_id)
"""
_DIFFERENCE = f"""
SELECT 1 AS sign, {_COLUMNS} FROM counted_anew
UNION ALL SELECT -1, {_COLUMNS} FROM changed_orders JOIN state.counted_revenue USING (administration, order_id)
"""
_FORGET = """
DELETE FROM state.counted_revenue AS counted USING changed_orders AS changed
WHERE counted.administration = changed.administration AND counted.order_id = changed.order_id
"""
_REMEMBER = f"INSERT INTO state.counted_revenue ({_COLUMNS}) SELECT {_COLUMNS} FROM counted_anew"
