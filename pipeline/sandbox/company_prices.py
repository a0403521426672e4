"""Sales price lists: lists, their periods, and what they say about an item or a group; and which price is valid.

A list lowers prices in one of two ways: a discount on the standard price, or a new price. A customer is on one list at
most. Standard prices and prices for single customers are `SalesPrice` in `company_rows.py`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.sandbox.company_clock import wall_ms
from pipeline.sandbox.company_ids import derived_id
from pipeline.sandbox.company_ordering import cents
from pipeline.sandbox.company_rows import Item, SalesPrice

if TYPE_CHECKING:
    from pipeline.sandbox.company_state import Company

OF_ITEMS, OF_GROUPS = 1, 2
BASIC, SPECIAL_OFFER = 1, 2
BY_DISCOUNT, BY_PRICE = 1, 2


@dataclass(slots=True, eq=False)
class PriceList:
    """A list of prices for some customers."""

    id: str
    code: str
    description: str
    entity: int  # 1 items, 2 item groups
    kind: int = 1  # 1 for customers, 2 for everybody
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class PriceListPeriod:
    """When a list is valid: always, or as a special offer."""

    id: str
    price_list: PriceList
    kind: int
    start_date: date
    end_date: date | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class VolumeDiscount:
    """What a list says about one item or group in a period, from some quantity on."""

    id: str
    period: PriceListPeriod
    entry_method: int  # 1: the discount leads, 2: the new price does
    quantity: float
    item_id: str | None = None
    group_id: str | None = None
    discount: float = 0
    new_price: float | None = None
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


def draw_up_price_lists(company: "Company") -> None:
    """Two lists, one over groups and one over items, and customers on each; most customers are on none."""
    made = company.clock.today - timedelta(days=400)
    over_groups = PriceList(derived_id("list", "1"), "GROOT", "Grootafnemers", OF_GROUPS)
    over_items = PriceList(derived_id("list", "2"), "TUIN", "Tuincentra", OF_ITEMS)
    for row in (over_groups, over_items):
        company.add("price_lists", row, at_ms=wall_ms(made))
    _group_discounts(company, _period(company, over_groups, BASIC, made), made)
    _item_prices(company, _period(company, over_items, BASIC, made), made, every=5, factor=0.9)
    offer = _period(company, over_items, SPECIAL_OFFER, made)
    offer.start_date = company.clock.today - timedelta(days=10)
    offer.end_date = company.clock.today + timedelta(days=20)
    _item_prices(company, offer, made, every=20, factor=0.8)
    for place, account in enumerate(company.accounts):
        account.price_list_id = {1: over_groups.id, 4: over_items.id}.get(place % 6)


def valid_price(
    company: "Company", item: Item, *, account_id: str | None = None, quantity: float = 1, day: date | None = None
) -> float:
    """What an item costs: as agreed with the customer, else after his list, else the standard price.

    That order is not documented; it is the likeliest one.
    """
    day = day or company.clock.today
    valid = [
        row
        for row in company.prices
        if row.item_id == item.id and row.quantity <= quantity and _covers(row.start_date, row.end_date, day)
    ]
    agreed = _best([row for row in valid if account_id is not None and row.account_id == account_id])
    if agreed:
        return agreed.price
    standard = best.price if (best := _best([row for row in valid if row.account_id is None])) else item.standard_price
    account = company.accounts.get(account_id)
    listed = _listed(company, item, account.price_list_id, quantity, day) if account else None
    if listed is None:
        return standard
    return cents(standard * (1 - listed.discount)) if listed.new_price is None else listed.new_price


def _best(prices: list[SalesPrice]) -> SalesPrice | None:
    """The one for the highest quantity, of those the latest."""
    return max(prices, key=lambda row: (row.quantity, row.start_date or date.min), default=None)


def _listed(company: "Company", item: Item, list_id: str | None, quantity: float, day: date) -> VolumeDiscount | None:
    """What the list says about an item: a special offer before the basic prices, the highest quantity reached."""
    found = [
        row
        for row in company.volume_discounts
        if row.period.price_list.id == list_id
        and (row.item_id == item.id or (row.group_id is not None and row.group_id == item.group_id))
        and row.quantity <= quantity
        and _covers(row.period.start_date, row.period.end_date, day)
    ]
    return max(found, key=lambda row: (row.period.kind, row.quantity), default=None)


def _covers(start: date | None, end: date | None, day: date) -> bool:
    return (start is None or start <= day) and (end is None or day <= end)


def _period(company: "Company", price_list: PriceList, kind: int, start: date) -> PriceListPeriod:
    period = PriceListPeriod(derived_id("period", price_list.id, kind), price_list, kind, start)
    return company.add("price_list_periods", period, at_ms=wall_ms(start))


def _group_discounts(company: "Company", period: PriceListPeriod, made: date) -> None:
    for place, group in enumerate(company.item_groups):
        row = VolumeDiscount(derived_id(period.id, group.id), period, BY_DISCOUNT, 1, group_id=group.id)
        row.discount = (0.05, 0.08, 0.1)[place % 3]
        company.add("volume_discounts", row, at_ms=wall_ms(made))


def _item_prices(company: "Company", period: PriceListPeriod, made: date, *, every: int, factor: float) -> None:
    for item in list(company.items)[::every]:
        for quantity, share in ((1, factor), (12, factor - 0.05)):
            key = derived_id(period.id, item.id, quantity)
            row = VolumeDiscount(key, period, BY_PRICE, quantity, item_id=item.id)
            row.new_price = cents(item.standard_price * share)
            company.add("volume_discounts", row, at_ms=wall_ms(made))
