"""`erp.salespeople` takes in who sells, as orders and customers name them."""

from sqlalchemy import Engine, text

from pipeline.config import Administration
from pipeline.steps.mart_stages import NAMES
from pipeline.warehouse.tables import erp
from pipeline.warehouse.writing import upsert


def refresh_salespeople(engine: Engine, administration: Administration) -> int:
    """Takes in who sells from orders and accounts, and returns how many changed."""
    with engine.begin() as tx:
        people = tx.execute(text(_SALESPEOPLE), {"administration": administration.name})
        named = (dict(row._mapping) for row in people.all())
        return upsert(tx, erp.salespeople, named, pending=(NAMES,), pending_key="salesperson_id")


# From one salesperson to the next through the index, rather than through all orders: there are few, with many each.
_OF_ORDERS = """
(WITH RECURSIVE one AS (
    SELECT min(salesperson) AS salesperson FROM {orders} WHERE administration = :administration
    UNION ALL SELECT (SELECT min(following.salesperson) FROM {orders} AS following
        WHERE following.administration = :administration AND following.salesperson > one.salesperson)
    FROM one WHERE one.salesperson IS NOT NULL)
SELECT one.salesperson, (SELECT max(placed.salesperson_full_name) FROM {orders} AS placed
    WHERE placed.administration = :administration AND placed.salesperson = one.salesperson) AS full_name FROM one)
"""
_SALESPEOPLE = f"""
SELECT CAST(:administration AS text) AS administration, salesperson AS salesperson_id, max(full_name) AS full_name
FROM ({_OF_ORDERS.format(orders="exact_online.order_history")}
    UNION ALL {_OF_ORDERS.format(orders="exact_online.order_changes")}
    UNION ALL SELECT account_manager, max(account_manager_full_name) FROM exact_online.accounts
        WHERE administration = :administration GROUP BY account_manager) AS named
WHERE salesperson IS NOT NULL GROUP BY salesperson
"""
