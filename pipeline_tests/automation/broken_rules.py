"""For each check what breaks its rule, on a warehouse otherwise healthy, and what it has to name."""

ORDER = "(SELECT min(order_id) FROM crm.deals WHERE value > 0 AND NOT is_deleted AND status <> 'lost')"
NUMBER = f"SELECT order_number FROM erp.orders WHERE order_id = {ORDER}"
PENDING = "INSERT INTO state.pending (stage, administration, key) SELECT '{}', 'nl', {}"
ABOUT_TO_BE_WRITTEN = PENDING.format("pipedrive/deals", ORDER)
TODAY = "CAST(now() AT TIME ZONE 'Europe/Amsterdam' AS date)"  # the administration's, an hour or two before UTC's
NEW_ORDER = """INSERT INTO erp.orders (administration, order_id, order_number, order_date, currency, status,
    delivery_status, invoice_status, is_deleted, is_live, created_at, customer_id, amount_excl_vat)
    SELECT 'nl', 'new ' || number, 'new ' || number, {day}, 'EUR', 'open', 'open', 'open', false, true, {day},
    {customer}, 10 FROM generate_series(1, {many}) AS number"""
ANY_CUSTOMER = "(SELECT min(customer_id) FROM erp.customers WHERE NOT is_deleted)"


def landed(table: str, key: str) -> tuple[str, str]:
    """A copy of a row that landed, under a key that nothing took in."""
    return (
        f"INSERT INTO exact_online.{table} SELECT (jsonb_populate_record(one, jsonb_build_object('{key}', 'lost'))).* "
        f"FROM (SELECT one FROM exact_online.{table} AS one LIMIT 1) AS first (one)",
        "SELECT 'lost'",
    )


def again(table: str, key: str, changes: str = "") -> str:
    """A second row like the first of the table, but for its key."""
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(one, jsonb_build_object('{key}', 'second'{changes}))).* "
        f"FROM (SELECT one FROM {table} AS one WHERE {key} = (SELECT min({key}) FROM {table})) AS first (one)"
    )


# The check, what breaks its rule, and a query for what it has to name, asked before.
BROKEN: list[tuple[str, str, str]] = [
    (
        "deal_values_equal_order_values",
        f"UPDATE crm.deals SET value = value + 0.01 WHERE order_id = {ORDER}; {ABOUT_TO_BE_WRITTEN}",
        NUMBER,
    ),
    (
        "deal_values_equal_order_values",
        f"UPDATE crm.deals SET currency = 'USD' WHERE order_id = {ORDER}; {ABOUT_TO_BE_WRITTEN}",
        NUMBER,
    ),
    (
        "no_two_orders_share_a_deal",
        "UPDATE pipedrive.deals SET deal_id = (SELECT deal_id FROM pipedrive.deals WHERE order_id = "
        f"{ORDER}); {ABOUT_TO_BE_WRITTEN}",
        NUMBER,
    ),
    (
        "rows_add_up_to_the_order",
        f"UPDATE crm.deal_products SET item_price = item_price + 1 WHERE order_id = {ORDER}; {ABOUT_TO_BE_WRITTEN}",
        NUMBER,
    ),
    (
        "rows_add_up_to_the_order",
        f"DELETE FROM crm.deal_products WHERE order_id = {ORDER}; {ABOUT_TO_BE_WRITTEN}",
        NUMBER,
    ),
    (
        "every_status_combination_is_covered",
        "INSERT INTO crm.held VALUES "
        "('nl', 'order', 'o', 'N17', '99', 'open', 'open', 'no rule covers it', true, now())",
        "SELECT 'N17'",
    ),
    (
        "nothing_stands_there_twice",
        "INSERT INTO pipedrive.duplicates VALUES ('nl', 'deals', 4711, 'o', 1, now(), NULL)",
        "SELECT '4711'",
    ),
    (
        "nothing_was_refused",
        "INSERT INTO pipedrive.rejected VALUES ('nl', 'deals', 'o', 'N18', 'Deal not found', now())",
        "SELECT 'N18'",
    ),
    (
        "persons_for_the_erp_arrived",
        "INSERT INTO pipedrive.person_changes (person_id, name, waits, reason, since) "
        "VALUES (815, 'Ann', true, 'no', now())",
        "SELECT '815'",
    ),
    (
        "deals_are_worth_their_orders_in_pipedrive",
        "INSERT INTO pipedrive.drift VALUES ('nl', 'deals', 'o', 'value', 'N19', 7, '1', '2', now())",
        "SELECT 'N19'",
    ),
    (
        "every_difference_is_explained",
        f"INSERT INTO marts.differences VALUES ('nl', {ORDER}, 'N20', '2026-01-01', 'EUR', 1, 2, 2, 2, 'in erp', NULL)",
        "SELECT 'N20'",
    ),
    (
        "revenue_by_month_is_the_same",
        "UPDATE marts.reconciliation SET value_in_pipedrive = value_in_erp - 1",
        "SELECT to_char(max(month), 'YYYY-MM') FROM marts.reconciliation",
    ),
    (
        "every_difference_has_a_month",
        "INSERT INTO marts.differences VALUES ('nl', 'o', 'N21', '1999-01-01', 'EUR', 1, 2, 2, 2, 'in erp', 'held')",
        "SELECT 'N21'",
    ),
    ("every_account_is_taken_in", *landed("accounts", "id")),
    ("every_contact_is_taken_in", *landed("contacts", "id")),
    ("every_item_is_taken_in", *landed("items", "id")),
    ("every_item_group_is_taken_in", *landed("item_groups", "id")),
    (
        "every_price_has_its_item",
        "UPDATE exact_online.item_prices SET item = 'nothing', account = NULL "
        "WHERE id = (SELECT min(id) FROM exact_online.item_prices)",
        "SELECT min(id) FROM exact_online.item_prices",
    ),
    (
        "orders_of_history_are_complete",
        "UPDATE exact_online.order_history SET currency = ' '",
        "SELECT min(order_number) FROM exact_online.order_history",
    ),
    ("all_history_is_taken_in", *landed("order_history", "order_id")),
    (
        "changed_orders_are_complete",
        "INSERT INTO exact_online.order_changes (administration, order_id, timestamp, order_number) "
        "VALUES ('nl', 'o', 1, 4712)",
        "SELECT '4712'",
    ),
    (
        "every_change_is_taken_in",
        "INSERT INTO exact_online.order_changes (administration, order_id, timestamp) VALUES ('nl', 'lost', 1)",
        "SELECT 'lost'",
    ),
    (
        "as_many_orders_as_usual",
        "; ".join(
            NEW_ORDER.format(day=f"{TODAY} - {7 * week + 1}", customer="NULL", many=9).replace("'new '", f"'{week} '")
            for week in range(1, 9)
        ),
        "SELECT '9.0'",
    ),
    (
        "every_changed_line_is_taken_in",
        "INSERT INTO exact_online.order_line_changes (administration, id, timestamp, order_id) "
        f"SELECT 'nl', 'lost', 9223372036854775807, {ORDER}",
        "SELECT 'lost'",
    ),
    (
        "every_deletion_is_carried_out",
        "INSERT INTO exact_online.deletions (administration, entity_type, entity_key, timestamp) "
        f"SELECT 'nl', '2', {ANY_CUSTOMER}, 9223372036854775807",
        f"SELECT {ANY_CUSTOMER}",
    ),
    (
        "order_totals_are_complete",
        "UPDATE exact_online.order_totals SET amount_fc_excl_vat = NULL",
        "SELECT min(order_number) FROM exact_online.order_totals",
    ),
    (
        "every_invoice_is_taken_in",
        "INSERT INTO exact_online.sales_invoices (administration, id, timestamp, invoice_id, line_number) "
        "VALUES ('nl', 'x', 1, 'lost', 0)",
        "SELECT 'lost'",
    ),
    (
        "every_payment_term_is_taken_in",
        "INSERT INTO exact_online.payment_terms (administration, id, timestamp) VALUES ('nl', 'lost', 1)",
        "SELECT 'lost'",
    ),
    (
        "no_debtor_code_twice",
        "UPDATE erp.customers SET debtor_code = '123', is_customer = true, is_deleted = false",
        "SELECT '123'",
    ),
    (
        "every_contact_has_a_customer",
        "UPDATE erp.contacts SET customer_id = 'nobody' WHERE contact_id = (SELECT min(contact_id) FROM erp.contacts "
        "WHERE NOT is_deleted)",
        "SELECT min(contact_id) FROM erp.contacts WHERE NOT is_deleted",
    ),
    (
        "no_item_group_code_twice",
        again("erp.item_groups", "item_group_id"),
        "SELECT item_group_code FROM erp.item_groups ORDER BY item_group_id LIMIT 1",
    ),
    ("no_item_code_twice", "UPDATE erp.products SET code = 'A-1', is_deleted = false", "SELECT 'A-1'"),
    (
        "items_have_code_and_group",
        "UPDATE erp.products SET item_group_code = NULL",
        "SELECT code FROM erp.products WHERE is_sales_item AND NOT is_deleted ORDER BY product_id LIMIT 1",
    ),
    (
        "salespeople_have_names",
        "UPDATE erp.salespeople SET full_name = NULL",
        "SELECT min(salesperson_id) FROM erp.salespeople",
    ),
    ("every_order_has_a_customer", f"UPDATE erp.orders SET customer_id = 'nobody' WHERE order_id = {ORDER}", NUMBER),
    (
        "every_order_has_a_known_salesperson",
        f"UPDATE erp.orders SET salesperson_id = 'nobody' WHERE order_id = {ORDER}",
        NUMBER,
    ),
    ("no_order_number_twice", "UPDATE erp.orders SET order_number = '1', is_deleted = false", "SELECT '1'"),
    (
        "orders_have_date_customer_and_amount",
        f"UPDATE erp.orders SET order_date = NULL WHERE order_id = {ORDER}",
        NUMBER,
    ),
    ("orders_are_explained_by_lines", f"DELETE FROM erp.order_lines WHERE order_id = {ORDER}", NUMBER),
    (
        "every_line_has_a_known_group",
        f"UPDATE erp.order_lines SET item_group_code = 'gone' WHERE order_id = {ORDER}",
        "SELECT 'gone'",
    ),
    ("no_invoice_number_twice", "UPDATE erp.invoices SET invoice_number = '7', is_deleted = false", "SELECT '7'"),
    (
        "invoices_are_complete",
        "UPDATE erp.invoices SET due_date = NULL",
        "SELECT min(invoice_number) FROM erp.invoices WHERE NOT is_draft AND NOT is_deleted",
    ),
    ("every_part_has_its_invoice", "INSERT INTO erp.invoice_orders VALUES ('nl', 'lost', 'o', 1)", "SELECT 'lost'"),
    (
        "no_invoice_for_a_deleted_order",
        "UPDATE erp.orders SET is_deleted = true",
        "SELECT min(invoice_number) FROM erp.invoices JOIN erp.invoice_orders USING (administration, invoice_id) "
        "WHERE NOT is_draft AND NOT is_deleted AND kind = 'invoice'",
    ),
    ("every_receivable_has_a_customer", "UPDATE erp.receivables SET customer_id = 'nobody'", "SELECT 'nobody'"),
    (
        "nothing_is_open_of_what_is_paid",
        "UPDATE erp.receivables SET amount = 12.34 WHERE is_paid",
        "SELECT '12.34'",
    ),
    (
        "every_organization_is_a_customer",
        "UPDATE crm.organizations SET customer_id = 'nobody' WHERE customer_id = (SELECT min(customer_id) FROM "
        "crm.organizations)",
        "SELECT 'nobody'",
    ),
    ("every_person_has_an_organization", "UPDATE crm.persons SET customer_id = 'nobody'", "SELECT 'nobody'"),
    ("every_product_is_an_item", again("crm.products", "product_key"), "SELECT 'second'"),
    ("every_deal_is_worth_its_order", f"UPDATE crm.deals SET value = value + 0.01 WHERE order_id = {ORDER}", NUMBER),
    ("every_deal_has_an_organization", f"UPDATE crm.deals SET customer_id = 'nobody' WHERE order_id = {ORDER}", NUMBER),
    (
        "every_order_has_a_deal",
        NEW_ORDER.format(day=TODAY, customer=ANY_CUSTOMER, many=1),
        "SELECT 'new 1'",
    ),
    (
        "every_deal_adds_up",
        f"UPDATE crm.deal_products SET quantity = quantity + 1 WHERE order_id = {ORDER}",
        NUMBER,
    ),
    ("every_row_has_a_product", f"UPDATE crm.deal_products SET product_key = 'x' WHERE order_id = {ORDER}", NUMBER),
    (
        "everything_held_is_known",
        "INSERT INTO crm.held VALUES ('nl', 'order', 'gone', 'N22', '99', 'open', 'open', 'held', true, now())",
        "SELECT 'N22'",
    ),
    ("no_organization_is_two_customers", "UPDATE pipedrive.organizations SET org_id = 4713", "SELECT '4713'"),
    ("all_organizations_are_wanted", again("pipedrive.organizations", "customer_id"), "SELECT 'second'"),
    ("no_person_is_two_contacts", "UPDATE pipedrive.persons SET person_id = 4714", "SELECT '4714'"),
    ("all_persons_are_wanted", again("pipedrive.persons", "contact_id"), "SELECT 'second'"),
    ("no_product_is_two_items", "UPDATE pipedrive.products SET product_id = 4715", "SELECT '4715'"),
    ("all_products_are_wanted", again("pipedrive.products", "product_key"), "SELECT 'second'"),
    ("no_deal_is_two_orders", "UPDATE pipedrive.deals SET deal_id = 4716", "SELECT '4716'"),
    ("all_deals_are_wanted", again("pipedrive.deals", "order_id"), "SELECT 'second'"),
    (
        "every_written_row_has_a_product",
        "UPDATE pipedrive.deal_products SET product_key = 'never'",
        "SELECT 'never'",
    ),
    *(
        (
            f"revenue_per_{one}_adds_up",
            f"UPDATE marts.revenue_per_{one} SET revenue_excl_vat = revenue_excl_vat + 0.01",
            f"SELECT to_char(max(month), 'YYYY-MM') FROM marts.revenue_per_{one}",
        )
        for one in ("category", "customer", "salesperson")
    ),
    (
        "every_customer_with_orders_is_shown",
        "DELETE FROM marts.dormant_customers",
        "SELECT customer_id FROM marts.dormant_customers ORDER BY orders DESC, customer_id LIMIT 1",
    ),
    ("the_funnel_holds_every_order", "UPDATE marts.order_status SET orders = orders + 1", "SELECT 'EUR'"),
    (
        "every_token_is_counted",
        "INSERT INTO pipedrive.token_usage VALUES ('2020-02-03', 'GET /api/v2/deals', 1, 5)",
        "SELECT '2020-02-03'",
    ),
    (
        "progress_counts_every_order",
        "UPDATE marts.migration SET orders = orders + 1",
        "SELECT to_char(max(month), 'YYYY-MM') FROM marts.migration",
    ),
]
