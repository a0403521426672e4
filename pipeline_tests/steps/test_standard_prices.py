"""Items without a sales price: what they cost is asked of Exact itself, once, and reaches their product."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlalchemy import Engine

from pipeline.exact_online import feeds
from pipeline.sandbox.company import seeded_company
from pipeline.steps import refresh_crm, refresh_erp
from pipeline.steps.landing import land_order_changes, land_order_line_changes
from pipeline.steps.standard_prices import land_items, land_standard_prices
from pipeline_tests.world import World

ASKED = "logistics/Items"


def calls(world: World) -> int:
    return world.control_exact("counters")["requests"].get(ASKED, 0)


def without_sales_prices(world: World, items: list[str]) -> None:
    for price in [price for price in world.company.prices if price.item_id in items]:
        world.company.delete("prices", price.id)


def price_of(world: World, item: str) -> Decimal:
    (row,) = world.ask("SELECT price FROM crm.products WHERE product_key = :item", item=item)
    return row.price


def refreshed(world: World) -> None:
    refresh_erp.refresh_products(world.engine, world.config.administrations[0])
    refresh_crm.refresh_products(world.engine, world.config)


def test_an_item_without_a_sales_price_costs_what_it_carries_and_is_asked_once_a_version(engine: Engine):
    world = World(engine, seeded_company(orders=10, products=100))
    item, *others = list(world.company.items.rows)[:30]
    without_sales_prices(world, [item, *others])
    world.land()
    world.refresh()
    before = world.company.items.rows[item].standard_price
    assert price_of(world, item) == Decimal(str(before)) > 0
    asked = calls(world)
    assert asked == 2  # 25 to a call
    world.land()
    assert calls(world) == asked

    world.company.change("items", item, standard_price=before + 1)
    world.land()
    refreshed(world)
    assert (price_of(world, item), calls(world)) == (Decimal(str(before + 1)), asked + 1)

    new = world.company.add("items", replace(world.company.items.rows[item], id=world.company.new_id(), code="NIEUW"))
    order = world.company.place_order(next(iter(world.company.accounts)).id, [(new.id, 1, 7.5)])
    administration, asked = world.config.administrations[0], calls(world)
    land_order_changes(engine, world.client, administration)
    land_order_line_changes(engine, world.client, administration.name)
    land_items(engine, world.client, administration, feeds.ITEMS, only_when_asked=True)
    world.refresh()  # as the poll of orders does, which doesn't wait for a price: the row has that of its line
    world.write()
    assert (price_of(world, new.id), calls(world)) == (0, asked)
    assert world.deals()[order.id]["products"][0]["item_price"] == 7.5
    land_items(engine, world.client, administration, feeds.ITEMS, only_when_asked=False)
    refreshed(world)
    before = world.requests().get("PATCH /api/v2/products/{id}", 0)
    world.write()
    assert world.requests()["PATCH /api/v2/products/{id}"] == before + 1
    assert (price_of(world, new.id), calls(world)) == (Decimal(str(new.standard_price)), asked + 1)

    asked = calls(world) - 1
    ended = land_standard_prices(engine, world.client, world.config.administrations[0], today=date(1990, 1, 1))
    assert (ended.calls, calls(world)) == (2, asked + 3)  # no price holds on that day: all are asked, 60 to a page
