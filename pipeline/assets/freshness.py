"""How old each table may be: a warning, then a failure, shown beside it in Dagster. Nothing is started by it.

A table follows the poll that fills it; what is made from it may be a little older. Months of history have no such age.
"""

from datetime import timedelta

import dagster as dg
from sqlalchemy import Table

from pipeline.warehouse.tables import crm, erp, exact_online, marts, pipedrive


def within(warn: int, fail: int) -> dg.FreshnessPolicy:
    """A policy in minutes."""
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=fail), warn_window=timedelta(minutes=warn))


ORDERS, CATALOGUE, AFTER_ORDERS, NIGHTLY = within(15, 30), within(45, 120), within(20, 40), within(26 * 60, 50 * 60)
_BY_TABLE = {
    **dict.fromkeys((exact_online.order_changes, exact_online.order_line_changes, exact_online.deletions), ORDERS),
    **dict.fromkeys((exact_online.accounts, exact_online.contacts, exact_online.items), CATALOGUE),
    **dict.fromkeys((exact_online.item_groups, exact_online.item_prices), CATALOGUE),
    **dict.fromkeys((exact_online.sales_invoices, exact_online.payment_terms), CATALOGUE),
    **dict.fromkeys((erp.orders, erp.order_lines, erp.salespeople), AFTER_ORDERS),
    **dict.fromkeys((erp.customers, erp.contacts, erp.products, erp.item_groups), CATALOGUE),
    **dict.fromkeys((erp.invoices, erp.invoice_orders, erp.receivables), CATALOGUE),
    **dict.fromkeys((crm.held, crm.deals, crm.deal_products), AFTER_ORDERS),
    **dict.fromkeys((crm.organizations, crm.persons, crm.products), AFTER_ORDERS),
    **dict.fromkeys((pipedrive.deals, pipedrive.deal_products), AFTER_ORDERS),
    **dict.fromkeys((pipedrive.organizations, pipedrive.persons, pipedrive.products), AFTER_ORDERS),
    **dict.fromkeys(
        (marts.revenue_per_category, marts.revenue_per_customer, marts.revenue_per_salesperson), AFTER_ORDERS
    ),
    **dict.fromkeys((marts.dormant_customers, marts.order_status), AFTER_ORDERS),
    **dict.fromkeys((marts.crm_token_usage, marts.migration), AFTER_ORDERS),
    **dict.fromkeys((pipedrive.person_changes,), CATALOGUE),
    **dict.fromkeys((exact_online.order_totals, marts.differences, marts.reconciliation, pipedrive.drift), NIGHTLY),
}


def freshness_of(table: Table) -> dg.FreshnessPolicy | None:
    """How old the table may be; None for history."""
    return _BY_TABLE.get(table)
