"""Tables for analysts, computed from the layers before; reconciliation and migration look at all of them."""

from sqlalchemy import Column, Date, Text

from pipeline.warehouse.tables.columns import administration, big, day, instant, key, money, number, table, text, whole

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
