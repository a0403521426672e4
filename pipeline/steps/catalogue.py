"""Customers, contacts and items of Exact Online into `exact_online.*`; without a reason they are not even asked for."""

from sqlalchemy import Engine, Table

from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.feeds import Feed
from pipeline.steps import landing
from pipeline.warehouse import inbox
from pipeline.warehouse.tables import exact_online as tables


def land_catalogue(
    engine: Engine,
    client: ExactOnlineClient,
    administration: str,
    feed: Feed,
    table: Table,
    *,
    only_when_asked: bool = False,
) -> landing.Landed:
    """Reads the customers, contacts or items that changed, and marks what webhooks told of them before as handled.

    `only_when_asked` leaves the call out unless a webhook told of one, an order that just changed names one we don't
    know, or the last reading was a while ago: what else changed comes with the next reading of the catalogue.
    """
    stage, topic, is_named = _CATALOGUE[table]
    with engine.connect() as connection:
        told = inbox.newest(connection, administration)
        asked = landing.is_worth_a_call(connection, administration, feed, _TOLD, is_named, topic=topic)
    if only_when_asked and not asked:
        return landing.Landed(0, 0)
    return landing.land_changes(
        engine,
        client,
        administration,
        feed,
        table,
        pending=(stage,),
        pending_key="id",
        with_the_last=lambda tx: inbox.mark_handled(tx, administration, [topic], told),
    )


def land_prices(engine: Engine, client: ExactOnlineClient, administration: str) -> landing.Landed:
    """Reads the sales prices that changed; their items take them in."""
    return landing.land_changes(
        engine,
        client,
        administration,
        feeds.ITEM_PRICES,
        tables.item_prices,
        pending=("erp/products",),
        pending_key="item",
    )


# When a feed of the catalogue is worth a call.
_TOLD = """
EXISTS (SELECT FROM inbox.webhook_events
    WHERE administration = :administration AND topic = :topic AND handled_at IS NULL)
"""
_UNKNOWN_CUSTOMER = """
EXISTS (SELECT FROM exact_online.order_changes AS changed
    JOIN state.pending AS waiting ON waiting.stage = 'erp/orders'
        AND waiting.administration = changed.administration AND waiting.key = changed.order_id
    WHERE changed.administration = :administration AND NOT EXISTS (SELECT FROM exact_online.accounts AS known
        WHERE known.administration = changed.administration AND known.id = changed.ordered_by))
"""
_UNKNOWN_ITEM = """
EXISTS (SELECT FROM exact_online.order_line_changes AS changed
    JOIN state.pending AS waiting ON waiting.stage = 'erp/order_lines'
        AND waiting.administration = changed.administration AND waiting.key = changed.order_id
    WHERE changed.administration = :administration AND changed.item IS NOT NULL
        AND NOT EXISTS (SELECT FROM exact_online.items AS known
            WHERE known.administration = changed.administration AND known.id = changed.item))
"""
_NOBODY_NAMES_ONE = "false"  # an order goes to Pipedrive without its contact
_CATALOGUE = {
    tables.accounts: ("erp/customers", "Accounts", _UNKNOWN_CUSTOMER),
    tables.contacts: ("erp/contacts", "Contacts", _NOBODY_NAMES_ONE),
    tables.items: ("erp/products", "Items", _UNKNOWN_ITEM),
}
