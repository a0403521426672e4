"""The Pipedrive account as this warehouse knows it: its schema, found once, and what of ours was there."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from pipeline.config import Config
from pipeline.pipedrive import present, setup
from pipeline.pipedrive.bodies import seen
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.fields import CustomField, custom_fields
from pipeline.pipedrive.schema import Schema, User
from pipeline.steps.bookkeeping import RECORD_COLUMNS, doubt_rows, queue_refused, queue_what_waited_for
from pipeline.steps.customer_matching import matches
from pipeline.steps.duplicates import Duplicate, note_duplicates
from pipeline.warehouse import memory
from pipeline.warehouse.pending import QUEUED_AGAIN
from pipeline.warehouse.tables import pipedrive as tables
from pipeline.warehouse.writing import upsert

USERS_KEPT = timedelta(days=1)
LEFT_OUT = "pipedrive fields left out"  # the fact: item groups for whose revenue the plan has no field
_UNCLAIMED = "pipedrive products that nobody wants yet"  # the fact: ids by key


def schema_for(engine: Engine, client: PipedriveClient, config: Config) -> Schema:
    """The account's schema, with all that is wanted in it; Pipedrive is asked only for what isn't known yet."""
    with engine.connect() as connection:
        wanted = wanted_fields(connection, config)
        known = kept_schema(connection)
        names = memory.recall(connection, "pipedrive names")
        users_read_at = memory.recall(connection, "pipedrive users read at")
    if not config.pipedrive.category_amounts:
        _forget_left_out(engine, known)
    stages = config.pipedrive.stages.model_dump()
    configured = {"pipeline": config.pipedrive.pipeline, "stages": stages}
    if names == configured and not known.lacks(wanted, stages):
        if users_read_at and datetime.now(UTC) - datetime.fromisoformat(users_read_at) > USERS_KEPT:
            users, known.users = known.users, setup.users(client)
            _keep(engine, known, configured)
            if users != known.users:
                with engine.begin() as tx:
                    tx.execute(text(_QUEUE_WRITTEN))  # whose owner has left gets another one
        return known
    fields = _largest_first(engine, wanted)
    schema, used_before = setup.complete(client, _named(known, names, configured), fields=fields, **configured)
    if names is None and used_before:
        _recognise(engine, client, config, schema)
    _keep(engine, schema, configured)
    if schema.contradicts(known):
        with engine.begin() as tx:
            tx.execute(text(_QUEUE_WRITTEN))
    return schema


def _forget_left_out(engine: Engine, known: Schema) -> None:
    """No item group lacks a field once none is wanted."""
    if known.left_out:
        known.left_out = []
        with engine.begin() as tx:
            memory.note(tx, LEFT_OUT, [])


def reread_schema(engine: Engine, client: PipedriveClient, config: Config) -> tuple[Schema, bool]:
    """The account's schema as it is now, with what was missing made again, and whether it is another one.

    When it is, everything is compared with it once more, and what was refused is tried again.
    """
    with engine.connect() as connection:
        wanted, known = wanted_fields(connection, config), kept_schema(connection)
        names = memory.recall(connection, "pipedrive names")
    configured = {"pipeline": config.pipedrive.pipeline, "stages": config.pipedrive.stages.model_dump()}
    fields = _largest_first(engine, wanted)
    schema, _ = setup.complete(client, _named(known, names, configured), fields=fields, **configured)
    _keep(engine, schema, configured)
    changed = schema.contradicts(known)
    if changed:
        with engine.begin() as tx:
            tx.execute(text(_QUEUE_WRITTEN))
            queue_refused(tx)
    return schema, changed


def _named(known: Schema, names: Any, configured: Mapping[str, Any]) -> Schema:
    """What is known; pipeline and stages that are configured otherwise now are not: those are found by name."""
    return known if names == configured else replace(known, pipeline_id=0, stages={})


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


def _largest_first(engine: Engine, wanted: list[CustomField]) -> list[CustomField]:
    """The fields for item groups in the order of the groups' revenue, behind all others, which none may crowd out."""
    if not any(field.is_optional for field in wanted):
        return wanted
    with engine.connect() as connection:
        revenue = {row.item_group_code: row.revenue for row in connection.execute(text(_REVENUE))}
    return sorted(
        wanted, key=lambda field: (field.is_optional, -sum(revenue.get(group, 0) for group in field.item_groups))
    )


def group_names(connection: Connection) -> dict[str, str]:
    """Item-group code → name; administrations share the names."""
    query = (
        "SELECT item_group_code, min(item_group) AS item_group FROM erp.item_groups GROUP BY item_group_code ORDER BY 1"
    )
    return {row.item_group_code: row.item_group for row in connection.execute(text(query))}


def kept_schema(connection: Connection) -> Schema:
    """The schema as it was found or made before."""
    schema = Schema(left_out=memory.recall(connection, LEFT_OUT) or [])
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
        memory.note(tx, LEFT_OUT, schema.left_out)
        memory.note(tx, "pipedrive names", configured)
        memory.note(tx, "pipedrive users read at", datetime.now(UTC).isoformat())


def _recognise(engine: Engine, client: PipedriveClient, config: Config, schema: Schema) -> None:
    """Links persons, products and deals an earlier installation made, so that none of them is made a second time."""
    for kind in ("persons", "products", "deals"):
        remember_found(engine, kind, present.recorded(client, schema, kind), config)


def remember_found(
    engine: Engine,
    kind: str,
    found: Iterable[present.Found],
    config: Config,
    written: Mapping[str, Any] | None = None,
) -> None:
    """Links records that carry one of our keys; of two with one key the oldest, the other is noted as a duplicate.

    `written` gives the content that was to be written, where we know it: what of it stands there was. Others are
    written once more, and the rows of such deals read.
    """
    written = written or {}
    if kind == "products":
        found = _wanted_products(engine, found, config)
    table, (key, record_id) = getattr(tables, kind), RECORD_COLUMNS[kind]
    chosen, duplicates = _first_of_each(engine, kind, found, config)
    rows = [
        {
            "administration": administration,
            key: one.key,
            record_id: one.record_id,
            "written": seen(written[one.key], one.record) if written.get(one.key) else None,
            **({"is_archived": bool(one.record.get("is_archived"))} if kind == "deals" else {}),
        }
        for (administration, _), one in chosen.items()
    ]
    with engine.begin() as tx:
        upsert(tx, table, rows, keeping=(record_id, "written"))
        note_duplicates(tx, kind, duplicates)
        queue_what_waited_for(tx, kind, [row[key] for row in rows])
        if kind == "deals":
            unread = [(row["administration"], row[key]) for row in rows if row["written"] is None]
            doubt_rows(tx, unread)


def claim_products(engine: Engine, config: Config) -> None:
    """Links products that were found before the ERP had told which administration wants them."""
    with engine.connect() as connection:
        unclaimed: dict[str, int] = memory.recall(connection, _UNCLAIMED) or {}
    if unclaimed:
        found = [present.Found(key, product_id) for key, product_id in unclaimed.items()]
        remember_found(engine, "products", found, config)


def _wanted_products(engine: Engine, found: Iterable[present.Found], config: Config) -> list[present.Found]:
    """Those of which it is known whose they are; the others are kept in mind until an administration wants them."""
    if len(config.administrations) == 1:
        return list(found)
    with engine.begin() as tx:
        wanted, unclaimed = _wanting(tx, "products"), dict(memory.recall(tx, _UNCLAIMED) or {})
        known, new = [], {}
        for one in found:
            if one.key in wanted:
                known.append(one)
            else:
                new[one.key] = min(one.record_id, new.get(one.key, one.record_id))
        left = {key: product_id for key, product_id in (unclaimed | new).items() if key not in wanted}
        if left != unclaimed:
            memory.note(tx, _UNCLAIMED, left)
    return known


def _first_of_each(
    engine: Engine, kind: str, found: Iterable[present.Found], config: Config
) -> tuple[dict[tuple[str, str], present.Found], list[Duplicate]]:
    """The oldest record of each key in each administration, and those too many.

    Products don't say whose they are: they go to the administrations that want such a product, one to each.
    """
    names = [administration.name for administration in config.administrations]
    with engine.connect() as connection:
        wanted, linked = _wanting(connection, kind), _linked(connection, kind)
    chosen: dict[tuple[str, str], present.Found] = {}
    duplicates: list[Duplicate] = []
    for one in sorted(found, key=lambda one: one.record_id):
        owners = [one.administration] if one.administration in names else wanted.get(one.key, names)
        places = [(owner, one.key) for owner in owners]
        own = [place for place in places if linked.get(place) == one.record_id]
        free = own or [place for place in places if place not in chosen and place not in linked]
        if free:
            chosen[free[0]] = one
        else:
            kept = chosen.get(places[0]) or present.Found(one.key, linked[places[0]])
            duplicates.append((owners[0], one, kept))
    return chosen, duplicates


def _wanting(connection: Connection, kind: str) -> dict[str, list[str]]:
    """The administrations that want a record of that key."""
    key, _ = RECORD_COLUMNS[kind]
    wanted: dict[str, list[str]] = {}
    for row in connection.execute(text(f"SELECT administration, {key} AS key FROM crm.{kind} ORDER BY 1, 2")):
        wanted.setdefault(row.key, []).append(row.administration)
    return wanted


def _linked(connection: Connection, kind: str) -> dict[tuple[str, str], int]:
    """The records known already."""
    key, record_id = RECORD_COLUMNS[kind]
    query = f"SELECT administration, {key} AS key, {record_id} AS record_id FROM pipedrive.{kind}"
    return {(row.administration, row.key): row.record_id for row in connection.execute(text(query))}


def adopt_organizations(engine: Engine, client: PipedriveClient, schema: Schema) -> None:
    """Links organizations that stand in Pipedrive already to customers without one."""
    organizations = list(present.candidates(client, schema))
    with engine.begin() as tx:
        rows = [
            {"administration": administration, "customer_id": customer, "org_id": found.org_id}
            for (administration, customer), found in matches(tx, organizations).items()
            if found.org_id is not None
        ]
        upsert(tx, tables.organizations, rows)
        queue_what_waited_for(tx, "organizations", [row["customer_id"] for row in rows])


_REVENUE = """
SELECT line.item_group_code, sum(line.amount_excl_vat) AS revenue FROM erp.order_lines AS line
JOIN erp.orders AS placed ON placed.administration = line.administration AND placed.order_id = line.order_id
WHERE line.item_group_code IS NOT NULL AND placed.status <> 'cancelled' AND NOT placed.is_deleted GROUP BY 1
"""
_QUEUE_WRITTEN = f"""
INSERT INTO state.pending (stage, administration, key)
SELECT 'pipedrive/organizations', administration, customer_id FROM pipedrive.organizations
    JOIN crm.organizations USING (administration, customer_id)
UNION ALL SELECT 'pipedrive/persons', administration, contact_id FROM pipedrive.persons
    JOIN crm.persons USING (administration, contact_id)
UNION ALL SELECT 'pipedrive/products', administration, product_key FROM pipedrive.products
    JOIN crm.products USING (administration, product_key)
UNION ALL SELECT 'pipedrive/deals', administration, order_id FROM pipedrive.deals
    JOIN crm.deals USING (administration, order_id)
{QUEUED_AGAIN}
"""
