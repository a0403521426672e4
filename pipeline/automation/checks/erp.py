"""What the ERP knows: numbers people go by stand for one record, references lead somewhere, nothing needed is empty.

That a line has its order, and an amount of its own, the database sees to. An invoice may be for an order older than the
history that was read, so nothing is asked of orders we don't have.
"""

from sqlalchemy import Table

from pipeline.automation.checks.rules import Rule, rows_of
from pipeline.warehouse.tables import erp as tables


def _once(name: str, table: Table, column: str, what: str, only: str = "true") -> Rule:
    """The number stands for one record of the administration."""
    return Rule(
        name,
        table,
        f"No two {what} share their {column.replace('_', ' ')}: people tell them apart by it.",
        f"values of {column} that several {what} share",
        rows_of(f"""
SELECT administration, {column}, count(*) AS times FROM {table.fullname} WHERE {column} IS NOT NULL AND {only}
GROUP BY 1, 2 HAVING count(*) > 1 ORDER BY 3 DESC, 1, 2"""),
    )


def _refers(
    name: str, table: Table, shown: str, column: str, *, to: Table, says: str, broken: str, only: str = "true"
) -> Rule:
    """The column, where it is filled, names a row of the other table."""
    return Rule(
        name,
        table,
        says,
        broken,
        rows_of(f"""
SELECT one.administration, {shown}, one.{column} FROM {table.fullname} AS one
WHERE one.{column} IS NOT NULL AND {only} AND NOT EXISTS (SELECT FROM {to.fullname} AS known
    WHERE known.administration = one.administration AND known.{column} = one.{column})
ORDER BY 1, 2, 3"""),
    )


def _filled(name: str, table: Table, shown: str, columns: str, *, says: str, broken: str, only: str = "true") -> Rule:
    """None of the columns is empty."""
    empty = " OR ".join(f"{column} IS NULL" for column in columns.split())
    return Rule(
        name,
        table,
        says,
        broken,
        rows_of(f"SELECT administration, {shown} FROM {table.fullname} WHERE {only} AND ({empty}) ORDER BY 1, 2"),
    )


_THERE = "NOT is_deleted"
# Without order and customer a gap in the lines is a gap in revenue per category, not in the deal's value.
_WITHOUT_LINES = """
SELECT placed.administration, placed.order_number, placed.order_date, placed.amount_excl_vat, placed.currency
FROM erp.orders AS placed
WHERE NOT placed.is_deleted AND placed.amount_excl_vat <> 0 AND NOT EXISTS (SELECT FROM erp.order_lines AS line
        WHERE line.administration = placed.administration AND line.order_id = placed.order_id)
    AND NOT EXISTS (SELECT FROM state.pending AS waiting WHERE waiting.stage = 'erp/order_lines'
        AND waiting.administration = placed.administration AND waiting.key = placed.order_id)
ORDER BY 1, 2
"""
_DELETED_AND_BILLED = """
SELECT billed.administration, invoice.invoice_number, placed.order_number, billed.amount_excl_vat, invoice.currency
FROM erp.invoice_orders AS billed
JOIN erp.invoices AS invoice USING (administration, invoice_id)
JOIN erp.orders AS placed USING (administration, order_id)
WHERE placed.is_deleted AND NOT invoice.is_deleted AND NOT invoice.is_draft AND invoice.kind = 'invoice'
ORDER BY 1, 2, 3
"""
_OPEN_THOUGH_PAID = """
SELECT administration, invoice_number, receivable_id, amount, amount_home, currency FROM erp.receivables
WHERE is_paid AND (amount, amount_home) <> (0, 0) ORDER BY 1, 2
"""

NIGHTLY = [
    _once("no_debtor_code_twice", tables.customers, "debtor_code", "customers", f"is_customer AND {_THERE}"),
    _refers(
        "every_contact_has_a_customer",
        tables.contacts,
        "one.contact_id",
        "customer_id",
        to=tables.customers,
        says="Every contact is at a relation we know; one at another becomes no person in Pipedrive.",
        broken="contacts at relations we don't know",
        only="NOT one.is_deleted",
    ),
    _once("no_item_group_code_twice", tables.item_groups, "item_group_code", "item groups"),
    _once("no_item_code_twice", tables.products, "code", "items", _THERE),
    _filled(
        "items_have_code_and_group",
        tables.products,
        "product_id, code, item_group_code",
        "code item_group_code",
        says="Every item that is sold has a code and an item group; revenue of one without a group stands under -.",
        broken="items without code or item group",
        only=f"is_sales_item AND {_THERE}",
    ),
    _filled(
        "salespeople_have_names",
        tables.salespeople,
        "salesperson_id",
        "full_name",
        says="Every salesperson has a name; without one nobody knows whose revenue a row of the marts is.",
        broken="salespeople without a name",
    ),
    _refers(
        "every_order_has_a_customer",
        tables.orders,
        "one.order_number",
        "customer_id",
        to=tables.customers,
        says="Every order has a customer we know; the others wait in crm.held_orders.",
        broken="orders of a customer we don't know",
        only="NOT one.is_deleted",
    ),
    _refers(
        "every_order_has_a_known_salesperson",
        tables.orders,
        "one.order_number",
        "salesperson_id",
        to=tables.salespeople,
        says="The salesperson of every order is in erp.salespeople.",
        broken="orders of a salesperson we don't know",
    ),
    _once("no_order_number_twice", tables.orders, "order_number", "orders", _THERE),
    _filled(
        "orders_have_date_customer_and_amount",
        tables.orders,
        "order_number, order_date, customer_id, amount_excl_vat",
        "order_date customer_id amount_excl_vat",
        says="Every order has a date, a customer and an amount; one that lacks any of them waits, or is not counted.",
        broken="orders without date, customer or amount",
        only=_THERE,
    ),
    Rule(
        "orders_are_explained_by_lines",
        tables.order_lines,
        "Every order that is worth something has lines; else all of its revenue stands under Toeslag/korting.",
        "orders with an amount and no lines",
        rows_of(_WITHOUT_LINES),
    ),
    _refers(
        "every_line_has_a_known_group",
        tables.order_lines,
        "one.order_id, one.line_number, one.item_code",
        "item_group_code",
        to=tables.item_groups,
        says="The item group a line was sold in is one of erp.item_groups; else the marts show its code as its name.",
        broken="lines of an item group that is not there any more",
    ),
    _once("no_invoice_number_twice", tables.invoices, "invoice_number", "invoices", _THERE),
    _filled(
        "invoices_are_complete",
        tables.invoices,
        "invoice_number, invoice_id, invoice_date, due_date, amount_incl_vat",
        "invoice_number invoice_date due_date customer_id amount_incl_vat",
        says="Every invoice that was sent has a number, a date, a due date, a customer and an amount; Betaalstatus "
        "rests on them.",
        broken="invoices without number, date, due date, customer or amount",
        only=f"NOT is_draft AND {_THERE}",
    ),
    _refers(
        "every_part_has_its_invoice",
        tables.invoice_orders,
        "one.order_id",
        "invoice_id",
        to=tables.invoices,
        says="Every order on an invoice leads to an invoice we know.",
        broken="orders on invoices we don't know",
    ),
    Rule(
        "no_invoice_for_a_deleted_order",
        tables.invoice_orders,
        "No invoice that was sent is for an order that was deleted: its deal is lost, yet the money is asked for.",
        "invoices for deleted orders",
        rows_of(_DELETED_AND_BILLED),
    ),
    _refers(
        "every_receivable_has_a_customer",
        tables.receivables,
        "one.invoice_number",
        "customer_id",
        to=tables.customers,
        says="Whoever owes money is a relation we know; else Openstaand of nobody shows it.",
        broken="receivables from relations we don't know",
    ),
    Rule(
        "nothing_is_open_of_what_is_paid",
        tables.receivables,
        "Of a term that is paid nothing is open; Openstaand in Pipedrive is the sum of what is.",
        "paid terms with an amount",
        rows_of(_OPEN_THOUGH_PAID),
    ),
]
