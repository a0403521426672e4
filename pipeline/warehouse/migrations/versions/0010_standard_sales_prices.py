"""The price an item itself carries, for items without a sales price of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "items",
        sa.Column(
            "standard_sales_price",
            sa.Numeric(),
            nullable=True,
            comment="StandardSalesPrice of logistics/Items, asked only of items without a valid sales price",
        ),
        schema="exact_online",
    )
    op.add_column(
        "items",
        sa.Column(
            "standard_price_as_of",
            sa.BigInteger(),
            nullable=True,
            comment="timestamp of the item when its StandardSalesPrice was asked",
        ),
        schema="exact_online",
    )
