"""Invoices and what is paid of them, from Exact Online into `exact_online.*`.

Three places of Exact tell of payments. `read/financial/ReceivablesList` shows what is open, 60 a call, and an invoice
that is paid is simply no longer there; `cashflow/Receivables` pages the same way. `sync/Cashflow/PaymentTerms` tells
what changed, paid terms too, 1,000 a call: one call when nothing changed, however much is open. So it is the one that
is read, all of it the first time, since old terms may be open still. What no documentation proves is that it tells of
every change: `steps/open_terms.py` asks every night what is open, 1,000 a call, and puts right what the feed passed by.

No webhook tells of a payment: both feeds are read with the catalogue, every quarter of an hour, and at once when a
webhook told of an invoice or an order that just changed was invoiced, so that its deal takes invoice and payment status
in one request.
"""

from datetime import date

from sqlalchemy import Engine

from pipeline.config import Administration
from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.odata import datetime_literal
from pipeline.steps.landing import Landed, begin_feed, is_worth_a_call, land_changes, mark_of
from pipeline.steps.order_history import window
from pipeline.warehouse import inbox, memory
from pipeline.warehouse.tables import exact_online as tables

INVOICE_STAGES = ("erp/invoices", "erp/invoice_orders")
TOPIC = "SalesInvoices"


def land_sales_invoices(
    engine: Engine,
    client: ExactOnlineClient,
    administration: Administration,
    *,
    months: int,
    only_when_asked: bool = False,
) -> Landed:
    """Reads the invoices that changed; the first time those since the first month of the history window or that landed.

    `only_when_asked` leaves the call out unless a webhook told of an invoice, an order that just changed was invoiced,
    or the last reading was a while ago. What webhooks told of before is handled with this reading.
    """
    name, feed, calls = administration.name, feeds.SALES_INVOICES, client.calls
    with engine.connect() as connection:
        told = inbox.newest(connection, name)
        asked = is_worth_a_call(connection, name, feed, _TOLD, _JUST_INVOICED)
    if only_when_asked and not asked:
        return Landed(0, 0)
    _begin_with_the_history(engine, client, administration, months)
    landed = land_changes(
        engine,
        client,
        name,
        feed,
        tables.sales_invoices,
        pending=INVOICE_STAGES,
        pending_key="invoice_id",
        with_the_last=lambda tx: inbox.mark_handled(tx, name, [TOPIC], told),
    )
    return Landed(landed.rows, client.calls - calls)


def land_payment_terms(
    engine: Engine, client: ExactOnlineClient, administration: str, *, only_when_asked: bool = False
) -> Landed:
    """Reads the terms of payment that changed, of money to be received.

    `only_when_asked` leaves the call out unless invoices just landed, or for the reasons that invoices are read for.
    """
    with engine.connect() as connection:
        asked = is_worth_a_call(connection, administration, feeds.PAYMENT_TERMS, _JUST_LANDED, _JUST_INVOICED)
    if only_when_asked and not asked:
        return Landed(0, 0)
    return land_changes(
        engine,
        client,
        administration,
        feeds.PAYMENT_TERMS,
        tables.payment_terms,
        pending=("erp/receivables",),
        pending_key="id",
    )


def _begin_with_the_history(
    engine: Engine, client: ExactOnlineClient, administration: Administration, months: int
) -> None:
    """Lets the feed begin at the earliest month whose orders we have or will have, and again when an earlier one came.

    No order is invoiced before it is there, and years of invoices of orders that nobody reads cost calls.
    """
    name, fact = administration.name, f"{administration.name} invoices since"
    with engine.connect() as connection:
        earliest = min([*window(administration, months)[:1], *memory.landed_months(connection, name)])
        since = memory.recall(connection, fact)
        is_begun = memory.watermark(connection, name, mark_of(feeds.SALES_INVOICES)) is not None
    if is_begun and since and date.fromisoformat(since) <= earliest:
        return
    version = client.sync_timestamp("SalesInvoices", datetime_literal(earliest))
    with engine.begin() as tx:
        begin_feed(tx, name, feeds.SALES_INVOICES, max((version or 0) - 1, 0))
        memory.note(tx, fact, earliest.isoformat())


_TOLD = f"""
EXISTS (SELECT FROM inbox.webhook_events
    WHERE administration = :administration AND topic = '{TOPIC}' AND handled_at IS NULL)
"""
_JUST_LANDED = """
EXISTS (SELECT FROM state.pending WHERE administration = :administration AND stage = 'erp/invoices')
"""
_JUST_INVOICED = """
EXISTS (SELECT FROM exact_online.order_changes AS changed
    JOIN state.pending AS waiting ON waiting.stage = 'erp/orders'
        AND waiting.administration = changed.administration AND waiting.key = changed.order_id
    LEFT JOIN erp.orders AS known
        ON known.administration = changed.administration AND known.order_id = changed.order_id
    WHERE changed.administration = :administration
        AND CASE changed.invoice_status WHEN 12 THEN 'open' WHEN 20 THEN 'partial' WHEN 21 THEN 'complete' END
            <> coalesce(known.invoice_status, 'open'))
"""
