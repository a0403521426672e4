"""What was written to Pipedrive: ids, contents, requests under way, and tokens spent.

Only the run that applies a plan writes here. `written` is a request body as Pipedrive got it.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKeyConstraint, Index
from sqlalchemy import text as sql

from pipeline.warehouse.tables.columns import (
    administration,
    big,
    document,
    flag,
    instant,
    key,
    number,
    table,
    text,
    whole,
)

SCHEMA = "pipedrive"
_WRITTEN = "content as it was last written, in Pipedrive's own fields; empty when it was only recognised"

organizations = table(
    SCHEMA,
    "organizations",
    "Organizations this pipeline wrote or adopted.",
    administration(),
    key("customer_id", "customer it stands for"),
    big("org_id", "id in Pipedrive"),
    document("written", _WRITTEN, required=False),
    instant("written_at", "last write (UTC)"),
)

persons = table(
    SCHEMA,
    "persons",
    "Persons this pipeline wrote.",
    administration(),
    key("contact_id", "contact it stands for"),
    big("person_id", "id in Pipedrive"),
    document("written", _WRITTEN, required=False),
    instant("written_at", "last write (UTC)"),
)

products = table(
    SCHEMA,
    "products",
    "Products this pipeline wrote.",
    administration(),
    key("product_key", "product it stands for"),
    big("product_id", "id in Pipedrive"),
    document("written", _WRITTEN, required=False),
    instant("written_at", "last write (UTC)"),
)

deals = table(
    SCHEMA,
    "deals",
    "Deals this pipeline wrote.",
    administration(),
    key("order_id", "order it stands for"),
    big("deal_id", "id in Pipedrive"),
    document("written", _WRITTEN, required=False),
    instant("written_at", "last write (UTC)"),
    instant("rows_written_at", "last write of its rows (UTC)"),
    Column(
        "is_archived",
        Boolean,
        nullable=False,
        server_default="false",
        comment="whether it stands in Pipedrive's archive, where nothing can be changed",
    ),
    Index("deals_by_deal_id", "deal_id"),
    Index("deals_outside_the_archive", "deal_id", postgresql_where=sql("NOT is_archived")),
)

deal_products = table(
    SCHEMA,
    "deal_products",
    "Rows this pipeline wrote on deals.",
    administration(),
    key("order_id", "order of the deal"),
    key("row_key", "order line it stands for, or TOESLAG-KORTING"),
    big("attachment_id", "id of the row in Pipedrive"),
    whole("position", "place among the rows, from 1", required=True),
    text("product_key", "product it shows", required=True),
    number("quantity", "quantity", required=True),
    number("item_price", "price of one", required=True),
    text("comments", "comments", required=True),
    ForeignKeyConstraint(
        ["administration", "order_id"],
        ["pipedrive.deals.administration", "pipedrive.deals.order_id"],
        name="deal_products_deal",
    ),
)

intents = table(
    SCHEMA,
    "intents",
    "Writes about to be sent whose outcome is not yet known; an old one is in doubt and is looked up first.",
    administration(),
    key("kind", "organizations, persons, products, deals or deal_products"),
    key("key", "key of the record in the table of that name"),
    instant("intended_at", "before the request (UTC)", required=True),
    document("body", "content about to be written", required=False),
)

rejected = table(
    SCHEMA,
    "rejected",
    "Records Pipedrive refused, with what it said; tried again when their content changes.",
    administration(),
    key("kind", "organizations, persons, products, deals or deal_products"),
    key("key", "key of the record in the table of that name"),
    text("number", "order number, debtor code or item code"),
    text("reason", "what Pipedrive said", required=True),
    instant("since", "first refusal (UTC)", required=True),
)

person_changes = table(
    SCHEMA,
    "person_changes",
    'Persons with the label "Naar Exact" as they were last seen, and what keeps them from being contacts in the ERP.',
    Column("person_id", BigInteger, primary_key=True, autoincrement=False, comment="id in Pipedrive"),
    big("org_id", "organization in Pipedrive", required=False),
    text("name", "name", required=True),
    text("e_mail", "primary e-mail address"),
    text("phone", "phone number"),
    text("mobile", "mobile number"),
    text("contact_id", '"Exact contact-ID"'),
    instant("changed_at", "last change in Pipedrive (UTC)"),
    flag("waits", "whether what it says has still to be decided upon"),
    text("reason", "why it is not in the ERP as it stands; empty while all is well"),
    instant("since", "since when there is a reason (UTC)"),
)

duplicates = table(
    SCHEMA,
    "duplicates",
    "Records in Pipedrive that carry the key of one that is there already; they are never fed.",
    administration(),
    key("kind", "organizations, persons, products or deals"),
    Column("record_id", BigInteger, primary_key=True, comment="id in Pipedrive of the one too many"),
    text("key", "key both carry", required=True),
    big("kept_id", "id of the older one, which is kept"),
    instant("found_at", "when it was found (UTC)", required=True),
    instant("closed_at", "when the deal was closed as lost (UTC)"),
)

drift = table(
    SCHEMA,
    "drift",
    "What an audit found changed by hand in Pipedrive, one row a field; fields of the ERP are put back.",
    administration(),
    key("kind", "organizations, persons, products, deals or deal_products"),
    key("key", "key of the record in the table of that name; of a deal's rows its order"),
    key("field", "what differs: a field by its name, rows, or what happened to the record"),
    text("number", "order number, debtor code or item code"),
    big("record_id", "id in Pipedrive; of rows that of their deal"),
    text("found", "what stood there"),
    text("wanted", "what was written last"),
    instant("found_at", "when it was found (UTC)", required=True),
)

fields = table(
    SCHEMA,
    "fields",
    "Custom fields found or made by name.",
    key("entity", "deal, organization, person or product"),
    key("name", "name in Pipedrive"),
    text("field_code", "Pipedrive's 40-character key", required=True),
)

field_options = table(
    SCHEMA,
    "field_options",
    "Options of custom fields, by what they stand for.",
    key("entity", "deal, organization, person or product"),
    key("name", "field it belongs to"),
    key("meaning", "what it stands for: a word, an administration, or an item-group code"),
    text("label", "label in Pipedrive", required=True),
    big("option_id", "id in Pipedrive"),
)

stages = table(
    SCHEMA,
    "stages",
    "The pipeline's stages, found or made by name.",
    key("stage", "new, backorder or shipped"),
    big("stage_id", "id in Pipedrive"),
    big("pipeline_id", "id of the pipeline in Pipedrive"),
)

users = table(
    SCHEMA,
    "users",
    "Users who may own deals.",
    key("e_mail", "e-mail address, lower case"),
    big("user_id", "id in Pipedrive"),
    flag("is_active", "whether the user can own records"),
    flag("is_token_owner", "whether the API token is this user's"),
)

token_usage = table(
    SCHEMA,
    "token_usage",
    "Tokens this pipeline spent, by budget day and kind of request.",
    Column("budget_day", Date, primary_key=True, comment="day of the budget (UTC, or as the answer headers tell)"),
    key("request", "kind of request"),
    whole("requests", "how many", required=True),
    big("tokens", "tokens they cost"),
)
