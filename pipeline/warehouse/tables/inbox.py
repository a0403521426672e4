"""What other programs told us and has still to be acted on; no asset owns these tables."""

from sqlalchemy import BigInteger, Column, Identity, Index, Text
from sqlalchemy import text as sql

from pipeline.warehouse.tables.columns import big, instant, key, table, text

SCHEMA = "inbox"

webhook_events = table(
    SCHEMA,
    "webhook_events",
    "Notifications of Exact Online, each stored once, before it was answered; a run marks them handled.",
    key("hash_code", "signature over the content, upper-case hex; the same notification has the same one"),
    Column("number", BigInteger, Identity(always=True), nullable=False, comment="order of receipt, with gaps"),
    Column("administration", Text, nullable=False, comment="name of the administration, as in pipeline.yaml"),
    big("division", "division at Exact Online"),
    text("topic", "what changed: SalesOrders, Items, Accounts …", required=True),
    text("action", "Update, Delete or Create"),
    text("key", "id of the changed record"),
    text("content", "Content as it came, to the byte", required=True),
    instant("received_at", "when it came (UTC)", required=True),
    instant("handled_at", "when a run had read what it told of (UTC); for topics that no feed reads, at once"),
    Index("webhook_events_in_order", "number", unique=True),
    Index(
        "webhook_events_waiting",
        "administration",
        "topic",
        "number",
        postgresql_where=sql("handled_at IS NULL"),
    ),
)
