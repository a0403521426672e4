"""What waits to be written to Pipedrive, in the order in which it is written. Nothing is written here."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, text

from pipeline.config import Config
from pipeline.warehouse import memory

ALL, MISSING, THERE = "all", "missing", "there"
# For the orders of one lane: what deals need, the deals, what their rows need, the rows.
OF_ORDERS = (
    ("organizations", "needed"),
    ("deals", "orders"),
    ("products", "needed"),
    ("deal_products", "orders"),
)
# Then what no order waits for; organizations that are there already last, so that their figures come after all else.
OF_THE_REST = (("organizations", MISSING), ("products", ALL), ("persons", ALL), ("organizations", ALL))
# Of the same, what doesn't wait for history: changes of what is there already.
CHANGES = (("products", THERE), ("persons", THERE), ("organizations", THERE))


@dataclass(frozen=True)
class Waiting:
    """A record that waits, with the ticket of the state it waits in."""

    administration: str
    key: str
    ticket: int

    @property
    def record(self) -> tuple[str, str]:
        """Administration and key."""
        return self.administration, self.key


# For queries about some records: joined to them, with the parameter that `chosen` gives.
# As JSON: psycopg looks into every character of an array.
CHOSEN = "json_to_recordset(CAST(:chosen AS json)) AS chosen (administration text, key text)"


def chosen(records: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameter of `CHOSEN` for records by administration and key."""
    return {"chosen": json.dumps([{"administration": name, "key": key} for name, key in records])}


def waiting(connection: Connection, kind: str, choice: str, *, live: bool) -> list[Waiting]:
    """The records of that kind that can be written now; what is in doubt, or needs something that is, can't."""
    of_all = {MISSING: _MISSING_ORGANIZATIONS, THERE: _THERE_OF.get(kind), ALL: _ALL_OF.get(kind, _ALL)}
    query = of_all.get(choice) or _BY_KIND[kind]
    parameters = {"stage": f"pipedrive/{kind}", "kind": kind, "live": live}
    found = connection.execute(text(query), parameters)
    return [Waiting(row.administration, row.key, row.ticket) for row in found]


def anything_waits(engine: Engine, config: Config) -> bool:
    """Whether there is anything to ask Pipedrive for."""
    with engine.connect() as connection:
        known = memory.recall(connection, "pipedrive names")
        configured = {"pipeline": config.pipedrive.pipeline, "stages": config.pipedrive.stages.model_dump()}
        return known != configured or connection.execute(text(_ANYTHING)).scalar_one()


def history_waits(engine: Engine) -> bool:
    """Whether a deal of an order that is no live change waits, or its rows."""
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT EXISTS (SELECT {_OF_HISTORY})")).scalar_one()


def unwritten_history(connection: Connection) -> Row:
    """The deals of history that wait, they or their rows: `deals`, the `newest` ticket, and one `administration`."""
    return connection.execute(text(f"SELECT {_WHAT_OF_HISTORY} {_OF_HISTORY}")).one()


def has_new_customers(engine: Engine, *, live: bool) -> bool:
    """Whether a customer waits that has no organization yet; with `live` only those of live orders count."""
    with engine.connect() as connection:
        return connection.execute(text(_NEW_CUSTOMERS), {"live": live}).scalar_one()


_ANYTHING = """
SELECT EXISTS (SELECT FROM state.pending WHERE stage IN
        ('pipedrive/organizations', 'pipedrive/persons', 'pipedrive/products',
        'pipedrive/deals', 'pipedrive/item_groups'))
    OR EXISTS (SELECT FROM pipedrive.intents WHERE kind <> 'deal_products')
    OR EXISTS (SELECT FROM state.pending AS waiting JOIN pipedrive.deals AS deal
        ON deal.administration = waiting.administration AND deal.order_id = waiting.key
        WHERE waiting.stage = 'pipedrive/deal_products')
"""
_OF_HISTORY = """
FROM state.pending AS waiting
JOIN crm.deals AS deal ON deal.administration = waiting.administration AND deal.order_id = waiting.key
WHERE waiting.stage IN ('pipedrive/deals', 'pipedrive/deal_products') AND NOT deal.is_live
"""
_WHAT_OF_HISTORY = "min(deal.administration) AS administration, max(waiting.ticket) AS newest, count(*) AS deals"
_NEW_CUSTOMERS = """
SELECT EXISTS (SELECT FROM state.pending AS waiting
    JOIN crm.organizations AS wanted
        ON wanted.administration = waiting.administration AND wanted.customer_id = waiting.key
    WHERE waiting.stage = 'pipedrive/organizations' AND NOT EXISTS (SELECT FROM pipedrive.organizations AS there
        WHERE there.administration = waiting.administration AND there.customer_id = waiting.key)
    AND (NOT :live OR EXISTS (SELECT FROM crm.deals AS deal WHERE deal.administration = waiting.administration
        AND deal.customer_id = waiting.key AND deal.is_live)))
"""
_NOT_IN_DOUBT = """NOT EXISTS (SELECT FROM pipedrive.intents AS doubt
    WHERE doubt.administration = waiting.administration AND doubt.kind = :kind AND doubt.key = waiting.key)"""
_ALL = f"""
SELECT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
WHERE waiting.stage = :stage AND {_NOT_IN_DOUBT} ORDER BY waiting.administration, waiting.key
"""
_MISSING_ORGANIZATIONS = f"""
SELECT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
WHERE waiting.stage = :stage AND {_NOT_IN_DOUBT}
    AND NOT EXISTS (SELECT FROM pipedrive.organizations AS there
        WHERE there.administration = waiting.administration AND there.customer_id = waiting.key)
ORDER BY waiting.administration, waiting.key
"""
# What people changed of a person goes to the ERP first, and one whose contact is being made there is not made twice.
_NOT_CHANGED = {
    "organizations": "true",
    "products": "true",
    "persons": """NOT EXISTS (SELECT FROM pipedrive.person_changes AS change
    JOIN pipedrive.persons AS known ON known.person_id = change.person_id
    WHERE known.administration = waiting.administration AND known.contact_id = waiting.key
        AND change.waits AND change.reason IS NULL)""",
}
_KEYS = {"organizations": "customer_id", "products": "product_key", "persons": "contact_id"}
_THERE_OF = {
    kind: f"""
SELECT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
JOIN pipedrive.{kind} AS there ON there.administration = waiting.administration AND there.{key} = waiting.key
WHERE waiting.stage = :stage AND {_NOT_IN_DOUBT} AND {_NOT_CHANGED[kind]} ORDER BY waiting.administration, waiting.key
"""
    for kind, key in _KEYS.items()
}
_PERSONS = f"""
SELECT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
LEFT JOIN crm.persons AS wanted ON wanted.administration = waiting.administration AND wanted.contact_id = waiting.key
WHERE waiting.stage = :stage AND {_NOT_IN_DOUBT}
    AND NOT EXISTS (SELECT FROM pipedrive.intents AS doubt WHERE doubt.administration = wanted.administration
        AND doubt.kind = 'organizations' AND doubt.key = wanted.customer_id)
    AND NOT EXISTS (SELECT FROM exact_online.contact_intents AS doubt WHERE doubt.administration = wanted.administration
        AND lower(doubt.e_mail) = lower(wanted.e_mail))
    AND {_NOT_CHANGED["persons"]}
ORDER BY waiting.administration, waiting.key
"""
_ALL_OF = {"persons": _PERSONS}
_NEWEST_FIRST = "ORDER BY deal.order_date DESC NULLS LAST, deal.order_number DESC"
_DEALS = f"""
SELECT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
JOIN crm.deals AS deal ON deal.administration = waiting.administration AND deal.order_id = waiting.key
WHERE waiting.stage = :stage AND deal.is_live = :live AND {_NOT_IN_DOUBT}
    AND NOT EXISTS (SELECT FROM pipedrive.intents AS doubt WHERE doubt.administration = deal.administration
        AND doubt.kind = 'organizations' AND doubt.key = deal.customer_id)
{_NEWEST_FIRST}
"""
_ROWS = f"""
SELECT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
JOIN pipedrive.deals AS there ON there.administration = waiting.administration AND there.order_id = waiting.key
JOIN crm.deals AS deal ON deal.administration = waiting.administration AND deal.order_id = waiting.key
WHERE waiting.stage = :stage AND deal.is_live = :live
    AND NOT EXISTS (SELECT FROM pipedrive.intents AS doubt
        JOIN crm.deal_products AS line ON line.administration = doubt.administration AND line.product_key = doubt.key
        WHERE doubt.kind = 'products' AND line.administration = deal.administration AND line.order_id = deal.order_id)
{_NEWEST_FIRST}
"""
_NEEDED_ORGANIZATIONS = f"""
SELECT DISTINCT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
JOIN crm.deals AS deal ON deal.administration = waiting.administration AND deal.customer_id = waiting.key
JOIN state.pending AS order_waiting ON order_waiting.stage = 'pipedrive/deals'
    AND order_waiting.administration = deal.administration AND order_waiting.key = deal.order_id
LEFT JOIN pipedrive.organizations AS there
    ON there.administration = waiting.administration AND there.customer_id = waiting.key
WHERE waiting.stage = :stage AND deal.is_live = :live AND there.org_id IS NULL AND {_NOT_IN_DOUBT}
"""
_NEEDED_PRODUCTS = f"""
SELECT DISTINCT waiting.administration, waiting.key, waiting.ticket FROM state.pending AS waiting
JOIN crm.deal_products AS line ON line.administration = waiting.administration AND line.product_key = waiting.key
JOIN crm.deals AS deal ON deal.administration = line.administration AND deal.order_id = line.order_id
JOIN state.pending AS order_waiting ON order_waiting.stage = 'pipedrive/deal_products'
    AND order_waiting.administration = deal.administration AND order_waiting.key = deal.order_id
LEFT JOIN pipedrive.products AS there
    ON there.administration = waiting.administration AND there.product_key = waiting.key
WHERE waiting.stage = :stage AND deal.is_live = :live AND there.product_id IS NULL AND {_NOT_IN_DOUBT}
"""
_BY_KIND = {
    "organizations": _NEEDED_ORGANIZATIONS,
    "deals": _DEALS,
    "products": _NEEDED_PRODUCTS,
    "deal_products": _ROWS,
}
