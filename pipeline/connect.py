"""`pipeline connect exact`: a person agrees in a browser, and the pair of tokens that comes of it is kept.

The code comes back to a small server on this machine, or a person pastes it. No token is ever shown.
"""

import secrets
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, cast

import httpx
import typer
from sqlalchemy import Engine

from pipeline.config import Config
from pipeline.errors import GiveUp, RetryLater
from pipeline.exact_online import consent
from pipeline.sentences import working
from pipeline.settings import Settings, settings
from pipeline.warehouse import memory

PORT = 8321
PATIENCE = 600  # seconds a person has for agreeing
PENDING = "consent asked for"
connect = typer.Typer(help="Gives this pipeline access to an account.", no_args_is_help=True)


@connect.callback()
def _accounts() -> None:
    """Gives this pipeline access to an account."""


@connect.command()
def exact(
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of this machine that the browser is sent back to.")
    ] = PORT,
    code: Annotated[
        str | None, typer.Option(help="The code, or the whole address the browser was sent to, pasted.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to wait on; in a container 0.0.0.0.")] = "127.0.0.1",
    browser: Annotated[bool, typer.Option(help="Try to open a browser here.")] = True,
) -> None:
    """The consent in a browser that yields the first refresh token of Exact Online.

    The app's redirect address has to be registered with Exact: PUBLIC_URL/oauth/exact where PUBLIC_URL is set (a proxy
    may lead it to --port here), else http://localhost:PORT/oauth/exact. Where the browser can't come back, paste the
    address it was sent to with --code, within three minutes.
    """
    with working() as (engine, config):
        environment = settings()
        if code is None:
            asked = _ask(engine, environment, port)
            print(f"Open this address in a browser, log in and agree:\n\n{asked['address']}\n", flush=True)
            print(f"Waiting for the answer at {asked['redirect_uri']} (or see --code) …", flush=True)
            code = _answer(asked, (host, port), open_browser=browser)
        else:
            asked = _asked_before(engine)
        for line in connected(engine, config, environment, code, asked):
            print(line, flush=True)


def connected(
    engine: Engine, config: Config, environment: Settings, answer: str, asked: dict[str, str]
) -> Iterator[str]:
    """Exchanges the code, keeps the pair as a new chain, and says what it opens."""
    from pipeline.connections import exact_client, exact_tokens

    redirect_uri = asked.get("redirect_uri") or _redirect_uri(environment, PORT)
    tokens = exact_tokens(environment, engine)  # before the code is spent: without a key nothing could be kept
    with httpx.Client(base_url=environment.exact_base_url, timeout=30.0) as http:
        refresh, access = consent.exchanged(
            http,
            consent.code_in(answer, state=asked.get("state")),
            client_id=environment.required("EXACT_CLIENT_ID"),
            client_secret=environment.required("EXACT_CLIENT_SECRET"),
            redirect_uri=redirect_uri,
        )
    tokens.begin_anew(refresh, access)
    with engine.begin() as tx:
        memory.note(tx, PENDING, {})
    yield "The tokens are kept, encrypted; they renew themselves from now on."
    client = exact_client(environment, config, engine, config.administrations[0].name)
    me = client.me()
    seen = client.divisions(int(me["CurrentDivision"]))
    client.close()
    yield f"{me['UserName']} sees {len(seen)} division(s):"
    yield from (f"  {division} {name}" for division, name in sorted(seen.items()))
    for administration in config.administrations:
        there = "is among them" if administration.division in seen else "is NOT among them: check pipeline.yaml"
        yield f"Division {administration.division} of '{administration.name}' {there}."


def _ask(engine: Engine, environment: Settings, port: int) -> dict[str, str]:
    """What is asked for, remembered so that an answer that is pasted later can be told from somebody else's."""
    asked = {"state": secrets.token_urlsafe(24), "redirect_uri": _redirect_uri(environment, port)}
    for name in ("EXACT_CLIENT_SECRET", "PIPELINE_SECRET_KEY"):
        environment.required(name)
    with engine.begin() as tx:
        memory.note(tx, PENDING, asked)
    client_id = environment.required("EXACT_CLIENT_ID")
    return asked | {"address": consent.consent_address(environment.exact_base_url, client_id=client_id, **asked)}


def _asked_before(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return memory.recall(connection, PENDING) or {}


def _redirect_uri(environment: Settings, port: int) -> str:
    public = environment.environment.get("PUBLIC_URL", "").strip().rstrip("/")
    return f"{public or f'http://localhost:{port}'}{consent.PATH}"


def _answer(asked: dict[str, str], place: tuple[str, int], *, open_browser: bool) -> str:
    """Waits for the browser to come back; whoever comes without our state is turned away and waited past."""
    with _listening(place, asked["state"]) as server:
        if open_browser:
            webbrowser.open(asked["address"])
        while server.found is None:
            server.handle_request()
            if server.has_waited_long_enough:
                raise RetryLater(
                    f"Nobody agreed within {PATIENCE // 60} minutes. Run this again, or paste the address the browser "
                    "was sent to with --code."
                )
        return server.found


class _Callback(HTTPServer):
    """Takes one answer."""

    found: str | None = None
    has_waited_long_enough = False
    timeout = PATIENCE

    def __init__(self, place: tuple[str, int], state: str) -> None:
        super().__init__(place, _Page)
        self.state = state

    def handle_timeout(self) -> None:
        self.has_waited_long_enough = True


class _Page(BaseHTTPRequestHandler):
    """What the person sees when he comes back."""

    def do_GET(self) -> None:
        """The answer itself; anything else (a favicon, a stranger) is not found."""
        status, said, server = 404, "Not here.", cast("_Callback", self.server)
        if self.path.split("?")[0] == consent.PATH:
            try:
                consent.code_in(self.path, state=server.state)
                server.found = self.path
                status, said = 200, "Thank you. The terminal says how it went; this page can be closed."
            except GiveUp as problem:
                status, said = 400, str(problem)
                if "error=" in self.path and f"state={server.state}" in self.path:
                    server.found = self.path
        body = f"<!doctype html><meta charset=utf-8><title>Exact Online</title><p>{_plain(said)}</p>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the address has the code in it."""


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


@contextmanager
def _listening(place: tuple[str, int], state: str) -> Iterator[_Callback]:
    try:
        server = _Callback(place, state)
    except OSError as problem:
        raise GiveUp(f"Port {place[1]} of this machine is taken ({problem.strerror}); choose another --port.") from None
    with server:
        yield server
