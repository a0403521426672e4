"""Vendors that can't be reached or lead elsewhere: a sentence with what to do, and no credential goes there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from pipeline.config import Config
from pipeline.connections import exact_client, pipedrive_client
from pipeline.errors import ConfigurationError, GiveUp, RetryLater
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.settings import Settings
from pipeline_tests.security.vendor import TOKENS, Answer, Vendor, certificate, vendor

CONFIG = Config.model_validate({"administrations": [{"name": "nl", "source": "exact_online", "division": 123456}]})
SECRET_KEY = "Zm9vYmFyYmF6" * 3 + "Zm9vYmE="
ROWS = "/api/v1/123456/crm/Accounts"


@pytest.fixture
def warehouse(shared_engine: Engine) -> Engine:
    """One without tokens."""
    with shared_engine.begin() as tx:
        tx.execute(text("TRUNCATE state.tokens"))
    return shared_engine


@dataclass
class Reach:
    """Makes clients as runs have them, and closes them."""

    warehouse: Engine
    made: list[httpx.Client | httpx.BaseTransport] = field(default_factory=list)

    def exact(self, address: str) -> ExactOnlineClient:
        credentials = {"EXACT_CLIENT_ID": "id", "EXACT_CLIENT_SECRET": "s", "EXACT_REFRESH_TOKEN": "rt.first"}
        environment = credentials | {"EXACT_BASE_URL": address, "PIPELINE_SECRET_KEY": SECRET_KEY}
        client = exact_client(Settings(environment), CONFIG, self.warehouse, "nl")
        self.made.append(client._http)
        return client

    def pipedrive(self, address: str) -> PipedriveClient:
        environment = {"PIPEDRIVE_BASE_URL": address, "PIPEDRIVE_API_TOKEN": "t"}
        client = pipedrive_client(Settings(environment), Ledger(100, 100))
        self.made.append(client._transport)
        return client


@pytest.fixture
def reach(warehouse: Engine) -> Iterator[Reach]:
    reach = Reach(warehouse)
    yield reach
    for way in reach.made:
        way.close()


# --- certificates and names ---


@pytest.mark.parametrize(
    ("made", "is_trusted", "reason"),
    [
        pytest.param({"days": -1}, True, "certificate has expired", id="expired"),
        pytest.param({}, False, "self-signed certificate", id="self-signed"),
        pytest.param({"address": "127.0.0.2"}, True, "IP address mismatch", id="of another host"),
    ],
)
def test_a_certificate_that_is_not_valid_is_told_and_nothing_is_sent(
    reach: Reach,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    made: dict[str, Any],
    is_trusted: bool,
    reason: str,
):
    shown = certificate(tmp_path / "certificate.pem", **made)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(shown))
    sentence = rf"https://127\.0\.0\.1:\d+ shows a certificate that is not valid \({reason}.*nothing was sent"
    with vendor({"/": TOKENS}, shown) as there:
        with pytest.raises(RetryLater, match=sentence):
            reach.exact(there.url).me()
        with pytest.raises(RetryLater, match=sentence):
            reach.pipedrive(there.url).post("/api/v2/deals", {})
    assert there.heard == []


def test_a_certificate_of_an_authority_of_ones_own_is_taken_once_it_is_named(
    reach: Reach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shown = certificate(tmp_path / "certificate.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(shown))
    answers: dict[str, Answer] = {"/api/oauth2/token": TOKENS, "/api/v1/current": (200, {}, {"d": {"results": []}})}
    with vendor(answers, shown) as there:
        assert reach.exact(there.url).me() == {}


def test_a_name_nobody_knows_is_told_and_the_refresh_token_is_kept(reach: Reach):
    sentence = r"the name exact\.invalid is not known \(.*Is it written right, and does DNS work"
    with pytest.raises(RetryLater, match=sentence):
        reach.exact("https://exact.invalid").me()
    with pytest.raises(RetryLater, match=r"the name crm\.invalid is not known"):
        reach.pipedrive("https://crm.invalid").post("/api/v2/deals", {})
    with vendor({"/api/oauth2/token": TOKENS, "/api/v1/current": (200, {}, {"d": []})}) as there:
        assert reach.exact(there.url).me() == {}


# --- elsewhere ---


@pytest.fixture
def elsewhere() -> Iterator[Vendor]:
    """Somebody who would like to hear a credential."""
    with vendor({"/": (200, {}, {"d": [], "data": []})}) as somebody:
        yield somebody


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("{elsewhere}/page", r"lies on another host \({elsewhere}, not {there}\); it is not followed.*EXACT_BASE_URL"),
        ("//{netloc}/page", "lies on another host"),
        ("https://127.0.0.1/page", r"lies on another host \(https://127\.0\.0\.1,"),
        ("http://user:word@{own}/page", "it is not followed"),
        ("file:///etc/passwd", "lies on another host"),
        ("http://[::1", "is no address"),
        (7, "is no address"),
        (["x"], "is no address"),
    ],
)
def test_a_next_page_elsewhere_is_never_asked_for(reach: Reach, elsewhere: Vendor, link: Any, sentence: str):
    with vendor({}) as there:
        places = {"elsewhere": elsewhere.url, "there": there.url, "netloc": elsewhere.url[7:], "own": there.url[7:]}
        if isinstance(link, str):
            link = link.format(**places)
        there.answers = {
            "/api/oauth2/token": TOKENS,
            ROWS: (200, {}, {"d": {"results": [{"ID": "1"}], "__next": link}}),
        }
        with pytest.raises(GiveUp, match=sentence.format(**places)):
            list(reach.exact(there.url).pages("crm/Accounts"))
    assert elsewhere.heard == []
    assert [asked.split("?")[0] for asked in there.heard] == ["POST /api/oauth2/token", f"GET {ROWS}"]


def test_an_address_without_a_token_endpoint_is_said_and_ends_no_chain(reach: Reach, warehouse: Engine):
    with vendor({"/api/oauth2/token": (404, {}, b"<html>Not found</html>")}) as there:
        client = reach.exact(there.url)
        with pytest.raises(RetryLater, match=rf"{there.url} has no token endpoint \(it answered 404\)\. Check EXACT_B"):
            client.me()
        there.answers = {"/api/oauth2/token": TOKENS, ROWS: (200, {}, {"d": {"results": [{"ID": "1"}]}})}
        with warehouse.begin() as tx:
            tx.execute(text("UPDATE state.tokens SET stopped_until = now()"))
        assert list(client.pages("crm/Accounts")) == [[{"ID": "1"}]]


def test_a_redirection_is_never_followed_and_says_where_it_would_lead(
    reach: Reach, warehouse: Engine, elsewhere: Vendor
):
    away: Answer = (302, {"Location": f"{elsewhere.url}/x?token=1"}, b"")
    sentence = f"a redirection to {elsewhere.url}, which is not followed because credentials would go there. Check "
    with vendor({}) as there:
        client = reach.exact(there.url)
        there.answers = {"/": away}
        with pytest.raises(RetryLater, match=f"token endpoint answered {sentence}EXACT_BASE_URL"):
            client.me()
        with pytest.raises(RetryLater, match="token endpoint"):
            client.me()  # so soon again it is not even asked
        there.answers = {"/api/oauth2/token": TOKENS, "/": away}
        with warehouse.begin() as tx:
            tx.execute(text("UPDATE state.tokens SET stopped_until = now()"))
        with pytest.raises(GiveUp, match=f"302 to {ROWS}: {sentence}EXACT_BASE_URL"):
            list(client.pages("crm/Accounts"))
        for ask in (
            lambda: reach.pipedrive(there.url).get("/api/v2/deals"),
            lambda: reach.pipedrive(there.url).post("/x", {}),
        ):
            with pytest.raises(GiveUp, match=f"302: {sentence}PIPEDRIVE_BASE_URL"):
                ask()
    assert elsewhere.heard == []
    assert [asked.split("?")[0] for asked in there.heard] == [
        *["POST /api/oauth2/token"] * 2,
        f"GET {ROWS}",
        "GET /api/v2/deals",
        "POST /x",
    ]


# --- addresses and credentials as they are set ---


@pytest.mark.parametrize("name", ["EXACT_BASE_URL", "PIPEDRIVE_BASE_URL"])
@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("http://start.exactonline.nl", "would travel in the clear; write it with https://"),
        ("http://acme.pipedrive.com/", "would travel in the clear"),
        ("http://8.8.8.8", "would travel in the clear"),
        ("https://user:geheim@vendor.example", "is no plain address.*without a user, a password or a token"),
        ("https://vendor.example/?api_token=geheim", "is no plain address"),
        ("https://vendor.example#geheim", "is no plain address"),
        ("https://", "is no plain address"),
        ("https://[::1", "is no plain address"),
        ("https://vendor.example:port", "is no plain address"),
        ("https://vendor example", "is no plain address"),
    ],
)
def test_an_address_that_would_give_credentials_away_is_refused_without_showing_one(
    name: str, address: str, sentence: str
):
    settings = Settings({name: address})
    with pytest.raises(ConfigurationError, match=f"{name} .*{sentence}") as raised:
        _ = settings.exact_base_url if name.startswith("EXACT") else settings.pipedrive_base_url
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://start.exactonline.nl",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://localhost:8000",
        "http://10.1.2.3:8000",
        "http://exact:8000",
        "http://exact.internal",
        "http://pipedrive.sandbox.example",
    ],
)
def test_https_is_taken_anywhere_and_http_in_networks_of_ones_own(address: str):
    assert Settings({"EXACT_BASE_URL": address}).exact_base_url == address


@pytest.mark.parametrize("token", ["two words", "two\nlines", "tok\x0ben", "tökén"])
def test_a_token_no_header_can_carry_is_told_without_showing_it(token: str):
    settings = Settings({"PIPEDRIVE_BASE_URL": "https://vendor.example", "PIPEDRIVE_API_TOKEN": token})
    with pytest.raises(
        ConfigurationError, match="PIPEDRIVE_API_TOKEN has a blank, a line break or an accent"
    ) as raised:
        pipedrive_client(settings, Ledger(100, 100))
    assert token not in str(raised.value)


def test_an_access_token_no_header_can_carry_is_told_without_showing_it(reach: Reach):
    pair = TOKENS[2] | {"access_token": "at.broken\nin-two"}
    with (
        vendor({"/api/oauth2/token": (200, {}, pair)}) as there,
        pytest.raises(GiveUp, match="has a character that can't be sent") as raised,
    ):
        reach.exact(there.url).me()
    assert "broken" not in str(raised.value)
    assert raised.value.__cause__ is None
