"""What Exact Online, `erp`, `crm` and Pipedrive say order by order, what it adds up to by month, and what explains it.

Each neighbour is compared with the next: Exact Online with `erp`, `erp` with `crm`, `crm` with Pipedrive; a difference
is explained by what is known of just that step. Nobody is asked here: what Exact said is in `exact_online.order_totals`
(`order_compare.py`), what Pipedrive took in `pipedrive.deals` and its rows.
"""

from dataclasses import dataclass

from sqlalchemy import Engine, text

from pipeline.domain.deal import DELETED
from pipeline.steps.months import NO_DATE, month_of
from pipeline.steps.order_compare import MONTHS_ASKED
from pipeline.steps.refresh_crm import ROUNDED_ONCE
from pipeline.warehouse.connection import lock_until_commit

RECONCILIATION = "marts/reconciliation"


@dataclass(frozen=True)
class Reconciled:
    """What a reconciliation came to: months by administration and currency, orders that differ, those unexplained."""

    months: int
    differing: int
    unexplained: int


def reconcile(engine: Engine) -> Reconciled:
    """Rebuilds `marts.differences` and `marts.reconciliation` from one look at all tables, so that they agree."""
    with engine.begin() as tx:
        lock_until_commit(tx, RECONCILIATION)
        tx.execute(text("DELETE FROM marts.differences"))
        tx.execute(text("DELETE FROM marts.reconciliation"))
        names = {"asked": MONTHS_ASKED, "rounded_once": ROUNDED_ONCE, "deleted": DELETED}
        found = tx.execute(text(_RECONCILE), names).one()
        return Reconciled(found.months, found.differing, found.unexplained)


_MONTH = month_of("order_date")
# When Exact was asked, and about which months; the newest of them took in every later date.
_ASKED = """
SELECT left(fact.name, -length(:asked)) AS whose, CAST(fact.value ->> 'asked_at' AS timestamptz) AS asked_at,
    array_agg(CAST(told.month AS date)) AS months, max(CAST(told.month AS date)) AS newest
FROM state.remembered AS fact, jsonb_array_elements_text(fact.value -> 'months') AS told (month)
WHERE right(fact.name, length(:asked)) = :asked GROUP BY fact.name, fact.value
"""
_TOLD = f"""
SELECT administration, order_id, CAST(order_number AS text) AS order_number, {_MONTH} AS month,
    nullif(btrim(currency), '') AS currency, round(amount_fc_excl_vat, 2) AS value
FROM exact_online.order_totals
"""
_KNOWN = f"""
SELECT administration, order_id, order_number, {_MONTH} AS month, currency, amount_excl_vat AS value, is_deleted,
    customer_id, greatest(created_at, modified_at) AS changed_at
FROM erp.orders
"""
_WANTED = f"""
SELECT administration, order_id, order_number, {_MONTH} AS month, currency, value FROM crm.deals WHERE NOT is_deleted
"""
# A deal is worth what its rows add up to, whatever was written before them; some accounts round their sum only.
_ROW_SUMS = """
SELECT administration, order_id, CASE
    WHEN EXISTS (SELECT FROM state.remembered WHERE name = :rounded_once AND value = 'true')
    THEN round(sum(quantity * item_price), 2) ELSE sum(round(quantity * item_price, 2)) END AS value
FROM pipedrive.deal_products GROUP BY administration, order_id
"""
# What an audit saw counts until something is written to the deal.
_BY_HAND = """
SELECT seen.administration, seen.key AS order_id, CAST(seen.found AS numeric) AS value FROM pipedrive.drift AS seen
JOIN pipedrive.deals AS there ON there.administration = seen.administration AND there.order_id = seen.key
WHERE seen.kind = 'deals' AND seen.field = 'value' AND seen.found ~ '^-?[0-9]+([.][0-9]+)?$'
    AND seen.found_at > coalesce(greatest(there.written_at, there.rows_written_at), '-infinity')
"""
# Without deals that are lost because their order was deleted, and without those that somebody deleted in Pipedrive.
_WRITTEN = f"""
SELECT there.administration, there.order_id, there.written ->> 'currency' AS currency,
    by_hand.order_id IS NOT NULL AS is_by_hand,
    coalesce(by_hand.value, row_sums.value, round(CAST(there.written ->> 'value' AS numeric), 2)) AS value,
    CASE WHEN jsonb_exists(there.written -> 'custom_fields', field.field_code)
        THEN {month_of("CAST(there.written -> 'custom_fields' ->> field.field_code AS date)")} END AS month
FROM pipedrive.deals AS there
LEFT JOIN row_sums ON row_sums.administration = there.administration AND row_sums.order_id = there.order_id
LEFT JOIN by_hand ON by_hand.administration = there.administration AND by_hand.order_id = there.order_id
LEFT JOIN pipedrive.fields AS field ON field.entity = 'deal' AND field.name = 'Orderdatum'
WHERE NOT coalesce(there.written ->> 'status' = 'lost' AND there.written ->> 'lost_reason' = :deleted, false)
    AND NOT EXISTS (SELECT FROM pipedrive.rejected AS gone WHERE gone.administration = there.administration
        AND gone.kind = 'deals' AND gone.key = there.order_id
        AND gone.reason ~ '^deal [0-9]+ was deleted or merged by hand')
"""
_SIDES = f"""
SELECT administration, order_id, coalesce(known.order_number, wanted.order_number, told.order_number) AS order_number,
    told.order_id IS NOT NULL AS in_exact, told.month AS month_in_exact, told.value AS value_in_exact,
    CASE WHEN told.order_id IS NOT NULL THEN coalesce(told.currency, known.currency, '') END AS currency_in_exact,
    coalesce(NOT known.is_deleted, false) AS in_erp, known.month AS month_in_erp, known.value AS value_in_erp,
    known.currency AS currency_in_erp, coalesce(known.is_deleted, false) AS is_deleted, known.customer_id,
    wanted.order_id IS NOT NULL AS in_crm, wanted.month AS month_in_crm, wanted.value AS value_in_crm,
    wanted.currency AS currency_in_crm,
    written.order_id IS NOT NULL AS in_pipedrive, written.value AS value_in_pipedrive, written.is_by_hand,
    CASE WHEN written.order_id IS NOT NULL
        THEN coalesce(written.month, wanted.month, known.month, {NO_DATE}) END AS month_in_pipedrive,
    CASE WHEN written.order_id IS NOT NULL
        THEN coalesce(written.currency, wanted.currency, known.currency, '') END AS currency_in_pipedrive,
    least(known.month, asked.newest) = ANY(asked.months) AS is_asked, asked.newest AS newest_asked,
    known.changed_at > asked.asked_at - interval '5 minutes' AS is_newer
FROM told FULL JOIN known USING (administration, order_id) FULL JOIN wanted USING (administration, order_id)
FULL JOIN written USING (administration, order_id)
LEFT JOIN asked ON asked.whose = administration
"""


def _step(here: str, there: str, before: str, after: str) -> str:
    """In what two neighbours differ, in words; NULL where they are alike."""
    return f"""CASE
    WHEN in_{here} AND NOT in_{there} THEN 'not in {after}'
    WHEN in_{there} AND NOT in_{here} THEN 'not in {before}, and still in {after}'
    WHEN NOT in_{here} THEN NULL
    WHEN currency_in_{here} <> currency_in_{there} THEN 'in {after} in another currency than in {before}'
    WHEN month_in_{here} <> month_in_{there} THEN 'in {after} in another month than in {before}'
    WHEN value_in_{here} IS DISTINCT FROM value_in_{there} THEN 'in {after} of another value than in {before}' END"""


def _waits(*stages: str) -> str:
    """Whether the order waits for one of those tables."""
    named = ", ".join(f"'{stage}'" for stage in stages)
    return f"""EXISTS (SELECT FROM state.pending AS waiting WHERE waiting.stage IN ({named})
        AND waiting.administration = steps.administration AND waiting.key = steps.order_id)"""


_STEPS = f"""
SELECT sides.*, CASE WHEN in_exact OR is_asked THEN {_step("exact", "erp", "Exact Online", "erp")} END AS to_erp,
    {_step("erp", "crm", "erp", "crm")} AS to_crm,
    {_step("crm", "pipedrive", "crm", "Pipedrive")} AS to_pipedrive
FROM sides
"""
_TO_ERP = f"""CASE
    WHEN to_erp IS NULL THEN NULL
    WHEN {_waits("erp/orders")} THEN 'read from Exact Online, and still to go into erp'
    WHEN EXISTS (SELECT FROM state.remembered AS left_over WHERE name = administration || ' months to read'
        AND jsonb_exists_any(value, ARRAY[
            CAST(least(coalesce(month_in_exact, month_in_erp), newest_asked) AS text),
            CAST(least(coalesce(month_in_erp, month_in_exact), newest_asked) AS text)]))
        THEN 'its month is still to be read again from Exact Online'
    WHEN is_deleted THEN 'deleted in Exact Online since it was asked'
    WHEN is_newer THEN 'changed in Exact Online since it was asked' END"""
_TO_CRM = f"""CASE WHEN to_crm IS NOT NULL THEN coalesce(
    (SELECT 'held: ' || reason FROM crm.held AS held WHERE held.administration = steps.administration
        AND held.entity = 'order' AND held.key = steps.order_id AND held.stops_deal),
    CASE WHEN {_waits("crm/held", "crm/deals")} OR EXISTS (SELECT FROM state.pending AS waiting
        WHERE waiting.stage = 'crm/held customers' AND waiting.administration = steps.administration
        AND waiting.key = steps.customer_id) THEN 'still to go from erp into crm' END) END"""
# What is known of rows explains a value and nothing else: the deal, its currency and its date do not come with them.
_ONLY_VALUE = "to_pipedrive LIKE 'in Pipedrive of another value%'"
_OF_DEAL = f"""{{table}}.administration = steps.administration AND {{table}}.key = steps.order_id
        AND ({{table}}.kind = 'deals' OR {{table}}.kind = 'deal_products' AND {_ONLY_VALUE})"""
_TO_PIPEDRIVE = f"""CASE WHEN to_pipedrive IS NOT NULL THEN coalesce(
    (SELECT 'not taken by Pipedrive: ' || min(reason) FROM pipedrive.rejected AS refused
        WHERE {_OF_DEAL.format(table="refused")}),
    CASE WHEN {_waits("pipedrive/deals")}
            OR {_ONLY_VALUE} AND {_waits("crm/deal_products", "pipedrive/deal_products")}
            THEN 'still to be written to Pipedrive'
        WHEN EXISTS (SELECT FROM pipedrive.intents AS doubt WHERE {_OF_DEAL.format(table="doubt")})
            THEN 'the answer to its last write was lost: it is looked up before the next'
        WHEN {_ONLY_VALUE} AND is_by_hand
            THEN 'changed by hand in Pipedrive, put right by the next audit' END) END"""
_ORDERS = f"""
SELECT reasons.*, nullif(concat_ws('; ', to_erp, to_crm, to_pipedrive), '') AS differs,
    CASE WHEN (to_erp IS NULL OR why_in_erp IS NOT NULL) AND (to_crm IS NULL OR why_in_crm IS NOT NULL)
        AND (to_pipedrive IS NULL OR why_in_pipedrive IS NOT NULL)
        THEN nullif(concat_ws('; ', why_in_erp, why_in_crm, why_in_pipedrive), '') END AS explanation
FROM (SELECT steps.*, {_TO_ERP} AS why_in_erp, {_TO_CRM} AS why_in_crm, {_TO_PIPEDRIVE} AS why_in_pipedrive
    FROM steps) AS reasons
"""
_DIFFERENCES = """
INSERT INTO marts.differences (administration, order_id, order_number, month, currency, value_in_exact, value_in_erp,
    value_in_crm, value_in_pipedrive, differs, explanation)
SELECT administration, order_id, order_number,
    coalesce(CASE WHEN in_erp THEN month_in_erp END, month_in_crm, month_in_pipedrive, month_in_exact),
    coalesce(CASE WHEN in_erp THEN currency_in_erp END, currency_in_crm, currency_in_pipedrive, currency_in_exact),
    value_in_exact, CASE WHEN in_erp THEN value_in_erp END, value_in_crm, value_in_pipedrive, differs, explanation
FROM orders WHERE differs IS NOT NULL RETURNING explanation
"""
_PLACES = """
SELECT administration, order_id, differs IS NOT NULL AS differs, differs IS NOT NULL AND explanation IS NULL AS is_open,
    side.* FROM orders CROSS JOIN LATERAL (VALUES
        ('exact', in_exact, month_in_exact, currency_in_exact, value_in_exact),
        ('erp', in_erp, month_in_erp, currency_in_erp, value_in_erp),
        ('crm', in_crm, month_in_crm, currency_in_crm, value_in_crm),
        ('pipedrive', in_pipedrive, month_in_pipedrive, currency_in_pipedrive, value_in_pipedrive)
    ) AS side (place, is_there, month, currency, value) WHERE is_there
"""
_SUMS = """
SELECT administration, month, currency,
    count(*) FILTER (WHERE place = 'exact') AS orders_in_exact,
    coalesce(sum(value) FILTER (WHERE place = 'exact'), 0) AS value_in_exact,
    count(*) FILTER (WHERE place = 'erp') AS orders_in_erp,
    coalesce(sum(value) FILTER (WHERE place = 'erp'), 0) AS value_in_erp,
    count(*) FILTER (WHERE place = 'crm') AS orders_in_crm,
    coalesce(sum(value) FILTER (WHERE place = 'crm'), 0) AS value_in_crm,
    count(*) FILTER (WHERE place = 'pipedrive') AS orders_in_pipedrive,
    coalesce(sum(value) FILTER (WHERE place = 'pipedrive'), 0) AS value_in_pipedrive,
    count(DISTINCT order_id) FILTER (WHERE differs) AS differing,
    count(DISTINCT order_id) FILTER (WHERE is_open) AS unexplained
FROM places GROUP BY administration, month, currency
"""
_RECONCILIATION = """
INSERT INTO marts.reconciliation (administration, month, currency, orders_in_exact, value_in_exact,
    orders_in_erp, value_in_erp, orders_in_crm, value_in_crm, orders_in_pipedrive, value_in_pipedrive,
    differing, unexplained, asked_at)
SELECT administration, month, currency, CASE WHEN asked_at IS NOT NULL THEN orders_in_exact END,
    CASE WHEN asked_at IS NOT NULL THEN value_in_exact END, orders_in_erp, value_in_erp, orders_in_crm, value_in_crm,
    orders_in_pipedrive, value_in_pipedrive, differing, unexplained, asked_at
FROM sums LEFT JOIN asked ON asked.whose = administration AND least(month, asked.newest) = ANY(asked.months)
RETURNING month
"""
# One statement, and so one look at all tables: what is written meanwhile stands on all sides or on none.
_RECONCILE = f"""
WITH asked AS ({_ASKED}), told AS ({_TOLD}), known AS ({_KNOWN}), wanted AS ({_WANTED}), row_sums AS ({_ROW_SUMS}),
by_hand AS ({_BY_HAND}), written AS ({_WRITTEN}), sides AS ({_SIDES}), steps AS ({_STEPS}),
orders AS MATERIALIZED ({_ORDERS}), places AS ({_PLACES}), sums AS ({_SUMS}),
differences AS ({_DIFFERENCES}), reconciliation AS ({_RECONCILIATION})
SELECT (SELECT count(*) FROM reconciliation) AS months, count(*) AS differing,
    count(*) FILTER (WHERE explanation IS NULL) AS unexplained
FROM differences
"""
