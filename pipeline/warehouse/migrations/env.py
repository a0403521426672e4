"""Runs migrations on the connection that `warehouse/migrating.py` hands over; there is no other way in."""

from alembic import context

from pipeline.warehouse.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema="state",
    include_schemas=True,
    include_name=lambda name, kind, parents: kind != "schema" or name in {t.schema for t in metadata.tables.values()},
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
