"""The inbox of webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _column(
    name: str, comment: str, kind: sa.types.TypeEngine, *parts: sa.Identity, required: bool = True
) -> sa.Column:
    return sa.Column(name, kind, *parts, nullable=not required, comment=comment)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.execute("CREATE SCHEMA IF NOT EXISTS inbox")
    op.create_table(
        "webhook_events",
        _column(
            "hash_code", "signature over the content, upper-case hex; the same notification has the same one", sa.Text()
        ),
        _column("number", "order of receipt, with gaps", sa.BigInteger(), sa.Identity(always=True)),
        _column("administration", "name of the administration, as in pipeline.yaml", sa.Text()),
        _column("division", "division at Exact Online", sa.BigInteger()),
        _column("topic", "what changed: SalesOrders, Items, Accounts …", sa.Text()),
        _column("action", "Update, Delete or Create", sa.Text(), required=False),
        _column("key", "id of the changed record", sa.Text(), required=False),
        _column("content", "Content as it came, to the byte", sa.Text()),
        _column("received_at", "when it came (UTC)", moment),
        _column(
            "handled_at",
            "when a run had read what it told of (UTC); for topics that no feed reads, at once",
            moment,
            required=False,
        ),
        sa.PrimaryKeyConstraint("hash_code"),
        schema="inbox",
        comment="Notifications of Exact Online, each stored once, before it was answered; a run marks them handled.",
    )
    op.create_index("webhook_events_in_order", "webhook_events", ["number"], unique=True, schema="inbox")
    op.create_index(
        "webhook_events_waiting",
        "webhook_events",
        ["administration", "topic", "number"],
        schema="inbox",
        postgresql_where=sa.text("handled_at IS NULL"),
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA inbox CASCADE")
