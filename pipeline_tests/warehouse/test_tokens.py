"""Tokens at rest, with real processes, a real port and a real database: one renewal, kept, and no chain ever lost."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from pipeline.config import Config
from pipeline.connections import exact_client, exact_tokens
from pipeline.errors import ConfigurationError, GiveUp, OutcomeUnknown, RetryLater
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import ExactOnlineSimulator, simulated_exact_online
from pipeline.settings import Settings
from pipeline.steps.keep_alive import keep_alive
from pipeline_tests.exact_online.served import served
from pipeline_tests.world import SETTINGS

CONFIG = Config.model_validate(SETTINGS)
ASKS_AFTER_A_LINE = """
import os, sys
from pipeline.config import Config
from pipeline.connections import exact_client
from pipeline.settings import Settings
from pipeline.steps.keep_alive import keep_alive
from pipeline.warehouse.connection import engine_of
config = Config.model_validate({"administrations": [
    {"name": "nl", "source": "exact_online", "division": 123456, "time_zone": "Europe/Amsterdam"}]})
client = exact_client(Settings(os.environ), config, engine_of(os.environ["WAREHOUSE_URL"]), "nl")
print("ready", flush=True)
sys.stdin.readline()
print(client.me()["CurrentDivision"], flush=True)
"""


class Stand:
    """Exact behind a real port, and clients as different processes or installations have them."""

    def __init__(self, engine: Engine, url: str, simulator: ExactOnlineSimulator) -> None:
        self.engine, self.simulator = engine, simulator
        self.clients: list[ExactOnlineClient] = []
        self.environment = {
            "EXACT_BASE_URL": url,
            "EXACT_CLIENT_ID": "sandbox",
            "EXACT_CLIENT_SECRET": "sandbox",
            "EXACT_REFRESH_TOKEN": "sandbox",
            "PIPELINE_SECRET_KEY": Fernet.generate_key().decode(),
            "WAREHOUSE_URL": engine.url.render_as_string(hide_password=False),
        }

    def client(self, **environment: str) -> ExactOnlineClient:
        client = exact_client(Settings(self.environment | environment), CONFIG, self.engine, "nl")
        self.clients.append(client)
        return client

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def fault(self, **fault: object) -> None:
        url = f"{self.environment['EXACT_BASE_URL']}/__sandbox/fault"
        assert httpx.post(url, json={"path": "/api/oauth2/token", **fault}).status_code == 200

    def pass_time(self, seconds: float) -> None:
        """On both sides: what is stored grows older too."""
        self.simulator.clock.advance(seconds)
        with self.engine.begin() as tx:
            older = (
                "SET issued_at = issued_at - :s * interval '1 s', stopped_until = stopped_until - :s * interval '1 s'"
            )
            tx.execute(text(f"UPDATE state.tokens {older}"), {"s": seconds})

    @property
    def token_calls(self) -> int:
        return self.simulator.calls["oauth2/token"]

    def stored(self) -> dict[str, object]:
        with self.engine.connect() as connection:
            return dict(connection.execute(text("SELECT * FROM state.tokens")).one()._mapping)


@pytest.fixture
def begin(engine: Engine) -> Iterator[Callable[..., Stand]]:
    with ExitStack() as stack:

        def begin(**switches: object) -> Stand:
            simulator = simulated_exact_online(seeded_company(orders=1, products=1), limits=False, **switches)
            stand = Stand(engine, stack.enter_context(served(simulator)), simulator)
            stack.callback(stand.close)
            return stand

        yield begin


def test_ten_processes_that_need_a_token_at_once_make_one_refresh(begin: Callable[..., Stand]):
    stand = begin()
    stand.client().me()
    stand.pass_time(580)
    environment = os.environ | stand.environment
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ASKS_AFTER_A_LINE],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(10)
    ]
    try:
        assert [process.stdout and process.stdout.readline() for process in processes] == ["ready\n"] * 10
        for process in processes:
            assert process.stdin
            process.stdin.write("now\n")
            process.stdin.flush()
        assert [process.communicate(timeout=60)[0] for process in processes] == ["123456\n"] * 10
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert stand.token_calls == 2


def test_tokens_are_encrypted_at_rest(begin: Callable[..., Stand]):
    stand = begin()
    stand.client().me()
    kept = "".join(str(value) for value in stand.stored().values())
    assert stand.simulator.tokens.refresh_token not in kept
    assert [token for token in stand.simulator.tokens._access if token in kept] == []
    assert exact_tokens(Settings(stand.environment), stand.engine).read().refresh == (
        stand.simulator.tokens.refresh_token
    )


def test_another_key_is_one_sentence(begin: Callable[..., Stand]):
    stand = begin()
    stand.client().me()
    with pytest.raises(ConfigurationError, match="another PIPELINE_SECRET_KEY"):
        stand.client(PIPELINE_SECRET_KEY=Fernet.generate_key().decode()).me()


@pytest.mark.parametrize("seconds", [0, 569, 574])
def test_nothing_is_renewed_too_early(begin: Callable[..., Stand], seconds: float):
    stand = begin()
    stand.client().me()
    stand.pass_time(seconds)
    stand.client().me()
    assert stand.token_calls == 1


def test_the_new_pair_is_committed_before_it_is_used(begin: Callable[..., Stand]):
    stand = begin()
    stand.fault(kind="drop", path="current/Me", times=50)
    with pytest.raises(RetryLater, match="does not answer"):
        stand.client().me()
    assert exact_tokens(Settings(stand.environment), stand.engine).read().refresh == (
        stand.simulator.tokens.refresh_token
    )
    assert stand.token_calls == 1


@pytest.mark.parametrize("switches", [{}, {"used_token_status": 400}], ids=str)
def test_a_refresh_whose_answer_was_lost_is_asked_for_once_more_and_then_only_by_a_person(
    begin: Callable[..., Stand], switches: dict[str, object]
):
    stand = begin(**switches)
    stand.client().me()
    stand.pass_time(600)
    stand.fault(kind="drop_after")
    with pytest.raises(OutcomeUnknown):
        stand.client().me()
    for _ in range(5):
        with pytest.raises(GiveUp, match=r"Old refresh token used.* Run `pipeline connect exact`"):
            stand.client().me()
    assert stand.token_calls == 3
    assert "pipeline connect exact" in str(stand.stored()["stopped"])


def test_a_refresh_that_never_arrived_costs_nothing(begin: Callable[..., Stand]):
    stand = begin()
    stand.client().me()
    stand.pass_time(600)
    stand.fault(kind="drop")
    with pytest.raises(OutcomeUnknown):
        stand.client().me()
    assert stand.client().me()["CurrentDivision"] == 123456


@pytest.mark.parametrize("kind", ["empty", "status"])
def test_a_token_endpoint_without_tokens_is_left_alone_for_half_a_minute(begin: Callable[..., Stand], kind: str):
    stand = begin()
    stand.fault(kind=kind) if kind == "status" else stand.fault(kind="status", status=200, body="")
    for _ in range(3):
        with pytest.raises(RetryLater, match="without tokens"):
            stand.client().me()
    assert stand.token_calls <= 1
    stand.pass_time(31)
    assert stand.client().me()["CurrentDivision"] == 123456


@pytest.mark.parametrize("switches", [{}, {"early_refresh_status": 401}], ids=str)
def test_a_refresh_that_is_too_early_is_asked_again_when_its_time_has_come(
    begin: Callable[..., Stand], switches: dict[str, object]
):
    stand = begin(**switches)
    stand.client().me()
    with stand.engine.begin() as tx:  # as after a backup: the refresh token is known, the access token is not
        tx.execute(text("UPDATE state.tokens SET access_token = NULL, issued_at = NULL"))
    for _ in range(3):
        with pytest.raises(RetryLater, match="younger than 570 seconds"):
            stand.client().me()
    assert stand.token_calls == 2
    stand.pass_time(571)
    assert stand.client().me()["CurrentDivision"] == 123456
    assert stand.stored()["stopped"] is None


def break_chain(stand: Stand) -> None:
    stand.client().me()
    stand.simulator.tokens._used.add(stand.simulator.tokens.refresh_token)
    stand.pass_time(600)
    with pytest.raises(GiveUp):
        stand.client().me()


def test_a_broken_chain_is_left_alone_until_a_new_token_is_given(begin: Callable[..., Stand]):
    stand = begin()
    break_chain(stand)
    for _ in range(3):
        with pytest.raises(GiveUp, match="is not asked again"):
            stand.client().me()
    assert stand.token_calls == 2
    stand.simulator.tokens.refresh_token = "consented anew"
    assert stand.client(EXACT_REFRESH_TOKEN="consented anew").me()["CurrentDivision"] == 123456
    assert stand.stored()["stopped"] is None


def test_a_wrong_secret_is_asked_with_once_and_the_right_one_at_once(begin: Callable[..., Stand]):
    stand = begin()
    for _ in range(3):
        with pytest.raises(GiveUp, match="EXACT_CLIENT_SECRET"):
            stand.client(EXACT_CLIENT_SECRET="wrong").me()
    assert stand.token_calls == 1
    assert stand.client().me()["CurrentDivision"] == 123456


# --- kept alive ---


def test_tokens_that_nobody_used_for_a_day_are_renewed_and_others_are_left_alone(begin: Callable[..., Stand]):
    stand = begin()
    assert keep_alive(stand.engine, stand.client())
    stand.pass_time(80_000)
    assert not keep_alive(stand.engine, stand.client())
    stand.pass_time(10_000)
    assert keep_alive(stand.engine, stand.client())
    assert stand.token_calls == 2


def test_a_pipeline_that_reads_nothing_for_forty_days_keeps_its_chain(begin: Callable[..., Stand]):
    stand = begin()
    for _ in range(40):
        keep_alive(stand.engine, stand.client())
        stand.pass_time(86_401)
    assert stand.client().me()["CurrentDivision"] == 123456
    assert stand.simulator.limits.headers(123456, stand.simulator.clock.now_ms)["X-RateLimit-Remaining"] == "1000000000"
