"""`erp.item_groups`, `erp.products` and `crm.products`: names, groups, today's price, and what is still sold."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from pipeline.transform.crm_products import to_crm_products
from pipeline.transform.item_groups import to_item_groups
from pipeline.transform.products import to_products
from pipeline_tests.transform.frames import deletions, floats_in, frame, only_row, wall

TODAY = date(2026, 6, 25)
ITEM = {
    "id": "vaas",
    "timestamp": 100,
    "code": "V-1",
    "description": "Vaas",
    "item_group": "group-1",
    "unit": "stuk",
    "is_sales_item": True,
    "end_date": None,
    "collection": None,
    "modified": wall("2026-01-15 12:00"),
    "standard_sales_price": None,
}
PRICE = {
    "item": "vaas",
    "currency": "EUR",
    "price": Decimal("9.95"),
    "quantity": Decimal(1),
    "start_date": wall("2026-01-01"),
    "end_date": None,
}


@pytest.mark.parametrize(
    ("code", "description", "expected"),
    [
        ("VAZEN", "Vazen", ("VAZEN", "Vazen")),
        ("  VAZEN   ", " Vazen ", ("VAZEN", "Vazen")),
        ("VAZEN", None, ("VAZEN", "VAZEN")),
        ("VAZEN", "  ", ("VAZEN", "VAZEN")),
        (None, "Vazen", ("", "Vazen")),
    ],
)
def test_a_group_without_a_description_is_called_by_its_code(
    code: str | None, description: str | None, expected: tuple
):
    groups = frame(["id", "code", "description"], [{"id": "group-1", "code": code, "description": description}])
    found = only_row(to_item_groups(groups, administration="nl"))
    assert (found["item_group_id"], found["item_group_code"], found["item_group"]) == ("group-1", *expected)


def products(item: dict[str, Any], *prices: dict[str, Any], deleted: pd.DataFrame | None = None) -> pd.DataFrame:
    return to_products(
        frame(list(ITEM), [ITEM | item]),
        frame(list(PRICE), [PRICE | price for price in prices]),
        deletions() if deleted is None else deleted,
        administration="nl",
        time_zone="Europe/Amsterdam",
        currency="EUR",
        today=TODAY,
        group_codes={"group-1": "VAZEN"},
    )


def test_an_item_is_one_row_in_our_own_words():
    assert only_row(products({}, {})) == {
        "administration": "nl",
        "product_id": "vaas",
        "code": "V-1",
        "name": "Vaas",
        "unit": "stuk",
        "item_group_code": "VAZEN",
        "is_sales_item": True,
        "end_date": None,
        "collection": None,
        "sales_price": Decimal("9.95"),
        "currency": "EUR",
        "is_deleted": False,
        "price_changes_on": None,
        "modified_at": datetime(2026, 1, 15, 11, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("field", "sent", "column", "expected"),
    [
        ("description", None, "name", "V-1"),
        ("description", "  ", "name", "V-1"),
        ("code", "  V-1  ", "code", "V-1"),
        ("item_group", "unknown", "item_group_code", None),
        ("item_group", None, "item_group_code", None),
        ("item_group", "00000000-0000-0000-0000-000000000000", "item_group_code", None),
        ("end_date", wall("2026-10-25"), "end_date", date(2026, 10, 25)),
        ("collection", " Zomer ", "collection", "Zomer"),
        ("unit", " ", "unit", None),
    ],
)
def test_each_value_of_an_item(field: str, sent: object, column: str, expected: object):
    assert only_row(products({field: sent}))[column] == expected


@pytest.mark.parametrize(
    ("prices", "standard", "expected"),
    [
        pytest.param([], "7.50", "7.50", id="no sales price"),
        pytest.param([], None, None, id="neither"),
        pytest.param([], "0", "0", id="a price of nothing"),
        pytest.param([{}], "7.50", "9.95", id="both"),
        pytest.param([{"price": Decimal(0)}], "7.50", "0", id="a sales price of nothing"),
        pytest.param([{"price": None}], "7.50", "7.50", id="a sales price without a price"),
        pytest.param([{"currency": "USD"}], "7.50", "7.50", id="a sales price in another currency"),
        pytest.param([{"end_date": wall("2026-06-24")}], "7.50", "7.50", id="a sales price that ended yesterday"),
        pytest.param([{"end_date": wall("2026-06-25")}], "7.50", "9.95", id="a sales price that ends today"),
        pytest.param([{"start_date": wall("2026-06-26")}], "7.50", "7.50", id="a sales price from tomorrow on"),
    ],
)
def test_without_a_sales_price_of_today_an_item_has_its_standard_price(
    prices: list[dict[str, Any]], standard: str | None, expected: str | None
):
    item = {"standard_sales_price": standard and Decimal(standard)}
    assert only_row(products(item, *prices))["sales_price"] == (expected and Decimal(expected))


@pytest.mark.parametrize(
    ("prices", "price", "changes_on"),
    [
        pytest.param([], None, None, id="no price"),
        pytest.param([{"currency": "USD"}], None, None, id="only in another currency"),
        pytest.param([{"currency": None}], "9.95", None, id="a price without a currency is in our own"),
        pytest.param([{"currency": "EUR "}], "9.95", None, id="a padded currency"),
        pytest.param([{"price": None}], None, None, id="a price of nothing"),
        pytest.param([{"item": "kom"}], None, None, id="another item's price"),
        pytest.param([{"quantity": None}, {"price": Decimal(5)}], "9.95", None, id="no quantity counts as none"),
        pytest.param([{"end_date": wall("2026-06-25")}], "9.95", date(2026, 6, 26), id="it ends today"),
        pytest.param([{"end_date": wall("2026-06-24")}], None, None, id="it ended yesterday"),
        pytest.param([{"start_date": wall("2026-06-26")}], None, date(2026, 6, 26), id="it begins tomorrow"),
        pytest.param(
            [{}, {"price": Decimal(8), "start_date": wall("2026-07-01"), "end_date": wall("2026-07-31")}],
            "9.95",
            date(2026, 7, 1),
            id="the next change is the nearest",
        ),
        pytest.param([{"end_date": wall("9999-12-31")}], "9.95", None, id="the end of time never comes"),
    ],
)
def test_the_price_of_today_and_the_day_of_the_next(prices: list[dict], price: str | None, changes_on: date | None):
    found = only_row(products({}, *prices))
    assert found["sales_price"] == (None if price is None else Decimal(price))
    assert found["price_changes_on"] == changes_on


@pytest.mark.parametrize(("deleted_at", "gone"), [(99, False), (100, True), (101, True)])
def test_an_item_is_deleted_unless_it_changed_since(deleted_at: int, gone: bool):
    assert only_row(products({}, deleted=deletions(vaas=deleted_at)))["is_deleted"] is gone


GAPS = {
    "code": "code",
    "unit": "unit",
    "item_group": "item_group_code",
    "end_date": "end_date",
    "collection": "collection",
    "modified": "modified_at",
}


@pytest.mark.parametrize("field", GAPS)
def test_an_item_with_a_gap_beside_one_without_still_has_a_gap(field: str):
    whole = ITEM | {"collection": "Zomer", "end_date": wall("2027-01-01")}
    found = to_products(
        frame(list(ITEM), [whole, whole | {"id": "kom", field: None}]),
        frame(list(PRICE), [PRICE]),
        deletions(),
        administration="nl",
        time_zone="Europe/Amsterdam",
        currency="EUR",
        today=TODAY,
        group_codes={"group-1": "VAZEN"},
    )
    first, second = found[GAPS[field]]
    assert first is not None
    assert second is None
    assert list(found["sales_price"]) == [Decimal("9.95"), None]


# --- crm.products ---

PRODUCT = {
    "product_id": "vaas",
    "code": "V-1",
    "name": "Vaas",
    "unit": "stuk",
    "item_group_code": "VAZEN",
    "is_sales_item": True,
    "end_date": None,
    "collection": "Zomer",
    "sales_price": Decimal("9.95"),
    "is_deleted": False,
}
UNKNOWN = {"product_id": "weg", "item_code": "W-1", "description": "Uit de handel"}


def crm_products(items: list[dict], uncatalogued: list[dict] = (), keys: tuple[str, ...] = ()) -> pd.DataFrame:
    return to_crm_products(
        frame(list(PRODUCT), [PRODUCT | item for item in items]),
        frame(list(UNKNOWN), [UNKNOWN | line for line in uncatalogued]),
        keys,
        administration="nl",
        currency="EUR",
        today=TODAY,
    )


def test_an_item_of_the_catalogue_is_a_product():
    assert only_row(crm_products([{}])) == {
        "administration": "nl",
        "product_key": "vaas",
        "name": "Vaas",
        "code": "V-1",
        "unit": "stuk",
        "price": Decimal("9.95"),
        "currency": "EUR",
        "item_group_code": "VAZEN",
        "is_active": True,
        "collection": "Zomer",
    }


@pytest.mark.parametrize(
    ("item", "active"),
    [
        ({}, True),
        ({"is_sales_item": False}, False),
        ({"is_deleted": True}, False),
        ({"end_date": date(2026, 6, 25)}, True),
        ({"end_date": date(2026, 6, 24)}, False),
        ({"end_date": date(2027, 1, 1), "is_sales_item": False}, False),
    ],
)
def test_a_product_is_active_while_it_is_sold_its_last_day_included(item: dict, active: bool):
    assert only_row(crm_products([item]))["is_active"] is active


def test_a_product_without_a_price_costs_0():
    found = only_row(crm_products([{"sales_price": None}]))["price"]
    assert (type(found), found) == (Decimal, Decimal(0))


def test_a_product_name_is_cut_at_255_characters():
    assert only_row(crm_products([{"name": "x" * 300}]))["name"] == "x" * 255


def test_an_item_that_is_not_in_the_catalogue_gets_a_product_from_its_line():
    assert only_row(crm_products([], [{}])) == {
        "administration": "nl",
        "product_key": "weg",
        "name": "Uit de handel",
        "code": "W-1",
        "unit": None,
        "price": Decimal(0),
        "currency": "EUR",
        "item_group_code": None,
        "is_active": False,
        "collection": None,
    }


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ({"description": None}, "W-1"),
        ({"description": None, "item_code": None}, "-"),
        ({"description": "y" * 300}, "y" * 255),
    ],
)
def test_a_line_that_says_little_still_names_its_product(line: dict, name: str):
    assert only_row(crm_products([], [line]))["name"] == name


def test_the_surcharge_is_a_product_where_a_deal_needs_it():
    found = only_row(crm_products([], [], ("TOESLAG-KORTING", "vaas")))
    assert (found["product_key"], found["name"], found["code"]) == (
        "TOESLAG-KORTING",
        "Toeslag/korting",
        "TOESLAG-KORTING",
    )
    assert (found["price"], found["is_active"]) == (Decimal(0), True)
    assert len(crm_products([], [], ("vaas",))) == 0


def test_no_value_of_a_product_is_ever_a_float():
    mixed = crm_products([{}, {"sales_price": None, "end_date": TODAY}], [{}], ("TOESLAG-KORTING",))
    assert floats_in(mixed) + floats_in(products({}, {})) == []
