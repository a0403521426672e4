"""Tokens: renewed when their time has come and never before, by one at a time, and kept before they are used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from threading import Barrier, Lock

import httpx
import pytest

from pipeline.domain.oauth_tokens import Tokens
from pipeline.errors import GiveUp, RetryLater
from pipeline.exact_online.oauth import RefreshingAuth, token_pair
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import ExactOnlineSimulator, simulated_exact_online
from pipeline_tests.sandbox.exact_transport import BASE_URL, SimulatorTransport

ME = "/api/v1/current/Me?$select=CurrentDivision"


class InMemory:
    """A token store for the threads of one process, on the simulator's clock."""

    def __init__(self, simulator: ExactOnlineSimulator, refresh: str = "sandbox") -> None:
        self._clock, self._lock = simulator.clock, Lock()
        self._kept: tuple[str, str | None, int] = (refresh, None, 0)
        self.saved = 0

    def read(self) -> Tokens:
        refresh, access, issued = self._kept
        return Tokens(refresh, access, (self._clock.now_ms - issued) / 1000 if access else 0.0)

    def save(self, refresh: str, access: str) -> None:
        self._kept = (refresh, access, self._clock.now_ms)
        self.saved += 1

    def stop(self, sentence: str, credentials: str, seconds: float | None) -> None:
        """Nothing is remembered here."""

    @contextmanager
    def locked(self) -> Iterator["InMemory"]:
        with self._lock:
            yield self


@pytest.fixture
def simulator() -> ExactOnlineSimulator:
    simulator = simulated_exact_online(seeded_company(orders=1, products=1, today=date(2026, 6, 25)), limits=False)
    simulator.clock.run_at(0)
    return simulator


@pytest.fixture
def store(simulator: ExactOnlineSimulator) -> InMemory:
    return InMemory(simulator)


def connected(
    simulator: ExactOnlineSimulator,
    store: InMemory,
    *,
    secret: str = "sandbox",
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    auth = RefreshingAuth(store, base_url=f"{BASE_URL}/", client_id="sandbox", client_secret=secret)
    return httpx.Client(
        base_url=BASE_URL,
        auth=auth,
        headers={"Accept": "application/json"},
        transport=transport or SimulatorTransport(simulator),
    )


def test_the_first_request_exchanges_the_first_refresh_token(simulator: ExactOnlineSimulator, store: InMemory):
    http = connected(simulator, store)
    assert [http.get(ME).status_code for _ in range(3)] == [200] * 3
    assert (simulator.calls["oauth2/token"], store.saved) == (1, 1)
    assert store.read().refresh == simulator.tokens.refresh_token != "sandbox"


@pytest.mark.parametrize(
    ("seconds", "renewals"), [(0, 0), (569, 0), (570, 0), (574.9, 0), (575, 1), (599, 1), (700, 1)]
)
def test_a_token_is_renewed_from_575_seconds_on_and_not_before(
    simulator: ExactOnlineSimulator, store: InMemory, seconds: float, renewals: int
):
    http = connected(simulator, store)
    http.get(ME)
    simulator.clock.advance(seconds)
    assert http.get(ME).status_code == 200
    assert simulator.calls["oauth2/token"] == 1 + renewals


def test_ten_threads_that_need_a_token_ask_for_one(simulator: ExactOnlineSimulator, store: InMemory):
    http = connected(simulator, store)
    http.get(ME)
    simulator.clock.advance(580)
    together = Barrier(10)

    def ask(_: int) -> int:
        together.wait()
        return http.get(ME).status_code

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(ask, range(10))) == [200] * 10
    assert (simulator.calls["oauth2/token"], store.saved) == (2, 2)


def test_the_new_pair_is_kept_before_it_is_used(simulator: ExactOnlineSimulator, store: InMemory):
    through = SimulatorTransport(simulator)
    kept_when_sent: list[tuple[str, int]] = []

    def noted(request: httpx.Request) -> httpx.Response:
        kept_when_sent.append((request.url.path, store.saved))
        return through.handle_request(request)

    connected(simulator, store, transport=httpx.MockTransport(noted)).get(ME)
    assert kept_when_sent == [("/api/oauth2/token", 0), ("/api/v1/current/Me", 1)]


def test_a_token_that_is_refused_too_early_to_be_renewed_is_not_renewed(
    simulator: ExactOnlineSimulator, store: InMemory
):
    http = connected(simulator, store)
    http.get(ME)
    store.save(store.read().refresh, "at.nonsense")
    assert http.get(ME).status_code == 401
    assert simulator.calls["oauth2/token"] == 1


def test_a_token_that_is_refused_between_570_and_575_seconds_is_renewed_once(
    simulator: ExactOnlineSimulator, store: InMemory
):
    http = connected(simulator, store)
    http.get(ME)
    store.save(store.read().refresh, "at.nonsense")
    simulator.clock.advance(571)
    assert http.get(ME).status_code == 200
    assert simulator.calls["oauth2/token"] == 2


def test_a_used_refresh_token_asks_for_a_new_consent(simulator: ExactOnlineSimulator, store: InMemory):
    connected(simulator, store).get(ME)
    with pytest.raises(GiveUp, match=r"Old refresh token used.* Run `pipeline connect exact`.*EXACT_REFRESH_TOKEN"):
        connected(simulator, InMemory(simulator)).get(ME)


def test_an_access_token_is_not_given_too_early(simulator: ExactOnlineSimulator, store: InMemory):
    connected(simulator, store).get(ME)
    with pytest.raises(RetryLater, match="younger than 570 seconds"):
        connected(simulator, InMemory(simulator, simulator.tokens.refresh_token)).get(ME)


def test_a_wrong_secret_is_named(simulator: ExactOnlineSimulator, store: InMemory):
    with pytest.raises(GiveUp, match="EXACT_CLIENT_SECRET"):
        connected(simulator, store, secret="wrong").get(ME)
    assert store.saved == 0


def test_an_expired_refresh_token_asks_for_a_new_consent(simulator: ExactOnlineSimulator, store: InMemory):
    connected(simulator, store).get(ME)
    simulator.clock.advance(31 * 86_400)
    with pytest.raises(GiveUp, match="refresh token expired"):
        connected(simulator, store).get(ME)


def test_the_lock_is_free_again_after_a_refusal(simulator: ExactOnlineSimulator, store: InMemory):
    with pytest.raises(GiveUp):
        connected(simulator, store, secret="wrong").get(ME)
    assert connected(simulator, store).get(ME).status_code == 200


def test_a_token_endpoint_that_is_down_for_now_costs_no_token(simulator: ExactOnlineSimulator, store: InMemory):
    down = {"path": "/api/oauth2/token", "kind": "status", "status": 503}
    httpx.Client(base_url=BASE_URL, transport=SimulatorTransport(simulator)).post("/__sandbox/fault", json=down)
    http = connected(simulator, store)
    with pytest.raises(RetryLater, match="answered 503"):
        http.get(ME)
    assert http.get(ME).status_code == 200


@pytest.mark.parametrize(
    ("status", "body", "error", "sentence"),
    [
        pytest.param(200, b"", RetryLater, "without tokens", id="nothing"),
        pytest.param(200, b"<html>", RetryLater, "without tokens", id="a web page"),
        pytest.param(200, b"{}", RetryLater, "without tokens", id="no tokens"),
        pytest.param(200, b'{"access_token":"a"}', RetryLater, "without tokens", id="half a pair"),
        pytest.param(200, b"[]", RetryLater, "without tokens", id="a list"),
        pytest.param(200, b"null", RetryLater, "without tokens", id="null"),
        pytest.param(200, b'"text"', RetryLater, "without tokens", id="a text"),
        pytest.param(408, b"", RetryLater, "answered 408", id="too slow"),
        pytest.param(429, b"", RetryLater, "answered 429", id="too often"),
        pytest.param(500, b'{"error":"x"}', RetryLater, "answered 500 without tokens x", id="broken"),
        pytest.param(400, b"[]", GiveUp, "refused the refresh token", id="refused with a list"),
        pytest.param(400, b"", GiveUp, "refused the refresh token", id="refused without a word"),
        pytest.param(400, b'{"error":"invalid_grant"}', GiveUp, "invalid_grant", id="refused with a code alone"),
        pytest.param(
            400,
            b'{"error":"x","error_description":"access_token not expired"}',
            RetryLater,
            "570 seconds",
            id="too early",
        ),
        pytest.param(401, b'{"error":"x","error_description":"Old"}', GiveUp, r"\(401 Old\)", id="an old token"),
    ],
)
def test_whatever_the_token_endpoint_answers_it_becomes_a_sentence(
    status: int, body: bytes, error: type, sentence: str
):
    with pytest.raises(error, match=sentence):
        token_pair(httpx.Response(status, content=body))


def test_a_pair_is_taken_from_an_answer():
    answer = {"refresh_token": "r", "access_token": "a", "expires_in": "600", "token_type": "bearer"}
    assert token_pair(httpx.Response(200, json=answer)) == ("r", "a")


@pytest.mark.parametrize(
    ("tokens", "fresh"),
    [
        (Tokens("r"), False),
        (Tokens("r", "a", 0), True),
        (Tokens("r", "a", 574.9), True),
        (Tokens("r", "a", 575), False),
    ],
)
def test_a_token_is_fresh_until_shortly_before_its_end(tokens: Tokens, fresh: bool):
    assert tokens.is_fresh is fresh
