"""One body through the receiver, in this process and without a port: whether what it answers and keeps is right.

`coverage.py` feeds it from a fuzzer; `security/test_odd_requests.py` feeds it the bodies the fuzzer begins with.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterable

from starlette.requests import Request

from pipeline.warehouse.inbox import Event
from pipeline.webhooks.receiver import MOST_BYTES, Receiver
from pipeline.webhooks.unsigned import TokenBucket
from pipeline.webhooks.writer import Writer

# Behind the first byte of an input: the body as it is, or what Exact would have signed.
AS_IT_IS, SIGNED = b"\x00", b"\x01"
SECRET, DIVISION = "sandbox", 123456
DOCUMENTED = {200, 400, 401, 408, 413, 429, 503}


class Kept(Writer):
    """Keeps events in a list: what a database does with them is tried elsewhere."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def keep(self, told: Event) -> None:
        self.events.append(told)


class Taking:
    """A receiver that refuses nobody for being too many."""

    def __init__(self) -> None:
        self._kept, self._loop = Kept(), asyncio.new_event_loop()
        self._receiver = Receiver(self._kept, secret=SECRET, divisions={DIVISION: "nl"})
        self._receiver._refusable = self._receiver._trials = TokenBucket(a_second=1e9, at_once=10**9)

    def close(self) -> None:
        """Ends the loop it runs in."""
        self._loop.close()

    def __call__(self, data: bytes) -> int:
        """The status of the answer; raises AssertionError where it is wrong."""
        self._kept.events.clear()
        body = _signed(data[1:]) if data[:1] == SIGNED else data[1:]
        status = self._loop.run_until_complete(self._receiver.take(Request(_SCOPE, _receiving(body)))).status_code
        assert status in DOCUMENTED, status
        assert len(body) <= MOST_BYTES or status == 413, "something too large was answered otherwise"
        for event in self._kept.events:
            assert status == 200
            assert event.content.encode() in body, "something was kept that was not sent"
            assert _code(event.content.encode()) in body.upper(), "something unsigned was kept"
            assert event.topic.isprintable()
            assert "\x00" not in event.content
            assert isinstance(json.loads(event.content), dict)
        return status


_SCOPE = {"type": "http", "method": "POST", "path": "/webhooks/exact", "headers": [], "query_string": b""}


def _receiving(body: bytes):
    async def receive() -> dict:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _code(content: bytes) -> bytes:
    return hmac.new(SECRET.encode(), content, hashlib.sha256).hexdigest().upper().encode()


def _signed(content: bytes) -> bytes:
    return b'{"Content":' + content + b',"HashCode":"' + _code(content) + b'"}'


def seeds() -> Iterable[bytes]:
    """Bodies near to everything the receiver looks at."""
    said = {
        "Topic": "SalesOrders",
        "Division": DIVISION,
        "Action": "Update",
        "Key": "1",
        "EventCreatedOn": "2026-11-20",
    }
    odd = (
        {},
        {"Division": "123456"},
        {"Division": "9" * 5000},
        {"Division": 1e400},
        {"Topic": None},
        {"Key": "\ud800"},
    )
    contents = [json.dumps(said | more).encode() for more in odd]
    contents += [
        b'{"Topic":"SalesOrders","Division":123456,"Topic":"Items"}',
        b'{"Topic":"SalesOrders","Division":NaN}',
        b'{"Topic":"SalesOrders","Division":' + b"1" * 5000 + b"}",
        b'{"Topic":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"Topic":"\xff","Division":123456}',
    ]
    yield from (SIGNED + content for content in contents)
    bodies = (
        b"",
        b"{}",
        _signed(contents[0]),
        b"\xef\xbb\xbf " + _signed(contents[0]),
        _signed(contents[0]).replace(b"Update", b"Delete"),
        b"[" * 50_000,
        b"x" * 70_000,
    )
    yield from (AS_IT_IS + body for body in bodies)
