"""What the pipeline itself remembers between runs: where feeds were read to, tokens, work that waits."""

from sqlalchemy import BigInteger, Column, Date, Identity, Index, Sequence

from pipeline.warehouse.tables.columns import (
    administration,
    big,
    document,
    flag,
    instant,
    key,
    metadata,
    money,
    number,
    table,
    text,
    whole,
)

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
    text("stopped", "why no token is asked for; empty while all is well"),
    text("stopped_for", "SHA-256 of the credentials that were refused: with others it is asked again"),
    instant("stopped_until", "until when none is asked for (UTC); empty: until a person consented again"),
)

exact_limits = table(
    SCHEMA,
    "exact_limits",
    "Calls that Exact Online still takes; every process takes its calls out of here.",
    administration(),
    big("minute_limit", "calls a minute", required=False),
    big("minute_left", "calls left in the minute", required=False),
    instant("minute_ends", "end of that minute, by our clock (UTC)"),
    big("day_limit", "calls a day", required=False),
    big("day_left", "calls left in the day", required=False),
    instant("day_ends", "end of that day, by our clock (UTC)"),
)

exact_refusals = table(
    SCHEMA,
    "exact_refusals",
    "Refusals of Exact Online within the last hour; ten would close the endpoint.",
    Column("number", BigInteger, Identity(always=True), primary_key=True, comment="order of their coming"),
    text("administration", "name of the administration, as in pipeline.yaml", required=True),
    text("endpoint", "division and resource that was asked", required=True),
    whole("status", "400, 401, 403 or 404", required=True),
    text("said", "Exact's reason", required=True),
    instant("refused_at", "when (UTC)", required=True),
    Index("exact_refusals_of_an_endpoint", "administration", "endpoint"),
)

remembered = table(
    SCHEMA,
    "remembered",
    "Single facts kept from one run to the next.",
    key("name", "which"),
    document("value", "what"),
    instant("remembered_at", "when (UTC)", required=True),
)

organization_decisions = table(
    SCHEMA,
    "organization_decisions",
    "What a person decided: whether an organization in Pipedrive stands for a customer.",
    administration(),
    key("customer_id", "customer"),
    Column("org_id", BigInteger, primary_key=True, autoincrement=False, comment="organization that may be its"),
    flag("is_adopted", "whether it is the customer's; else it is not"),
    instant("decided_at", "when it was read (UTC)", required=True),
)

erasures = table(
    SCHEMA,
    "erasures",
    "Whose personal data was erased, told by a hash: the feeds keep it out, a restore erases it again.",
    administration(),
    key("kind", "contact, account, or person for one in Pipedrive"),
    key("key_hash", "SHA-256 of administration, kind and id, in hex"),
    instant("erased_at", "when it was erased first (UTC)", required=True),
)

counted_revenue = table(
    SCHEMA,
    "counted_revenue",
    "What each order counts for in the revenue marts now: a change takes back exactly that, and counts anew.",
    administration(),
    key("order_id", "the order"),
    key("item_group_code", "item group of its lines; empty text for what no line explains, which every order has"),
    Column("month", Date, nullable=False, comment="first day of the month of the order date"),
    text("customer_id", "account that ordered; - without one", required=True),
    text("salesperson_id", "salesperson of the order; - without one", required=True),
    text("currency", "currency of the order", required=True),
    money("revenue_excl_vat", "value without VAT"),
    whole("lines", "lines", required=True),
    number("quantity", "quantity on those lines", required=True),
)
