"""What people do in Pipedrive: the archive, records that stand there twice, and what an audit found changed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ADMINISTRATION = "name of the administration, as in pipeline.yaml"


def _key(name: str, comment: str, kind: type[sa.types.TypeEngine] = sa.Text) -> sa.Column:
    return sa.Column(name, kind(), nullable=False, comment=comment)


def upgrade() -> None:
    op.add_column(
        "deals",
        sa.Column("rows_written_at", sa.DateTime(timezone=True), nullable=True, comment="last write of its rows (UTC)"),
        schema="pipedrive",
    )
    op.add_column(
        "deals",
        sa.Column(
            "is_archived",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="whether it stands in Pipedrive's archive, where nothing can be changed",
        ),
        schema="pipedrive",
    )
    op.create_table(
        "duplicates",
        _key("administration", _ADMINISTRATION),
        _key("kind", "organizations, products or deals"),
        _key("record_id", "id in Pipedrive of the one too many", sa.BigInteger),
        _key("key", "key both carry"),
        _key("kept_id", "id of the older one, which is kept", sa.BigInteger),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False, comment="when it was found (UTC)"),
        sa.Column("closed_at", sa.DateTime(timezone=True), comment="when the deal was closed as lost (UTC)"),
        sa.PrimaryKeyConstraint("administration", "kind", "record_id"),
        schema="pipedrive",
        comment="Records in Pipedrive that carry the key of one that is there already; they are never fed.",
    )
    op.create_table(
        "drift",
        _key("administration", _ADMINISTRATION),
        _key("kind", "organizations, products, deals or deal_products"),
        _key("key", "key of the record in the table of that name; of a deal's rows its order"),
        _key("field", "what differs: a field by its name, rows, or what happened to the record"),
        sa.Column("number", sa.Text(), comment="order number, debtor code or item code"),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="id in Pipedrive; of rows that of their deal"),
        sa.Column("found", sa.Text(), comment="what stood there"),
        sa.Column("wanted", sa.Text(), comment="what was written last"),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False, comment="when it was found (UTC)"),
        sa.PrimaryKeyConstraint("administration", "kind", "key", "field"),
        schema="pipedrive",
        comment="What an audit found changed by hand in Pipedrive, one row a field; fields of the ERP are put back.",
    )


def downgrade() -> None:
    op.drop_table("drift", schema="pipedrive")
    op.drop_table("duplicates", schema="pipedrive")
    op.drop_column("deals", "is_archived", schema="pipedrive")
    op.drop_column("deals", "rows_written_at", schema="pipedrive")
