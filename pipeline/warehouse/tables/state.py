"""What the pipeline itself remembers between runs: where feeds were read to, tokens, work that waits."""

from sqlalchemy import BigInteger, Column, Date, Sequence

from pipeline.warehouse.tables.columns import administration, document, instant, key, metadata, table, text, whole

SCHEMA = "state"
_TICKETS = Sequence("tickets", schema=SCHEMA, metadata=metadata)

watermarks = table(
    SCHEMA,
    "watermarks",
    "How far each feed was read; committed together with the last of its rows.",
    administration(),
    key("feed", "feed of the source"),
    text("seen_up_to", "the source's own mark; only the source compares it", required=True),
    instant("read_at", "when it was last read (UTC)", required=True),
)

landed_months = table(
    SCHEMA,
    "landed_months",
    "Months of order history that were read to their end.",
    administration(),
    Column("month", Date, primary_key=True, comment="first day of the month"),
    whole("orders", "orders read", required=True),
    whole("lines", "lines read", required=True),
    instant("landed_at", "when the reading ended (UTC)", required=True),
)

pending = table(
    SCHEMA,
    "pending",
    "Records a table has still to take in; written with the change, removed with the work, in one transaction each.",
    key("stage", "table that has to take them in"),
    administration(),
    key("key", "key of the record"),
    Column(
        "ticket",
        BigInteger,
        _TICKETS,
        server_default=_TICKETS.next_value(),
        nullable=False,
        comment="another one each time it is queued, so that work on an older state doesn't remove it",
    ),
)

tokens = table(
    SCHEMA,
    "tokens",
    "OAuth tokens, encrypted with PIPELINE_SECRET_KEY.",
    key("name", "whose chain"),
    text("access_token", "encrypted access token"),
    text("refresh_token", "encrypted refresh token, good for one use", required=True),
    text("first_refresh_token_hash", "SHA-256 of the refresh token the chain began with", required=True),
    instant("issued_at", "when the access token was issued (UTC)"),
)

remembered = table(
    SCHEMA,
    "remembered",
    "Single facts kept from one run to the next.",
    key("name", "which"),
    document("value", "what"),
    instant("remembered_at", "when (UTC)", required=True),
)
