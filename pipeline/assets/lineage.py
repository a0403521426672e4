"""Where columns come from: for each table, its columns and the columns of other tables they are made of.

Only what a reader asks about is listed; a column that is merely passed on under its own name is written `_same`.
"""

from collections.abc import Iterable

Sources = dict[str, list[str]]


def _same(tables: Iterable[str], columns: str) -> Sources:
    return {column: [f"{table}.{column}" for table in tables] for column in columns.split()}


def _from(tables: Iterable[str], **columns: str) -> Sources:
    return {
        column: [f"{table}.{source}" for table in tables for source in names.split()]
        for column, names in columns.items()
    }


def _with(more: str, sources: Sources) -> Sources:
    return {column: [*names, more] for column, names in sources.items()}


_ORDERS = ("exact_online.order_history", "exact_online.order_changes")
_LINES = ("exact_online.order_line_changes",)
_HISTORY_LINES = "exact_online.order_history.lines"  # a document with the lines of the order, each with these fields

_HELD_FOR = [
    *(f"erp.orders.{column}" for column in ("status", "delivery_status", "invoice_status", "customer_id")),
    "erp.order_lines.product_id",
    "erp.customers.debtor_code",
]
_REVENUE: Sources = {
    "month": ["erp.orders.order_date"],
    "currency": ["erp.orders.currency"],
    "revenue_excl_vat": ["erp.orders.amount_excl_vat"],
    "orders": ["erp.orders.order_id"],
    "lines": ["erp.order_lines.line_id"],
    "quantity": ["erp.order_lines.quantity"],
}

SOURCES: dict[str, Sources] = {
    "erp.customers": _from(
        ("exact_online.accounts",),
        customer_id="id",
        debtor_code="code",
        name="name",
        address_line="address_line1",
        postcode="postcode",
        city="city",
        country_code="country",
        website="website",
        account_manager_id="account_manager",
        is_customer="status type",
        modified_at="modified",
    )
    | _from(("exact_online.deletions",), is_deleted="entity_key timestamp"),
    "erp.contacts": _from(
        ("exact_online.contacts",),
        contact_id="id",
        customer_id="account",
        first_name="first_name",
        middle_name="middle_name",
        last_name="last_name",
        e_mail="business_email email",
        phone="business_phone phone",
        mobile="business_mobile mobile",
        modified_at="modified",
    )
    | _from(("exact_online.deletions",), is_deleted="entity_key timestamp"),
    "erp.item_groups": _from(
        ("exact_online.item_groups",), item_group_id="id", item_group_code="code", item_group="description"
    ),
    "erp.products": _from(
        ("exact_online.items",),
        product_id="id",
        code="code",
        name="description",
        unit="unit",
        is_sales_item="is_sales_item",
        end_date="end_date",
        collection="collection",
        modified_at="modified",
    )
    | _from(("exact_online.item_prices",), price_changes_on="start_date end_date", currency="currency")
    | _from(("exact_online.deletions",), is_deleted="entity_key timestamp")
    | {
        "sales_price": [
            *(f"exact_online.item_prices.{column}" for column in ("price", "quantity", "start_date", "end_date")),
            "exact_online.items.standard_sales_price",
        ]
    }
    | _same(("erp.item_groups",), "item_group_code"),
    "erp.salespeople": _from(_ORDERS, salesperson_id="salesperson", full_name="salesperson_full_name"),
    "erp.orders": _same(
        _ORDERS, "order_id order_number order_date delivery_date currency status delivery_status invoice_status"
    )
    | _from(
        _ORDERS,
        customer_id="ordered_by",
        salesperson_id="salesperson",
        customer_reference="your_ref",
        amount_excl_vat="amount_fc_excl_vat",
        amount_incl_vat="amount_fc",
        amount_incl_vat_home="amount_dc",
        created_at="created",
        modified_at="modified",
    )
    | _from(("exact_online.deletions",), is_deleted="entity_key timestamp"),
    "erp.order_lines": _with(
        _HISTORY_LINES,
        _same(_LINES, "order_id line_number item_code description quantity net_price")
        | _from(_LINES, line_id="id", product_id="item", amount_excl_vat="amount_fc"),
    )
    | {"known_as_of": ["exact_online.order_line_changes.timestamp", "exact_online.order_history.as_of"]}
    | _same(("erp.products",), "item_group_code"),
    "erp.invoices": _same(("exact_online.sales_invoices",), "invoice_id invoice_number invoice_date due_date currency")
    | _from(
        ("exact_online.sales_invoices",),
        customer_id="ordered_by",
        payer_id="invoice_to",
        amount_excl_vat="amount_fc_excl_vat type",
        amount_incl_vat="amount_fc type",
        kind="type",
        is_draft="status",
        modified_at="modified",
    )
    | _from(("exact_online.deletions",), is_deleted="entity_key timestamp"),
    "erp.invoice_orders": _same(("exact_online.sales_invoices",), "invoice_id")
    | _from(("exact_online.sales_invoices",), order_id="sales_order", amount_excl_vat="amount_fc type"),
    "erp.receivables": _same(("exact_online.payment_terms",), "invoice_number currency due_date")
    | _from(
        ("exact_online.payment_terms",),
        receivable_id="id",
        customer_id="account",
        amount="amount_fc is_fully_paid status",
        amount_home="amount_dc is_fully_paid status",
        is_paid="is_fully_paid status",
        paid_on="last_payment_date",
    ),
    "crm.organizations": _same(("erp.customers",), "customer_id name debtor_code postcode website")
    | _from(("erp.customers",), address="address_line postcode city country_code", owner_e_mails="account_manager_id")
    | _from(
        ("erp.orders",),
        last_order_date="order_date status",
        revenue_12_months="order_date amount_excl_vat amount_incl_vat amount_incl_vat_home status",
        is_dormant="order_date status",
    )
    | {"open_amount": ["erp.receivables.amount_home", "erp.receivables.is_paid"]},
    "crm.persons": _same(("erp.contacts",), "contact_id customer_id e_mail phone mobile")
    | {
        "name": [
            *(f"erp.contacts.{column}" for column in ("first_name", "middle_name", "last_name", "e_mail")),
            "erp.customers.name",
        ]
    },
    "crm.products": _same(("erp.products",), "name code unit currency item_group_code collection")
    | _from(("erp.products",), product_key="product_id", price="sales_price", is_active="is_sales_item end_date"),
    "crm.deals": _same(
        ("erp.orders",),
        "order_id customer_id salesperson_id currency order_number order_date delivery_date "
        "customer_reference is_deleted is_live",
    )
    | _from(
        ("erp.orders",),
        value="amount_excl_vat",
        status="status delivery_status invoice_status",
        stage="status delivery_status invoice_status",
        delivery_status="delivery_status",
        invoice_status="invoice_status",
    )
    | {
        "title": ["erp.orders.order_number", "erp.customers.name"],
        "owner_e_mails": ["erp.orders.salesperson_id", "erp.customers.account_manager_id"],
        "item_group_codes": ["erp.order_lines.item_group_code"],
        "lost_reason": ["erp.orders.status", "erp.orders.is_deleted"],
        "category_amounts": ["erp.order_lines.item_group_code", "erp.order_lines.amount_excl_vat"],
        "main_item_group_code": ["erp.order_lines.item_group_code", "erp.order_lines.amount_excl_vat"],
        "payment_status": [
            "erp.invoice_orders.order_id",
            "erp.invoices.amount_incl_vat",
            "erp.invoices.due_date",
            "erp.receivables.amount",
            "erp.receivables.due_date",
            "erp.receivables.is_paid",
        ],
    },
    "crm.deal_products": _same(("erp.order_lines",), "order_id quantity")
    | _from(
        ("erp.order_lines",),
        row_key="line_id",
        product_key="product_id",
        item_price="net_price quantity",
        comments="line_number item_group_code",
        position="line_number",
    ),
    "crm.held": _same(("erp.orders",), "status delivery_status invoice_status")
    | {
        "key": ["erp.orders.order_id", "erp.customers.customer_id"],
        "number": ["erp.orders.order_number", "erp.customers.debtor_code"],
        "reason": _HELD_FOR,
        "stops_deal": _HELD_FOR,
    },
    "pipedrive.organizations": _same(("crm.organizations",), "customer_id")
    | _from(
        ("crm.organizations",),
        written="name debtor_code address website owner_e_mails "
        "last_order_date revenue_12_months open_amount is_dormant",
    ),
    "pipedrive.persons": _same(("crm.persons",), "contact_id")
    | _from(("crm.persons",), written="customer_id name e_mail phone mobile"),
    "pipedrive.products": _same(("crm.products",), "product_key")
    | _from(("crm.products",), written="name code unit price item_group_code is_active"),
    "pipedrive.deals": _same(("crm.deals",), "order_id")
    | _from(("crm.deals",), written="title value status stage order_date owner_e_mails item_group_codes"),
    "pipedrive.deal_products": _same(
        ("crm.deal_products",), "order_id row_key position product_key quantity item_price comments"
    ),
    "pipedrive.person_changes": {
        "contact_id": ["pipedrive.persons.contact_id"],
        "waits": ["pipedrive.persons.written"],
        "reason": ["pipedrive.organizations.customer_id", "crm.organizations.debtor_code", "crm.held.reason"],
    },
    "pipedrive.drift": {
        "key": [
            "pipedrive.deals.order_id",
            "pipedrive.organizations.customer_id",
            "pipedrive.persons.contact_id",
            "pipedrive.products.product_key",
        ],
        "record_id": [
            "pipedrive.deals.deal_id",
            "pipedrive.organizations.org_id",
            "pipedrive.persons.person_id",
            "pipedrive.products.product_id",
        ],
        "wanted": [f"pipedrive.{kind}.written" for kind in ("deals", "organizations", "persons", "products")],
    },
    "marts.differences": {
        "order_id": ["exact_online.order_totals.order_id", "erp.orders.order_id", "crm.deals.order_id"],
        "order_number": ["erp.orders.order_number", "crm.deals.order_number", "exact_online.order_totals.order_number"],
        "month": ["erp.orders.order_date", "crm.deals.order_date", "exact_online.order_totals.order_date"],
        "currency": ["erp.orders.currency", "crm.deals.currency", "exact_online.order_totals.currency"],
        "value_in_exact": ["exact_online.order_totals.amount_fc_excl_vat"],
        "value_in_erp": ["erp.orders.amount_excl_vat", "erp.orders.is_deleted"],
        "value_in_crm": ["crm.deals.value", "crm.deals.is_deleted"],
        "value_in_pipedrive": [
            "pipedrive.deals.written",
            "pipedrive.deal_products.quantity",
            "pipedrive.deal_products.item_price",
            "pipedrive.drift.found",
        ],
        "differs": [
            "exact_online.order_totals.amount_fc_excl_vat",
            "erp.orders.amount_excl_vat",
            "crm.deals.value",
            "pipedrive.deals.written",
        ],
        "explanation": ["crm.held.reason", "erp.orders.modified_at", "pipedrive.drift.found_at"],
    },
    "marts.reconciliation": {
        "month": ["exact_online.order_totals.order_date", "erp.orders.order_date", "crm.deals.order_date"],
        "currency": ["exact_online.order_totals.currency", "erp.orders.currency", "crm.deals.currency"],
        "orders_in_exact": ["exact_online.order_totals.order_id"],
        "value_in_exact": ["exact_online.order_totals.amount_fc_excl_vat"],
        "orders_in_erp": ["erp.orders.order_id"],
        "value_in_erp": ["erp.orders.amount_excl_vat"],
        "orders_in_crm": ["crm.deals.order_id"],
        "value_in_crm": ["crm.deals.value"],
        "orders_in_pipedrive": ["pipedrive.deals.order_id"],
        "value_in_pipedrive": ["pipedrive.deals.written", "pipedrive.deal_products.item_price"],
        "differing": ["marts.differences.differs"],
        "unexplained": ["marts.differences.explanation"],
        "asked_at": ["exact_online.order_totals.asked_at"],
    },
    "marts.revenue_per_category": {
        "month": ["erp.orders.order_date"],
        "item_group_code": ["erp.order_lines.item_group_code"],
        "item_group": ["erp.item_groups.item_group"],
        "currency": ["erp.orders.currency"],
        "revenue_excl_vat": ["erp.order_lines.amount_excl_vat", "erp.orders.amount_excl_vat"],
        "orders": ["erp.orders.order_id"],
        "lines": ["erp.order_lines.line_id"],
        "quantity": ["erp.order_lines.quantity"],
    },
    "marts.revenue_per_customer": {
        **_REVENUE,
        "customer_id": ["erp.orders.customer_id"],
        "debtor_code": ["erp.customers.debtor_code"],
        "customer": ["erp.customers.name"],
    },
    "marts.revenue_per_salesperson": {
        **_REVENUE,
        "salesperson_id": ["erp.orders.salesperson_id"],
        "salesperson": ["erp.salespeople.full_name"],
    },
    "marts.dormant_customers": {
        "customer_id": ["erp.orders.customer_id"],
        "debtor_code": ["erp.customers.debtor_code"],
        "customer": ["erp.customers.name"],
        "account_manager": ["erp.customers.account_manager_id", "erp.salespeople.full_name"],
        **_from(
            ("erp.orders",),
            last_order_date="order_date status",
            days_since_last_order="order_date status",
            usual_days_between_orders="order_date status",
            times_usual="order_date status",
            is_quiet="order_date status",
            is_dormant="order_date status",
            orders="order_id",
            revenue_last_year_excl_vat="order_date amount_excl_vat amount_incl_vat amount_incl_vat_home",
            revenue_year_to_last_order_excl_vat="order_date amount_excl_vat amount_incl_vat amount_incl_vat_home",
        ),
    },
    "marts.order_status": {
        "stage": ["crm.deals.status", "crm.deals.stage"],
        **_same(("erp.orders",), "status delivery_status invoice_status currency"),
        **_from(
            ("erp.orders",),
            orders="order_id",
            value_excl_vat="amount_excl_vat",
            oldest_order_date="order_date",
            oldest_days="order_date",
            open_up_to_7_days="order_date",
            open_8_to_30_days="order_date",
            open_31_to_90_days="order_date",
            open_over_90_days="order_date",
        ),
    },
    # From what the writing books; no asset owns that table.
    "marts.crm_token_usage": {},
    "marts.migration": {
        "month": ["erp.orders.order_date"],
        "orders": ["erp.orders.order_id"],
        "deals": ["pipedrive.deals.deal_id"],
        "orders_in_exact": ["exact_online.order_history.order_id"],
        "deals_to_go": ["crm.deals.order_id"],
        "deals_on": ["crm.deals.order_id"],
        "done_on": ["crm.deals.order_id", "crm.deal_products.row_key"],
        "rows_to_go": ["crm.deals.order_id", "crm.deal_products.row_key"],
        "tokens_to_go": ["crm.deals.order_id", "crm.deal_products.row_key", "pipedrive.deal_products.row_key"],
    },
}

# Columns that come from no table: what Pipedrive told, what a setting says, when something happened here.
OWN = {
    "erp.orders": "is_live",
    "crm.organizations": "currency",
    "crm.held": "entity since",
    "pipedrive.organizations": "org_id written_at",
    "pipedrive.persons": "person_id written_at",
    "pipedrive.products": "product_id written_at",
    "pipedrive.deals": "deal_id written_at rows_written_at is_archived",
    "pipedrive.deal_products": "attachment_id",
    "pipedrive.person_changes": "person_id org_id name e_mail phone mobile changed_at since",
    "pipedrive.drift": "kind field number found found_at",
    "marts.dormant_customers": "currency",
    "marts.crm_token_usage": "budget_day purpose requests tokens budget",
}
