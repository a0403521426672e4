"""Exact Online as it says things: its own field names in snake case, its own codes, its wall-clock times.

A field read newly (`exact_online/feeds.py`) gets its column here. Blanks, zones and codes are made sense of in
`transform/`; nothing right of `erp` reads these tables.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Index

from pipeline.warehouse.tables.columns import (
    administration,
    big,
    day,
    document,
    flag,
    instant,
    key,
    number,
    table,
    text,
    wall_time,
    whole,
)

SCHEMA = "exact_online"
_TIMESTAMP = "row version of the record, higher after every change; a number only Exact can explain"


def _order_header() -> list[Any]:
    return [
        whole("order_number", "OrderNumber"),
        wall_time("order_date", "OrderDate: midnight of a calendar day"),
        wall_time("delivery_date", "DeliveryDate: midnight of a calendar day"),
        text("ordered_by", "OrderedBy: account that ordered"),
        text("salesperson", "Salesperson: id of a user"),
        text("salesperson_full_name", "SalespersonFullName"),
        text("your_ref", "YourRef: the customer's own reference"),
        text("currency", "Currency of the FC amounts"),
        number("amount_dc", "AmountDC: with VAT, in the administration's currency"),
        number("amount_fc", "AmountFC: with VAT, in the order's currency"),
        number("amount_fc_excl_vat", "AmountFCExclVat: without VAT, in the order's currency"),
        whole("status", "Status: 12 open, 20 partial, 21 complete, 45 cancelled"),
        whole("delivery_status", "DeliveryStatus: codes as Status"),
        whole("invoice_status", "InvoiceStatus: codes as Status"),
        wall_time("created", "Created"),
        wall_time("modified", "Modified"),
    ]


accounts = table(
    SCHEMA,
    "accounts",
    "Relations of the administration, one row an account (sync/CRM/Accounts).",
    administration(),
    key("id", "ID of the account"),
    big("timestamp", _TIMESTAMP),
    text("code", "Code: debtor code, padded with blanks to 18 characters"),
    text("name", "Name"),
    text("status", "Status: C customer, P prospect, S suspect, A none"),
    text("type", "Type: A relation, D division"),
    text("address_line1", "AddressLine1"),
    text("postcode", "Postcode"),
    text("city", "City"),
    text("country", "Country: two letters, padded with a blank"),
    text("website", "Website"),
    text("account_manager", "AccountManager: id of a user"),
    text("account_manager_full_name", "AccountManagerFullName"),
    wall_time("modified", "Modified"),
)

contacts = table(
    SCHEMA,
    "contacts",
    "People at accounts, one row a contact (sync/CRM/Contacts).",
    administration(),
    key("id", "ID of the contact"),
    big("timestamp", _TIMESTAMP),
    text("account", "Account: id of the account"),
    Index("contacts_by_account", "administration", "account"),
    text("first_name", "FirstName"),
    text("middle_name", "MiddleName"),
    text("last_name", "LastName"),
    text("email", "Email"),
    text("business_email", "BusinessEmail"),
    text("phone", "Phone"),
    text("business_phone", "BusinessPhone"),
    text("mobile", "Mobile"),
    text("business_mobile", "BusinessMobile"),
    wall_time("modified", "Modified"),
)

items = table(
    SCHEMA,
    "items",
    "Items of the catalogue, one row an item (sync/Logistics/Items).",
    administration(),
    key("id", "ID of the item"),
    big("timestamp", _TIMESTAMP),
    text("code", "Code"),
    text("description", "Description"),
    text("item_group", "ItemGroup: id of the item group"),
    text("unit", "Unit"),
    Index("items_by_item_group", "administration", "item_group"),
    flag("is_sales_item", "IsSalesItem"),
    wall_time("end_date", "EndDate: last day it is sold"),
    text("collection", "the item field that pipeline.yaml names as collection_field"),
    wall_time("modified", "Modified"),
    number(
        "standard_sales_price",
        "StandardSalesPrice of logistics/Items, asked only of items without a valid sales price",
    ),
    big("standard_price_as_of", "timestamp of the item when its StandardSalesPrice was asked", required=False),
)

item_groups = table(
    SCHEMA,
    "item_groups",
    "Item groups, one row a group (logistics/ItemGroups).",
    administration(),
    key("id", "ID of the item group"),
    text("code", "Code"),
    text("description", "Description"),
    wall_time("modified", "Modified"),
)

item_prices = table(
    SCHEMA,
    "item_prices",
    "Sales prices by item, currency, unit, quantity, period and account (sync/Logistics/SalesItemPrices).",
    administration(),
    key("id", "ID of the price"),
    big("timestamp", _TIMESTAMP),
    text("item", "Item: id of the item"),
    Index("item_prices_by_item", "administration", "item"),
    text("account", "Account: id of the one account it is for; empty for everybody"),
    text("currency", "Currency"),
    number("price", "Price"),
    number("quantity", "Quantity from which it holds"),
    wall_time("start_date", "StartDate: first day"),
    wall_time("end_date", "EndDate: last day, included"),
)

order_history = table(
    SCHEMA,
    "order_history",
    "Orders read whole, month by month, with their lines (bulk/SalesOrder/SalesOrders).",
    administration(),
    key("order_id", "OrderID"),
    day("month", "first day of the month they were read for; later order dates stand in the newest", required=True),
    big("as_of", "highest row version known before the reading began: the row counts as that old"),
    *_order_header(),
    document("lines", "the lines, each with its fields in snake case, numbers as text"),
    Index("order_history_by_month", "administration", "month"),
    Index("order_history_by_salesperson", "administration", "salesperson", "salesperson_full_name"),
)

order_totals = table(
    SCHEMA,
    "order_totals",
    "What Exact Online said each order is worth when it was asked last, for the months that landed: asked anew every "
    "night, and apart from what landed, so that the one proves the other (bulk/SalesOrder/SalesOrders).",
    administration(),
    key("order_id", "OrderID"),
    whole("order_number", "OrderNumber"),
    wall_time("order_date", "OrderDate: midnight of a calendar day"),
    text("currency", "Currency of the FC amounts"),
    number("amount_fc_excl_vat", "AmountFCExclVat: without VAT, in the order's currency"),
    instant("asked_at", "when it was asked", required=True),
)

order_changes = table(
    SCHEMA,
    "order_changes",
    "Order headers that changed, each as it last was (sync/SalesOrder/SalesOrderHeaders).",
    administration(),
    key("order_id", "OrderID"),
    text("id", "ID of the record in the feed; deletions may name it instead of the OrderID"),
    big("timestamp", _TIMESTAMP),
    *_order_header(),
    Index("order_changes_by_record", "administration", "id"),
    Index("order_changes_by_salesperson", "administration", "salesperson", "salesperson_full_name"),
)

order_line_changes = table(
    SCHEMA,
    "order_line_changes",
    "Order lines that changed, each as it last was (sync/SalesOrder/SalesOrderLines, or read by their order).",
    administration(),
    key("id", "ID of the line"),
    big("timestamp", _TIMESTAMP),
    text("order_id", "OrderID"),
    Index("order_line_changes_by_order", "administration", "order_id"),
    whole("line_number", "LineNumber"),
    text("item", "Item: id of the item"),
    text("item_code", "ItemCode"),
    text("description", "Description"),
    number("quantity", "Quantity, below zero for a return"),
    number("net_price", "NetPrice: for one, after the line's discount"),
    number("amount_fc", "AmountFC: without VAT, in the order's currency"),
)

deletions = table(
    SCHEMA,
    "deletions",
    "Records that were deleted (sync/Deleted; Exact keeps them two months).",
    administration(),
    key(
        "entity_type",
        "EntityType: 2 account, 5 contact, 8 price, 9 item, 10 payment, 12 and 32 order, 13 invoice, 33 order line",
    ),
    key("entity_key", "EntityKey: ID of the record that is gone"),
    big("timestamp", _TIMESTAMP),
    wall_time("deleted_date", "DeletedDate"),
)

sales_invoices = table(
    SCHEMA,
    "sales_invoices",
    "Invoices and credit notes, one row a header and one a line, as they come mixed (sync/SalesInvoice/SalesInvoices).",
    administration(),
    key("id", "ID of the header or the line"),
    big("timestamp", _TIMESTAMP),
    text("invoice_id", "InvoiceID: the header that a line stands under"),
    whole("line_number", "LineNumber: 0 on a header"),
    whole("invoice_number", "InvoiceNumber: empty or 0 before it is processed"),
    wall_time("invoice_date", "InvoiceDate: midnight of a calendar day"),
    wall_time("due_date", "DueDate: midnight of a calendar day"),
    text("ordered_by", "OrderedBy: account that ordered"),
    text("invoice_to", "InvoiceTo: account that pays"),
    text("currency", "Currency of the FC amounts"),
    number("amount_fc", "AmountFC: with VAT on a header, without on a line"),
    number("amount_fc_excl_vat", "AmountFCExclVat of the header: without VAT"),
    whole("type", "Type: 8020 invoice, 8021 credit note, 8023 direct invoice, 8024 direct credit note"),
    whole("status", "Status: 10 draft, 20 open, 50 processed"),
    text("sales_order", "SalesOrder: id of the order that a line bills"),
    wall_time("modified", "Modified"),
    Index("sales_invoices_by_invoice", "administration", "invoice_id"),
)

payment_terms = table(
    SCHEMA,
    "payment_terms",
    "Money to be received, paid or not, one row a term (sync/Cashflow/PaymentTerms; what is to be paid stays there).",
    administration(),
    key("id", "ID of the term"),
    big("timestamp", _TIMESTAMP),
    whole("line_type", "LineType: 20 money to be received; 22, to be paid, does not land"),
    text("account", "Account: who has to pay"),
    whole("invoice_number", "InvoiceNumber; empty on what no invoice is behind"),
    wall_time("due_date", "DueDate: midnight of a calendar day"),
    text("currency", "Currency of the FC amounts"),
    number("amount_fc", "AmountFC: of this term, with VAT; nobody could establish its sign"),
    number("amount_dc", "AmountDC: the same in the administration's currency"),
    number("transaction_amount_fc", "TransactionAmountFC: of the whole invoice, by which the sign is told"),
    flag("is_fully_paid", "IsFullyPaid", required=False),
    whole("status", "Status: 20 open, 30 selected, 40 processed, 50 matched"),
    wall_time("last_payment_date", "LastPaymentDate"),
    wall_time("modified", "Modified"),
)

written_contacts = table(
    SCHEMA,
    "written_contacts",
    "Contacts this pipeline made or changed in Exact Online, each as it last did.",
    administration(),
    key("contact_id", "ID of the contact"),
    big("person_id", "person in Pipedrive it was written for"),
    text("content_hash", "SHA-256 of the person's content: a contact that says just this was not changed by others"),
    instant("written_at", "last write (UTC)"),
)

contact_intents = table(
    SCHEMA,
    "contact_intents",
    "Contacts about to be written whose outcome is not yet known; they are looked up before anything is tried again.",
    administration(),
    Column("person_id", BigInteger, primary_key=True, autoincrement=False, comment="person in Pipedrive"),
    text("contact_id", "contact about to be changed; empty for one about to be made"),
    text("e_mail", "e-mail address by which a contact that was made is found", required=True),
    text("content_hash", "SHA-256 of the person's content about to be written", required=True),
    text("hash_before", "SHA-256 of what the contact said before; empty for one about to be made"),
    instant("intended_at", "before the request (UTC)", required=True),
)
