"""How things stand: freshness of feeds, backlog, budget, what is held, and the last failure."""

from typing import Any

from sqlalchemy import Engine, text

from pipeline.steps.account import LEFT_OUT
from pipeline.steps.backup import LAST_BACKUP
from pipeline.steps.ledger_book import BUDGET
from pipeline.steps.migration import months_of_migration
from pipeline.warehouse import memory


def status(engine: Engine) -> dict[str, Any]:
    """Everything `pipeline status` shows, as plain values."""
    with engine.connect() as connection:
        return {
            "feeds": [dict(row._mapping) for row in connection.execute(text(_FEEDS))],
            "tables": {row.name: row.rows for row in connection.execute(text(_TABLES))},
            "backlog": {row.stage: row.waiting for row in connection.execute(text(_BACKLOG))},
            "in_doubt": connection.execute(text("SELECT count(*) FROM pipedrive.intents")).scalar_one(),
            "migration": months_of_migration(connection),
            "budget": memory.recall(connection, BUDGET),
            "held_orders": [dict(row._mapping) for row in connection.execute(text(_HELD))],
            "held_customers": [dict(row._mapping) for row in connection.execute(text(_HELD_CUSTOMERS))],
            "contacts_to_exact": {
                "waiting": connection.execute(text(_TO_EXACT)).scalar_one(),
                "held": [dict(row._mapping) for row in connection.execute(text(_HELD_PERSONS))],
            },
            "hand_edits": [dict(row._mapping) for row in connection.execute(text(_DRIFT))],
            "duplicates": connection.execute(text("SELECT count(*) FROM pipedrive.duplicates")).scalar_one(),
            "item_groups_left_out": memory.recall(connection, LEFT_OUT) or [],
            "last_backup": memory.recall(connection, LAST_BACKUP),
            "last_failure": memory.recall(connection, "last failure"),
        }


_FEEDS = (
    "SELECT administration, feed, read_at, now() - read_at AS age FROM state.watermarks ORDER BY administration, feed"
)
_TABLES = """
SELECT 'erp.orders' AS name, count(*) AS rows FROM erp.orders UNION ALL SELECT 'crm.deals', count(*) FROM crm.deals
UNION ALL SELECT 'pipedrive.deals', count(*) FROM pipedrive.deals
UNION ALL SELECT 'pipedrive.deal_products', count(*) FROM pipedrive.deal_products
UNION ALL SELECT 'pipedrive.organizations', count(*) FROM pipedrive.organizations
UNION ALL SELECT 'pipedrive.persons', count(*) FROM pipedrive.persons
UNION ALL SELECT 'pipedrive.products', count(*) FROM pipedrive.products
"""
_BACKLOG = "SELECT stage, count(*) AS waiting FROM state.pending GROUP BY stage ORDER BY stage"
_HELD = "SELECT administration, order_number, reason, since FROM crm.held_orders ORDER BY since DESC, order_number"
_TO_EXACT = "SELECT count(*) FROM pipedrive.person_changes WHERE waits"
_HELD_PERSONS = """
SELECT person_id, reason, since FROM pipedrive.person_changes WHERE since IS NOT NULL
ORDER BY since DESC, person_id
"""
_DRIFT = """
SELECT kind, field, count(*) AS records, max(found_at) AS found_at FROM pipedrive.drift
GROUP BY kind, field ORDER BY kind, field
"""
_HELD_CUSTOMERS = """
SELECT administration, number AS debtor_code, reason, since FROM crm.held WHERE entity = 'customer' ORDER BY since DESC
"""
