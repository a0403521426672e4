"""Tables for analysts, computed from `erp` alone."""

from sqlalchemy import Column, Date, Text

from pipeline.warehouse.tables.columns import administration, money, number, table, text, whole

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
