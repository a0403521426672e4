"""How Pipedrive says no: status and body of every refusal. When it says no is decided elsewhere."""

import json
from collections.abc import Sequence
from typing import Any

from pipeline.sandbox.wire import Response

JSON_HEADERS = {"content-type": "application/json; charset=utf-8"}
HTML_HEADERS = {"content-type": "text/html; charset=utf-8"}
_INFO = "Please check developers.pipedrive.com for more information about Pipedrive API."


class Refused(Exception):
    """The request is answered with an error, and nothing was changed."""

    def __init__(self, status: int, body: dict[str, Any], *, headers: dict[str, str] | None = None) -> None:
        super().__init__(body.get("error", status))
        self.status, self.body, self.headers = status, body, headers or {}

    def response(self) -> Response:
        """The refusal as it goes over the wire."""
        return Response(self.status, JSON_HEADERS | self.headers, json.dumps(self.body).encode())


def invalid(problems: Sequence[str]) -> Refused:
    """A v2 request that does not fit its schema: every problem in one text."""
    text = "Validation failed: " + "; ".join(problems)
    return Refused(400, {"success": False, "error": text, "code": "ERR_SCHEMA_VALIDATION_FAILED"})


def bad_request(error: str) -> Refused:
    """A v1 request that does not fit."""
    body = {"success": False, "error": error, "error_info": _INFO, "data": None, "additional_data": None}
    return Refused(400, body)


def not_found(what: str, code: str | None) -> Refused:
    """No such record, or none that this user may see."""
    body: dict[str, Any] = {"success": False, "error": f"{what} not found"}
    return Refused(404, body | ({"code": code} if code else {}))


def v1_not_found(what: str) -> Refused:
    """No such record, in v1's longer shape."""
    body = {"success": False, "error": f"{what} not found", "error_info": _INFO}
    return Refused(404, body | {"data": None, "additional_data": None})


def plan_limit(error: str, code: str) -> Refused:
    """The plan holds no more of these."""
    body = {"success": False, "error": error, "error_info": _INFO, "data": None, "additional_data": None}
    return Refused(403, body | {"code": code})


def forbidden(error: str) -> Refused:
    """This user, or this account, may not do that."""
    return Refused(403, {"success": False, "error": error, "code": "ERR_FORBIDDEN"})


def frozen(status: int, what: str) -> Refused:
    """An archived or deleted record takes no edits."""
    return Refused(status, {"success": False, "error": f"{what} cannot be updated", "code": "ERR_NOT_ALLOWED"})


def unauthorized(correlation_id: str) -> Response:
    """No token, or not this account's: answered by the gateway, before anything is counted."""
    body = {"success": False, "error": "unauthorized access", "errorCode": 401}
    headers = {"x-401-by-gw": "true", "x-correlation-id": correlation_id}
    content = json.dumps(body | {"error_info": "Please check developers.pipedrive.com"}).encode()
    return Response(401, JSON_HEADERS | headers, content)


def unknown_path(*, html: bool) -> Response:
    """v2 lets the web application answer for a path it does not know; v1 answers itself."""
    if html:
        page = "<!DOCTYPE html><html><head><title>Pipedrive</title></head><body><h1>404</h1></body></html>"
        return Response(404, dict(HTML_HEADERS), page.encode())
    body = {"success": False, "error": "Unknown method .", "error_info": _INFO}
    return Response(404, dict(JSON_HEADERS), json.dumps(body).encode())


def wrong_method(allowed: Sequence[str]) -> Response:
    """The path exists, the method does not."""
    body = {"success": False, "error": "Method not allowed", "code": "ERR_METHOD_NOT_ALLOWED"}
    return Response(405, JSON_HEADERS | {"allow": ", ".join(sorted(allowed))}, json.dumps(body).encode())


def too_many(*, short: bool) -> Response:
    """Over a limit; which one, the body does not tell."""
    body: dict[str, Any] = {"success": False, "error": "Request over limit", "errorCode": 429}
    body["error_info"] = "Please check developers.pipedrive.com"
    if short:
        body = {"success": False, "error": "request over limit"}
    return Response(429, dict(JSON_HEADERS), json.dumps(body).encode())


def blocked() -> Response:
    """The page of the network in front of Pipedrive, for those who did not heed the 429s."""
    page = "<!DOCTYPE html><html><head><title>Access denied | Cloudflare</title></head><body>Error 1015</body></html>"
    return Response(403, HTML_HEADERS | {"server": "cloudflare"}, page.encode())
