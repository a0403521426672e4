"""What organizations show of a customer's orders and receivables; what people decided about organizations alike."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MONEY = sa.Numeric(18, 2)


def upgrade() -> None:
    for column in (
        sa.Column("last_order_date", sa.Date(), comment='"Laatste order": date of the newest order'),
        sa.Column(
            "revenue_12_months",
            _MONEY,
            nullable=False,
            server_default="0",
            comment='"Omzet 12 maanden": without VAT, of the twelve full months before this one',
        ),
        sa.Column(
            "open_amount", _MONEY, nullable=False, server_default="0", comment='"Openstaand": sum of open receivables'
        ),
        sa.Column(
            "currency",
            sa.Text(),
            nullable=False,
            server_default="EUR",
            comment="the administration's currency, of both amounts",
        ),
        sa.Column("is_dormant", sa.Boolean(), nullable=False, server_default="false", comment='"Slapend": Ja or Nee'),
    ):
        op.add_column("organizations", column, schema="crm")
    for name in ("revenue_12_months", "open_amount", "currency", "is_dormant"):
        op.alter_column("organizations", name, server_default=None, schema="crm")
    op.create_table(
        "organization_decisions",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("customer_id", sa.Text(), nullable=False, comment="customer"),
        sa.Column("org_id", sa.BigInteger(), nullable=False, comment="organization that may be its"),
        sa.Column("is_adopted", sa.Boolean(), nullable=False, comment="whether it is the customer's; else it is not"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False, comment="when it was read (UTC)"),
        sa.PrimaryKeyConstraint("administration", "customer_id", "org_id"),
        schema="state",
        comment="What a person decided: whether an organization in Pipedrive stands for a customer.",
    )
