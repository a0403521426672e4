"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The schema `state` holds the revision itself and stays.
SCHEMAS = ("exact_online", "erp", "crm", "pipedrive", "marts")

# Held by the mapping, or refused by Pipedrive: one place to look at.
HELD_ORDERS = """
CREATE VIEW crm.held_orders AS
SELECT administration, key AS order_id, number AS order_number, reason, since FROM crm.held WHERE entity = 'order'
UNION ALL
SELECT administration, key, number, reason, since FROM pipedrive.rejected WHERE kind IN ('deals', 'deal_products')
"""


def upgrade() -> None:
    for schema in SCHEMAS:
        op.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    op.execute("CREATE SEQUENCE IF NOT EXISTS state.tickets")
    op.create_table(
        "deals",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("order_id", sa.Text(), nullable=False, comment='"Exact order-ID"'),
        sa.Column("title", sa.Text(), nullable=False, comment="title"),
        sa.Column(
            "customer_id", sa.Text(), nullable=False, comment="customer whose organization the deal is linked to"
        ),
        sa.Column(
            "salesperson_id", sa.Text(), nullable=True, comment="salesperson of the order when the owner was chosen"
        ),
        sa.Column("owner_e_mails", sa.ARRAY(sa.Text()), nullable=False, comment="users it may belong to, best first"),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the value"),
        sa.Column("value", sa.Numeric(precision=18, scale=2), nullable=False, comment="order total without VAT"),
        sa.Column("status", sa.Text(), nullable=False, comment="open, won or lost"),
        sa.Column("stage", sa.Text(), nullable=False, comment="new, backorder or shipped"),
        sa.Column("lost_reason", sa.Text(), nullable=True, comment="why it was lost"),
        sa.Column("order_number", sa.Text(), nullable=False, comment='"Ordernummer"'),
        sa.Column(
            "order_date", sa.Date(), nullable=True, comment='"Orderdatum"; at noon UTC the moment it was won or lost'
        ),
        sa.Column("delivery_date", sa.Date(), nullable=True, comment='"Leverdatum" and expected close date'),
        sa.Column("customer_reference", sa.Text(), nullable=True, comment='"Klantreferentie"'),
        sa.Column(
            "delivery_status", sa.Text(), nullable=True, comment='"Leverstatus": open, partial, complete or empty'
        ),
        sa.Column(
            "invoice_status", sa.Text(), nullable=True, comment='"Factuurstatus": open, partial, complete or empty'
        ),
        sa.Column(
            "payment_status", sa.Text(), nullable=True, comment='"Betaalstatus": open, partial, paid, late or empty'
        ),
        sa.Column("item_group_codes", sa.ARRAY(sa.Text()), nullable=False, comment='"Artikelgroepen", by code'),
        sa.Column("main_item_group_code", sa.Text(), nullable=True, comment='"Hoofdgroep", by code'),
        sa.Column(
            "category_amounts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="revenue by item-group code, where wanted as fields",
        ),
        sa.Column(
            "is_deleted",
            sa.Boolean(),
            nullable=False,
            comment="whether the order was deleted in the ERP: such a deal is never made newly",
        ),
        sa.Column("is_live", sa.Boolean(), nullable=False, comment="whether it goes before history"),
        sa.PrimaryKeyConstraint("administration", "order_id"),
        schema="crm",
        comment="Deals Pipedrive should hold, one an order.",
    )
    op.create_table(
        "held",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("entity", sa.Text(), nullable=False, comment="order or customer"),
        sa.Column("key", sa.Text(), nullable=False, comment="order_id or customer_id"),
        sa.Column("number", sa.Text(), nullable=True, comment="order number or debtor code"),
        sa.Column("status", sa.Text(), nullable=True, comment="status word of the order"),
        sa.Column("delivery_status", sa.Text(), nullable=True, comment="delivery word of the order"),
        sa.Column("invoice_status", sa.Text(), nullable=True, comment="invoice word of the order"),
        sa.Column("reason", sa.Text(), nullable=False, comment="what is in the way"),
        sa.Column(
            "stops_deal",
            sa.Boolean(),
            nullable=False,
            comment="whether the deal waits as a whole; else only its status and stage do",
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="when it was first held (UTC)"),
        sa.PrimaryKeyConstraint("administration", "entity", "key"),
        schema="crm",
        comment="Orders and customers the mapping holds back, with the reason.",
    )
    op.create_table(
        "organizations",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("customer_id", sa.Text(), nullable=False, comment='account in the ERP: "Exact account-ID"'),
        sa.Column("name", sa.Text(), nullable=False, comment="name"),
        sa.Column("debtor_code", sa.Text(), nullable=False, comment='"Debiteurnummer"'),
        sa.Column("address", sa.Text(), nullable=True, comment="address on one line"),
        sa.Column(
            "postcode",
            sa.Text(),
            nullable=True,
            comment="postcode without blanks, by which organizations made by hand are recognised",
        ),
        sa.Column("website", sa.Text(), nullable=True, comment="website"),
        sa.Column("owner_e_mails", sa.ARRAY(sa.Text()), nullable=False, comment="users it may belong to, best first"),
        sa.PrimaryKeyConstraint("administration", "customer_id"),
        schema="crm",
        comment="Organizations Pipedrive should hold, one a mirrored customer.",
    )
    op.create_table(
        "products",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column(
            "product_key", sa.Text(), nullable=False, comment='item in the ERP: "Exact item-ID"; or TOESLAG-KORTING'
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="name"),
        sa.Column("code", sa.Text(), nullable=True, comment="item code"),
        sa.Column("unit", sa.Text(), nullable=True, comment="unit of sale"),
        sa.Column("price", sa.Numeric(), nullable=False, comment="price without VAT"),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the price"),
        sa.Column("item_group_code", sa.Text(), nullable=True, comment='"Artikelgroep", by code'),
        sa.Column("is_active", sa.Boolean(), nullable=False, comment='"Artikelstatus": Actief or Vervallen'),
        sa.Column("collection", sa.Text(), nullable=True, comment='"Collectie"'),
        sa.PrimaryKeyConstraint("administration", "product_key"),
        schema="crm",
        comment="Products Pipedrive should hold: the catalogue, items only orders know, and the surcharge.",
    )
    op.create_table(
        "customers",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("customer_id", sa.Text(), nullable=False, comment="the ERP's id of the account"),
        sa.Column(
            "debtor_code",
            sa.Text(),
            nullable=True,
            comment="debtor code without blanks; empty when the account has none",
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="name"),
        sa.Column("address_line", sa.Text(), nullable=True, comment="street and number"),
        sa.Column("postcode", sa.Text(), nullable=True, comment="postcode"),
        sa.Column("city", sa.Text(), nullable=True, comment="city"),
        sa.Column("country_code", sa.Text(), nullable=True, comment="two-letter country code"),
        sa.Column("website", sa.Text(), nullable=True, comment="website"),
        sa.Column("account_manager_id", sa.Text(), nullable=True, comment="salesperson who looks after the customer"),
        sa.Column("is_customer", sa.Boolean(), nullable=False, comment="whether the ERP calls the account a customer"),
        sa.Column("is_deleted", sa.Boolean(), nullable=False, comment="whether the account was deleted in the ERP"),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True, comment="last change in the ERP (UTC)"),
        sa.PrimaryKeyConstraint("administration", "customer_id"),
        schema="erp",
        comment="Relations that may order, one row an account.",
    )
    op.create_index(
        "customers_by_debtor_code", "customers", ["administration", "debtor_code"], unique=False, schema="erp"
    )
    op.create_table(
        "item_groups",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("item_group_id", sa.Text(), nullable=False, comment="the ERP's id of the item group"),
        sa.Column(
            "item_group_code", sa.Text(), nullable=False, comment="code, by which lines, deals and marts name the group"
        ),
        sa.Column("item_group", sa.Text(), nullable=False, comment="name"),
        sa.PrimaryKeyConstraint("administration", "item_group_id"),
        schema="erp",
        comment="Item groups of the catalogue.",
    )
    op.create_index(
        "item_groups_by_code", "item_groups", ["administration", "item_group_code"], unique=False, schema="erp"
    )
    op.create_table(
        "orders",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("order_id", sa.Text(), nullable=False, comment="the ERP's id of the order"),
        sa.Column("order_number", sa.Text(), nullable=False, comment="number people call it by"),
        sa.Column("order_date", sa.Date(), nullable=True, comment="day it was placed"),
        sa.Column("delivery_date", sa.Date(), nullable=True, comment="day it is promised for"),
        sa.Column("customer_id", sa.Text(), nullable=True, comment="account that ordered"),
        sa.Column("salesperson_id", sa.Text(), nullable=True, comment="salesperson of the order"),
        sa.Column("customer_reference", sa.Text(), nullable=True, comment="the customer's own reference"),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the amounts"),
        sa.Column("amount_excl_vat", sa.Numeric(precision=18, scale=2), nullable=True, comment="value without VAT"),
        sa.Column("amount_incl_vat", sa.Numeric(precision=18, scale=2), nullable=True, comment="value with VAT"),
        sa.Column(
            "amount_incl_vat_home",
            sa.Numeric(precision=18, scale=2),
            nullable=True,
            comment="value with VAT in the administration's currency",
        ),
        sa.Column(
            "status",
            sa.Text(),
            nullable=False,
            comment="open, partial, complete, cancelled; any other code as the source has it",
        ),
        sa.Column("delivery_status", sa.Text(), nullable=False, comment="how far it is delivered, in the same words"),
        sa.Column("invoice_status", sa.Text(), nullable=False, comment="how far it is invoiced, in the same words"),
        sa.Column("is_deleted", sa.Boolean(), nullable=False, comment="whether it was deleted in the ERP"),
        sa.Column(
            "is_live",
            sa.Boolean(),
            nullable=False,
            comment="whether it came as a change while the pipeline ran, not with the history",
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), nullable=True, comment="when it was entered in the ERP (UTC)"
        ),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True, comment="last change in the ERP (UTC)"),
        sa.PrimaryKeyConstraint("administration", "order_id"),
        schema="erp",
        comment="Sales orders, one row an order.",
    )
    op.create_index(
        "orders_by_customer", "orders", ["administration", "customer_id", "order_date"], unique=False, schema="erp"
    )
    op.create_index("orders_by_date", "orders", ["administration", "order_date"], unique=False, schema="erp")
    op.create_table(
        "products",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("product_id", sa.Text(), nullable=False, comment="the ERP's id of the item"),
        sa.Column("code", sa.Text(), nullable=True, comment="item code"),
        sa.Column("name", sa.Text(), nullable=False, comment="description"),
        sa.Column("unit", sa.Text(), nullable=True, comment="unit of sale"),
        sa.Column("item_group_code", sa.Text(), nullable=True, comment="item group it is in today"),
        sa.Column("is_sales_item", sa.Boolean(), nullable=False, comment="whether it may be sold"),
        sa.Column("end_date", sa.Date(), nullable=True, comment="last day it is sold"),
        sa.Column("collection", sa.Text(), nullable=True, comment="collection it belongs to, where one is configured"),
        sa.Column(
            "sales_price",
            sa.Numeric(),
            nullable=True,
            comment="sales price valid today without VAT; empty when there is none",
        ),
        sa.Column("currency", sa.Text(), nullable=True, comment="currency of the sales price"),
        sa.Column("is_deleted", sa.Boolean(), nullable=False, comment="whether the item was deleted in the ERP"),
        sa.Column(
            "price_changes_on",
            sa.Date(),
            nullable=True,
            comment="day on which another price begins to hold; empty when none is known",
        ),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True, comment="last change in the ERP (UTC)"),
        sa.PrimaryKeyConstraint("administration", "product_id"),
        schema="erp",
        comment="Items of the catalogue.",
    )
    op.create_table(
        "salespeople",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("salesperson_id", sa.Text(), nullable=False, comment="the ERP's id of the user"),
        sa.Column("full_name", sa.Text(), nullable=True, comment="name"),
        sa.PrimaryKeyConstraint("administration", "salesperson_id"),
        schema="erp",
        comment="People who sell, as orders and customers name them.",
    )
    op.create_table(
        "accounts",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("id", sa.Text(), nullable=False, comment="ID of the account"),
        sa.Column(
            "timestamp",
            sa.BigInteger(),
            nullable=False,
            comment="row version of the record, higher after every change; a number only Exact can explain",
        ),
        sa.Column("code", sa.Text(), nullable=True, comment="Code: debtor code, padded with blanks to 18 characters"),
        sa.Column("name", sa.Text(), nullable=True, comment="Name"),
        sa.Column("status", sa.Text(), nullable=True, comment="Status: C customer, P prospect, S suspect, A none"),
        sa.Column("type", sa.Text(), nullable=True, comment="Type: A relation, D division"),
        sa.Column("address_line1", sa.Text(), nullable=True, comment="AddressLine1"),
        sa.Column("postcode", sa.Text(), nullable=True, comment="Postcode"),
        sa.Column("city", sa.Text(), nullable=True, comment="City"),
        sa.Column("country", sa.Text(), nullable=True, comment="Country: two letters, padded with a blank"),
        sa.Column("website", sa.Text(), nullable=True, comment="Website"),
        sa.Column("account_manager", sa.Text(), nullable=True, comment="AccountManager: id of a user"),
        sa.Column("account_manager_full_name", sa.Text(), nullable=True, comment="AccountManagerFullName"),
        sa.Column("modified", sa.DateTime(), nullable=True, comment="Modified"),
        sa.PrimaryKeyConstraint("administration", "id"),
        schema="exact_online",
        comment="Relations of the administration, one row an account (sync/CRM/Accounts).",
    )
    op.create_table(
        "deletions",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column(
            "entity_type",
            sa.Text(),
            nullable=False,
            comment="EntityType: 2 account, 8 price, 9 item, 12 and 32 order, 33 order line",
        ),
        sa.Column("entity_key", sa.Text(), nullable=False, comment="EntityKey: ID of the record that is gone"),
        sa.Column(
            "timestamp",
            sa.BigInteger(),
            nullable=False,
            comment="row version of the record, higher after every change; a number only Exact can explain",
        ),
        sa.Column("deleted_date", sa.DateTime(), nullable=True, comment="DeletedDate"),
        sa.PrimaryKeyConstraint("administration", "entity_type", "entity_key"),
        schema="exact_online",
        comment="Records that were deleted (sync/Deleted; Exact keeps them two months).",
    )
    op.create_table(
        "item_groups",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("id", sa.Text(), nullable=False, comment="ID of the item group"),
        sa.Column("code", sa.Text(), nullable=True, comment="Code"),
        sa.Column("description", sa.Text(), nullable=True, comment="Description"),
        sa.Column("modified", sa.DateTime(), nullable=True, comment="Modified"),
        sa.PrimaryKeyConstraint("administration", "id"),
        schema="exact_online",
        comment="Item groups, one row a group (logistics/ItemGroups).",
    )
    op.create_table(
        "item_prices",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("id", sa.Text(), nullable=False, comment="ID of the price"),
        sa.Column(
            "timestamp",
            sa.BigInteger(),
            nullable=False,
            comment="row version of the record, higher after every change; a number only Exact can explain",
        ),
        sa.Column("item", sa.Text(), nullable=True, comment="Item: id of the item"),
        sa.Column(
            "account", sa.Text(), nullable=True, comment="Account: id of the one account it is for; empty for everybody"
        ),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency"),
        sa.Column("price", sa.Numeric(), nullable=True, comment="Price"),
        sa.Column("quantity", sa.Numeric(), nullable=True, comment="Quantity from which it holds"),
        sa.Column("start_date", sa.DateTime(), nullable=True, comment="StartDate: first day"),
        sa.Column("end_date", sa.DateTime(), nullable=True, comment="EndDate: last day, included"),
        sa.PrimaryKeyConstraint("administration", "id"),
        schema="exact_online",
        comment="Sales prices by item, currency, unit, quantity, period and account (sync/Logistics/SalesItemPrices).",
    )
    op.create_index(
        "item_prices_by_item", "item_prices", ["administration", "item"], unique=False, schema="exact_online"
    )
    op.create_table(
        "items",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("id", sa.Text(), nullable=False, comment="ID of the item"),
        sa.Column(
            "timestamp",
            sa.BigInteger(),
            nullable=False,
            comment="row version of the record, higher after every change; a number only Exact can explain",
        ),
        sa.Column("code", sa.Text(), nullable=True, comment="Code"),
        sa.Column("description", sa.Text(), nullable=True, comment="Description"),
        sa.Column("item_group", sa.Text(), nullable=True, comment="ItemGroup: id of the item group"),
        sa.Column("unit", sa.Text(), nullable=True, comment="Unit"),
        sa.Column("is_sales_item", sa.Boolean(), nullable=False, comment="IsSalesItem"),
        sa.Column("end_date", sa.DateTime(), nullable=True, comment="EndDate: last day it is sold"),
        sa.Column(
            "collection",
            sa.Text(),
            nullable=True,
            comment="the item field that pipeline.yaml names as collection_field",
        ),
        sa.Column("modified", sa.DateTime(), nullable=True, comment="Modified"),
        sa.PrimaryKeyConstraint("administration", "id"),
        schema="exact_online",
        comment="Items of the catalogue, one row an item (sync/Logistics/Items).",
    )
    op.create_index(
        "items_by_item_group", "items", ["administration", "item_group"], unique=False, schema="exact_online"
    )
    op.create_table(
        "order_changes",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("order_id", sa.Text(), nullable=False, comment="OrderID"),
        sa.Column(
            "id",
            sa.Text(),
            nullable=True,
            comment="ID of the record in the feed; deletions may name it instead of the OrderID",
        ),
        sa.Column(
            "timestamp",
            sa.BigInteger(),
            nullable=False,
            comment="row version of the record, higher after every change; a number only Exact can explain",
        ),
        sa.Column("order_number", sa.Integer(), nullable=True, comment="OrderNumber"),
        sa.Column("order_date", sa.DateTime(), nullable=True, comment="OrderDate: midnight of a calendar day"),
        sa.Column("delivery_date", sa.DateTime(), nullable=True, comment="DeliveryDate: midnight of a calendar day"),
        sa.Column("ordered_by", sa.Text(), nullable=True, comment="OrderedBy: account that ordered"),
        sa.Column("salesperson", sa.Text(), nullable=True, comment="Salesperson: id of a user"),
        sa.Column("salesperson_full_name", sa.Text(), nullable=True, comment="SalespersonFullName"),
        sa.Column("your_ref", sa.Text(), nullable=True, comment="YourRef: the customer's own reference"),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency of the FC amounts"),
        sa.Column(
            "amount_dc", sa.Numeric(), nullable=True, comment="AmountDC: with VAT, in the administration's currency"
        ),
        sa.Column("amount_fc", sa.Numeric(), nullable=True, comment="AmountFC: with VAT, in the order's currency"),
        sa.Column(
            "amount_fc_excl_vat",
            sa.Numeric(),
            nullable=True,
            comment="AmountFCExclVat: without VAT, in the order's currency",
        ),
        sa.Column(
            "status", sa.Integer(), nullable=True, comment="Status: 12 open, 20 partial, 21 complete, 45 cancelled"
        ),
        sa.Column("delivery_status", sa.Integer(), nullable=True, comment="DeliveryStatus: codes as Status"),
        sa.Column("invoice_status", sa.Integer(), nullable=True, comment="InvoiceStatus: codes as Status"),
        sa.Column("created", sa.DateTime(), nullable=True, comment="Created"),
        sa.Column("modified", sa.DateTime(), nullable=True, comment="Modified"),
        sa.PrimaryKeyConstraint("administration", "order_id"),
        schema="exact_online",
        comment="Order headers that changed, each as it last was (sync/SalesOrder/SalesOrderHeaders).",
    )
    op.create_index(
        "order_changes_by_record", "order_changes", ["administration", "id"], unique=False, schema="exact_online"
    )
    op.create_index(
        "order_changes_by_salesperson",
        "order_changes",
        ["administration", "salesperson", "salesperson_full_name"],
        unique=False,
        schema="exact_online",
    )
    op.create_table(
        "order_history",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("order_id", sa.Text(), nullable=False, comment="OrderID"),
        sa.Column(
            "month",
            sa.Date(),
            nullable=False,
            comment="first day of the month they were read for; later order dates stand in the newest",
        ),
        sa.Column(
            "as_of",
            sa.BigInteger(),
            nullable=False,
            comment="highest row version known before the reading began: the row counts as that old",
        ),
        sa.Column("order_number", sa.Integer(), nullable=True, comment="OrderNumber"),
        sa.Column("order_date", sa.DateTime(), nullable=True, comment="OrderDate: midnight of a calendar day"),
        sa.Column("delivery_date", sa.DateTime(), nullable=True, comment="DeliveryDate: midnight of a calendar day"),
        sa.Column("ordered_by", sa.Text(), nullable=True, comment="OrderedBy: account that ordered"),
        sa.Column("salesperson", sa.Text(), nullable=True, comment="Salesperson: id of a user"),
        sa.Column("salesperson_full_name", sa.Text(), nullable=True, comment="SalespersonFullName"),
        sa.Column("your_ref", sa.Text(), nullable=True, comment="YourRef: the customer's own reference"),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency of the FC amounts"),
        sa.Column(
            "amount_dc", sa.Numeric(), nullable=True, comment="AmountDC: with VAT, in the administration's currency"
        ),
        sa.Column("amount_fc", sa.Numeric(), nullable=True, comment="AmountFC: with VAT, in the order's currency"),
        sa.Column(
            "amount_fc_excl_vat",
            sa.Numeric(),
            nullable=True,
            comment="AmountFCExclVat: without VAT, in the order's currency",
        ),
        sa.Column(
            "status", sa.Integer(), nullable=True, comment="Status: 12 open, 20 partial, 21 complete, 45 cancelled"
        ),
        sa.Column("delivery_status", sa.Integer(), nullable=True, comment="DeliveryStatus: codes as Status"),
        sa.Column("invoice_status", sa.Integer(), nullable=True, comment="InvoiceStatus: codes as Status"),
        sa.Column("created", sa.DateTime(), nullable=True, comment="Created"),
        sa.Column("modified", sa.DateTime(), nullable=True, comment="Modified"),
        sa.Column(
            "lines",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the lines, each with its fields in snake case, numbers as text",
        ),
        sa.PrimaryKeyConstraint("administration", "order_id"),
        schema="exact_online",
        comment="Orders read whole, month by month, with their lines (bulk/SalesOrder/SalesOrders).",
    )
    op.create_index(
        "order_history_by_month", "order_history", ["administration", "month"], unique=False, schema="exact_online"
    )
    op.create_index(
        "order_history_by_salesperson",
        "order_history",
        ["administration", "salesperson", "salesperson_full_name"],
        unique=False,
        schema="exact_online",
    )
    op.create_table(
        "order_line_changes",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("id", sa.Text(), nullable=False, comment="ID of the line"),
        sa.Column(
            "timestamp",
            sa.BigInteger(),
            nullable=False,
            comment="row version of the record, higher after every change; a number only Exact can explain",
        ),
        sa.Column("order_id", sa.Text(), nullable=True, comment="OrderID"),
        sa.Column("line_number", sa.Integer(), nullable=True, comment="LineNumber"),
        sa.Column("item", sa.Text(), nullable=True, comment="Item: id of the item"),
        sa.Column("item_code", sa.Text(), nullable=True, comment="ItemCode"),
        sa.Column("description", sa.Text(), nullable=True, comment="Description"),
        sa.Column("quantity", sa.Numeric(), nullable=True, comment="Quantity, below zero for a return"),
        sa.Column("net_price", sa.Numeric(), nullable=True, comment="NetPrice: for one, after the line's discount"),
        sa.Column("amount_fc", sa.Numeric(), nullable=True, comment="AmountFC: without VAT, in the order's currency"),
        sa.PrimaryKeyConstraint("administration", "id"),
        schema="exact_online",
        comment="Order lines that changed, each as it last was (sync/SalesOrder/SalesOrderLines, or read by their order).",
    )
    op.create_index(
        "order_line_changes_by_order",
        "order_line_changes",
        ["administration", "order_id"],
        unique=False,
        schema="exact_online",
    )
    op.create_table(
        "revenue_per_category",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("month", sa.Date(), nullable=False, comment="first day of the month of the order date"),
        sa.Column(
            "item_group_code",
            sa.Text(),
            nullable=False,
            comment="item group of the line; - for a line without one, empty text for what no line explains",
        ),
        sa.Column(
            "item_group",
            sa.Text(),
            nullable=False,
            comment="name of the item group; Toeslag/korting for what no line explains",
        ),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the orders"),
        sa.Column(
            "revenue_excl_vat",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="value without VAT, in that currency",
        ),
        sa.Column("orders", sa.Integer(), nullable=False, comment="orders with such a line"),
        sa.Column("lines", sa.Integer(), nullable=False, comment="lines"),
        sa.Column("quantity", sa.Numeric(), nullable=False, comment="quantity on those lines"),
        sa.PrimaryKeyConstraint("administration", "month", "item_group_code", "currency"),
        schema="marts",
        comment="Order value without VAT by month and item group; cancelled and deleted orders don't count.",
    )
    op.create_table(
        "deals",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("order_id", sa.Text(), nullable=False, comment="order it stands for"),
        sa.Column("deal_id", sa.BigInteger(), nullable=False, comment="id in Pipedrive"),
        sa.Column(
            "written",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="content as it was last written, in Pipedrive's own fields; empty when it was only recognised",
        ),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True, comment="last write (UTC)"),
        sa.PrimaryKeyConstraint("administration", "order_id"),
        schema="pipedrive",
        comment="Deals this pipeline wrote.",
    )
    op.create_index("deals_by_deal_id", "deals", ["deal_id"], unique=False, schema="pipedrive")
    op.create_table(
        "field_options",
        sa.Column("entity", sa.Text(), nullable=False, comment="deal, organization, person or product"),
        sa.Column("name", sa.Text(), nullable=False, comment="field it belongs to"),
        sa.Column(
            "meaning",
            sa.Text(),
            nullable=False,
            comment="what it stands for: a word, an administration, or an item-group code",
        ),
        sa.Column("label", sa.Text(), nullable=False, comment="label in Pipedrive"),
        sa.Column("option_id", sa.BigInteger(), nullable=False, comment="id in Pipedrive"),
        sa.PrimaryKeyConstraint("entity", "name", "meaning"),
        schema="pipedrive",
        comment="Options of custom fields, by what they stand for.",
    )
    op.create_table(
        "fields",
        sa.Column("entity", sa.Text(), nullable=False, comment="deal, organization, person or product"),
        sa.Column("name", sa.Text(), nullable=False, comment="name in Pipedrive"),
        sa.Column("field_code", sa.Text(), nullable=False, comment="Pipedrive's 40-character key"),
        sa.PrimaryKeyConstraint("entity", "name"),
        schema="pipedrive",
        comment="Custom fields found or made by name.",
    )
    op.create_table(
        "intents",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="organizations, products, deals or deal_products"),
        sa.Column("key", sa.Text(), nullable=False, comment="key of the record in the table of that name"),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False, comment="before the request (UTC)"),
        sa.Column(
            "body", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="content about to be written"
        ),
        sa.PrimaryKeyConstraint("administration", "kind", "key"),
        schema="pipedrive",
        comment="Writes about to be sent whose outcome is not yet known; an old one is in doubt and is looked up first.",
    )
    op.create_table(
        "organizations",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("customer_id", sa.Text(), nullable=False, comment="customer it stands for"),
        sa.Column("org_id", sa.BigInteger(), nullable=False, comment="id in Pipedrive"),
        sa.Column(
            "written",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="content as it was last written, in Pipedrive's own fields; empty when it was only recognised",
        ),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True, comment="last write (UTC)"),
        sa.PrimaryKeyConstraint("administration", "customer_id"),
        schema="pipedrive",
        comment="Organizations this pipeline wrote or adopted.",
    )
    op.create_table(
        "products",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("product_key", sa.Text(), nullable=False, comment="product it stands for"),
        sa.Column("product_id", sa.BigInteger(), nullable=False, comment="id in Pipedrive"),
        sa.Column(
            "written",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="content as it was last written, in Pipedrive's own fields; empty when it was only recognised",
        ),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True, comment="last write (UTC)"),
        sa.PrimaryKeyConstraint("administration", "product_key"),
        schema="pipedrive",
        comment="Products this pipeline wrote.",
    )
    op.create_table(
        "rejected",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="organizations, products, deals or deal_products"),
        sa.Column("key", sa.Text(), nullable=False, comment="key of the record in the table of that name"),
        sa.Column("number", sa.Text(), nullable=True, comment="order number, debtor code or item code"),
        sa.Column("reason", sa.Text(), nullable=False, comment="what Pipedrive said"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="first refusal (UTC)"),
        sa.PrimaryKeyConstraint("administration", "kind", "key"),
        schema="pipedrive",
        comment="Records Pipedrive refused, with what it said; tried again when their content changes.",
    )
    op.create_table(
        "stages",
        sa.Column("stage", sa.Text(), nullable=False, comment="new, backorder or shipped"),
        sa.Column("stage_id", sa.BigInteger(), nullable=False, comment="id in Pipedrive"),
        sa.Column("pipeline_id", sa.BigInteger(), nullable=False, comment="id of the pipeline in Pipedrive"),
        sa.PrimaryKeyConstraint("stage"),
        schema="pipedrive",
        comment="The pipeline's stages, found or made by name.",
    )
    op.create_table(
        "token_usage",
        sa.Column(
            "budget_day", sa.Date(), nullable=False, comment="day of the budget (UTC, or as the answer headers tell)"
        ),
        sa.Column("request", sa.Text(), nullable=False, comment="kind of request"),
        sa.Column("requests", sa.Integer(), nullable=False, comment="how many"),
        sa.Column("tokens", sa.BigInteger(), nullable=False, comment="tokens they cost"),
        sa.PrimaryKeyConstraint("budget_day", "request"),
        schema="pipedrive",
        comment="Tokens this pipeline spent, by budget day and kind of request.",
    )
    op.create_table(
        "users",
        sa.Column("e_mail", sa.Text(), nullable=False, comment="e-mail address, lower case"),
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="id in Pipedrive"),
        sa.Column("is_active", sa.Boolean(), nullable=False, comment="whether the user can own records"),
        sa.Column("is_token_owner", sa.Boolean(), nullable=False, comment="whether the API token is this user's"),
        sa.PrimaryKeyConstraint("e_mail"),
        schema="pipedrive",
        comment="Users who may own deals.",
    )
    op.create_table(
        "landed_months",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("month", sa.Date(), nullable=False, comment="first day of the month"),
        sa.Column("orders", sa.Integer(), nullable=False, comment="orders read"),
        sa.Column("lines", sa.Integer(), nullable=False, comment="lines read"),
        sa.Column("landed_at", sa.DateTime(timezone=True), nullable=False, comment="when the reading ended (UTC)"),
        sa.PrimaryKeyConstraint("administration", "month"),
        schema="state",
        comment="Months of order history that were read to their end.",
    )
    op.create_table(
        "pending",
        sa.Column("stage", sa.Text(), nullable=False, comment="table that has to take them in"),
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("key", sa.Text(), nullable=False, comment="key of the record"),
        sa.Column(
            "ticket",
            sa.BigInteger(),
            server_default=sa.text("nextval('state.tickets')"),
            nullable=False,
            comment="another one each time it is queued, so that work on an older state doesn't remove it",
        ),
        sa.PrimaryKeyConstraint("stage", "administration", "key"),
        schema="state",
        comment="Records a table has still to take in; written with the change, removed with the work, in one transaction each.",
    )
    op.create_table(
        "remembered",
        sa.Column("name", sa.Text(), nullable=False, comment="which"),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="what"),
        sa.Column("remembered_at", sa.DateTime(timezone=True), nullable=False, comment="when (UTC)"),
        sa.PrimaryKeyConstraint("name"),
        schema="state",
        comment="Single facts kept from one run to the next.",
    )
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text(), nullable=False, comment="whose chain"),
        sa.Column("access_token", sa.Text(), nullable=True, comment="encrypted access token"),
        sa.Column("refresh_token", sa.Text(), nullable=False, comment="encrypted refresh token, good for one use"),
        sa.Column(
            "first_refresh_token_hash",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the refresh token the chain began with",
        ),
        sa.Column(
            "issued_at", sa.DateTime(timezone=True), nullable=True, comment="when the access token was issued (UTC)"
        ),
        sa.PrimaryKeyConstraint("name"),
        schema="state",
        comment="OAuth tokens, encrypted with PIPELINE_SECRET_KEY.",
    )
    op.create_table(
        "watermarks",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("feed", sa.Text(), nullable=False, comment="feed of the source"),
        sa.Column(
            "seen_up_to", sa.Text(), nullable=False, comment="the source's own mark; only the source compares it"
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False, comment="when it was last read (UTC)"),
        sa.PrimaryKeyConstraint("administration", "feed"),
        schema="state",
        comment="How far each feed was read; committed together with the last of its rows.",
    )
    op.create_table(
        "deal_products",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("order_id", sa.Text(), nullable=False, comment="order of the deal"),
        sa.Column("row_key", sa.Text(), nullable=False, comment="order line, or TOESLAG-KORTING"),
        sa.Column("position", sa.Integer(), nullable=False, comment="place among the rows, from 1"),
        sa.Column("product_key", sa.Text(), nullable=False, comment="product it shows"),
        sa.Column("quantity", sa.Numeric(), nullable=False, comment="quantity, never below zero"),
        sa.Column("item_price", sa.Numeric(), nullable=False, comment="price of one, below zero for a return"),
        sa.Column("comments", sa.Text(), nullable=False, comment="line number and item group"),
        sa.ForeignKeyConstraint(
            ["administration", "order_id"],
            ["crm.deals.administration", "crm.deals.order_id"],
            name="deal_products_deal",
        ),
        sa.PrimaryKeyConstraint("administration", "order_id", "row_key"),
        schema="crm",
        comment="Rows Pipedrive should hold on each deal, one an order line and one for the rest.",
    )
    op.create_table(
        "order_lines",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("line_id", sa.Text(), nullable=False, comment="the ERP's id of the line"),
        sa.Column("order_id", sa.Text(), nullable=False, comment="order it stands on"),
        sa.Column("line_number", sa.Integer(), nullable=False, comment="place on the order"),
        sa.Column("product_id", sa.Text(), nullable=True, comment="item on the line"),
        sa.Column("item_code", sa.Text(), nullable=True, comment="code of the item when the line was written"),
        sa.Column("description", sa.Text(), nullable=True, comment="text on the line"),
        sa.Column("quantity", sa.Numeric(), nullable=False, comment="quantity, below zero for a return"),
        sa.Column("net_price", sa.Numeric(), nullable=False, comment="price of one without VAT, after discount"),
        sa.Column(
            "amount_excl_vat",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="value of the line without VAT, in the order's currency",
        ),
        sa.Column(
            "item_group_code",
            sa.Text(),
            nullable=True,
            comment="item group of the item when the line first landed; follows only another item",
        ),
        sa.Column(
            "known_as_of", sa.BigInteger(), nullable=False, comment="row version or reading the line was taken from"
        ),
        sa.ForeignKeyConstraint(
            ["administration", "order_id"],
            ["erp.orders.administration", "erp.orders.order_id"],
            name="order_lines_order",
        ),
        sa.PrimaryKeyConstraint("administration", "line_id"),
        schema="erp",
        comment="Lines of sales orders.",
    )
    op.create_index("order_lines_by_order", "order_lines", ["administration", "order_id"], unique=False, schema="erp")
    op.create_index(
        "order_lines_by_product", "order_lines", ["administration", "product_id"], unique=False, schema="erp"
    )
    op.create_table(
        "deal_products",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("order_id", sa.Text(), nullable=False, comment="order of the deal"),
        sa.Column("row_key", sa.Text(), nullable=False, comment="order line it stands for, or TOESLAG-KORTING"),
        sa.Column("attachment_id", sa.BigInteger(), nullable=False, comment="id of the row in Pipedrive"),
        sa.Column("position", sa.Integer(), nullable=False, comment="place among the rows, from 1"),
        sa.Column("product_key", sa.Text(), nullable=False, comment="product it shows"),
        sa.Column("quantity", sa.Numeric(), nullable=False, comment="quantity"),
        sa.Column("item_price", sa.Numeric(), nullable=False, comment="price of one"),
        sa.Column("comments", sa.Text(), nullable=False, comment="comments"),
        sa.ForeignKeyConstraint(
            ["administration", "order_id"],
            ["pipedrive.deals.administration", "pipedrive.deals.order_id"],
            name="deal_products_deal",
        ),
        sa.PrimaryKeyConstraint("administration", "order_id", "row_key"),
        schema="pipedrive",
        comment="Rows this pipeline wrote on deals.",
    )
    op.execute(HELD_ORDERS)


def downgrade() -> None:
    for schema in SCHEMAS:
        op.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    op.execute("DROP SEQUENCE IF EXISTS state.tickets CASCADE")
    for table in ("watermarks", "landed_months", "pending", "tokens", "remembered"):
        op.execute(f"DROP TABLE IF EXISTS state.{table}")
