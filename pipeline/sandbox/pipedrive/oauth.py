"""OAuth: the code and refresh grants, and the access tokens they hand out. Limits for its callers are the meter's."""

import base64
import binascii
import json
import re
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pipeline.sandbox.pipedrive.clock import DAY, Clock
from pipeline.sandbox.pipedrive.refusals import JSON_HEADERS
from pipeline.sandbox.wire import Request, Response

_CLIENT = ("sandbox", "sandbox")
_ACCESS_SECONDS = 3600
_REFRESH_DAYS = 60
_CODE_SECONDS = 300
_URL = re.compile(r"https?://[!-~]+")
_SCOPE = (
    "base deals:full contacts:full products:full search:read users:read deal-fields:full product-fields:full "
    "contact-fields:full admin"
)


class OAuth:
    """One registered app, whose client id and secret are `sandbox`, as is its first refresh token."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._access: dict[str, float] = {}
        self._refresh: dict[str, float] = {"sandbox": clock.now() + _REFRESH_DAYS * DAY}
        self._codes: dict[str, float] = {}

    def respond(self, request: Request) -> Response:
        """The paths under /oauth/."""
        what = (request.method, request.path)
        if what == ("GET", "/oauth/authorize"):
            return self._authorize(dict(request.params))
        if what not in (("POST", "/oauth/token"), ("POST", "/oauth/revoke")):
            return _error(404, "not_found", "no such path")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        if "application/x-www-form-urlencoded" not in request.headers.get("content-type", ""):
            return _error(400, "invalid_request", "the body must be form-urlencoded")
        if _login(request, form) != _CLIENT:
            return _error(401, "invalid_client", "client credentials are invalid")
        return self._token(request, form) if request.path == "/oauth/token" else self._revoke(form)

    def knows(self, bearer: str) -> bool:
        """Whether the access token is one of ours and not too old."""
        return self._access.get(bearer, 0) > self._clock.now()

    def _authorize(self, query: dict[str, str]) -> Response:
        """Consent is always given."""
        if query.get("client_id") != _CLIENT[0] or not _URL.fullmatch(query.get("redirect_uri", "")):
            return _error(400, "invalid_request", "client_id and redirect_uri are required")
        code = secrets.token_hex(20)
        self._codes[code] = self._clock.now() + _CODE_SECONDS
        answer = {"code": code} | ({"state": query["state"]} if "state" in query else {})
        return Response(302, {"location": f"{query['redirect_uri']}?{urlencode(answer)}"})

    def _token(self, request: Request, form: dict[str, str]) -> Response:
        now, grant = self._clock.now(), form.get("grant_type")
        if grant == "authorization_code":
            if self._codes.pop(form.get("code", ""), 0) <= now:
                return _error(400, "invalid_grant", "authorization code is invalid or expired")
            refresh = secrets.token_hex(20)
        elif grant == "refresh_token":
            refresh = form.get("refresh_token", "")
            if self._refresh.get(refresh, 0) <= now:
                return _error(400, "invalid_grant", "refresh token is invalid or expired")
        else:
            return _error(400, "unsupported_grant_type", "grant_type is not supported")
        access = f"v1u:{secrets.token_urlsafe(200)}"
        self._access[access] = now + _ACCESS_SECONDS
        self._refresh[refresh] = now + _REFRESH_DAYS * DAY
        answer: dict[str, Any] = {"access_token": access, "token_type": "Bearer", "refresh_token": refresh}
        answer |= {"scope": _SCOPE, "expires_in": _ACCESS_SECONDS, "api_domain": request.base_url}
        return Response(200, dict(JSON_HEADERS), json.dumps(answer).encode())

    def _revoke(self, form: dict[str, str]) -> Response:
        """Revoking the refresh token takes the access tokens along."""
        token = form.get("token", "")
        if self._refresh.pop(token, None) is not None:
            self._access.clear()
        self._access.pop(token, None)
        return Response(200, dict(JSON_HEADERS), b"{}")


def _login(request: Request, form: dict[str, str]) -> tuple[str | None, str | None]:
    scheme, _, pair = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id"), form.get("client_secret")
    try:
        user, _, password = base64.b64decode(pair, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return user, password


def _error(status: int, error: str, message: str) -> Response:
    body = {"success": False, "error": error, "message": message}
    return Response(status, dict(JSON_HEADERS), json.dumps(body).encode())
