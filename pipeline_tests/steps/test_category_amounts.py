"""Revenue by item group in fields of its own: exact, under the plan's cap, and with the group when it is renamed."""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Engine

from pipeline.presentation import status_text
from pipeline.sandbox.company import seeded_company
from pipeline.steps.audit import audit
from pipeline.steps.status import status
from pipeline.steps.verify import verify
from pipeline_tests.world import SETTINGS, World

CANCELLED = 45
Amounts = dict[str, dict[str, Decimal]]  # by order, then by field


def in_the_books(world: World) -> Amounts:
    """Revenue by item group of each order, as the books have it; groups of one name share a field."""
    found: Amounts = defaultdict(lambda: defaultdict(Decimal))
    for order in world.company.orders:
        for line in order.lines:
            group = world.company.item_groups.get(world.company.items.rows[line.item_id].group_id)
            if group and line.quantity:
                found[order.id][f"Omzet {group.description}"] += Decimal(str(line.amount))
    return found


def in_pipedrive(world: World) -> Amounts:
    return {
        order_id: {
            name: Decimal(str(value["value"]))
            for name, value in deal["custom_fields"].items()
            if name.startswith("Omzet ") and value
        }
        for order_id, deal in world.deals().items()
    }


def field_names(world: World) -> list[str]:
    fields = world.control("state?only=fields")["fields"]["deal"]
    return [one["field_name"] for one in fields if one["field_name"].startswith("Omzet ")]


def only(amounts: Amounts, names: list[str]) -> Amounts:
    return {order: {name: part[name] for name in part if name in names} for order, part in amounts.items()}


def test_what_fits_is_exact_what_does_not_is_named_and_a_larger_plan_gets_the_rest(engine: Engine):
    settings = SETTINGS | {"pipedrive": {"category_amounts": True}}
    world = World(engine, seeded_company(orders=12, products=40), settings=settings, account={"field_cap": 26})
    report = world.sync()
    made, books = field_names(world), in_the_books(world)
    counted = [part for order, part in books.items() if world.company.orders.rows[order].status != CANCELLED]
    total = {name: sum(part.get(name, Decimal(0)) for part in counted) for name in all_names(world)}
    largest_first = sorted(total, key=lambda name: -total[name])
    assert made == largest_first[:4]
    assert [f"Omzet {group}" for group in report.left_out] == largest_first[4:]
    assert report.figures("deals")["item_groups_left_out"] == ", ".join(report.left_out)
    assert in_pipedrive(world) == only(books, made)
    found = status(engine)
    assert found["item_groups_left_out"] == report.left_out
    assert f"no room: {', '.join(report.left_out)}" in status_text(found)
    before = world.requests()
    world.sync()
    assert world.requests() == before

    group = next(group for group in world.company.item_groups if f"Omzet {group.description}" == made[0])
    world.company.change("item_groups", group.id, description="Hernoemd")
    world.sync()
    assert sorted(field_names(world)) == sorted(["Omzet Hernoemd", *made[1:]])
    assert in_pipedrive(world) == only(in_the_books(world), field_names(world))
    assert world.requests().get("PATCH /api/v2/deals/{id}", 0) == before.get("PATCH /api/v2/deals/{id}", 0)

    world.pipedrive.company.settings = replace(world.pipedrive.company.settings, field_cap=100)
    audit(engine, world.pipedrive_client, world.config, full=False, daily_tokens=10_000_000)
    world.write()
    assert sorted(field_names(world)) == sorted(all_names(world))
    assert in_pipedrive(world) == in_the_books(world)
    assert status(engine)["item_groups_left_out"] == []
    looked = verify(engine, lambda _: world.client, world.pipedrive_client, world.config, daily_tokens=10_000_000)
    assert (looked["migration"]["fields_to_be_made"], looked["plans"][0]["item_groups_left_out"]) == (0, [])


def all_names(world: World) -> list[str]:
    """The fields in the order of the groups' codes."""
    groups = sorted(world.company.item_groups, key=lambda group: group.code)
    return [f"Omzet {group.description}" for group in groups]
