"""What Exact Online, erp, crm and Pipedrive say is compared order by order, and a difference is explained or shown."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from pipeline.errors import GiveUp
from pipeline.exact_online import feeds
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.company_rows import Order
from pipeline.steps import refresh_erp
from pipeline.steps.audit import audit
from pipeline.steps.landing import land_changes
from pipeline.steps.order_compare import compare_orders
from pipeline.steps.order_history import land_history, window
from pipeline.steps.reconciliation import Reconciled, reconcile
from pipeline.warehouse.connection import warehouse_url
from pipeline_tests.steps.hands import hand
from pipeline_tests.steps.test_switches import place
from pipeline_tests.world import SETTINGS, World
from pipeline_tests.worlds import Worlds

LAST_YEAR = date.today().year - 1  # noqa: DTZ011
SIDES = ("exact", "erp", "crm", "pipedrive")


def a_synced_world(engine: Engine) -> World:
    """Synchronised, and some time ago: what happens now is newer than what is there."""
    world = World(engine, company=seeded_company(orders=8, products=20))
    place(world, (0, 1, 10), (1, 2, 20.5), your_ref="het gaat om deze")
    world.sync()
    world.wait(3600)
    return world


@pytest.fixture
def world(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with worlds.after(a_synced_world) as world:
        monkeypatch.setattr("pipeline.steps.doubts.time.sleep", world.wait)
        yield world


@pytest.fixture(scope="module")
def after_asking(worlds: Worlds) -> Iterator[World]:
    with worlds.after(a_synced_world) as world:
        ask_exact(world)
        yield world


@pytest.fixture
def asked_world(after_asking: World, postgres: str) -> Iterator[World]:
    """All is alike and Exact was asked an hour after; with a copy of the warehouse in which anything may be broken."""
    after_asking.engine.dispose()
    original = after_asking.engine.url
    world = copy(after_asking)
    world.engine = create_engine(original.set(database=f"{original.database}_copy"))
    server = create_engine(warehouse_url(postgres), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {world.engine.url.database} TEMPLATE {original.database}"))
        yield world
        world.engine.dispose()
        connection.execute(text(f"DROP DATABASE {world.engine.url.database}"))
    server.dispose()


def the_order(world: World) -> Order:
    return next(order for order in world.company.orders if order.your_ref == "het gaat om deze")


def ask_exact(world: World) -> None:
    compare_orders(world.engine, world.client, world.config.administrations[0], months=12)


def sql(world: World, *statements: str, **values: Any) -> None:
    with world.engine.begin() as tx:
        for statement in statements:
            tx.execute(text(statement), {"id": the_order(world).id} | values)


def differences(world: World) -> list[tuple[str, str, str | None]]:
    """Number, what differs and why, of each order that does; the sums agree with them."""
    found = reconcile(world.engine)
    rows = world.ask("SELECT order_number, differs, explanation FROM marts.differences ORDER BY order_number")
    assert (found.differing, found.unexplained) == (len(rows), sum(row.explanation is None for row in rows))
    return [tuple(row) for row in rows]


def months(world: World, columns: str) -> list[tuple[Any, ...]]:
    reconcile(world.engine)
    return [tuple(row) for row in world.ask(f"SELECT {columns} FROM marts.reconciliation ORDER BY month, currency")]


def assert_alike(world: World) -> None:
    """All four say the same of every month, and it is what the ERP's books say."""
    ask_exact(world)
    assert differences(world) == []
    columns = ", ".join(f"orders_in_{side}, value_in_{side}" for side in SIDES)
    books: dict[tuple[str, str], tuple[int, float]] = {}
    for order in world.company.orders:
        key = (order.order_date.isoformat()[:7], order.currency)
        orders, value = books.get(key, (0, 0.0))
        books[key] = (orders + 1, value + order.amount_excl)
    found = months(world, f"to_char(month, 'YYYY-MM'), currency, {columns}")
    assert {row[:2] for row in found} == set(books)
    for month, currency, *said in found:
        orders, value = books[month, currency]
        assert [float(one) for one in said] == pytest.approx([orders, value] * 4, abs=0.001)


# --- all is well ---


def fx(world: World) -> None:
    world.company.change_order(the_order(world).id, currency="USD", rate=0.9)


def change_a_line(world: World) -> None:
    world.company.change_line(the_order(world).lines[0].id, quantity=7)


def take_all_lines_off(world: World) -> None:
    for line in list(the_order(world).lines):
        world.company.remove_line(line.id)


def move_to_last_month(world: World) -> None:
    first = the_order(world).order_date.replace(day=1)
    world.company.change_order(the_order(world).id, order_date=first - timedelta(days=3))


def archive_the_deal(world: World) -> None:
    hand(world, "edit_deal", id=world.deals()[the_order(world).id]["id"], fields={"is_archived": True})


def orders_of_every_kind(world: World) -> None:
    place(world, (2, 3, 4), order_date=date(LAST_YEAR + 2, 3, 1))
    place(world, charges=250)
    place(world, (4, 1, 1.004), (5, 3, 1.004), discount=0.1)
    place(world, (4, -3, 19.99))


ALIKE: dict[str, Callable[[World], Any]] = {
    "nothing happened": lambda world: None,
    "a line changed, so that its rows and not the written value make the deal's": change_a_line,
    "an order in another currency": fx,
    "an order without lines": take_all_lines_off,
    "an order moved to another month": move_to_last_month,
    "orders of every kind": orders_of_every_kind,
    "a cancelled order": lambda world: world.company.cancel(the_order(world).id),
    "a deleted order": lambda world: world.company.delete_order(the_order(world).id),
    "an archived deal": archive_the_deal,
}


@pytest.mark.parametrize("happens", ALIKE.values(), ids=list(ALIKE))
def test_after_a_synchronisation_all_four_say_what_the_books_say(world: World, happens: Callable[[World], Any]):
    happens(world)
    world.sync()
    assert_alike(world)


def test_an_account_that_rounds_the_sum_of_a_deal_once_is_reckoned_like_that(engine: Engine):
    world = World(engine, company=seeded_company(orders=8, products=20), account={"rounding": "deal"})
    place(world, *((item, 1, 1.004) for item in range(5)))
    world.sync()
    audit(world.engine, world.pipedrive_client, world.config, full=True, daily_tokens=10_000_000)
    world.sync()
    assert world.ask("SELECT value FROM state.remembered WHERE name = 'pipedrive rounds the sum of a deal'") == [
        (True,)
    ]
    assert_alike(world)


def test_nothing_is_there_and_nothing_differs(engine: Engine):
    assert reconcile(engine) == Reconciled(0, 0, 0)


def test_before_anything_landed_exact_is_not_asked(engine: Engine):
    world = World(engine)
    ask_exact(world)
    assert world.client.calls == 0
    assert reconcile(engine) == Reconciled(0, 0, 0)


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(1900, 6, 30), date(LAST_YEAR - 3, 5, 5)], ids=str)
def test_a_month_exact_was_not_asked_about_is_compared_without_it(world: World, day: date):
    place(world, (2, 3, 4), order_date=day)
    world.sync()
    ask_exact(world)
    assert differences(world) == []
    columns = "month, orders_in_exact, value_in_exact, orders_in_erp, orders_in_pipedrive, value_in_pipedrive, asked_at"
    assert months(world, columns)[0] == (day.replace(day=1), None, None, 1, 1, 12, None)
    sql(world, "UPDATE erp.orders SET amount_excl_vat = 13 WHERE order_date = :day", day=day)
    assert [row[1:] for row in differences(world)] == [("in crm of another value than in erp", None)]


def test_an_order_without_a_date_stands_in_january_1900(world: World):
    ask_exact(world)
    sql(
        world,
        "UPDATE erp.orders SET order_date = NULL WHERE order_id = :id",
        "UPDATE crm.deals SET order_date = NULL WHERE order_id = :id",
        "DELETE FROM exact_online.order_totals WHERE order_id = :id",
        "UPDATE pipedrive.deals SET written = jsonb_set(written, ARRAY['custom_fields', field_code], 'null') "
        "FROM pipedrive.fields WHERE entity = 'deal' AND name = 'Orderdatum' AND order_id = :id",
    )
    assert differences(world) == []
    assert months(world, "month, orders_in_exact, orders_in_erp, orders_in_crm, orders_in_pipedrive")[0] == (
        date(1900, 1, 1),
        None,
        1,
        1,
        1,
    )


class Beside(World):
    """A second administration of the same warehouse, whose orders have the numbers and ids of the first."""

    def _feed(self, feed: feeds.Feed, table: Any, pending: tuple[str, ...], key: str) -> None:
        land_changes(self.engine, self.client, "be", feed, table, pending=pending, pending_key=key)


def test_two_administrations_with_the_same_numbers_are_compared_each_for_itself(engine: Engine):
    nl = World(engine, company=seeded_company(orders=8, products=20))
    nl.sync()
    first = SETTINGS["administrations"][0]
    settings = SETTINGS | {"administrations": [first | {"name": "be"}, first | {"division": 654321}]}
    be = Beside(engine, company=seeded_company(orders=8, products=20), settings=settings)
    be.pipedrive = nl.pipedrive
    administration = be.config.administration("be")
    land_history(engine, lambda _: be.client, be.config, {"be": window(administration, 12)})
    changed = next(iter(be.company.orders))
    be.company.change_line(changed.lines[0].id, quantity=99)
    be.sync()
    ask_exact(nl)
    ask_exact(be)
    assert differences(be) == []
    numbers = {row.order_number for row in be.ask("SELECT order_number FROM erp.orders WHERE administration = 'be'")}
    assert numbers == {str(order.number) for order in nl.company.orders}
    sums = be.ask(
        "SELECT administration, sum(value_in_pipedrive) AS value FROM marts.reconciliation GROUP BY 1 ORDER BY 1"
    )
    assert [float(row.value) for row in sums] == pytest.approx(
        [sum(order.amount_excl for order in world.company.orders) for world in (be, nl)], abs=0.001
    )
    with engine.begin() as tx:
        tx.execute(
            text("UPDATE erp.orders SET amount_excl_vat = 0 WHERE administration = 'be' AND order_id = :id"),
            {"id": changed.id},
        )
    assert [row[0] for row in differences(be)] == [str(changed.number)]
    assert be.ask("SELECT administration FROM marts.differences")[0].administration == "be"


# --- explained ---


def place_and_land(world: World) -> None:
    place(world, (2, 3, 4))
    world.land()


def land(world: World) -> None:
    change_a_line(world)
    world.land()


def take_into_erp(world: World) -> None:
    land(world)
    refresh_erp.refresh_orders(world.engine, world.config.administrations[0])


def take_into_crm(world: World) -> None:
    land(world)
    world.refresh()


def write_deals_only(world: World) -> None:
    take_into_crm(world)
    sql(world, "DELETE FROM state.pending WHERE stage = 'pipedrive/deals'")


def place_without_writing(world: World) -> None:
    place_and_land(world)
    world.refresh()


def hold(world: World) -> None:
    world.company.place_order(world.company.new_id(), [(next(iter(world.company.items.rows)), 2, 10)])
    world.sync()


def delete_the_deal(world: World) -> None:
    hand(world, "delete_deal", id=world.deals()[the_order(world).id]["id"])
    audit(world.engine, world.pipedrive_client, world.config, full=True, daily_tokens=10_000_000)


def doubt(world: World) -> None:
    sql(
        world,
        "DELETE FROM pipedrive.deal_products WHERE order_id = :id",
        "DELETE FROM pipedrive.deals WHERE order_id = :id",
        "INSERT INTO pipedrive.intents (administration, kind, key, intended_at) VALUES ('nl', 'deals', :id, now())",
    )


def change_by_hand(world: World) -> None:
    sql(
        world,
        "INSERT INTO pipedrive.drift (administration, kind, key, field, record_id, found, found_at) "
        "VALUES ('nl', 'deals', :id, 'value', 1, '99.5', now())",
    )


OTHER_VALUE = "in {} of another value than in {}"
COME_TO_STAND = {
    "read and not in erp": (place_and_land, "not in erp", "read from Exact Online, and still to go into erp"),
    "changed, read and not in erp": (
        land,
        OTHER_VALUE.format("erp", "Exact Online"),
        "read from Exact Online, and still to go into erp",
    ),
    "in erp": (take_into_erp, OTHER_VALUE.format("crm", "erp"), "still to go from erp into crm"),
    "in crm": (take_into_crm, OTHER_VALUE.format("Pipedrive", "crm"), "still to be written to Pipedrive"),
    "its rows are left": (write_deals_only, OTHER_VALUE.format("Pipedrive", "crm"), "still to be written to Pipedrive"),
    "new in crm": (place_without_writing, "not in Pipedrive", "still to be written to Pipedrive"),
    "held": (hold, "not in crm", "held: its customer is not known in the administration"),
    "deleted in Pipedrive": (
        delete_the_deal,
        "not in Pipedrive",
        "not taken by Pipedrive: deal {} was deleted or merged by hand in Pipedrive: restore it there",
    ),
    "in doubt": (doubt, "not in Pipedrive", "the answer to its last write was lost: it is looked up before the next"),
    "changed by hand": (
        change_by_hand,
        OTHER_VALUE.format("Pipedrive", "crm"),
        "changed by hand in Pipedrive, put right by the next audit",
    ),
}


@pytest.mark.parametrize(("happens", "differs", "why"), COME_TO_STAND.values(), ids=list(COME_TO_STAND))
def test_a_difference_on_the_way_is_explained(world: World, happens: Callable[[World], Any], differs: str, why: str):
    deal = world.deals()[the_order(world).id]["id"]
    happens(world)
    ask_exact(world)
    assert [row[1:] for row in differences(world)] == [(differs, why.format(deal))]


SINCE = {
    "changed": (change_a_line, OTHER_VALUE.format("erp", "Exact Online"), "changed in Exact Online since it was asked"),
    "placed": (
        lambda world: place(world, (2, 3, 4)),
        "not in Exact Online, and still in erp",
        "changed in Exact Online since it was asked",
    ),
    "deleted": (ALIKE["a deleted order"], "not in erp", "deleted in Exact Online since it was asked"),
    "moved": (
        move_to_last_month,
        "in erp in another month than in Exact Online",
        "changed in Exact Online since it was asked",
    ),
    "in another currency": (
        fx,
        "in erp in another currency than in Exact Online",
        "changed in Exact Online since it was asked",
    ),
}


@pytest.mark.parametrize(("happens", "differs", "why"), SINCE.values(), ids=list(SINCE))
def test_what_happened_since_exact_was_asked_is_explained(
    world: World, happens: Callable[[World], Any], differs: str, why: str
):
    ask_exact(world)
    happens(world)
    world.sync()
    assert [row[1:] for row in differences(world)] == [(differs, why)]
    ask_exact(world)
    assert differences(world) == []


def test_an_order_that_moved_counts_in_both_months(world: World):
    ask_exact(world)
    move_to_last_month(world)
    world.sync()
    assert len(differences(world)) == 1
    assert sorted(row for row in months(world, "differing, orders_in_erp - orders_in_exact") if row[0]) == [
        (1, -1),
        (1, 1),
    ]


def test_months_that_are_to_be_read_again_explain_their_orders(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipeline.steps.order_compare.MOST_BY_ID", 1)
    for number in range(3):
        place(world, (number, 1, 7), order_date=date(LAST_YEAR + 2, 3, 1) if number else world.company.clock.today)
    world.company.last_version += 100_000
    far = str(world.company.last_version)
    sql(world, "UPDATE state.watermarks SET seen_up_to = :far WHERE feed <> 'item_groups'", far=far)
    ask_exact(world)
    here = world.ask("SELECT value FROM state.remembered WHERE name = 'nl months to read'")
    assert here[0].value == [world.company.clock.today.replace(day=1).isoformat()]
    assert {row[1:] for row in differences(world)} == {
        ("not in erp", "its month is still to be read again from Exact Online")
    }


def test_what_an_audit_saw_counts_until_the_deal_is_written(world: World):
    change_by_hand(world)
    change_a_line(world)
    world.sync()
    assert_alike(world)


def test_a_value_that_an_audit_put_right_is_no_difference(world: World):
    order = place(world, charges=250)
    world.sync()
    hand(world, "edit_deal", id=world.deals()[order.id]["id"], fields={"value": 9})
    audit(world.engine, world.pipedrive_client, world.config, full=False, daily_tokens=10_000_000)
    assert_alike(world)


# --- unexplained ---

WITHOUT_DEAL = (
    "DELETE FROM pipedrive.deal_products WHERE order_id = :id",
    "DELETE FROM pipedrive.deals WHERE order_id = :id",
)
WITHOUT_WANT = (
    "DELETE FROM crm.deal_products WHERE order_id = :id",
    "DELETE FROM crm.deals WHERE order_id = :id",
)
ONLY_ROWS_WAIT = "INSERT INTO state.pending (stage, administration, key) VALUES ('pipedrive/deal_products', 'nl', :id)"
CUSTOM_FIELD = (
    "UPDATE pipedrive.deals SET written = jsonb_set(written, ARRAY['custom_fields', field_code], '\"2020-02-02\"') "
)
BY_FORCE: dict[str, tuple[tuple[str, ...], str]] = {
    "a deal is gone": (WITHOUT_DEAL, "not in Pipedrive"),
    "a deal is gone whose rows wait": ((*WITHOUT_DEAL, ONLY_ROWS_WAIT), "not in Pipedrive"),
    "a row is gone": (
        ("DELETE FROM pipedrive.deal_products WHERE order_id = :id AND position = 1",),
        OTHER_VALUE.format("Pipedrive", "crm"),
    ),
    "a written currency": (
        ('UPDATE pipedrive.deals SET written = written || \'{"currency": "USD"}\' WHERE order_id = :id',),
        "in Pipedrive in another currency than in crm",
    ),
    "a written currency while rows wait": (
        (
            'UPDATE pipedrive.deals SET written = written || \'{"currency": "USD"}\' WHERE order_id = :id',
            ONLY_ROWS_WAIT,
        ),
        "in Pipedrive in another currency than in crm",
    ),
    "a written date": (
        (CUSTOM_FIELD + "FROM pipedrive.fields WHERE entity = 'deal' AND name = 'Orderdatum' AND order_id = :id",),
        "in Pipedrive in another month than in crm",
    ),
    "an order is gone from crm": (WITHOUT_WANT, "not in crm; not in crm, and still in Pipedrive"),
    "an order is gone from crm and Pipedrive": ((*WITHOUT_DEAL, *WITHOUT_WANT), "not in crm"),
    "a deal wanted for an order that erp calls deleted": (
        ("UPDATE erp.orders SET is_deleted = true WHERE order_id = :id",),
        "not in erp; not in erp, and still in crm",
    ),
    "a value in erp": (
        ("UPDATE erp.orders SET amount_excl_vat = amount_excl_vat + 0.01 WHERE order_id = :id",),
        "in erp of another value than in Exact Online; in crm of another value than in erp",
    ),
    "a date in erp": (
        ("UPDATE erp.orders SET order_date = order_date - 60 WHERE order_id = :id",),
        "in erp in another month than in Exact Online; in crm in another month than in erp",
    ),
    "an order that only Exact has": (
        (
            "INSERT INTO exact_online.order_totals SELECT administration, 'x', 4711, order_date, 'EUR', 5, asked_at "
            "FROM exact_online.order_totals WHERE order_id = :id",
        ),
        "not in erp",
    ),
    "an order that only Exact has while another month is to be read": (
        (
            "INSERT INTO exact_online.order_totals SELECT administration, 'x', 4711, order_date - interval '100 days', "
            "'EUR', 5, asked_at FROM exact_online.order_totals WHERE order_id = :id",
            "UPDATE state.remembered SET value = jsonb_build_array(to_char(month, 'YYYY-MM-DD')) FROM "
            "(SELECT max(month) AS month FROM state.landed_months) AS newest WHERE name = 'nl months to read'",
        ),
        "not in erp",
    ),
    "an order that Exact has not": (
        ("DELETE FROM exact_online.order_totals WHERE order_id = :id",),
        "not in Exact Online, and still in erp",
    ),
    "another order waits": (
        (*WITHOUT_DEAL, "INSERT INTO state.pending VALUES ('pipedrive/deals', 'nl', 'another')"),
        "not in Pipedrive",
    ),
    "the same order of another administration waits": (
        (*WITHOUT_DEAL, "INSERT INTO state.pending VALUES ('pipedrive/deals', 'be', :id)"),
        "not in Pipedrive",
    ),
}


@pytest.mark.parametrize(("force", "differs"), BY_FORCE.values(), ids=list(BY_FORCE))
def test_a_difference_that_nothing_explains_is_shown(asked_world: World, force: tuple[str, ...], differs: str):
    sql(asked_world, *force)
    number = "4711" if "4711" in force[0] else str(the_order(asked_world).number)
    assert differences(asked_world) == [(number, differs, None)]
    assert sum(row[0] for row in months(asked_world, "unexplained")) >= 1


def test_one_step_that_is_explained_does_not_explain_another(asked_world: World):
    waits = "INSERT INTO state.pending (stage, administration, key) VALUES ('pipedrive/deals', 'nl', :id)"
    sql(asked_world, *WITHOUT_DEAL, "UPDATE erp.orders SET amount_excl_vat = 1 WHERE order_id = :id", waits)
    assert [row[2] for row in differences(asked_world)] == [None]


def test_several_at_once_wait_for_each_other_and_find_the_same(asked_world: World):
    sql(asked_world, *WITHOUT_DEAL)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(reconcile, [asked_world.engine] * 8))
    assert set(found) == {found[0]}
    assert (found[0].differing, found[0].unexplained) == (1, 1)


# --- what Exact said ---


def test_a_reading_that_breaks_off_leaves_what_exact_said_before(engine: Engine):
    world = World(engine, company=seeded_company(orders=12, products=20), erp={"large_page_size": 4})
    world.sync()
    ask_exact(world)
    before = world.ask("SELECT * FROM exact_online.order_totals ORDER BY order_id")
    assert len(before) == 12
    world.control_exact("fault", {"path": "bulk/SalesOrder", "kind": "status", "status": 400, "skip": 1, "times": 9})
    place(world, (0, 1, 10))
    with pytest.raises(GiveUp, match="400"):
        ask_exact(world)
    assert world.ask("SELECT * FROM exact_online.order_totals ORDER BY order_id") == before


def test_what_exact_says_takes_the_place_of_what_it_said(world: World):
    ask_exact(world)
    change_a_line(world)
    world.company.delete_order(next(iter(world.company.orders.rows)))
    ask_exact(world)
    said = world.ask("SELECT order_id, order_number, currency, amount_fc_excl_vat FROM exact_online.order_totals")
    assert {row.order_id: (row.order_number, row.currency) for row in said} == {
        order.id: (order.number, order.currency) for order in world.company.orders
    }
    amounts = {row.order_id: float(row.amount_fc_excl_vat) for row in said}
    assert amounts == pytest.approx({order.id: order.amount_excl for order in world.company.orders})


def test_only_months_that_landed_count_as_asked(world: World):
    gone = world.ask("SELECT month FROM state.landed_months ORDER BY month")[1:-1]
    sql(world, "DELETE FROM state.landed_months WHERE month = ANY(:months)", months=[row.month for row in gone])
    ask_exact(world)
    asked = months(world, "month, orders_in_exact IS NOT NULL, asked_at IS NOT NULL")
    assert {row[0] for row in asked if row[1] or row[2]} <= {row[0] for row in asked} - {row.month for row in gone}
    assert differences(world) == []
