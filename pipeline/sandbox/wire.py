"""What a simulator sees of HTTP: a request comes in, a response goes out, and a fault may sit between them.

No sockets here (`serving.py`) and no vendor's rules: a simulator is any callable `Request -> Response`,
so a test can call it in process and `pipeline sandbox` can put the same object behind a real port.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl, unquote


@dataclass(frozen=True)
class Request:
    """One request, as it came over the wire. `path` is decoded, `query` is not."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names
    body: bytes = b""
    base_url: str = "http://127.0.0.1"  # scheme and host the client used, for links in answers

    @cached_property
    def params(self) -> list[tuple[str, str]]:
        """The query's pairs in order, decoded; a name may stand twice."""
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass
class Response:
    """One answer, and what the network does to it on the way."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0  # seconds the answer is held back
    dropped: bool = False  # the connection breaks instead: the client never learns what happened


Simulator = Callable[[Request], Response]


def decoded_path(raw_path: bytes) -> str:
    """The path part of a request target, percent-decoding undone."""
    return unquote(raw_path.split(b"?", 1)[0].decode("latin-1"))
