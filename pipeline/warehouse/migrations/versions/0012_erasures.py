"""Who was erased stays out; what nobody used of a contact, the job title, is no longer kept."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="contact, account, or person for one in Pipedrive"),
        sa.Column("key_hash", sa.Text(), nullable=False, comment="SHA-256 of administration, kind and id, in hex"),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False, comment="when it was erased first (UTC)"),
        sa.PrimaryKeyConstraint("administration", "kind", "key_hash"),
        schema="state",
        comment="Whose personal data was erased, told by a hash: the feeds keep it out, a restore erases it again.",
    )
    op.drop_column("contacts", "job_title_description", schema="exact_online")
    op.drop_column("contacts", "job_title", schema="erp")


def downgrade() -> None:
    op.add_column("contacts", sa.Column("job_title", sa.Text(), nullable=True, comment="job title"), schema="erp")
    op.add_column(
        "contacts",
        sa.Column("job_title_description", sa.Text(), nullable=True, comment="JobTitleDescription"),
        schema="exact_online",
    )
    op.drop_table("erasures", schema="state")
