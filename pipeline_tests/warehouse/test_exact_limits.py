"""Limits that many processes share: no call too many, whoever asks, and none to an endpoint that keeps refusing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import httpx
import pytest
from sqlalchemy import Engine, text

from pipeline.domain.allowance import Told
from pipeline.errors import BudgetSpent, GiveUp
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.exact_online.limits import LimitedTransport
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import ExactOnlineSimulator, simulated_exact_online
from pipeline.warehouse.exact_limits import SharedLimits
from pipeline_tests.sandbox.exact_transport import BASE_URL, SimulatorTransport

ORDERS = "bulk/SalesOrder/SalesOrders"


class Company:
    """A simulated Exact with limits, and clients that share them as processes would: only through the database."""

    def __init__(self, engine: Engine, **limits: int) -> None:
        self.simulator: ExactOnlineSimulator = simulated_exact_online(
            seeded_company(orders=20, products=5), large_page_size=1, **limits
        )
        self.simulator.clock.run_at(0)
        self._engine, self._lock = engine, Lock()
        self.refused, self.waits = 0, 0
        form = {"grant_type": "refresh_token", "client_id": "sandbox", "client_secret": "sandbox"}
        http = httpx.Client(base_url=BASE_URL, transport=SimulatorTransport(self.simulator))
        self._token = http.post("/api/oauth2/token", data=form | {"refresh_token": "sandbox"}).json()["access_token"]

    def now(self) -> float:
        return self.simulator.clock.now_ms / 1000

    def sleep(self, seconds: float) -> None:
        """Somebody waits: by then the clock has come to where he waits for, whoever else moved it."""
        until = self.now() + seconds
        with self._lock:
            self.waits += 1
            if self.now() < until:
                self.simulator.clock.advance(until - self.now())

    def handle(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            response = SimulatorTransport(self.simulator).handle_request(request)
            self.refused += response.status_code == 429
            return response

    def client(self, administration: str = "nl", division: int = 123456) -> ExactOnlineClient:
        limits = SharedLimits(self._engine, administration, now=self.now)
        http = httpx.Client(
            base_url=BASE_URL,
            headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
            transport=LimitedTransport(httpx.MockTransport(self.handle), limits, sleep=self.sleep, now=self.now),
        )
        return ExactOnlineClient(http, division, sleep=self.sleep, now=self.now)


def read_all(client: ExactOnlineClient) -> int:
    return len(list(client.pages(ORDERS, select="OrderID")))


@pytest.fixture
def company(engine: Engine) -> Callable[..., Company]:
    return lambda **limits: Company(engine, **limits)


def test_four_at_once_use_up_each_minute_and_not_one_is_refused(company: Callable[..., Company]):
    shared = company(minutely_limit=25)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: read_all(shared.client()), range(4))) == [20] * 4
    assert shared.refused == 0
    assert shared.waits > 0


def test_a_minute_that_is_used_up_before_the_first_answer_is_met_by_the_next_process(company: Callable[..., Company]):
    shared = company(minutely_limit=60)
    for _ in range(3):
        read_all(shared.client())
    assert (shared.refused, shared.waits) == (0, 0)
    read_all(shared.client())
    assert (shared.refused, shared.waits) == (0, 1)


def test_history_leaves_a_fifth_of_the_day_and_live_work_uses_it(company: Callable[..., Company]):
    shared = company(daily_limit=100, minutely_limit=1000)
    for _ in range(4):
        assert read_sparingly(shared) == 20
    with pytest.raises(BudgetSpent, match=r"\(20 of 100 left\); history goes on after the reset at 00:00 UTC"):
        read_sparingly(shared)
    assert read_all(shared.client()) == 20
    with pytest.raises(BudgetSpent, match="used up; it goes on"):
        read_all(shared.client())
    assert shared.refused == 0


def read_sparingly(shared: Company) -> int:
    client = shared.client()
    with client.sparing(0.2):
        return read_all(client)


def test_two_administrations_have_each_their_own_calls(company: Callable[..., Company]):
    shared = company(minutely_limit=21)
    assert read_all(shared.client()) == 20
    limits = SharedLimits(shared._engine, "be", now=shared.now)
    assert limits.take("x", Told(), keep=0.0) == 0.0
    assert shared.waits == 0


@pytest.mark.parametrize("skew", [-3600.0, 3600.0, 37.0, -37.0])
def test_clocks_that_differ_cost_no_refusal_after_the_first_answer(engine: Engine, skew: float):
    shared = Company(engine, minutely_limit=8)
    simulated = shared.now
    shared.now = lambda: simulated() + skew  # type: ignore[method-assign]
    sent = SimulatorTransport(shared.simulator)

    def dated(request: httpx.Request) -> httpx.Response:
        response = sent.handle_request(request)
        response.headers["Date"] = f"{shared.simulator.clock.now:%a, %d %b %Y %H:%M:%S} GMT"
        shared.refused += response.status_code == 429
        return response

    shared.handle = dated  # type: ignore[method-assign]
    assert read_all(shared.client()) == 20
    assert (shared.refused, shared.waits) == (0, 2)


def test_the_third_refusal_alike_is_the_last_question_of_the_hour(company: Callable[..., Company]):
    shared = company()
    for _ in range(3):
        with pytest.raises(GiveUp, match="answered 400"):
            list(shared.client().pages(ORDERS, select="Nonsense"))
    calls = shared.simulator.calls[ORDERS]
    with pytest.raises(GiveUp, match=r"refused 123456/bulk/SalesOrder/SalesOrders 3 times .*not asked again before"):
        list(shared.client().pages(ORDERS, select="OrderID"))
    assert shared.simulator.calls[ORDERS] == calls
    assert len(list(shared.client().pages("sync/CRM/Accounts", select="ID", filter="Timestamp gt 0"))) > 0
    shared.simulator.clock.advance(3601)
    refreshed = shared.client()
    refreshed._http.headers["Authorization"] = f"Bearer {renewed(shared)}"
    assert read_all(refreshed) == 20


def renewed(shared: Company) -> str:
    form = {"grant_type": "refresh_token", "client_id": "sandbox", "client_secret": "sandbox"}
    http = httpx.Client(base_url=BASE_URL, transport=SimulatorTransport(shared.simulator))
    refresh = shared.simulator.tokens.refresh_token
    return http.post("/api/oauth2/token", data=form | {"refresh_token": refresh}).json()["access_token"]


def test_refusals_for_ever_other_reasons_stop_before_the_tenth(company: Callable[..., Company]):
    shared = company()
    for number in range(20):
        with pytest.raises(GiveUp):
            list(shared.client().pages(ORDERS, select=f"Nonsense{number}"))
    assert shared.simulator.calls[ORDERS] == 8


def test_refusals_older_than_an_hour_are_forgotten(engine: Engine):
    limits, clock = SharedLimits(engine, "nl", now=lambda: clock[0]), [0.0]
    for clock[0] in (0.0, 1800.0, 3700.0):
        limits.refused("x", 404, "gone\x00")
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT extract(epoch FROM refused_at)::int FROM state.exact_refusals")
        ).scalars()
        assert sorted(rows) == [1800, 3700]
