"""The token endpoint and the check of access tokens: rotating refresh tokens, the 570-second rule, 30 days.

Who consents in a browser is played by `consent`; rate limits of the API itself are `limits.py`.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode

from pipeline.sandbox.exact_online.answers import json_response
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.wire import Request, Response

LIFETIME_S = 600
EARLIEST_REFRESH_S = 570
REFRESH_TOKEN_DAYS = 30
CODE_MINUTES = 3
DAY_MS = 86_400_000
TOO_EARLY = "Rate limit exceeded: access_token not expired"
TOO_EARLY_ONCE = "Access token not expired"  # in the older text, with 401


class Tokens:
    """One chain of tokens, as one user who consented once has it."""

    def __init__(self, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._settings, self._now_ms = settings, now_ms
        self.refresh_token = settings.first_refresh_token
        self._refresh_issued_ms = now_ms()
        self._access_issued_ms: int | None = None
        self._used: set[str] = set()
        self._access: dict[str, int] = {}  # token -> when it was issued
        self._codes: dict[str, tuple[int, str]] = {}  # code -> issued, redirect URI
        self._calls: dict[int, int] = {}  # day -> token calls

    def is_valid(self, header: str) -> bool:
        """Whether this Authorization header opens the API now."""
        issued = self._issued(header)
        return issued is not None and self._now_ms() - issued < LIFETIME_S * 1000

    def was_valid(self, header: str) -> bool:
        """Whether it ever did: then the vendor knows whose mistake it is."""
        return self._issued(header) is not None

    def consent(self, request: Request) -> Response:
        """The login page: here the user always agrees at once and is sent back with a code."""
        asked = dict(request.params)
        if asked.get("client_id") != self._settings.client_id or asked.get("response_type") != "code":
            return _refused(400, "invalid_request", "Unknown client or response type.")
        code = secrets.token_urlsafe(24)
        target = asked.get("redirect_uri", "")
        if self._settings.redirect_uri not in (None, target):
            return _refused(400, "invalid_request", "The redirect URI is not the one that is registered.")
        self._codes[code] = (self._now_ms(), target)
        back = {"code": code, **({"state": asked["state"]} if "state" in asked else {})}
        return Response(302, {"Location": f"{target}?{urlencode(back)}"})

    def start_again(self) -> None:
        """As if a person had consented anew and written the first refresh token down: for demos that lost theirs."""
        self._used.discard(self._settings.first_refresh_token)
        self.refresh_token = self._settings.first_refresh_token
        self._refresh_issued_ms, self._access_issued_ms = self._now_ms(), None

    def expire(self) -> None:
        """Every access token is too old from now on, and a new one may be asked for."""
        old = self._now_ms() - LIFETIME_S * 1000
        self._access = {token: min(issued, old) for token, issued in self._access.items()}
        if self._access_issued_ms is not None:
            self._access_issued_ms = min(self._access_issued_ms, old)

    def token(self, request: Request) -> Response:
        """Both grants. A refusal changes nothing."""
        if request.method != "POST":
            return Response(405, {"Allow": "POST"})
        sent = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        known = (self._settings.client_id, self._settings.client_secret)
        if (sent.get("client_id"), sent.get("client_secret")) != known:
            return _refused(400, "invalid_client", "Client authentication failed.")
        if self._over_daily_calls():
            return _refused(400, "access_denied", "Rate limit exceeded: token calls per day")
        if sent.get("grant_type") == "refresh_token":
            return self._refresh(sent.get("refresh_token", ""))
        if sent.get("grant_type") == "authorization_code":
            return self._redeem(sent.get("code", ""), sent.get("redirect_uri", ""))
        return _refused(400, "unsupported_grant_type", "Only authorization_code and refresh_token.")

    def _refresh(self, token: str) -> Response:
        now = self._now_ms()
        if token in self._used:
            return _refused(self._settings.used_token_status, "unauthorized_client", "Old refresh token used.")
        if token != self.refresh_token:
            return _refused(400, "invalid_grant", "Token is not allowed, because of invalid or empty chainId")
        expires = self._refresh_issued_ms + REFRESH_TOKEN_DAYS * DAY_MS
        if now >= expires:
            text = f"The refresh token expired at {us_time(expires)} and it is now {us_time(now)}."
            return _refused(400, "invalid_request", text)
        if self._access_issued_ms is not None and now - self._access_issued_ms < EARLIEST_REFRESH_S * 1000:
            status = self._settings.early_refresh_status
            answer = _refused(status, "access_denied", TOO_EARLY if status == 400 else TOO_EARLY_ONCE)
            answer.headers["Reason"] = f"TooEarlyToRefreshTokens: {TOO_EARLY}"
            return answer
        self._used.add(token)
        return self._issue()

    def _redeem(self, code: str, redirect_uri: str) -> Response:
        issued, target = self._codes.get(code, (0, ""))
        if code not in self._codes or self._now_ms() - issued > CODE_MINUTES * 60_000 or target != redirect_uri:
            return _refused(400, "invalid_grant", "The code is unknown, used or expired.")
        del self._codes[code]
        self._used.add(self.refresh_token)  # a new consent ends the earlier chain
        return self._issue()

    def _issue(self) -> Response:
        now = self._now_ms()
        access, self.refresh_token = f"at.{secrets.token_urlsafe(96)}", f"rt.{secrets.token_urlsafe(48)}"
        self._refresh_issued_ms = self._access_issued_ms = now
        if self._settings.refresh_ends_access_token:
            self._access.clear()
        self._access = {kept: issued for kept, issued in self._access.items() if now - issued < DAY_MS}
        self._access[access] = now
        body = {"access_token": access, "token_type": "bearer", "expires_in": str(LIFETIME_S)}
        return json_response({**body, "refresh_token": self.refresh_token})

    def _issued(self, header: str) -> int | None:
        kind, _, token = header.partition(" ")
        return self._access.get(token.strip()) if kind.lower() == "bearer" else None

    def _over_daily_calls(self) -> bool:
        day = self._now_ms() // DAY_MS
        self._calls = {day: self._calls.get(day, 0) + 1}
        allowed = self._settings.token_calls_per_day
        return allowed is not None and self._calls[day] > allowed


def us_time(moment_ms: int) -> str:
    """`6/25/2026 2:28:09 PM`: how the token endpoint writes moments."""
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S} {half}"


def _refused(status: int, error: str, description: str) -> Response:
    return json_response({"error": error, "error_description": description}, status=status)
