"""Marts of revenue, silence, status and tokens, and what they count; the revenue there was is counted anew."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

REVENUE_LINES = """
CREATE VIEW marts.revenue_lines AS
SELECT line.administration, date_trunc('month', placed.order_date)::date AS month, line.order_id, placed.order_number,
    placed.order_date, placed.customer_id, placed.salesperson_id, line.line_id, line.product_id, line.item_code,
    coalesce(line.item_group_code, '-') AS item_group_code,
    coalesce(sold_in.item_group, line.item_group_code, '-') AS item_group,
    coalesce(item.item_group_code, '-') AS item_group_code_today,
    coalesce(today.item_group, item.item_group_code, '-') AS item_group_today,
    placed.currency, line.amount_excl_vat AS revenue_excl_vat, line.quantity
FROM erp.order_lines AS line
JOIN erp.orders AS placed ON placed.administration = line.administration AND placed.order_id = line.order_id
LEFT JOIN erp.products AS item ON item.administration = line.administration AND item.product_id = line.product_id
LEFT JOIN LATERAL (SELECT max(named.item_group) AS item_group FROM erp.item_groups AS named
    WHERE named.administration = line.administration AND named.item_group_code = line.item_group_code) AS sold_in
    ON true
LEFT JOIN LATERAL (SELECT max(named.item_group) AS item_group FROM erp.item_groups AS named
    WHERE named.administration = item.administration AND named.item_group_code = item.item_group_code) AS today
    ON true
WHERE NOT placed.is_deleted AND placed.status <> 'cancelled' AND placed.order_date IS NOT NULL
    AND placed.amount_excl_vat IS NOT NULL
"""

COMMENTS = {
    "crm.held_orders": (
        "Orders that wait: held by the mapping, or refused by Pipedrive.",
        {
            "administration": "name of the administration, as in pipeline.yaml",
            "order_id": "the ERP's id of the order",
            "order_number": "number people call it by",
            "reason": "what is in the way",
            "since": "since when (UTC)",
        },
    ),
    "marts.revenue_lines": (
        "Every order line that counts as revenue, with the item group it was sold in and the one its item is in today.",
        {
            "administration": "name of the administration, as in pipeline.yaml",
            "month": "first day of the month of the order date",
            "order_id": "the ERP's id of the order",
            "order_number": "number people call it by",
            "order_date": "day it was placed",
            "customer_id": "account that ordered",
            "salesperson_id": "salesperson of the order",
            "line_id": "the ERP's id of the line",
            "product_id": "item on the line",
            "item_code": "code of the item when the line was written",
            "item_group_code": "item group of the item when the line first landed; - without one: as in the revenue marts",
            "item_group": "name of that group today",
            "item_group_code_today": "item group the item is in today; - without one, or for an item no longer known",
            "item_group_today": "name of that group",
            "currency": "currency of the order",
            "revenue_excl_vat": "value of the line without VAT, in that currency",
            "quantity": "quantity on the line",
        },
    ),
}

MADE = (
    ("marts", "revenue_per_customer"),
    ("marts", "revenue_per_salesperson"),
    ("marts", "dormant_customers"),
    ("marts", "order_status"),
    ("marts", "crm_token_usage"),
    ("state", "counted_revenue"),
)


def upgrade() -> None:
    op.create_table(
        "revenue_per_customer",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("month", sa.Date(), nullable=False, comment="first day of the month of the order date"),
        sa.Column("customer_id", sa.Text(), nullable=False, comment="account that ordered; - for an order without one"),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the orders"),
        sa.Column("debtor_code", sa.Text(), nullable=True, comment="the customer's debtor code today"),
        sa.Column(
            "customer",
            sa.Text(),
            nullable=True,
            comment="the customer's name today; empty for an account we don't know",
        ),
        sa.Column(
            "revenue_excl_vat",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="value of the orders without VAT, in that currency",
        ),
        sa.Column("orders", sa.Integer(), nullable=False, comment="orders"),
        sa.Column("lines", sa.Integer(), nullable=False, comment="lines"),
        sa.Column("quantity", sa.Numeric(), nullable=False, comment="quantity on those lines"),
        sa.PrimaryKeyConstraint("administration", "month", "customer_id", "currency"),
        schema="marts",
        comment="Order value without VAT by month and customer; cancelled and deleted orders don't count.",
    )
    op.create_table(
        "revenue_per_salesperson",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("month", sa.Date(), nullable=False, comment="first day of the month of the order date"),
        sa.Column(
            "salesperson_id", sa.Text(), nullable=False, comment="salesperson of the order; - for an order without one"
        ),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the orders"),
        sa.Column(
            "salesperson", sa.Text(), nullable=True, comment="the salesperson's name today; empty for one we don't know"
        ),
        sa.Column(
            "revenue_excl_vat",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="value of the orders without VAT, in that currency",
        ),
        sa.Column("orders", sa.Integer(), nullable=False, comment="orders"),
        sa.Column("lines", sa.Integer(), nullable=False, comment="lines"),
        sa.Column("quantity", sa.Numeric(), nullable=False, comment="quantity on those lines"),
        sa.PrimaryKeyConstraint("administration", "month", "salesperson_id", "currency"),
        schema="marts",
        comment="Order value without VAT by month and salesperson of the order; cancelled and deleted orders don't count.",
    )
    op.create_table(
        "dormant_customers",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("customer_id", sa.Text(), nullable=False, comment="account that ordered"),
        sa.Column("debtor_code", sa.Text(), nullable=True, comment="debtor code"),
        sa.Column("customer", sa.Text(), nullable=True, comment="name; empty for an account we don't know"),
        sa.Column("account_manager", sa.Text(), nullable=True, comment="salesperson who looks after the customer"),
        sa.Column("last_order_date", sa.Date(), nullable=False, comment="day of the newest order"),
        sa.Column(
            "days_since_last_order",
            sa.Integer(),
            nullable=False,
            comment="days from then to today, as the administration's calendar has it",
        ),
        sa.Column(
            "usual_days_between_orders",
            sa.Numeric(),
            nullable=True,
            comment="median of the days between two days with orders; empty before there are three",
        ),
        sa.Column(
            "times_usual",
            sa.Numeric(),
            nullable=True,
            comment="days since the last order divided by the usual days; 2 is twice as long as usual",
        ),
        sa.Column(
            "is_quiet", sa.Boolean(), nullable=False, comment="whether the silence lasts more than twice the usual days"
        ),
        sa.Column(
            "is_dormant",
            sa.Boolean(),
            nullable=False,
            comment='whether it lasts longer than dormant_after_days: "Slapend" in Pipedrive',
        ),
        sa.Column("orders", sa.Integer(), nullable=False, comment="orders in all"),
        sa.Column(
            "revenue_last_year_excl_vat",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="value without VAT of the orders of the 365 days that end today",
        ),
        sa.Column(
            "revenue_year_to_last_order_excl_vat",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="value without VAT of the 365 days that end with the last order: what is at stake when that is long ago",
        ),
        sa.Column(
            "currency",
            sa.Text(),
            nullable=False,
            comment="the administration's currency, of both amounts; others by the order's own rate",
        ),
        sa.PrimaryKeyConstraint("administration", "customer_id"),
        schema="marts",
        comment="When each customer ordered last, beside his usual rhythm: who went quiet. Cancelled orders don't count.",
    )
    op.create_table(
        "order_status",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column(
            "stage",
            sa.Text(),
            nullable=False,
            comment="new, backorder, shipped, won or lost as the deal has it; held for an order without a deal",
        ),
        sa.Column("status", sa.Text(), nullable=False, comment="status word of the order"),
        sa.Column("delivery_status", sa.Text(), nullable=False, comment="how far it is delivered"),
        sa.Column("invoice_status", sa.Text(), nullable=False, comment="how far it is invoiced"),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the orders"),
        sa.Column("orders", sa.Integer(), nullable=False, comment="orders"),
        sa.Column(
            "value_excl_vat",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="their value without VAT, in that currency",
        ),
        sa.Column("oldest_order_date", sa.Date(), nullable=True, comment="order date of the oldest"),
        sa.Column(
            "oldest_days", sa.Integer(), nullable=True, comment="days from then to today; empty for what is won or lost"
        ),
        sa.Column(
            "open_up_to_7_days",
            sa.Integer(),
            nullable=False,
            comment="of what is neither won nor lost: orders of the last 7 days",
        ),
        sa.Column("open_8_to_30_days", sa.Integer(), nullable=False, comment="orders that are 8 to 30 days old"),
        sa.Column("open_31_to_90_days", sa.Integer(), nullable=False, comment="orders that are 31 to 90 days old"),
        sa.Column("open_over_90_days", sa.Integer(), nullable=False, comment="orders that are older"),
        sa.PrimaryKeyConstraint("administration", "stage", "status", "delivery_status", "invoice_status", "currency"),
        schema="marts",
        comment="Orders by where they stand, from new to won or lost, with the age of what is open; without deleted orders.",
    )
    op.create_table(
        "crm_token_usage",
        sa.Column("budget_day", sa.Date(), nullable=False, comment="day of the budget, in UTC"),
        sa.Column(
            "purpose",
            sa.Text(),
            nullable=False,
            comment="deals, rows of deals, organizations, persons, products, or settings of the account",
        ),
        sa.Column("requests", sa.Integer(), nullable=False, comment="requests"),
        sa.Column("tokens", sa.BigInteger(), nullable=False, comment="tokens they cost"),
        sa.Column(
            "budget",
            sa.BigInteger(),
            nullable=True,
            comment="tokens the whole day has; empty for a day on which it was not known",
        ),
        sa.PrimaryKeyConstraint("budget_day", "purpose"),
        schema="marts",
        comment="Tokens of Pipedrive that were spent, by budget day and purpose, beside the day's budget.",
    )
    op.create_table(
        "counted_revenue",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("order_id", sa.Text(), nullable=False, comment="the order"),
        sa.Column(
            "item_group_code",
            sa.Text(),
            nullable=False,
            comment="item group of its lines; empty text for what no line explains, which every order has",
        ),
        sa.Column("month", sa.Date(), nullable=False, comment="first day of the month of the order date"),
        sa.Column("customer_id", sa.Text(), nullable=False, comment="account that ordered; - without one"),
        sa.Column("salesperson_id", sa.Text(), nullable=False, comment="salesperson of the order; - without one"),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the order"),
        sa.Column("revenue_excl_vat", sa.Numeric(precision=18, scale=2), nullable=False, comment="value without VAT"),
        sa.Column("lines", sa.Integer(), nullable=False, comment="lines"),
        sa.Column("quantity", sa.Numeric(), nullable=False, comment="quantity on those lines"),
        sa.PrimaryKeyConstraint("administration", "order_id", "item_group_code"),
        schema="state",
        comment="What each order counts for in the revenue marts now: a change takes back exactly that, and counts anew.",
    )
    op.execute(REVENUE_LINES)
    for view, (comment, columns) in COMMENTS.items():
        op.execute(f"COMMENT ON VIEW {view} IS '{quoted(comment)}'")
        for column, meaning in columns.items():
            op.execute(f"COMMENT ON COLUMN {view}.{column} IS '{quoted(meaning)}'")
    op.execute("DELETE FROM marts.revenue_per_category")
    op.execute("DELETE FROM state.pending WHERE stage = 'marts/revenue_per_category'")
    op.execute(
        "INSERT INTO state.pending (stage, administration, key) "
        "SELECT 'marts/revenue', administration, order_id FROM erp.orders"
    )
    op.execute(
        "INSERT INTO state.pending (stage, administration, key) "
        "SELECT DISTINCT 'marts/order_status', administration, 'all' FROM erp.orders"
    )


def downgrade() -> None:
    """What the release before this counts is counted anew by it; the new marts are gone, and come with the upgrade."""
    op.execute("DROP VIEW marts.revenue_lines")
    op.execute("COMMENT ON VIEW crm.held_orders IS NULL")
    for column in COMMENTS["crm.held_orders"][1]:
        op.execute(f"COMMENT ON COLUMN crm.held_orders.{column} IS NULL")
    for schema, table in MADE:
        op.drop_table(table, schema=schema)
    op.execute("DELETE FROM marts.revenue_per_category")
    op.execute("DELETE FROM state.pending WHERE stage LIKE 'marts/%' AND stage <> 'marts/migration'")
    op.execute(
        "INSERT INTO state.pending (stage, administration, key) "
        "SELECT 'marts/revenue_per_category', administration, order_id FROM erp.orders"
    )


def quoted(words: str) -> str:
    return words.replace("'", "''")
