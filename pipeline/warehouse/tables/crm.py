"""What Pipedrive should hold, in words: no ids or field keys of Pipedrive, so the same rows could fill another CRM."""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKeyConstraint, Index

from pipeline.warehouse.tables.columns import (
    administration,
    day,
    document,
    flag,
    instant,
    key,
    money,
    number,
    table,
    text,
    texts,
    whole,
)

SCHEMA = "crm"

organizations = table(
    SCHEMA,
    "organizations",
    "Organizations Pipedrive should hold, one a mirrored customer.",
    administration(),
    key("customer_id", 'account in the ERP: "Exact account-ID"'),
    text("name", "name", required=True),
    text("debtor_code", '"Debiteurnummer"', required=True),
    text("address", "address on one line"),
    text("postcode", "postcode without blanks, by which organizations made by hand are recognised"),
    text("website", "website"),
    texts("owner_e_mails", "users it may belong to, best first"),
    day("last_order_date", '"Laatste order": date of the newest order'),
    money("revenue_12_months", '"Omzet 12 maanden": without VAT, of the twelve full months before this one'),
    money("open_amount", '"Openstaand": sum of open receivables'),
    text("currency", "the administration's currency, of both amounts", required=True),
    flag("is_dormant", '"Slapend": Ja or Nee'),
)

persons = table(
    SCHEMA,
    "persons",
    "Persons Pipedrive should hold, one a contact of a mirrored customer.",
    administration(),
    key("contact_id", 'contact in the ERP: "Exact contact-ID"'),
    text("customer_id", "customer whose organization the person is linked to; empty for one who left"),
    text("name", "name", required=True),
    text("e_mail", "e-mail address"),
    text("phone", "phone number"),
    text("mobile", "mobile number"),
    Index("persons_by_customer", "administration", "customer_id"),
)

products = table(
    SCHEMA,
    "products",
    "Products Pipedrive should hold: the catalogue, items only orders know, and the surcharge.",
    administration(),
    key("product_key", 'item in the ERP: "Exact item-ID"; or TOESLAG-KORTING'),
    text("name", "name", required=True),
    text("code", "item code"),
    text("unit", "unit of sale"),
    number("price", "price without VAT", required=True),
    text("currency", "currency of the price", required=True),
    text("item_group_code", '"Artikelgroep", by code'),
    flag("is_active", '"Artikelstatus": Actief or Vervallen'),
    text("collection", '"Collectie"'),
)

deals = table(
    SCHEMA,
    "deals",
    "Deals Pipedrive should hold, one an order.",
    administration(),
    key("order_id", '"Exact order-ID"'),
    text("title", "title", required=True),
    text("customer_id", "customer whose organization the deal is linked to", required=True),
    text("salesperson_id", "salesperson of the order when the owner was chosen"),
    texts("owner_e_mails", "users it may belong to, best first"),
    text("currency", "currency of the value", required=True),
    money("value", "order total without VAT"),
    text("status", "open, won or lost", required=True),
    text("stage", "new, backorder or shipped", required=True),
    text("lost_reason", "why it was lost"),
    text("order_number", '"Ordernummer"', required=True),
    day("order_date", '"Orderdatum"; at noon UTC the moment it was won or lost'),
    day("delivery_date", '"Leverdatum" and expected close date'),
    text("customer_reference", '"Klantreferentie"'),
    text("delivery_status", '"Leverstatus": open, partial, complete or empty'),
    text("invoice_status", '"Factuurstatus": open, partial, complete or empty'),
    text("payment_status", '"Betaalstatus": open, partial, paid, late or empty'),
    texts("item_group_codes", '"Artikelgroepen", by code'),
    text("main_item_group_code", '"Hoofdgroep", by code'),
    document("category_amounts", "revenue by item-group code, where wanted as fields", required=False),
    flag("is_deleted", "whether the order was deleted in the ERP: such a deal is never made newly"),
    flag("is_live", "whether it goes before history"),
)

deal_products = table(
    SCHEMA,
    "deal_products",
    "Rows Pipedrive should hold on each deal, one an order line and one for the rest.",
    administration(),
    key("order_id", "order of the deal"),
    key("row_key", "order line, or TOESLAG-KORTING"),
    whole("position", "place among the rows, from 1", required=True),
    text("product_key", "product it shows", required=True),
    number("quantity", "quantity, never below zero", required=True),
    number("item_price", "price of one, below zero for a return", required=True),
    text("comments", "line number and item group", required=True),
    ForeignKeyConstraint(
        ["administration", "order_id"],
        ["crm.deals.administration", "crm.deals.order_id"],
        name="deal_products_deal",
    ),
)

held = table(
    SCHEMA,
    "held",
    "Orders and customers the mapping holds back, with the reason.",
    administration(),
    key("entity", "order or customer"),
    key("key", "order_id or customer_id"),
    text("number", "order number or debtor code"),
    text("status", "status word of the order"),
    text("delivery_status", "delivery word of the order"),
    text("invoice_status", "invoice word of the order"),
    text("reason", "what is in the way", required=True),
    flag("stops_deal", "whether the deal waits as a whole; else only its status and stage do"),
    instant("since", "when it was first held (UTC)", required=True),
)

contact_conflicts = table(
    SCHEMA,
    "contact_conflicts",
    "What people had written on a person in Pipedrive when its contact had changed too: the ERP won, this is kept.",
    administration(),
    key("contact_id", "contact in the ERP"),
    key("field", "field that differed: name, e_mail, phone, mobile or org_id"),
    Column("since", DateTime(timezone=True), primary_key=True, comment="when it was found (UTC)"),
    Column("person_id", BigInteger, nullable=False, comment="person in Pipedrive"),
    text("theirs", "value in Pipedrive, which lost"),
    text("ours", "value in the ERP, which won"),
)
