"""What a sync would write to Pipedrive now and what that costs, without asking or writing anything there."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, text

from pipeline.config import Config
from pipeline.domain.budget import READ_LIST, READ_STAGES, READ_USERS, WRITE, add_price
from pipeline.pipedrive.fields import PATHS
from pipeline.steps.account import kept_schema, wanted_fields
from pipeline.warehouse import memory


@dataclass
class Plan:
    """Records to create and to update in each table, and the tokens they cost."""

    create: Counter[str] = field(default_factory=Counter)
    update: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    remaining: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain numbers."""
        kinds = ("deals", "deal_products", "organizations", "products")
        tables = {
            kind: {"create": self.create[kind], "update": self.update[kind], "tokens": self.tokens[kind]}
            for kind in kinds
        }
        setup = self.tokens["setup"]
        return {
            **tables,
            "setup": setup,
            "tokens": sum(self.tokens.values()),
            "tokens_left_today": self.remaining,
        }


def plan(engine: Engine, config: Config, daily_tokens: int) -> Plan:
    """The plan as it stands; rows of deals are priced as if a deal's rows were added anew."""
    planned = Plan()
    with engine.connect() as connection:
        for kind, query in _RECORDS.items():
            row = connection.execute(text(query)).one()
            planned.create[kind], planned.update[kind] = row.created, row.updated
            planned.tokens[kind] = (row.created + row.updated) * WRITE
        for row in connection.execute(text(_ROWS)):
            planned.create["deal_products"] += max(0, row.wanted - row.written)
            planned.update["deal_products"] += min(row.wanted, row.written)
            planned.tokens["deal_products"] += add_price(row.wanted) if not row.written else WRITE
        planned.tokens["setup"] = _setup_price(connection, config)
        budget = memory.recall(connection, "pipedrive budget") or {}
    planned.remaining = budget.get("remaining", daily_tokens)
    return planned


def _setup_price(connection: Connection, config: Config) -> int:
    fields = wanted_fields(connection, config)
    schema = kept_schema(connection)
    missing = [field for field in fields if (field.entity, field.name) not in schema.fields]
    reading = 0 if schema.users else READ_USERS + 2 * READ_STAGES + len(PATHS) * READ_LIST
    return reading + len(missing) * WRITE


_RECORD = """
SELECT count(*) FILTER (WHERE there.{id} IS NULL) AS created, count(there.{id}) AS updated FROM state.pending AS waiting
JOIN crm.{table} AS wanted ON wanted.administration = waiting.administration AND wanted.{key} = waiting.key
LEFT JOIN pipedrive.{table} AS there ON there.administration = waiting.administration AND there.{key} = waiting.key
WHERE waiting.stage = 'pipedrive/{table}'
"""
_RECORDS = {
    "organizations": _RECORD.format(table="organizations", key="customer_id", id="org_id"),
    "products": _RECORD.format(table="products", key="product_key", id="product_id"),
    "deals": _RECORD.format(table="deals", key="order_id", id="deal_id"),
}
_ROWS = """
SELECT waiting.key, count(wanted.row_key) AS wanted, (SELECT count(*) FROM pipedrive.deal_products AS there
    WHERE there.administration = waiting.administration AND there.order_id = waiting.key) AS written
FROM state.pending AS waiting
LEFT JOIN crm.deal_products AS wanted
    ON wanted.administration = waiting.administration AND wanted.order_id = waiting.key
WHERE waiting.stage = 'pipedrive/deal_products' GROUP BY waiting.administration, waiting.key
"""
