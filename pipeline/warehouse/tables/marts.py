"""Tables for analysts, computed from the layers before; reconciliation and migration look at all of them."""

from sqlalchemy import Column, Date, Text

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

SCHEMA = "marts"

revenue_per_category = table(
    SCHEMA,
    "revenue_per_category",
    "Order value without VAT by month and item group; cancelled and deleted orders don't count.",
    administration(),
    Column("month", Date, primary_key=True, comment="first day of the month of the order date"),
    Column(
        "item_group_code",
        Text,
        primary_key=True,
        comment="item group of the line; - for a line without one, empty text for what no line explains",
    ),
    text("item_group", "name of the item group; Toeslag/korting for what no line explains", required=True),
    Column("currency", Text, primary_key=True, comment="currency of the orders"),
    money("revenue_excl_vat", "value without VAT, in that currency"),
    whole("orders", "orders with such a line", required=True),
    whole("lines", "lines", required=True),
    number("quantity", "quantity on those lines", required=True),
)

revenue_per_customer = table(
    SCHEMA,
    "revenue_per_customer",
    "Order value without VAT by month and customer; cancelled and deleted orders don't count.",
    administration(),
    Column("month", Date, primary_key=True, comment="first day of the month of the order date"),
    key("customer_id", "account that ordered; - for an order without one"),
    Column("currency", Text, primary_key=True, comment="currency of the orders"),
    text("debtor_code", "the customer's debtor code today"),
    text("customer", "the customer's name today; empty for an account we don't know"),
    money("revenue_excl_vat", "value of the orders without VAT, in that currency"),
    whole("orders", "orders", required=True),
    whole("lines", "lines", required=True),
    number("quantity", "quantity on those lines", required=True),
)

revenue_per_salesperson = table(
    SCHEMA,
    "revenue_per_salesperson",
    "Order value without VAT by month and salesperson of the order; cancelled and deleted orders don't count.",
    administration(),
    Column("month", Date, primary_key=True, comment="first day of the month of the order date"),
    key("salesperson_id", "salesperson of the order; - for an order without one"),
    Column("currency", Text, primary_key=True, comment="currency of the orders"),
    text("salesperson", "the salesperson's name today; empty for one we don't know"),
    money("revenue_excl_vat", "value of the orders without VAT, in that currency"),
    whole("orders", "orders", required=True),
    whole("lines", "lines", required=True),
    number("quantity", "quantity on those lines", required=True),
)

dormant_customers = table(
    SCHEMA,
    "dormant_customers",
    "When each customer ordered last, beside his usual rhythm: who went quiet. Cancelled orders don't count.",
    administration(),
    key("customer_id", "account that ordered"),
    text("debtor_code", "debtor code"),
    text("customer", "name; empty for an account we don't know"),
    text("account_manager", "salesperson who looks after the customer"),
    day("last_order_date", "day of the newest order", required=True),
    whole("days_since_last_order", "days from then to today, as the administration's calendar has it", required=True),
    number(
        "usual_days_between_orders", "median of the days between two days with orders; empty before there are three"
    ),
    number("times_usual", "days since the last order divided by the usual days; 2 is twice as long as usual"),
    flag("is_quiet", "whether the silence lasts more than twice the usual days"),
    flag("is_dormant", 'whether it lasts longer than dormant_after_days: "Slapend" in Pipedrive'),
    whole("orders", "orders in all", required=True),
    money("revenue_last_year_excl_vat", "value without VAT of the orders of the 365 days that end today"),
    money(
        "revenue_year_to_last_order_excl_vat",
        "value without VAT of the 365 days that end with the last order: what is at stake when that is long ago",
    ),
    text("currency", "the administration's currency, of both amounts; others by the order's own rate", required=True),
)

order_status = table(
    SCHEMA,
    "order_status",
    "Orders by where they stand, from new to won or lost, with the age of what is open; without deleted orders.",
    administration(),
    key("stage", "new, backorder, shipped, won or lost as the deal has it; held for an order without a deal"),
    key("status", "status word of the order"),
    key("delivery_status", "how far it is delivered"),
    key("invoice_status", "how far it is invoiced"),
    Column("currency", Text, primary_key=True, comment="currency of the orders"),
    whole("orders", "orders", required=True),
    money("value_excl_vat", "their value without VAT, in that currency"),
    day("oldest_order_date", "order date of the oldest"),
    whole("oldest_days", "days from then to today; empty for what is won or lost"),
    whole("open_up_to_7_days", "of what is neither won nor lost: orders of the last 7 days", required=True),
    whole("open_8_to_30_days", "orders that are 8 to 30 days old", required=True),
    whole("open_31_to_90_days", "orders that are 31 to 90 days old", required=True),
    whole("open_over_90_days", "orders that are older", required=True),
)

crm_token_usage = table(
    SCHEMA,
    "crm_token_usage",
    "Tokens of Pipedrive that were spent, by budget day and purpose, beside the day's budget.",
    Column("budget_day", Date, primary_key=True, comment="day of the budget, in UTC"),
    key("purpose", "deals, rows of deals, organizations, persons, products, or settings of the account"),
    whole("requests", "requests", required=True),
    big("tokens", "tokens they cost"),
    big("budget", "tokens the whole day has; empty for a day on which it was not known", required=False),
)

_MONTH = "first day of the month of the order date; 1900-01-01 for orders without one"

differences = table(
    SCHEMA,
    "differences",
    "Orders that do not stand alike in Exact Online, erp, crm and Pipedrive, each with what explains it.",
    administration(),
    key("order_id", "the order's id in the source"),
    text("order_number", "number of the order"),
    Column("month", Date, nullable=False, comment=_MONTH),
    Column("currency", Text, nullable=False, comment="currency of the order"),
    money(
        "value_in_exact",
        "value without VAT that Exact Online told; empty where it has no such order or was not asked",
        required=False,
    ),
    money("value_in_erp", "value in erp.orders; empty where it is not there or deleted", required=False),
    money("value_in_crm", "value in crm.deals; empty where it is not there or deleted", required=False),
    money("value_in_pipedrive", "value of the deal as it was written; empty where there is none", required=False),
    text("differs", "which neighbours differ, and in what", required=True),
    text("explanation", "a held order, a deletion or a write still to come, in words; empty where nothing explains it"),
)

reconciliation = table(
    SCHEMA,
    "reconciliation",
    "Orders and their value by month, in Exact Online, erp, crm and Pipedrive: what proves that nothing was lost.",
    administration(),
    Column("month", Date, primary_key=True, comment=_MONTH),
    Column("currency", Text, primary_key=True, comment="currency of the orders"),
    whole("orders_in_exact", "orders that Exact Online told of; empty for a month it was not asked about"),
    money("value_in_exact", "their value without VAT; empty for a month it was not asked about", required=False),
    whole("orders_in_erp", "orders in erp.orders that are not deleted", required=True),
    money("value_in_erp", "their value without VAT"),
    whole("orders_in_crm", "deals wanted for orders that are not deleted", required=True),
    money("value_in_crm", "their value"),
    whole("orders_in_pipedrive", "deals written for orders that are not deleted", required=True),
    money("value_in_pipedrive", "their value as it was written"),
    whole(
        "differing",
        "orders that do not stand alike everywhere, see marts.differences; one that moved counts in both months",
        required=True,
    ),
    whole("unexplained", "those of them that nothing explains", required=True),
    instant("asked_at", "when Exact Online was asked; empty for a month it was not asked about"),
)

migration = table(
    SCHEMA,
    "migration",
    "How far each month's orders are on their way into Pipedrive, and when they will be there.",
    administration(),
    Column("month", Date, primary_key=True, comment=_MONTH),
    whole("orders_in_exact", "orders that Exact Online told of when the month was read; empty where it was not"),
    whole("orders", "orders in erp.orders that are not deleted", required=True),
    whole("deals", "deals that stand in Pipedrive for them", required=True),
    whole("deals_to_go", "deals to make or to change", required=True),
    whole("rows_to_go", "deals whose rows are to write", required=True),
    big("tokens_to_go", "tokens that this takes, with the customers and products it needs"),
    day("deals_on", "day on which the last of the month's deals is expected; empty when it is there"),
    day("done_on", "day on which the last of its rows is expected; empty when all is there or no day has tokens left"),
)
