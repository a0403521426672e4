"""Known secrets through a failing run of each kind: they stand in nothing that is said, shown or kept in the clear.

The logs of a whole run are searched elsewhere (`pipeline_tests/test_logs_of_a_run.py`).
"""

import gc
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.connections import pipedrive_client
from pipeline.definitions import defs
from pipeline.domain.oauth_tokens import Tokens
from pipeline.errors import PipelineError
from pipeline.pipedrive.ledger import Ledger
from pipeline.settings import Settings
from pipeline.warehouse.connection import engine_of
from pipeline_tests.security.vendor import TOKENS, Answer, vendor

SECRETS = {
    "EXACT_CLIENT_SECRET": "client-secret-3f7a",
    "EXACT_REFRESH_TOKEN": "rt.first-51cc",
    "EXACT_WEBHOOK_SECRET": "webhook-secret-9e21",
    "PIPEDRIVE_API_TOKEN": "pipedrive-token-77d0",
    "PIPELINE_SECRET_KEY": "c2VjcmV0LWtleS1v" + "Zi10aGUtcGlwZWxpbmUtMDAwMDA=",
    "ALERT_WEBHOOK_URL": "https://chat.example.nl/services/chat-secret-1b2c",
    "SMTP_URL": "smtp://alerts:mail-password-8d3e@127.0.0.1:9",
}
KNOWN = ["client-secret-3f7a", "rt.first-51cc", "webhook-secret-9e21", "pipedrive-token-77d0", "c2VjcmV0LWtleS1v",
         "chat-secret-1b2c", "mail-password-8d3e", "at.issued-today", "rt.issued-today", "password-of-the-warehouse",
         "one-time-code-4a4a"]  # fmt: skip
CONFIG = "administrations: [{name: nl, source: exact_online, division: 123456}]\n"


@pytest.fixture
def environment(
    shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """Every variable there is, with a secret in each that takes one; no vendor is asked twice."""
    home = tmp_path_factory.mktemp("home")
    (home / "pipeline.yaml").write_text(CONFIG)
    for module in ("exact_online", "pipedrive"):
        monkeypatch.setattr(f"pipeline.{module}.limits.MOST_ATTEMPTS", 1)
    with shared_engine.begin() as tx:
        tx.execute(text("TRUNCATE state.tokens, state.exact_refusals"))
    found = SECRETS | {
        "EXACT_CLIENT_ID": "id",
        "EXACT_BASE_URL": "http://127.0.0.1:9",
        "PIPEDRIVE_BASE_URL": "http://127.0.0.1:9",
        "PIPELINE_HOME": str(home),
        "DAGSTER_HOME": str(home),
        "PIPELINE_CONFIG": str(home / "pipeline.yaml"),
        "PUBLIC_URL": "https://pipeline.example.nl",
        "WAREHOUSE_URL": shared_engine.url.render_as_string(hide_password=False),
    }
    yield found
    engine_of(found["WAREHOUSE_URL"]).dispose()


def said(environment: Mapping[str, str], *arguments: str) -> str:
    """All that a command writes anywhere, with the stack trace of what nobody expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a command's process ends with it, and its connections too
        done = CliRunner().invoke(app, list(arguments), env=dict(environment))
        unexpected = None if isinstance(done.exception, SystemExit) else done.exception
        assert "".join(traceback.format_exception(unexpected)) in {"", "NoneType: None\n"}
        output, status = done.output, done.exit_code
        del done, unexpected
        gc.collect()
    assert status == 1
    return output


def secrets_in(told: str) -> list[str]:
    return [secret for secret in KNOWN if secret in told]


REFUSED: Answer = (401, {}, {"error": "unauthorized", "success": False})
BROKEN: Answer = (500, {}, b"<html>Internal server error</html>")
BUSY: Answer = (503, {"Retry-After": "1"}, b"")
CUT: Answer = (200, {"Content-Length": "100", "Connection": "close"}, b'{"d":')
SUBSCRIBE = ("webhooks", "subscribe")
CONSENT = ("connect", "exact", "--code", "one-time-code-4a4a")


@pytest.mark.parametrize(
    ("command", "answers", "sentence"),
    [
        pytest.param(CONSENT, {"/api/oauth2": REFUSED}, "did not take the code", id="consent refused"),
        pytest.param(CONSENT, {"/api/oauth2": BROKEN}, "answered 500 without tokens", id="consent broken"),
        pytest.param(SUBSCRIBE, {"/api/oauth2": REFUSED}, "refused the refresh token", id="refresh refused"),
        pytest.param(SUBSCRIBE, {"/api/oauth2": TOKENS, "/": REFUSED}, "access token is not accepted", id="401"),
        pytest.param(SUBSCRIBE, {"/api/oauth2": TOKENS, "/": BROKEN}, "answered 500", id="500"),
        pytest.param(SUBSCRIBE, {"/api/oauth2": TOKENS, "/": BUSY}, "answered 503", id="503"),
        pytest.param(SUBSCRIBE, {"/api/oauth2": TOKENS, "/": CUT}, "does not answer", id="cut"),
    ],
)
def test_whatever_a_vendor_does_no_secret_is_said(
    environment: dict[str, str], command: tuple[str, ...], answers: Mapping[str, Answer], sentence: str
):
    with vendor(answers) as there:
        addresses = {"EXACT_BASE_URL": there.url, "PIPEDRIVE_BASE_URL": there.url}
        told = said(environment | addresses, *command)
    assert sentence in told
    assert there.heard
    assert secrets_in(told + "\n".join(there.heard)) == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [(REFUSED, "does not accept the API token"), (BROKEN, "no usable result"), (CUT, "does not answer")],
)
def test_whatever_pipedrive_does_its_token_is_not_said(environment: dict[str, str], answer: Answer, sentence: str):
    with vendor({"/": answer}) as there:
        client = pipedrive_client(Settings(environment | {"PIPEDRIVE_BASE_URL": there.url}), Ledger(100, 100))
        with closing(client._transport), pytest.raises(PipelineError, match=sentence) as raised:
            client.get("/api/v2/deals", limit=1)
    assert there.heard == ["GET /api/v2/deals?limit=1"]
    assert secrets_in("".join(traceback.format_exception(raised.value))) == []


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("WAREHOUSE_URL", "postgresql://u:password-of-the-warehouse@127.0.0.1:9/db", "does not answer"),
        ("WAREHOUSE_URL", "postgresql://u:at@password-of-the-warehouse@127.0.0.1:9/db", "it has an @ in it"),
        ("WAREHOUSE_URL", "postgresql://u:1/password-of-the-warehouse@127.0.0.1:9/db", "does not answer"),
        ("WAREHOUSE_URL", "postgresql://127.0.0.1:password-of-the-warehouse/db", "WAREHOUSE_URL is not a URL"),
        ("WAREHOUSE_URL", "password-of-the-warehouse", "WAREHOUSE_URL is not a URL"),
        ("PIPELINE_SECRET_KEY", "c2VjcmV0LWtleS1v", "PIPELINE_SECRET_KEY is not a Fernet key"),
        ("EXACT_BASE_URL", "https://id:client-secret-3f7a@start.exactonline.nl", "is no plain address"),
        ("EXACT_CLIENT_SECRET", " ", "EXACT_CLIENT_SECRET is not set"),
    ],
)
def test_a_variable_that_is_wrong_is_named_and_not_shown(
    environment: dict[str, str], variable: str, value: str, sentence: str
):
    told = said(environment | {variable: value}, "connect", "exact", "--code", "one-time-code-4a4a")
    assert sentence in told
    assert secrets_in(told) == []


def test_what_is_shown_of_objects_and_of_failed_statements_has_no_secret(shared_engine: Engine):
    shown = [repr(Settings(SECRETS)), repr(Tokens("rt.issued-today", "at.issued-today"))]
    held = engine_of(shared_engine.url.set(password="password-of-the-warehouse").render_as_string(hide_password=False))
    with pytest.raises(Exception, match="division by zero") as raised, held.connect() as connection:
        connection.execute(text("SELECT 1 / CAST(:n AS int), :secret"), {"n": 0, "secret": "at.issued-today"})
    shown += [str(raised.value), repr(held)]
    held.dispose()
    assert secrets_in("\n".join(shown)) == []


def test_the_user_interface_is_given_no_secret(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, project: Path
):
    """What it shows of the code location: defaults of what a run may be started with, and what describes the assets."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    repository = defs.get_repository_def()
    launchpads = {job.name: dg.validate_run_config(job, {}) for job in repository.get_all_jobs()}
    assert launchpads
    resources = {name: vars(made) for name, made in repository.get_top_level_resources().items()}
    described: list[Any] = [*defs.resolve_all_asset_specs(), launchpads, resources]
    assert secrets_in("\n".join(map(str, described))) == []
    assert "postgres" not in str(yaml.safe_load((project / "dagster.yaml").read_text())).lower()


def test_tokens_lie_encrypted_in_the_database(environment: dict[str, str], shared_engine: Engine):
    with vendor({"/api/oauth2": TOKENS, "/": REFUSED}) as there:
        said(environment | {"EXACT_BASE_URL": there.url}, *SUBSCRIBE)
    with shared_engine.connect() as connection:
        rows = connection.execute(text("SELECT CAST(kept AS text) FROM state.tokens AS kept")).scalars().all()
    assert len(rows) == 1
    assert secrets_in(rows[0]) == []
