from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pipeline.warehouse.tables import metadata
def test_all(shared_engine):
    with shared_engine.connect() as c:
        names={t.schema for t in metadata.tables.values()}
        o={"version_table_schema":"state","include_schemas":True,"include_name":lambda n,k,_: k!="schema" or n in names,"compare_type":True}
        d=compare_metadata(MigrationContext.configure(c,opts=o),metadata)
        print([x for x in d]); assert not d
