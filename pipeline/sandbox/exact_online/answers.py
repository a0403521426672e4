"""What answers look like: JSON bodies with escaped slashes around dates, and the one shape of an error."""

import json
from typing import Any

from pipeline.sandbox.wire import Response

JSON_TYPE = "application/json; charset=utf-8"
UNKNOWN_FAULT = "A problem has occurred. The cause of this issue will be investigated as soon as possible."


class Refusal(Exception):
    """The vendor would refuse this: its status and its message."""

    def __init__(self, status: int, message: str = "", *, reason: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason

    def response(self) -> Response:
        """The refusal as it goes over the wire."""
        headers = {"Content-Type": JSON_TYPE}
        if self.reason:
            headers["Reason"] = self.reason
        return Response(self.status, headers, error_body(self.message))


def error_body(message: str) -> bytes:
    """`code` is an empty string and the text is for people; nothing in it is stable."""
    body = {"error": {"code": "", "message": {"lang": "", "value": message}}}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def json_response(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Any object as JSON, without Exact's habits around dates."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(status, {"Content-Type": JSON_TYPE, **(headers or {})}, text.encode("utf-8", "replace"))


def data_response(data: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`{"d": …}`. The slashes of dates are escaped; in text that looks like one the escape changes nothing."""
    text = json.dumps({"d": data}, ensure_ascii=False, separators=(",", ":"))
    text = text.replace('"/Date(', '"\\/Date(').replace(')/"', ')\\/"')
    return Response(status, {"Content-Type": JSON_TYPE, **(headers or {})}, text.encode("utf-8", "replace"))
