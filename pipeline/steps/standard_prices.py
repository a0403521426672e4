"""The price an item itself carries, asked of Exact Online for items that no sales price holds for today.

Exact shows it beside the items only, 60 to a page, and in no feed: so only where it decides something is it asked for,
once for each version of an item.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from pipeline.config import Administration
from pipeline.exact_online import feeds
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.feeds import Feed
from pipeline.exact_online.odata import any_of
from pipeline.steps.catalogue import land_catalogue
from pipeline.steps.deletions import AT_ONCE
from pipeline.steps.landing import Landed
from pipeline.warehouse.pending import queue
from pipeline.warehouse.tables import exact_online as tables

PAGE = 60  # items
_ALL = "Modified ge datetime'1990-01-01T00:00:00'"  # Exact may refuse a reading that has no filter


def land_items(
    engine: Engine, client: ExactOnlineClient, administration: Administration, feed: Feed, *, only_when_asked: bool
) -> Landed:
    """Reads the items that changed and, with the catalogue's own readings, the prices that only items tell."""
    name = administration.name
    landed = land_catalogue(engine, client, name, feed, tables.items, only_when_asked=only_when_asked)
    if only_when_asked:
        return landed
    priced = land_standard_prices(engine, client, administration)
    return Landed(landed.rows + priced.rows, landed.calls + priced.calls)


def land_standard_prices(
    engine: Engine, client: ExactOnlineClient, administration: Administration, *, today: date | None = None
) -> Landed:
    """Asks for StandardSalesPrice of the items that have no other price, or of all where that takes fewer calls."""
    today, calls, changed = today or datetime.now(ZoneInfo(administration.time_zone)).date(), client.calls, 0
    of = {"administration": administration.name, "currency": administration.currency, "today": today}
    with engine.connect() as connection:
        wanted = {row.id: row.timestamp for row in connection.execute(text(_WITHOUT_PRICE), of)}
        items = connection.execute(text(_ITEMS), of).scalar_one() if wanted else 0
    for part in _parts(list(wanted), items):
        prices = _asked(client, part)
        with engine.begin() as tx:
            rows = {
                "ids": part,
                "versions": [wanted[item] for item in part],
                "prices": [prices.get(one) for one in part],
            }
            found = [row.id for row in tx.execute(text(_KEEP), of | rows) if row.is_other]
            queue(tx, ("erp/products",), administration.name, found)
        changed += len(found)
    return Landed(changed, client.calls - calls)


def _parts(wanted: list[str], items: int) -> list[list[str]]:
    """The items of each asking: so many as an address takes, or all at once."""
    if not wanted or len(wanted) * PAGE > items * AT_ONCE:
        return [wanted] if wanted else []
    return [wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE)]


def _asked(client: ExactOnlineClient, part: Iterable[str]) -> dict[str, Decimal | None]:
    feed, part = feeds.STANDARD_PRICES, list(part)
    which = any_of("ID", part) if len(part) <= AT_ONCE else _ALL
    pages = client.pages(feed.path, select=feed.select, filter=which)
    told = {str(row["ID"]): row.get("StandardSalesPrice") for page in pages for row in page}
    return {item: None if price is None else Decimal(price) for item, price in told.items()}


_ITEMS = "SELECT count(*) FROM exact_online.items WHERE administration = :administration"
_WITHOUT_PRICE = """
SELECT item.id, item.timestamp FROM exact_online.items AS item
WHERE item.administration = :administration AND item.standard_price_as_of IS DISTINCT FROM item.timestamp
    AND NOT EXISTS (SELECT FROM exact_online.item_prices AS price
        WHERE price.administration = item.administration AND price.item = item.id
        AND price.account IS NULL AND price.price IS NOT NULL
        AND coalesce(nullif(btrim(price.currency), ''), :currency) = :currency
        AND (price.start_date IS NULL OR price.start_date::date <= :today)
        AND (price.end_date IS NULL OR price.end_date::date >= :today)
        AND NOT EXISTS (SELECT FROM exact_online.deletions AS gone
            WHERE gone.administration = price.administration AND gone.entity_type = '8'
            AND gone.entity_key = price.id AND gone.timestamp >= price.timestamp))
    AND (item.is_sales_item OR EXISTS (SELECT FROM erp.order_lines AS line
        WHERE line.administration = item.administration AND line.product_id = item.id))
ORDER BY item.id
"""
_KEEP = """
UPDATE exact_online.items AS item
SET standard_sales_price = asked.price, standard_price_as_of = asked.version
FROM (SELECT kept.id, kept.standard_sales_price, told.version, told.price
    FROM unnest(CAST(:ids AS text[]), CAST(:versions AS bigint[]), CAST(:prices AS numeric[]))
        AS told (id, version, price)
    JOIN exact_online.items AS kept ON kept.administration = :administration AND kept.id = told.id) AS asked
WHERE item.administration = :administration AND item.id = asked.id
RETURNING item.id, asked.standard_sales_price IS DISTINCT FROM asked.price AS is_other
"""
