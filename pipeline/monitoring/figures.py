"""What is told of how things stand: each query with the figures its columns become. One scrape runs all of them.

Names follow Prometheus' conventions: base units, `_total` for what only grows. Labels have few values: no order, no
customer and no sentence is one; reasons are put into classes. What a figure means stands in docs/monitoring.md too.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """A query whose rows have `labels` and, in the other columns, figures: column to name and meaning."""

    sql: str
    figures: Mapping[str, tuple[str, str]]
    labels: tuple[str, ...] = ()


_REASONS = """CASE
    WHEN {reason} LIKE 'Pipedrive refused%%' OR {reason} LIKE 'its organization is not in Pipedrive%%'
        THEN 'refused by Pipedrive'
    WHEN {reason} LIKE 'Exact Online refused%%' THEN 'refused by Exact Online'
    WHEN {reason} LIKE 'no rule covers%%' THEN 'status without a rule'
    WHEN {reason} LIKE '%%debtor code%%' OR {reason} LIKE '%%Debiteurnummer%%' THEN 'debtor code'
    WHEN {reason} LIKE 'its customer is not known%%' THEN 'unknown customer'
    WHEN {reason} LIKE '%%of its lines name no item' THEN 'line without an item'
    WHEN {reason} = 'it has no amount' THEN 'no amount'
    WHEN {reason} LIKE '%%e-mail address%%' THEN 'e-mail address'
    ELSE 'other' END""".replace("%%", "%")


_FEEDS = Figures(
    "SELECT administration, feed, extract(epoch FROM now() - read_at) AS age FROM state.watermarks",
    {"age": ("pipeline_feed_age_seconds", "Since the feed of Exact Online was last read to its end.")},
    ("administration", "feed"),
)
_BACKLOG = Figures(
    'SELECT administration, stage AS "table", count(*) AS records FROM state.pending GROUP BY 1, 2',
    {"records": ("pipeline_backlog_records", "Records that wait to be taken in by a table.")},
    ("administration", "table"),
)
# What waits for another reason than a change in Exact (a setting, an audit) says nothing about lateness.
_LATENESS = Figures(
    """
    SELECT administration, coalesce((
        SELECT extract(epoch FROM now() - min(placed.modified_at)) FROM state.pending AS waiting
        JOIN erp.orders AS placed ON placed.administration = waiting.administration AND placed.order_id = waiting.key
        LEFT JOIN pipedrive.deals AS there
            ON there.administration = waiting.administration AND there.order_id = waiting.key
        LEFT JOIN crm.held AS held ON held.administration = waiting.administration AND held.entity = 'order'
            AND held.key = waiting.key AND held.stops_deal
        WHERE waiting.stage IN ('crm/deals', 'pipedrive/deals') AND waiting.administration = known.administration
            AND placed.is_live AND NOT placed.is_deleted AND held.key IS NULL
            AND (there.written_at IS NULL OR there.written_at < placed.modified_at)), 0) AS age
    FROM (SELECT DISTINCT administration FROM state.watermarks) AS known
    """,
    {"age": ("pipeline_oldest_waiting_order_seconds", "Since the oldest live change of an order that no deal shows.")},
    ("administration",),
)
_TOKENS = Figures(
    """
    SELECT CAST(value ->> 'limit' AS float) AS tokens,
        CAST(value ->> CASE WHEN value ->> 'day' = CAST(now() AT TIME ZONE 'UTC' AS date)::text
            THEN 'remaining' ELSE 'limit' END AS float) AS remaining
    FROM state.remembered WHERE name = 'pipedrive budget'
    """,
    {
        "tokens": ("pipeline_pipedrive_tokens_limit", "Tokens of Pipedrive's day."),
        "remaining": ("pipeline_pipedrive_tokens_remaining", "Tokens left today (UTC)."),
    },
)
_SPENT = Figures(
    "SELECT coalesce(sum(tokens), 0) AS tokens, coalesce(sum(requests), 0) AS requests FROM pipedrive.token_usage",
    {
        "tokens": ("pipeline_pipedrive_tokens_spent_total", "Tokens spent since the first day."),
        "requests": ("pipeline_pipedrive_requests_total", "Requests to Pipedrive since the first day."),
    },
)
_CALLS = Figures(
    """
    SELECT administration, "window", calls, CASE WHEN ends < now() THEN calls ELSE remaining END AS remaining
    FROM state.exact_limits, LATERAL (VALUES ('minute', minute_limit, minute_left, minute_ends),
        ('day', day_limit, day_left, day_ends)) AS told ("window", calls, remaining, ends)
    WHERE calls IS NOT NULL
    """,
    {
        "calls": ("pipeline_exact_calls_limit", "Calls Exact Online takes in the window."),
        "remaining": ("pipeline_exact_calls_remaining", "Calls left in the window."),
    },
    ("administration", "window"),
)
_REFUSALS = Figures(
    """
    SELECT administration, (SELECT count(*) FROM state.exact_refusals AS refusal
        WHERE refusal.administration = known.administration AND refused_at > now() - interval '1 hour') AS refusals
    FROM state.exact_limits AS known
    """,
    {"refusals": ("pipeline_exact_refusals", "Refusals of Exact Online in the last hour; ten close an endpoint.")},
    ("administration",),
)
_TOKEN_AGE = Figures(
    """
    SELECT name AS chain, extract(epoch FROM now() - issued_at) AS age,
        CASE WHEN stopped IS NOT NULL AND (stopped_until IS NULL OR stopped_until > now()) THEN 1 ELSE 0 END AS stopped
    FROM state.tokens
    """,
    {
        "age": ("pipeline_exact_token_age_seconds", "Since Exact's tokens were renewed; they end after 30 days."),
        "stopped": ("pipeline_exact_token_stopped", "1 while no token is asked for, after a refusal."),
    },
    ("chain",),
)
_HELD = Figures(
    f"""
    SELECT kind, class AS reason, count(*) AS records FROM (
        SELECT entity AS kind, {_REASONS.format(reason="reason")} AS class FROM crm.held
        UNION ALL SELECT CASE kind WHEN 'deal_products' THEN 'order' WHEN 'deals' THEN 'order'
            WHEN 'organizations' THEN 'customer' WHEN 'persons' THEN 'person' ELSE 'product' END,
            {_REASONS.format(reason="reason")} FROM pipedrive.rejected
        UNION ALL SELECT 'person', {_REASONS.format(reason="reason")} FROM pipedrive.person_changes
            WHERE since IS NOT NULL) AS held
    GROUP BY 1, 2
    """,
    {"records": ("pipeline_held_records", "Orders, customers, persons and products that are held or were refused.")},
    ("kind", "reason"),
)
_WEBHOOKS = Figures(
    """
    SELECT administration, count(*) FILTER (WHERE handled_at IS NULL) AS waiting, count(*) AS kept,
        coalesce(extract(epoch FROM now() - min(received_at) FILTER (WHERE handled_at IS NULL)), 0) AS oldest,
        extract(epoch FROM now() - max(received_at)) AS newest
    FROM inbox.webhook_events GROUP BY 1
    """,
    {
        "waiting": ("pipeline_webhook_events_waiting", "Webhooks that no run has acted on yet."),
        "kept": ("pipeline_webhook_events_kept", "Webhooks in the inbox, those that were acted on too."),
        "oldest": ("pipeline_webhook_oldest_waiting_seconds", "Since the oldest of them came in; 0 with none."),
        "newest": ("pipeline_webhook_newest_age_seconds", "Since the newest webhook came in."),
    },
    ("administration",),
)
_DEALS = Figures(
    "SELECT administration, status, count(*) AS deals FROM crm.deals GROUP BY 1, 2",
    {"deals": ("pipeline_deals_wanted", "Deals that Pipedrive should hold.")},
    ("administration", "status"),
)
_WRITTEN = Figures(
    "SELECT administration, count(*) AS deals FROM pipedrive.deals GROUP BY 1",
    {"deals": ("pipeline_deals_written", "Deals that stand in Pipedrive.")},
    ("administration",),
)
_DOUBTS = Figures(
    """
    SELECT (SELECT count(*) FROM pipedrive.intents) AS doubts,
        (SELECT count(*) FROM pipedrive.duplicates WHERE closed_at IS NULL) AS duplicates,
        (SELECT count(*) FROM marts.differences WHERE explanation IS NULL) AS differences,
        pg_database_size(current_database()) AS bytes
    """,
    {
        "doubts": ("pipeline_writes_in_doubt", "Writes under way, or whose outcome has still to be looked up."),
        "duplicates": ("pipeline_duplicates", "Records that stand in Pipedrive twice."),
        "bytes": ("pipeline_database_size_bytes", "Size of the database."),
        "differences": (
            "pipeline_unexplained_differences",
            "Orders that differ between the sides for no known reason.",
        ),
    },
)
_HISTORY = Figures(
    """
    SELECT administration, count(*) FILTER (WHERE tokens_to_go > 0) AS months, sum(tokens_to_go) AS tokens,
        coalesce(max((SELECT jsonb_array_length(value) FROM state.remembered
            WHERE name = administration || ' months to read')), 0) AS unread
    FROM marts.migration GROUP BY 1
    """,
    {
        "months": ("pipeline_history_months_to_write", "Months whose orders are not all in Pipedrive."),
        "tokens": ("pipeline_history_tokens_to_go", "Tokens that they will take."),
        "unread": ("pipeline_history_months_to_read", "Months that were asked for and are not read from Exact yet."),
    },
    ("administration",),
)
_BACKUP = Figures(
    """
    SELECT extract(epoch FROM now() - CAST(value ->> 'at' AS timestamptz)) AS age,
        CAST(value ->> 'bytes' AS float) AS bytes,
        CASE value ->> 'was_restored' WHEN 'true' THEN 1 WHEN 'false' THEN 0 END AS verified
    FROM state.remembered WHERE name = 'last backup'
    """,
    {
        "age": ("pipeline_backup_age_seconds", "Since the last backup was made."),
        "bytes": ("pipeline_backup_size_bytes", "Size of the last backup."),
        "verified": (
            "pipeline_backup_verified",
            "1 when it was restored into a database beside this one, 0 when only read.",
        ),
    },
)
_SCHEMA = Figures(
    """
    SELECT version_num AS revision, 1 AS one FROM state.alembic_version
    """,
    {"one": ("pipeline_schema_info", "Revision the tables are at.")},
    ("revision",),
)
OURS = (
    _FEEDS,
    _BACKLOG,
    _LATENESS,
    _TOKENS,
    _SPENT,
    _CALLS,
    _REFUSALS,
    _TOKEN_AGE,
    _HELD,
    _WEBHOOKS,
    _DEALS,
    _WRITTEN,
    _DOUBTS,
    _HISTORY,
    _BACKUP,
    _SCHEMA,
)

# Dagster's own tables, in the same database. Its runs are removed after a while, so none of these is a counter.
_ENDED = Figures(
    """
    SELECT pipeline_name AS job, max(end_time) FILTER (WHERE status = 'SUCCESS') AS success,
        max(end_time) FILTER (WHERE status = 'FAILURE') AS failure,
        (array_agg(end_time - start_time ORDER BY end_time DESC)
            FILTER (WHERE status = 'SUCCESS' AND start_time IS NOT NULL))[1] AS seconds
    FROM dagster.runs WHERE end_time IS NOT NULL AND update_timestamp > now() AT TIME ZONE 'UTC' - interval '8 days'
    GROUP BY 1
    """,
    {
        "success": ("pipeline_run_last_success_timestamp_seconds", "When a run of the job last went through."),
        "failure": ("pipeline_run_last_failure_timestamp_seconds", "When a run of the job last failed."),
        "seconds": ("pipeline_run_last_duration_seconds", "How long the last run that went through took."),
    },
    ("job",),
)
_OF_A_DAY = Figures(
    """
    SELECT pipeline_name AS job, lower(status) AS status, count(*) AS runs, max(end_time - start_time) AS seconds
    FROM dagster.runs WHERE update_timestamp > now() AT TIME ZONE 'UTC' - interval '1 day' GROUP BY 1, 2
    """,
    {
        "runs": ("pipeline_runs_of_a_day", "Runs whose status changed last within the past 24 hours."),
        "seconds": ("pipeline_run_longest_duration_seconds", "The longest of them that ended."),
    },
    ("job", "status"),
)
_UNDER_WAY = Figures(
    """
    SELECT coalesce(extract(epoch FROM now() AT TIME ZONE 'UTC'
            - min(create_timestamp) FILTER (WHERE status = 'QUEUED')), 0) AS queued,
        coalesce(extract(epoch FROM now()) - min(start_time) FILTER (WHERE status = 'STARTED'), 0) AS started
    FROM dagster.runs WHERE status IN ('QUEUED', 'STARTED')
    """,
    {
        "queued": (
            "pipeline_run_oldest_queued_seconds",
            "For how long the oldest run in the queue has waited; 0 with none.",
        ),
        "started": (
            "pipeline_run_oldest_started_seconds",
            "For how long the oldest run has been going on; 0 with none.",
        ),
    },
)
_DAEMON = Figures(
    """
    SELECT lower(daemon_type) AS daemon, extract(epoch FROM now() AT TIME ZONE 'UTC' - max("timestamp")) AS age
    FROM dagster.daemon_heartbeats GROUP BY 1
    """,
    {"age": ("pipeline_daemon_heartbeat_age_seconds", "Since that part of Dagster's daemon was last alive.")},
    ("daemon",),
)
DAGSTERS = (_ENDED, _OF_A_DAY, _UNDER_WAY, _DAEMON)
