"""The comparison the other tests rely on sees what it should: each thing that is wrong is told."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.sandbox.company import seeded_company
from pipeline_tests.chaos.comparison import differences
from pipeline_tests.world import World

Account = dict[str, Any]


@pytest.fixture(scope="module")
def synced(shared_engine: Engine) -> World:
    world = World(shared_engine, company=seeded_company(orders=10, products=20))
    world.sync()
    return world


def a_deal(account: Account) -> dict[str, Any]:
    return next(deal for deal in account["deals"] if len(deal["products"]) > 1)


def doubled(records: str) -> Callable[[Account], None]:
    return lambda account: account[records].append(copy.deepcopy(account[records][0]))


def without(records: str) -> Callable[[Account], None]:
    return lambda account: account[records].pop()


def changed(**fields: Any) -> Callable[[Account], None]:
    return lambda account: a_deal(account).update(fields)


def custom(name: str, value: Any) -> Callable[[Account], None]:
    return lambda account: a_deal(account)["custom_fields"].update({name: value})


def row(**fields: Any) -> Callable[[Account], None]:
    return lambda account: a_deal(account)["products"][0].update(fields)


def record(records: str, **fields: Any) -> Callable[[Account], None]:
    return lambda account: account[records][0].update(fields)


@pytest.mark.parametrize(
    ("hand", "told"),
    [
        (doubled("deals"), "stands there 2 times"),
        (doubled("organizations"), "stands there 2 times"),
        (doubled("products"), "stands there 2 times"),
        (doubled("persons"), "stands there 2 times"),
        (doubled("pipelines"), "pipelines"),
        (without("stages"), "the stages are"),
        (without("deals"), "has no deal"),
        (without("organizations"), "organizations"),
        (without("products"), "is missing"),
        (without("persons"), "persons"),
        (changed(value=0.01), "value"),
        (changed(title="Bestelling"), "title"),
        (changed(status="deleted"), "status"),
        (changed(stage="Qualified"), "stage"),
        (changed(owner="nobody@sandbox.example"), "owner"),
        (changed(org_id=None), "customer"),
        (changed(won_time="2020-01-01T12:00:00Z"), "won_time"),
        (changed(lost_reason="te duur"), "lost_reason"),
        (changed(is_deleted=True), "is deleted"),
        (changed(expected_close_date="2020-01-01"), "expected_close_date"),
        (custom("Exact order-ID", None), "without a key"),
        (custom("Ordernummer", "1"), "Ordernummer"),
        (custom("Betaalstatus", "Onbekend"), "Betaalstatus"),
        (custom("Artikelgroepen", []), "Artikelgroepen"),
        (row(quantity=999), "rows"),
        (row(item_price=0.01), "rows"),
        (row(comments="1"), "rows"),
        (row(discount=5), "odd rows"),
        (lambda account: a_deal(account)["products"].reverse(), "rows"),
        (lambda account: a_deal(account)["products"].pop(), "rows"),
        (record("organizations", name="Other"), "name"),
        (record("organizations", website="other.example"), "website"),
        (record("persons", name="Other"), "name"),
        (record("persons", org_id=None), "customer"),
        (record("persons", emails=[]), "emails"),
        (record("persons", phones=[{"value": "1", "label": "work"}]), "phones"),
        (record("products", code="0"), "code"),
        (record("products", prices=[{"price": 0.5, "currency": "EUR"}]), "price"),
    ],
)
def test_what_is_wrong_in_pipedrive_is_told(synced: World, hand: Callable[[Account], None], told: str):
    account = copy.deepcopy(synced.pipedrive.state())
    hand(account)
    found = differences(synced.engine, account, synced.company)
    assert any(told in difference for difference in found), found


def test_two_equal_sides_have_no_differences(synced: World):
    assert differences(synced.engine, synced.pipedrive.state(), synced.company) == []
