"""What is run together. A job here is a selection of assets; when it runs is `schedules.py`'s and `sensors.py`'s."""

import dagster as dg

from pipeline.assets.described import TEAM_DATA, TEAM_SALES, asset_key
from pipeline.automation import checks
from pipeline.automation.partitions import by_administration
from pipeline.config import load_config
from pipeline.warehouse.tables import exact_online, marts, pipedrive

PARTITIONS = by_administration(load_config())
# Checks go along where they are named; left to itself Dagster takes all that there are on the tables of a job.
AUDITED = dg.AssetSelection.assets(asset_key(pipedrive.drift)).without_checks()
RECONCILED = dg.AssetSelection.assets(asset_key(marts.differences), asset_key(marts.reconciliation)).without_checks()
BACK = dg.AssetSelection.assets(asset_key(pipedrive.person_changes)).without_checks()
ONWARDS = (
    dg.AssetSelection.groups("erp", "crm", "pipedrive", "marts") - AUDITED - RECONCILED - BACK
).without_checks() | dg.AssetSelection.checks(*checks.LIVE)
ORDER_FEEDS = dg.AssetSelection.assets(
    asset_key(exact_online.order_changes),
    asset_key(exact_online.order_line_changes),
    asset_key(exact_online.deletions),
    asset_key(exact_online.accounts),
    asset_key(exact_online.contacts),
    asset_key(exact_online.items),
    asset_key(exact_online.sales_invoices),
    asset_key(exact_online.payment_terms),
).without_checks()
CATALOGUE_FEEDS = dg.AssetSelection.assets(
    asset_key(exact_online.item_groups), asset_key(exact_online.item_prices)
).without_checks()
LIVE_FIRST = {"dagster/priority": "10"}
# An idle day has its calls counted: the poll of orders asks for these three only when there is a reason.
ONLY_WHEN_ASKED = {"config": {"only_when_asked": True}}
# History is `history_onwards`'s: a poll ends soon, so that the next one comes in time.
WITHOUT_HISTORY = {"config": {"with_history": False}}

orders_delta = dg.define_asset_job(
    "orders_delta",
    owners=[TEAM_SALES],
    selection=ORDER_FEEDS | ONWARDS,
    config={
        "ops": {
            "exact_online__accounts": ONLY_WHEN_ASKED,
            "exact_online__contacts": ONLY_WHEN_ASKED,
            "exact_online__items": ONLY_WHEN_ASKED,
            "exact_online__sales_invoices": ONLY_WHEN_ASKED,
            "exact_online__payment_terms": ONLY_WHEN_ASKED,
            "pipedrive": WITHOUT_HISTORY,
        }
    },
    tags=LIVE_FIRST,
    description="Orders that changed in Exact Online, with new customers and items, on to their deals in Pipedrive.",
)
catalogue_delta = dg.define_asset_job(
    "catalogue_delta",
    owners=[TEAM_SALES],
    selection=ORDER_FEEDS | CATALOGUE_FEEDS | ONWARDS | BACK | dg.AssetSelection.checks(checks.BACK),
    config={"ops": {"pipedrive": WITHOUT_HISTORY}},
    tags={"dagster/priority": "0"},
    description="Everything that changed in Exact Online, item groups and prices included, on to Pipedrive; and, where "
    "contacts_to_exact is on, persons with the label Naar Exact on to Exact Online.",
)
history_onwards = dg.define_asset_job(
    "history_onwards",
    owners=[TEAM_SALES],
    selection=ONWARDS,
    tags={"dagster/priority": "-10", "pipeline/history": "onwards"},
    description="Months of order history that landed, on to their deals as far as the token budget allows.",
)
order_history = dg.define_asset_job(
    "order_history",
    owners=[TEAM_DATA],
    selection=dg.AssetSelection.assets(asset_key(exact_online.order_history)).without_checks(),
    tags={"dagster/priority": "-10"},
    description="Months of orders read whole from Exact Online.",
)
audit = dg.define_asset_job(
    "audit",
    owners=[TEAM_SALES],
    selection=AUDITED | dg.AssetSelection.checks(checks.AUDITED),
    tags={"dagster/priority": "-5"},
    description="What people changed in Pipedrive since the last audit is found and put right where it is the ERP's.",
)
# Of these one a night is read whole, to find what its feed passed over.
IN_TURN = (
    exact_online.accounts,
    exact_online.contacts,
    exact_online.items,
    exact_online.item_prices,
    exact_online.sales_invoices,
)
COMPARED = {f"exact_online__{table.name}": {"config": {"compare_with_all": True}} for table in IN_TURN}
OPEN_COMPARED = {"exact_online__payment_terms": {"config": {"compare_what_is_open": True}}}
reconciliation = dg.define_asset_job(
    "reconciliation",
    owners=[TEAM_DATA],
    selection=dg.AssetSelection.assets(
        *(asset_key(table) for table in (exact_online.order_totals, exact_online.payment_terms, *IN_TURN))
    ).without_checks()
    | RECONCILED
    | dg.AssetSelection.checks(checks.RECONCILED),
    config={"ops": OPEN_COMPARED | COMPARED},
    tags={"dagster/priority": "-5"},
    description="Every night: Exact Online is asked for all orders, and erp, crm and Pipedrive are compared with it; "
    "so is what is open of invoices and, in turn, customers, contacts, items, prices and invoices.",
)
tables_checked = dg.define_asset_job(
    "checks",
    owners=[TEAM_DATA],
    selection=dg.AssetSelection.checks(*checks.NIGHTLY),
    tags={"dagster/priority": "-5"},
    description="Every night: all tables are held to their rules. Wrong money fails the run; the rest warns.",
)
JOBS = [orders_delta, catalogue_delta, history_onwards, order_history, audit, reconciliation, tables_checked]
