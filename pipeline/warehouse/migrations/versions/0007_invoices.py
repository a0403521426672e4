"""Invoices and what is open of them, from Exact Online and as the ERP layer tells them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sales_invoices",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("id", sa.Text(), nullable=False, comment="ID of the header or the line"),
        sa.Column(
            "timestamp",
            sa.BigInteger(),
            nullable=False,
            comment="row version of the record, higher after every change; a number only Exact can explain",
        ),
        sa.Column("invoice_id", sa.Text(), nullable=True, comment="InvoiceID: the header that a line stands under"),
        sa.Column("line_number", sa.Integer(), nullable=True, comment="LineNumber: 0 on a header"),
        sa.Column(
            "invoice_number", sa.Integer(), nullable=True, comment="InvoiceNumber: empty or 0 before it is processed"
        ),
        sa.Column("invoice_date", sa.DateTime(), nullable=True, comment="InvoiceDate: midnight of a calendar day"),
        sa.Column("due_date", sa.DateTime(), nullable=True, comment="DueDate: midnight of a calendar day"),
        sa.Column("ordered_by", sa.Text(), nullable=True, comment="OrderedBy: account that ordered"),
        sa.Column("invoice_to", sa.Text(), nullable=True, comment="InvoiceTo: account that pays"),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency of the FC amounts"),
        sa.Column(
            "amount_fc", sa.Numeric(), nullable=True, comment="AmountFC: with VAT on a header, without on a line"
        ),
        sa.Column(
            "amount_fc_excl_vat", sa.Numeric(), nullable=True, comment="AmountFCExclVat of the header: without VAT"
        ),
        sa.Column(
            "type",
            sa.Integer(),
            nullable=True,
            comment="Type: 8020 invoice, 8021 credit note, 8023 direct invoice, 8024 direct credit note",
        ),
        sa.Column("status", sa.Integer(), nullable=True, comment="Status: 10 draft, 20 open, 50 processed"),
        sa.Column("sales_order", sa.Text(), nullable=True, comment="SalesOrder: id of the order that a line bills"),
        sa.Column("modified", sa.DateTime(), nullable=True, comment="Modified"),
        sa.PrimaryKeyConstraint("administration", "id"),
        schema="exact_online",
        comment="Invoices and credit notes, one row a header and one a line, as they come mixed (sync/SalesInvoice/SalesInvoices).",
    )
    op.create_index(
        "sales_invoices_by_invoice",
        "sales_invoices",
        ["administration", "invoice_id"],
        unique=False,
        schema="exact_online",
    )
    op.create_table(
        "payment_terms",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("id", sa.Text(), nullable=False, comment="ID of the term"),
        sa.Column(
            "timestamp",
            sa.BigInteger(),
            nullable=False,
            comment="row version of the record, higher after every change; a number only Exact can explain",
        ),
        sa.Column(
            "line_type",
            sa.Integer(),
            nullable=True,
            comment="LineType: 20 money to be received; 22, to be paid, does not land",
        ),
        sa.Column("account", sa.Text(), nullable=True, comment="Account: who has to pay"),
        sa.Column(
            "invoice_number", sa.Integer(), nullable=True, comment="InvoiceNumber; empty on what no invoice is behind"
        ),
        sa.Column("due_date", sa.DateTime(), nullable=True, comment="DueDate: midnight of a calendar day"),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency of the FC amounts"),
        sa.Column(
            "amount_fc",
            sa.Numeric(),
            nullable=True,
            comment="AmountFC: of this term, with VAT; nobody could establish its sign",
        ),
        sa.Column(
            "amount_dc", sa.Numeric(), nullable=True, comment="AmountDC: the same in the administration's currency"
        ),
        sa.Column(
            "transaction_amount_fc",
            sa.Numeric(),
            nullable=True,
            comment="TransactionAmountFC: of the whole invoice, by which the sign is told",
        ),
        sa.Column("is_fully_paid", sa.Boolean(), nullable=True, comment="IsFullyPaid"),
        sa.Column(
            "status", sa.Integer(), nullable=True, comment="Status: 20 open, 30 selected, 40 processed, 50 matched"
        ),
        sa.Column("last_payment_date", sa.DateTime(), nullable=True, comment="LastPaymentDate"),
        sa.Column("modified", sa.DateTime(), nullable=True, comment="Modified"),
        sa.PrimaryKeyConstraint("administration", "id"),
        schema="exact_online",
        comment="Money to be received, paid or not, one row a term (sync/Cashflow/PaymentTerms; what is to be paid stays there).",
    )
    op.create_table(
        "invoices",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("invoice_id", sa.Text(), nullable=False, comment="the ERP's id of the invoice"),
        sa.Column(
            "invoice_number", sa.Text(), nullable=True, comment="number people call it by; empty before it has one"
        ),
        sa.Column("invoice_date", sa.Date(), nullable=True, comment="day on it"),
        sa.Column("due_date", sa.Date(), nullable=True, comment="day by which it is to be paid"),
        sa.Column("customer_id", sa.Text(), nullable=True, comment="account that ordered"),
        sa.Column("payer_id", sa.Text(), nullable=True, comment="account that has to pay"),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the amounts"),
        sa.Column(
            "amount_excl_vat",
            sa.Numeric(precision=18, scale=2),
            nullable=True,
            comment="amount without VAT, below zero on a credit note",
        ),
        sa.Column(
            "amount_incl_vat",
            sa.Numeric(precision=18, scale=2),
            nullable=True,
            comment="amount with VAT, below zero on a credit note",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="invoice or credit"),
        sa.Column(
            "is_draft", sa.Boolean(), nullable=False, comment="whether it was not sent yet: nothing is owed for it"
        ),
        sa.Column("is_deleted", sa.Boolean(), nullable=False, comment="whether it was deleted in the ERP"),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True, comment="last change in the ERP (UTC)"),
        sa.PrimaryKeyConstraint("administration", "invoice_id"),
        schema="erp",
        comment="Sales invoices and credit notes, one row an invoice; erp.invoice_orders says for which orders.",
    )
    op.create_index("invoices_by_due_date", "invoices", ["administration", "due_date"], unique=False, schema="erp")
    op.create_index("invoices_by_number", "invoices", ["administration", "invoice_number"], unique=False, schema="erp")
    op.create_table(
        "invoice_orders",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("invoice_id", sa.Text(), nullable=False, comment="the invoice"),
        sa.Column(
            "order_id", sa.Text(), nullable=False, comment="an order on it; it may come before the order itself does"
        ),
        sa.Column(
            "amount_excl_vat",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="what of the invoice is for the order, without VAT, in the invoice's currency",
        ),
        sa.PrimaryKeyConstraint("administration", "invoice_id", "order_id"),
        schema="erp",
        comment="Which orders an invoice is for: an invoice may be for several, an order may have several.",
    )
    op.create_index(
        "invoice_orders_by_order", "invoice_orders", ["administration", "order_id"], unique=False, schema="erp"
    )
    op.create_table(
        "receivables",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("receivable_id", sa.Text(), nullable=False, comment="the ERP's id of the term"),
        sa.Column("customer_id", sa.Text(), nullable=True, comment="account that has to pay"),
        sa.Column(
            "invoice_number",
            sa.Text(),
            nullable=True,
            comment="number of the invoice; with the customer it leads to erp.invoices",
        ),
        sa.Column("currency", sa.Text(), nullable=False, comment="currency of the amount"),
        sa.Column(
            "amount",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="what is open of it, with VAT; 0 once it is paid, below zero for a credit note",
        ),
        sa.Column(
            "amount_home",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="the same in the administration's currency",
        ),
        sa.Column("due_date", sa.Date(), nullable=True, comment="day by which it is to be paid"),
        sa.Column("is_paid", sa.Boolean(), nullable=False, comment="whether it is settled"),
        sa.Column("paid_on", sa.Date(), nullable=True, comment="day of the last payment"),
        sa.PrimaryKeyConstraint("administration", "receivable_id"),
        schema="erp",
        comment="What customers owe or have paid, one row a term; a part payment makes two of one.",
    )
    op.create_index(
        "receivables_by_customer", "receivables", ["administration", "customer_id"], unique=False, schema="erp"
    )
    op.create_index(
        "receivables_by_invoice", "receivables", ["administration", "invoice_number"], unique=False, schema="erp"
    )
    op.create_index(
        "receivables_open_by_due_date",
        "receivables",
        ["administration", "due_date"],
        unique=False,
        schema="erp",
        postgresql_where=sa.text("NOT is_paid"),
    )
