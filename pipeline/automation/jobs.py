"""What is run together. A job here is a selection of assets; when it runs is `schedules.py`'s and `sensors.py`'s."""

import dagster as dg

from pipeline.assets.described import asset_key
from pipeline.automation.partitions import by_administration
from pipeline.config import load_config
from pipeline.warehouse.tables import exact_online, marts, pipedrive

PARTITIONS = by_administration(load_config())
AUDITED = dg.AssetSelection.assets(asset_key(pipedrive.drift))
RECONCILED = dg.AssetSelection.assets(asset_key(marts.differences), asset_key(marts.reconciliation))
BACK = dg.AssetSelection.assets(asset_key(pipedrive.person_changes))
ONWARDS = dg.AssetSelection.groups("erp", "crm", "pipedrive", "marts") - AUDITED - RECONCILED - BACK
ORDER_FEEDS = dg.AssetSelection.assets(
    asset_key(exact_online.order_changes),
    asset_key(exact_online.order_line_changes),
    asset_key(exact_online.deletions),
    asset_key(exact_online.accounts),
    asset_key(exact_online.contacts),
    asset_key(exact_online.items),
    asset_key(exact_online.sales_invoices),
    asset_key(exact_online.payment_terms),
)
CATALOGUE_FEEDS = dg.AssetSelection.assets(asset_key(exact_online.item_groups), asset_key(exact_online.item_prices))
LIVE_FIRST = {"dagster/priority": "10"}
# An idle day has its calls counted: the poll of orders asks for these three only when there is a reason.
ONLY_WHEN_ASKED = {"config": {"only_when_asked": True}}
# History is `history_onwards`'s: a poll ends soon, so that the next one comes in time.
WITHOUT_HISTORY = {"config": {"with_history": False}}

orders_delta = dg.define_asset_job(
    "orders_delta",
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
    selection=ORDER_FEEDS | CATALOGUE_FEEDS | ONWARDS | BACK,
    config={"ops": {"pipedrive": WITHOUT_HISTORY}},
    description="Everything that changed in Exact Online, item groups and prices included, on to Pipedrive; and, where "
    "contacts_to_exact is on, persons with the label Naar Exact on to Exact Online.",
)
history_onwards = dg.define_asset_job(
    "history_onwards",
    selection=ONWARDS,
    tags={"dagster/priority": "-10", "pipeline/history": "onwards"},
    description="Months of order history that landed, on to their deals as far as the token budget allows.",
)
order_history = dg.define_asset_job(
    "order_history",
    selection=dg.AssetSelection.assets(asset_key(exact_online.order_history)),
    tags={"dagster/priority": "-10"},
    description="Months of orders read whole from Exact Online.",
)
audit = dg.define_asset_job(
    "audit",
    selection=AUDITED,
    tags={"dagster/priority": "-5"},
    description="What people changed in Pipedrive since the last audit is found and put right where it is the ERP's.",
)
reconciliation = dg.define_asset_job(
    "reconciliation",
    selection=dg.AssetSelection.assets(asset_key(exact_online.order_totals), asset_key(exact_online.payment_terms))
    | RECONCILED,
    config={"ops": {"exact_online__payment_terms": {"config": {"compare_what_is_open": True}}}},
    tags={"dagster/priority": "-5"},
    description="Every night: Exact Online is asked for all orders, and erp, crm and Pipedrive are compared with it; "
    "so is what is open of invoices.",
)
JOBS = [orders_delta, catalogue_delta, history_onwards, order_history, audit, reconciliation]
