"""The Pipedrive account as this warehouse knows it: its schema, found once, and what of ours was there."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from pipeline.config import Config
from pipeline.domain.matching import Wanted, match
from pipeline.pipedrive import present, setup
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.fields import CustomField, custom_fields
from pipeline.pipedrive.schema import Schema, User
from pipeline.warehouse import memory
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.writing import upsert

USERS_KEPT = timedelta(days=1)
RECORD_COLUMNS = {
    "organizations": ("customer_id", "org_id"),
    "products": ("product_key", "product_id"),
    "deals": ("order_id", "deal_id"),
}


def schema_for(engine: Engine, client: PipedriveClient, config: Config) -> Schema:
    """The account's schema, with all that is wanted in it; Pipedrive is asked only for what isn't known yet."""
    with engine.connect() as connection:
        wanted = wanted_fields(connection, config)
        known = kept_schema(connection)
        names = memory.recall(connection, "pipedrive names")
        users_read_at = memory.recall(connection, "pipedrive users read at")
    stages = config.pipedrive.stages.model_dump()
    configured = {"pipeline": config.pipedrive.pipeline, "stages": stages}
    if names == configured and not known.lacks(wanted, stages):
        if users_read_at and datetime.now(UTC) - datetime.fromisoformat(users_read_at) > USERS_KEPT:
            known.users = setup.users(client)
            _keep(engine, known, configured)
        return known
    schema, used_before = setup.complete(client, known, fields=wanted, **configured)
    if names is None and used_before:
        _recognise(engine, client, config, schema)
    _keep(engine, schema, configured)
    return schema


def wanted_fields(connection: Connection, config: Config) -> list[CustomField]:
    """Every custom field that should be there, with the options known today."""
    collections = None
    if config.pipedrive.collection_field:
        rows = connection.execute(text("SELECT DISTINCT collection FROM crm.products WHERE collection IS NOT NULL"))
        collections = {row.collection: row.collection for row in rows}
    return custom_fields(
        administrations={administration.name: administration.name for administration in config.administrations},
        item_groups=group_names(connection),
        collections=collections,
        category_amounts=config.pipedrive.category_amounts,
    )


def group_names(connection: Connection) -> dict[str, str]:
    """Item-group code → name; administrations share the names."""
    query = (
        "SELECT item_group_code, min(item_group) AS item_group FROM erp.item_groups GROUP BY item_group_code ORDER BY 1"
    )
    return {row.item_group_code: row.item_group for row in connection.execute(text(query))}


def kept_schema(connection: Connection) -> Schema:
    """The schema as it was found or made before."""
    schema = Schema()
    for row in connection.execute(tables.stages.select()):
        schema.stages[row.stage] = row.stage_id
        schema.pipeline_id = row.pipeline_id
    for row in connection.execute(tables.fields.select()):
        schema.fields[row.entity, row.name] = row.field_code
    for row in connection.execute(tables.field_options.select()):
        schema.options[row.entity, row.name, row.meaning] = (row.option_id, row.label)
    for row in connection.execute(tables.users.select()):
        schema.users[row.e_mail] = User(row.user_id, row.is_active, row.is_token_owner)
    return schema


def _keep(engine: Engine, schema: Schema, configured: Mapping) -> None:
    with engine.begin() as tx:
        for table in (tables.stages, tables.fields, tables.field_options, tables.users):
            tx.execute(table.delete())
        pipeline_id = schema.pipeline_id
        upsert(
            tx,
            tables.stages,
            ({"stage": stage, "stage_id": found, "pipeline_id": pipeline_id} for stage, found in schema.stages.items()),
        )
        upsert(
            tx,
            tables.fields,
            ({"entity": entity, "name": name, "field_code": code} for (entity, name), code in schema.fields.items()),
        )
        upsert(
            tx,
            tables.field_options,
            (
                {"entity": entity, "name": name, "meaning": meaning, "label": label, "option_id": option}
                for (entity, name, meaning), (option, label) in schema.options.items()
            ),
        )
        upsert(tx, tables.users, ({"e_mail": e_mail, **vars(user)} for e_mail, user in schema.users.items()))
        memory.note(tx, "pipedrive names", configured)
        memory.note(tx, "pipedrive users read at", datetime.now(UTC).isoformat())


def _recognise(engine: Engine, client: PipedriveClient, config: Config, schema: Schema) -> None:
    """Links products and deals an earlier installation made, so that none of them is made a second time."""
    for kind in ("products", "deals"):
        remember_found(engine, kind, present.recorded(client, schema, kind), config)


def remember_found(
    engine: Engine,
    kind: str,
    found: Iterable[present.Found],
    config: Config,
    written: Mapping[str, Any] | None = None,
) -> None:
    """Links records that carry one of our keys.

    `written` gives the content of those we know it of; others are written once more, and the rows of such deals read.
    """
    written = written or {}
    table, (key, record_id) = getattr(tables, kind), RECORD_COLUMNS[kind]
    names = [administration.name for administration in config.administrations]
    rows = [
        {"administration": administration, key: one.key, record_id: one.record_id, "written": written.get(one.key)}
        for one in found
        for administration in ([one.administration] if one.administration in names else names)
    ]
    with engine.begin() as tx:
        upsert(tx, table, rows, keeping=(record_id, "written"))
        if kind == "deals":
            now = datetime.now(UTC)
            unread = [row for row in rows if row["written"] is None]
            doubts = [
                {"administration": row["administration"], "kind": "deal_products", "key": row[key], "intended_at": now}
                for row in unread
            ]
            upsert(tx, tables.intents, doubts, keeping=("intended_at",))


def adopt_organizations(engine: Engine, client: PipedriveClient, schema: Schema) -> None:
    """Links organizations that stand in Pipedrive already to customers without one."""
    organizations = list(present.candidates(client, schema))
    with engine.begin() as tx:
        taken = {row.org_id for row in tx.execute(text("SELECT org_id FROM pipedrive.organizations"))}
        customers = {row.customer_id: Wanted(**row._mapping) for row in tx.execute(text(_WITHOUT_ORGANIZATION))}
        free = [candidate for candidate in organizations if candidate.org_id not in taken]
        rows = [
            {"administration": customers[customer].administration, "customer_id": customer, "org_id": org_id}
            for customer, org_id in match(customers.values(), free).items()
        ]
        upsert(tx, tables.organizations, rows)


_WITHOUT_ORGANIZATION = """
SELECT customer_id, name, debtor_code, administration, postcode, website FROM crm.organizations AS wanted
WHERE NOT EXISTS (SELECT FROM pipedrive.organizations AS there
    WHERE there.administration = wanted.administration AND there.customer_id = wanted.customer_id)
"""
