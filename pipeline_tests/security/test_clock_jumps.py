"""The machine's clock jumps two hours ahead or back, between runs and in one: nothing waits for hours or is lost."""

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from pipeline.automation.webhooks import Asked, needed
from pipeline.domain.allowance import Allowance, Window
from pipeline.domain.oauth_tokens import Tokens
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.warehouse.tokens import StoredTokens
from pipeline_tests.exact_online.answers import BASE_URL, page
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_sync

TWO_HOURS = 7200.0
NOON = 1_782_388_800.0


@pytest.mark.parametrize(
    ("jump", "left", "wait"),
    [
        pytest.param(0.0, 0, 31.0, id="no jump"),
        pytest.param(-TWO_HOURS, 59, 0.0, id="back"),
        pytest.param(TWO_HOURS, 59, 0.0, id="ahead"),
    ],
)
def test_a_spent_minute_lasts_no_longer_than_a_minute(jump: float, left: int, wait: float):
    spent = Allowance(minute=Window(60, 0, NOON + 31))
    after, waited = spent.at(NOON + jump).one_less(NOON + jump, keep=0.0)
    assert after.minute
    assert (after.minute.left, waited) == (left, wait)


def test_a_client_that_waits_for_the_minute_waits_a_minute_at_most():
    clock, slept = [NOON], []
    spent = {"x-ratelimit-minutely-remaining": "0"}

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=page().content, headers=spent)

    http = httpx.Client(base_url=BASE_URL, transport=httpx.MockTransport(handler))
    client = ExactOnlineClient(http, 123456, sleep=slept.append, now=lambda: clock[0])
    list(client.pages("crm/Accounts"))
    clock[0] -= TWO_HOURS
    list(client.pages("crm/Accounts"))
    assert slept == [61.0]


@pytest.mark.parametrize(
    ("age", "fresh"), [(-4.0, True), (-TWO_HOURS, False), (0.0, True), (TWO_HOURS, False)], ids=str
)
def test_a_token_of_an_unknown_age_is_not_taken_for_fresh(age: float, fresh: bool):
    assert Tokens("r", "a", age).is_fresh is fresh


@pytest.mark.parametrize(("ahead", "stands"), [("9 minutes", True), ("2 hours", False)])
def test_a_pause_of_the_token_endpoint_ends_though_the_clock_was_put_back(engine: Engine, ahead: str, stands: bool):
    store = StoredTokens(engine, "exact_online", Fernet(Fernet.generate_key()), "first")
    store.read()
    with store.locked() as chain:
        chain.stop("too early", "credentials", 570.0)
    with engine.begin() as tx:
        tx.execute(text("UPDATE state.tokens SET stopped_until = now() + CAST(:ahead AS interval)"), {"ahead": ahead})
    assert bool(store.read().stop) is stands


@pytest.mark.parametrize(("jump", "due"), [(0.0, False), (-TWO_HOURS, True), (TWO_HOURS, True)])
def test_a_run_that_failed_is_asked_for_again_though_the_clock_jumped(jump: float, due: bool):
    asked = Asked(up_to=1, attempt=0, at=NOON)
    assert needed(asked, 1, None, NOON + jump + 1) == (asked, due)


def test_orders_placed_around_jumps_of_the_clock_all_arrive_once(worlds: Worlds):
    with worlds.after(first_sync(orders=10, products=10)) as world:
        customer, item = next(iter(world.company.accounts)).id, next(iter(world.company.items)).id
        for skew in (TWO_HOURS, -TWO_HOURS):
            jump_while_reading(world, skew)
            world.company.place_order(customer, [(item, 2, 10)])
            world.sync()
        orders = {order.id for order in world.company.orders}
        assert set(world.deals()) == orders
        assert len(world.control("state")["deals"]) == len(orders)
        assert world.write().changed("deals") == 0
        assert max(world.slept, default=0.0) <= 61.0


def jump_while_reading(world: World, skew: float) -> None:
    """Our clock goes so far ahead of Exact's with the next answer that comes."""
    heard = world.client._http.event_hooks["response"]

    def jump(response: httpx.Response) -> None:
        world.skew = skew
        heard.remove(jump)

    heard.append(jump)
