"""What the ERP knows, with one meaning for every source: status words, UTC, trimmed codes, exact money.

A column added here must make sense for any ERP; what only one source says stays in that source's schema.
"""

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy import text as sql

from pipeline.warehouse.tables.columns import (
    administration,
    big,
    day,
    flag,
    instant,
    key,
    money,
    number,
    table,
    text,
    whole,
)

SCHEMA = "erp"

customers = table(
    SCHEMA,
    "customers",
    "Relations that may order, one row an account.",
    administration(),
    key("customer_id", "the ERP's id of the account"),
    text("debtor_code", "debtor code without blanks; empty when the account has none"),
    text("name", "name", required=True),
    text("address_line", "street and number"),
    text("postcode", "postcode"),
    text("city", "city"),
    text("country_code", "two-letter country code"),
    text("website", "website"),
    text("account_manager_id", "salesperson who looks after the customer"),
    flag("is_customer", "whether the ERP calls the account a customer"),
    flag("is_deleted", "whether the account was deleted in the ERP"),
    instant("modified_at", "last change in the ERP (UTC)"),
    Index("customers_by_debtor_code", "administration", "debtor_code"),
)

contacts = table(
    SCHEMA,
    "contacts",
    "People at customers and other relations, one row a contact.",
    administration(),
    key("contact_id", "the ERP's id of the contact"),
    text("customer_id", "account the contact is at"),
    text("first_name", "first name"),
    text("middle_name", "what stands between first and last name"),
    text("last_name", "last name"),
    text("e_mail", "e-mail address at work, else the private one"),
    text("phone", "phone number at work, else the private one"),
    text("mobile", "mobile number at work, else the private one"),
    flag("is_deleted", "whether the contact was deleted in the ERP"),
    instant("modified_at", "last change in the ERP (UTC)"),
    Index("contacts_by_customer", "administration", "customer_id"),
)

item_groups = table(
    SCHEMA,
    "item_groups",
    "Item groups of the catalogue.",
    administration(),
    key("item_group_id", "the ERP's id of the item group"),
    text("item_group_code", "code, by which lines, deals and marts name the group", required=True),
    text("item_group", "name", required=True),
    Index("item_groups_by_code", "administration", "item_group_code"),
)

products = table(
    SCHEMA,
    "products",
    "Items of the catalogue.",
    administration(),
    key("product_id", "the ERP's id of the item"),
    text("code", "item code"),
    text("name", "description", required=True),
    text("unit", "unit of sale"),
    text("item_group_code", "item group it is in today"),
    flag("is_sales_item", "whether it may be sold"),
    day("end_date", "last day it is sold"),
    text("collection", "collection it belongs to, where one is configured"),
    number("sales_price", "sales price valid today without VAT; empty when there is none"),
    text("currency", "currency of the sales price"),
    flag("is_deleted", "whether the item was deleted in the ERP"),
    day("price_changes_on", "day on which another price begins to hold; empty when none is known"),
    instant("modified_at", "last change in the ERP (UTC)"),
)

salespeople = table(
    SCHEMA,
    "salespeople",
    "People who sell, as orders and customers name them.",
    administration(),
    key("salesperson_id", "the ERP's id of the user"),
    text("full_name", "name"),
)

orders = table(
    SCHEMA,
    "orders",
    "Sales orders, one row an order.",
    administration(),
    key("order_id", "the ERP's id of the order"),
    text("order_number", "number people call it by", required=True),
    day("order_date", "day it was placed"),
    day("delivery_date", "day it is promised for"),
    text("customer_id", "account that ordered"),
    text("salesperson_id", "salesperson of the order"),
    text("customer_reference", "the customer's own reference"),
    text("currency", "currency of the amounts", required=True),
    money("amount_excl_vat", "value without VAT", required=False),
    money("amount_incl_vat", "value with VAT", required=False),
    money("amount_incl_vat_home", "value with VAT in the administration's currency", required=False),
    text("status", "open, partial, complete, cancelled; any other code as the source has it", required=True),
    text("delivery_status", "how far it is delivered, in the same words", required=True),
    text("invoice_status", "how far it is invoiced, in the same words", required=True),
    flag("is_deleted", "whether it was deleted in the ERP"),
    flag("is_live", "whether it came as a change while the pipeline ran, not with the history"),
    instant("created_at", "when it was entered in the ERP (UTC)"),
    instant("modified_at", "last change in the ERP (UTC)"),
    Index("orders_by_customer", "administration", "customer_id", "order_date"),
    Index("orders_by_date", "administration", "order_date"),
)

order_lines = table(
    SCHEMA,
    "order_lines",
    "Lines of sales orders.",
    administration(),
    key("line_id", "the ERP's id of the line"),
    text("order_id", "order it stands on", required=True),
    whole("line_number", "place on the order", required=True),
    text("product_id", "item on the line"),
    text("item_code", "code of the item when the line was written"),
    text("description", "text on the line"),
    number("quantity", "quantity, below zero for a return", required=True),
    number("net_price", "price of one without VAT, after discount", required=True),
    money("amount_excl_vat", "value of the line without VAT, in the order's currency"),
    text("item_group_code", "item group of the item when the line first landed; follows only another item"),
    big("known_as_of", "row version or reading the line was taken from"),
    Index("order_lines_by_order", "administration", "order_id"),
    Index("order_lines_by_product", "administration", "product_id"),
    ForeignKeyConstraint(
        ["administration", "order_id"],
        ["erp.orders.administration", "erp.orders.order_id"],
        name="order_lines_order",
    ),
)

invoices = table(
    SCHEMA,
    "invoices",
    "Sales invoices and credit notes, one row an invoice; erp.invoice_orders says for which orders.",
    administration(),
    key("invoice_id", "the ERP's id of the invoice"),
    text("invoice_number", "number people call it by; empty before it has one"),
    day("invoice_date", "day on it"),
    day("due_date", "day by which it is to be paid"),
    text("customer_id", "account that ordered"),
    text("payer_id", "account that has to pay"),
    text("currency", "currency of the amounts", required=True),
    money("amount_excl_vat", "amount without VAT, below zero on a credit note", required=False),
    money("amount_incl_vat", "amount with VAT, below zero on a credit note", required=False),
    text("kind", "invoice or credit", required=True),
    flag("is_draft", "whether it was not sent yet: nothing is owed for it"),
    flag("is_deleted", "whether it was deleted in the ERP"),
    instant("modified_at", "last change in the ERP (UTC)"),
    Index("invoices_by_number", "administration", "invoice_number"),
    Index("invoices_by_due_date", "administration", "due_date"),
)

invoice_orders = table(
    SCHEMA,
    "invoice_orders",
    "Which orders an invoice is for: an invoice may be for several, an order may have several.",
    administration(),
    key("invoice_id", "the invoice"),
    key("order_id", "an order on it; it may come before the order itself does"),
    money("amount_excl_vat", "what of the invoice is for the order, without VAT, in the invoice's currency"),
    Index("invoice_orders_by_order", "administration", "order_id"),
)

receivables = table(
    SCHEMA,
    "receivables",
    "What customers owe or have paid, one row a term; a part payment makes two of one.",
    administration(),
    key("receivable_id", "the ERP's id of the term"),
    text("customer_id", "account that has to pay"),
    text("invoice_number", "number of the invoice; with the customer it leads to erp.invoices"),
    text("currency", "currency of the amount", required=True),
    money("amount", "what is open of it, with VAT; 0 once it is paid, below zero for a credit note"),
    money("amount_home", "the same in the administration's currency"),
    day("due_date", "day by which it is to be paid"),
    flag("is_paid", "whether it is settled"),
    day("paid_on", "day of the last payment"),
    Index("receivables_by_invoice", "administration", "invoice_number"),
    Index("receivables_by_customer", "administration", "customer_id"),
    Index("receivables_open_by_due_date", "administration", "due_date", postgresql_where=sql("NOT is_paid")),
)
