"""What a sync would write to Pipedrive now and what that costs, without asking or writing anything there."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection, Engine, text

from pipeline.config import Config
from pipeline.domain.budget import READ_LIST, READ_STAGES, READ_USERS, WRITE, add_price
from pipeline.domain.row_plan import plan_rows
from pipeline.pipedrive.fields import PATHS
from pipeline.steps.account import kept_schema, wanted_fields
from pipeline.steps.backlog import Waiting
from pipeline.steps.ledger_book import ledger_of_today
from pipeline.steps.row_tasks import row_tasks


@dataclass
class Plan:
    """Records to create and to update in each table, and the tokens they cost."""

    create: Counter[str] = field(default_factory=Counter)
    update: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    remaining: int = 0
    a_day: int = 0  # tokens a day that history may use

    @property
    def done_on(self) -> date | None:
        """The day on which all of it is written, if nothing else comes; None when no day is left tokens for it."""
        left = sum(self.tokens.values()) - max(0, self.remaining)
        today = datetime.now(UTC).date()
        if left <= 0:
            return today
        return today + timedelta(days=ceil(left / self.a_day)) if self.a_day else None

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
            "tokens_a_day": self.a_day,
            "done_on": self.done_on and self.done_on.isoformat(),
        }


def plan(engine: Engine, config: Config, daily_tokens: int) -> Plan:
    """The plan as it stands."""
    planned = Plan()
    with engine.connect() as connection:
        for kind, query in _RECORDS.items():
            row = connection.execute(text(query)).one()
            planned.create[kind], planned.update[kind] = row.created, row.updated
            planned.tokens[kind] = (row.created + row.updated) * WRITE
        for deal in connection.execute(text(_NEW_ROWS)):
            planned.create["deal_products"] += deal.wanted
            planned.tokens["deal_products"] += add_price(deal.wanted)
        _plan_changed_rows(connection, planned)
        planned.tokens["setup"] = _setup_price(connection, config)
    ledger = ledger_of_today(engine, config, daily_tokens)
    planned.remaining = ledger.may_spend(live=True)
    planned.a_day = int(ledger.limit * (1 - config.budget.keep_for_live))
    return planned


def _plan_changed_rows(connection: Connection, planned: Plan) -> None:
    changed = [Waiting(row.administration, row.key, 0) for row in connection.execute(text(_CHANGED_ROWS))]
    for start in range(0, len(changed), _CHUNK):
        for task in row_tasks(connection, changed[start : start + _CHUNK]):
            rows = plan_rows(task.written, task.wanted)
            planned.create["deal_products"] += len(rows.add)
            planned.update["deal_products"] += len(rows.change)
            planned.tokens["deal_products"] += rows.price


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
_NO_ROWS_YET = """NOT EXISTS (SELECT FROM pipedrive.deal_products AS there
    WHERE there.administration = waiting.administration AND there.order_id = waiting.key)"""
_NEW_ROWS = f"""
SELECT count(*) AS wanted FROM state.pending AS waiting
JOIN crm.deal_products AS wanted ON wanted.administration = waiting.administration AND wanted.order_id = waiting.key
WHERE waiting.stage = 'pipedrive/deal_products' AND {_NO_ROWS_YET} GROUP BY waiting.administration, waiting.key
"""
_CHANGED_ROWS = f"""
SELECT administration, key FROM state.pending AS waiting
WHERE stage = 'pipedrive/deal_products' AND NOT {_NO_ROWS_YET} ORDER BY administration, key
"""
_CHUNK = 500  # deals
