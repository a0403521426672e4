"""Whether a notification comes from Exact Online: `{"Content":{…},"HashCode":"…"}`, signed over Content as it came.

Bytes in, what was signed out. A parsed and written Content would be another one, so it is cut out of the body.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Any

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\r\n]*")


class NoNotification(Exception):
    """The body is not what Exact Online sends, signed or not."""


class WrongSignature(Exception):
    """The body could be a notification, and nobody who has the secret signed it so."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Content of a notification with the right signature: as it came, its HashCode in upper case, and what it says."""

    content: str
    hash_code: str
    said: dict[str, Any]


def opened(body: bytes, secret: bytes) -> Signed:
    """What Exact Online signed; raises NoNotification or WrongSignature.

    A byte-order mark, blanks between the two parts and their order don't matter: none of them is signed.
    """
    parts = _parts(body)
    said, content = parts.get("Content", (None, ""))
    if not isinstance(said, dict):
        raise NoNotification
    expected = hmac.new(secret, content.encode(), hashlib.sha256).hexdigest().upper()
    given = parts.get("HashCode", (None, ""))[0]
    # As bytes, because it may be any text, and texts are compared only where they are ASCII.
    told = given.upper().encode("utf-8", "replace") if isinstance(given, str) else b""
    if not hmac.compare_digest(expected.encode(), told):
        raise WrongSignature
    return Signed(content, expected, said)


def _parts(body: bytes) -> dict[str, tuple[Any, str]]:
    """The members of the outermost object, each as its value and as the text it was written with."""
    try:
        text = body.decode("utf-8-sig")
        found, end = _members(text, _past(text, 0, "{"))
        if _past(text, end, "}") != len(text):
            raise NoNotification
    except (ValueError, RecursionError):
        raise NoNotification from None
    return found


def _members(text: str, place: int) -> tuple[dict[str, tuple[Any, str]], int]:
    found: dict[str, tuple[Any, str]] = {}
    while True:
        name, end = _DECODER.raw_decode(text, place)
        start = _past(text, end, ":")
        value, end = _DECODER.raw_decode(text, start)
        if not isinstance(name, str) or name in found:
            raise NoNotification
        found[name] = (value, text[start:end])
        place = _past(text, end, ",", "}")
        if text[_blank(text, end)] == "}":
            return found, end


def _past(text: str, place: int, *expected: str) -> int:
    """Behind one of the expected characters, and the blanks around it."""
    here = _blank(text, place)
    if text[here : here + 1] not in expected:
        raise NoNotification
    return _blank(text, here + 1)


def _blank(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place
