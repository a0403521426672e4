"""Deals outside the archive are counted by an index of theirs: under a cap every run asks how many they are."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "deals_outside_the_archive",
        "deals",
        ["deal_id"],
        unique=False,
        schema="pipedrive",
        postgresql_where=sa.text("NOT is_archived"),
    )


def downgrade() -> None:
    op.drop_index("deals_outside_the_archive", table_name="deals", schema="pipedrive")
