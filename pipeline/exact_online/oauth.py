"""Exact's OAuth: an access token of ten minutes, and a refresh token that is good for one use.

A lost refresh token needs a person in a browser, so the new pair is kept before it is used, and only one process at a
time may ask for one. Where tokens are kept is the store's business (`warehouse/tokens.py`).
"""

from collections.abc import Generator
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Protocol

import httpx

from pipeline.domain.oauth_tokens import EARLIEST_REFRESH, Tokens
from pipeline.errors import GiveUp, PipelineError, RetryLater
from pipeline.reaching import address_of, led_elsewhere

PAUSE = 30.0  # seconds after an answer without tokens


class Chain(Protocol):
    """The stored tokens while nobody else may touch them."""

    def read(self) -> Tokens: ...

    def save(self, refresh: str, access: str) -> None: ...

    def stop(self, sentence: str, credentials: str, seconds: float | None) -> None:
        """Keeps that none is to be asked for with these credentials: for so long, or until a person consented."""
        ...


class TokenStore(Protocol):
    """Keeps the tokens of one app and user for all processes."""

    def read(self) -> Tokens: ...

    def locked(self) -> AbstractContextManager[Chain]: ...


class RefreshingAuth(httpx.Auth):
    """Signs requests with the access token and renews it when its time has come, and never before."""

    requires_response_body = True

    def __init__(self, store: TokenStore, *, base_url: str, client_id: str, client_secret: str) -> None:
        self._store, self._url = store, f"{base_url.rstrip('/')}/api/oauth2/token"
        self._credentials = {"client_id": client_id, "client_secret": client_secret}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sends the request; after a 401 once more with a new token, where Exact would give one."""
        tokens = self._store.read()
        access = tokens.access if tokens.is_fresh else (yield from self._renewed(tokens.access))
        request.headers["Authorization"] = f"Bearer {access}"
        response = yield request
        if response.status_code == 401 and self._store.read().age >= EARLIEST_REFRESH:
            request.headers["Authorization"] = f"Bearer {(yield from self._renewed(access))}"
            yield request

    def _renewed(self, stale: str | None) -> Generator[httpx.Request, httpx.Response, str]:
        with self._store.locked() as chain:
            tokens = chain.read()
            if tokens.access and tokens.is_fresh and tokens.access != stale:
                return tokens.access  # another process was quicker
            credentials = fingerprint(tokens.refresh, *self._credentials.values())
            if tokens.stop and tokens.stop.credentials == credentials:
                raise (GiveUp if tokens.stop.is_final else RetryLater)(tokens.stop.sentence)
            response = yield token_request(
                self._url, grant_type="refresh_token", refresh_token=tokens.refresh, **self._credentials
            )
            try:
                refresh, access = token_pair(response)
            except PipelineError as problem:
                chain.stop(str(problem), credentials, _pause_after(problem))
                raise
            chain.save(refresh, access)
        return access


def token_request(url: str, **form: str) -> httpx.Request:
    """A request for a pair of tokens."""
    return httpx.Request("POST", url, data=form, headers={"Accept": "application/json"})


def fingerprint(*credentials: str) -> str:
    """By what a refusal is remembered: with another token or secret it is worth asking again."""
    return sha256("\0".join(credentials).encode()).hexdigest()


def _pause_after(problem: PipelineError) -> float | None:
    """How long nobody asks again: what only a person mends, not at all; each early request counts as an error."""
    if isinstance(problem, TooEarly):
        return EARLIEST_REFRESH
    return PAUSE if isinstance(problem, RetryLater) else None


class TooEarly(RetryLater):
    """The access token that Exact gave last is too young for a new one, and this process does not have it."""


def token_pair(response: httpx.Response) -> tuple[str, str]:
    """Refresh and access token from an answer of the token endpoint.

    Raises RetryLater when the endpoint is down, GiveUp when the chain is broken: only a new consent mends that.
    """
    try:
        answer = response.json()
        if response.is_success:
            return answer["refresh_token"], answer["access_token"]
        said = str(answer.get("error_description") or answer.get("error") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        said, answer = "", None
    if response.has_redirect_location:  # says nothing of the token: it was not for the token endpoint
        raise RetryLater(f"Exact Online's token endpoint answered {led_elsewhere(response)}. Check EXACT_BASE_URL.")
    if response.status_code in {404, 405} and not said:  # nor does this
        where = address_of(response.request.url)
        raise RetryLater(f"{where} has no token endpoint (it answered {response.status_code}). Check EXACT_BASE_URL.")
    if response.is_success or response.status_code in {408, 429} or response.status_code >= 500:
        raise RetryLater(
            f"Exact Online's token endpoint answered {response.status_code} without tokens {said}".rstrip()
        )
    if "not expired" in f"{said} {response.headers.get('reason', '')} {response.reason_phrase}":
        raise TooEarly("Exact Online gives no new access token yet: the last one is younger than 570 seconds")
    raise GiveUp(
        f"Exact Online refused the refresh token ({f'{response.status_code} {said}'.rstrip()}), and is not asked again "
        "with it. Run `pipeline connect exact`, open the address it prints and agree; or consent again elsewhere and "
        "put the new token into EXACT_REFRESH_TOKEN. Check EXACT_CLIENT_ID and EXACT_CLIENT_SECRET."
    )
