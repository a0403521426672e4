"""Exact Online as the receiver meets it: signed notifications over many real connections, and what was answered."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from pipeline.sandbox.exact_online.webhooks import signed

SECRET = "sandbox"
DIVISION = 123456
_serial = count(1)


def content(topic: str = "SalesOrders", division: object = DIVISION, **more: object) -> str:
    """Content of a notification nobody sent before."""
    number = next(_serial)
    key = str(UUID(int=number))
    said = {
        "Topic": topic,
        "ClientId": "11111111-2222-3333-4444-555555555555",
        "Division": division,
        "Action": "Update",
        "Key": key,
        "ExactOnlineEndpoint": f"https://start.exactonline.nl/api/v1/{division}/salesorder/SalesOrders(guid'{key}')",
        "EventCreatedOn": f"2026-11-20T09:15:00.{number % 1000:03}",
    }
    return json.dumps(said | more, separators=(",", ":"))


def notification(topic: str = "SalesOrders", **more: object) -> bytes:
    """A whole notification, signed as Exact signs it."""
    return signed(content(topic, **more), SECRET)


def notifications(number: int) -> Iterator[bytes]:
    """So many different ones."""
    return (notification() for _ in range(number))


def hash_code(body: bytes) -> str:
    """The HashCode a notification carries."""
    return body[-66:-2].decode()


@dataclass
class Answers:
    """What was answered to whom, 0 where the connection broke, and after how long."""

    statuses: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    @property
    def accepted(self) -> set[str]:
        """The HashCodes answered 200."""
        return {code for code, status in self.statuses.items() if status == 200}

    @property
    def counted(self) -> Counter[int]:
        """How often each status was answered."""
        return Counter(self.statuses.values())


@dataclass
class Sender:
    """Sends over so many connections at once, each with one notification on its way at a time.

    `a_second` spreads them over time; a late answer then does not excuse the next. `answered` is told of every answer.
    """

    port: int
    connections: int = 20
    a_second: float | None = None
    answered: Callable[[Answers], None] = lambda answers: None
    answers: Answers = field(default_factory=Answers)

    def send(self, bodies: Iterable[bytes]) -> Answers:
        """All of them, until they are answered or their connection broke."""
        asyncio.run(self._send(bodies))
        return self.answers

    async def _send(self, bodies: Iterable[bytes]) -> None:
        began = time.perf_counter()
        due = enumerate(bodies)
        await asyncio.gather(*(self._one_connection(due, began) for _ in range(self.connections)))

    async def _one_connection(self, due: Iterator[tuple[int, bytes]], began: float) -> None:
        reader = writer = None
        for place, body in due:
            if self.a_second:
                await asyncio.sleep(began + place / self.a_second - time.perf_counter())
            since = began + place / self.a_second if self.a_second else time.perf_counter()
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                status = await _posted(reader, writer, body)
            except (OSError, asyncio.IncompleteReadError):
                status, writer = 0, _closed(writer)
                await asyncio.sleep(0.02)
            self.answers.seconds.append(time.perf_counter() - since)
            self.answers.statuses[hash_code(body)] = status
            self.answered(self.answers)
        _closed(writer)


async def _posted(reader: asyncio.StreamReader | None, writer: asyncio.StreamWriter, body: bytes) -> int:
    assert reader
    head = f"POST /webhooks/exact HTTP/1.1\r\nHost: receiver\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    assert b"content-length: 0\r\n" in answer
    return int(answer.split(b" ", 2)[1])


def _closed(writer: asyncio.StreamWriter | None) -> None:
    if writer:
        writer.close()
