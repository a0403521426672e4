"""What Exact Online says its orders are worth, the reconciliation, and the forecast of the migration."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_totals",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("order_id", sa.Text(), nullable=False, comment="OrderID"),
        sa.Column("order_number", sa.Integer(), nullable=True, comment="OrderNumber"),
        sa.Column("order_date", sa.DateTime(), nullable=True, comment="OrderDate: midnight of a calendar day"),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency of the FC amounts"),
        sa.Column(
            "amount_fc_excl_vat",
            sa.Numeric(),
            nullable=True,
            comment="AmountFCExclVat: without VAT, in the order's currency",
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, comment="when it was asked"),
        sa.PrimaryKeyConstraint("administration", "order_id"),
        schema="exact_online",
        comment="What Exact Online said each order is worth when it was asked last, for the months that landed: asked anew every night, and apart from what landed, so that the one proves the other (bulk/SalesOrder/SalesOrders).",
    )
    op.create_table(
        "differences",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("order_id", sa.Text(), nullable=False, comment="the order's id in the source"),
        sa.Column("order_number", sa.Text(), nullable=True, comment="number of the order"),
        sa.Column(
            "month",
            sa.Date(),
            nullable=False,
            comment="first day of the month of the order date; 1900-01-01 for orders without one",
        ),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the order"),
        sa.Column(
            "value_in_exact",
            sa.Numeric(18, 2),
            nullable=True,
            comment="value without VAT that Exact Online told; empty where it has no such order or was not asked",
        ),
        sa.Column(
            "value_in_erp",
            sa.Numeric(18, 2),
            nullable=True,
            comment="value in erp.orders; empty where it is not there or deleted",
        ),
        sa.Column(
            "value_in_crm",
            sa.Numeric(18, 2),
            nullable=True,
            comment="value in crm.deals; empty where it is not there or deleted",
        ),
        sa.Column(
            "value_in_pipedrive",
            sa.Numeric(18, 2),
            nullable=True,
            comment="value of the deal as it was written; empty where there is none",
        ),
        sa.Column("differs", sa.Text(), nullable=False, comment="which neighbours differ, and in what"),
        sa.Column(
            "explanation",
            sa.Text(),
            nullable=True,
            comment="a held order, a deletion or a write still to come, in words; empty where nothing explains it",
        ),
        sa.PrimaryKeyConstraint("administration", "order_id"),
        schema="marts",
        comment="Orders that do not stand alike in Exact Online, erp, crm and Pipedrive, each with what explains it.",
    )
    op.create_table(
        "reconciliation",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column(
            "month",
            sa.Date(),
            nullable=False,
            comment="first day of the month of the order date; 1900-01-01 for orders without one",
        ),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the orders"),
        sa.Column(
            "orders_in_exact",
            sa.Integer(),
            nullable=True,
            comment="orders that Exact Online told of; empty for a month it was not asked about",
        ),
        sa.Column(
            "value_in_exact",
            sa.Numeric(18, 2),
            nullable=True,
            comment="their value without VAT; empty for a month it was not asked about",
        ),
        sa.Column("orders_in_erp", sa.Integer(), nullable=False, comment="orders in erp.orders that are not deleted"),
        sa.Column("value_in_erp", sa.Numeric(18, 2), nullable=False, comment="their value without VAT"),
        sa.Column(
            "orders_in_crm", sa.Integer(), nullable=False, comment="deals wanted for orders that are not deleted"
        ),
        sa.Column("value_in_crm", sa.Numeric(18, 2), nullable=False, comment="their value"),
        sa.Column(
            "orders_in_pipedrive", sa.Integer(), nullable=False, comment="deals written for orders that are not deleted"
        ),
        sa.Column("value_in_pipedrive", sa.Numeric(18, 2), nullable=False, comment="their value as it was written"),
        sa.Column(
            "differing",
            sa.Integer(),
            nullable=False,
            comment="orders that do not stand alike everywhere, see marts.differences; one that moved counts in both months",
        ),
        sa.Column("unexplained", sa.Integer(), nullable=False, comment="those of them that nothing explains"),
        sa.Column(
            "asked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when Exact Online was asked; empty for a month it was not asked about",
        ),
        sa.PrimaryKeyConstraint("administration", "month", "currency"),
        schema="marts",
        comment="Orders and their value by month, in Exact Online, erp, crm and Pipedrive: what proves that nothing was lost.",
    )
    op.create_table(
        "migration",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column(
            "month",
            sa.Date(),
            nullable=False,
            comment="first day of the month of the order date; 1900-01-01 for orders without one",
        ),
        sa.Column(
            "orders_in_exact",
            sa.Integer(),
            nullable=True,
            comment="orders that Exact Online told of when the month was read; empty where it was not",
        ),
        sa.Column("orders", sa.Integer(), nullable=False, comment="orders in erp.orders that are not deleted"),
        sa.Column("deals", sa.Integer(), nullable=False, comment="deals that stand in Pipedrive for them"),
        sa.Column("deals_to_go", sa.Integer(), nullable=False, comment="deals to make or to change"),
        sa.Column("rows_to_go", sa.Integer(), nullable=False, comment="deals whose rows are to write"),
        sa.Column(
            "tokens_to_go",
            sa.BigInteger(),
            nullable=False,
            comment="tokens that this takes, with the customers and products it needs",
        ),
        sa.Column(
            "deals_on",
            sa.Date(),
            nullable=True,
            comment="day on which the last of the month's deals is expected; empty when it is there",
        ),
        sa.Column(
            "done_on",
            sa.Date(),
            nullable=True,
            comment="day on which the last of its rows is expected; empty when all is there or no day has tokens left",
        ),
        sa.PrimaryKeyConstraint("administration", "month"),
        schema="marts",
        comment="How far each month's orders are on their way into Pipedrive, and when they will be there.",
    )
