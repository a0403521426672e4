"""What is answered to whom: Starlette's application for `POST /webhooks/exact`, `GET /health` and `GET /metrics`.

200 means kept for good, or nothing to keep; everything else makes Exact Online repeat, up to ten times in 34 hours. For
the same reason no notification is ever too old. Nothing that was sent is written to the log.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.errors import RetryLater
from pipeline.serving import figures
from pipeline.warehouse.inbox import Event
from pipeline.webhooks.signature import NoNotification, Signed, WrongSignature, opened
from pipeline.webhooks.unsigned import Tally, TokenBucket
from pipeline.webhooks.writer import Writer

MOST_BYTES = 64 * 1024
READ_PAST = 8 * 1024 * 1024  # bytes too many that are read and thrown away, so that the sender hears why
BODY_WITHIN, HEALTH_WITHIN = 15.0, 5.0  # seconds
_MOST_DIGITS = 18  # of a division; Python refuses to read thousands
UNSIGNED = {"a_second": 20.0, "at_once": 200}


class TooLarge(Exception):
    """The body is larger than any notification."""


class Receiver:
    """Takes notifications. `divisions` are those that pipeline.yaml has, each with its administration."""

    def __init__(self, writer: Writer, *, secret: str, divisions: Mapping[int, str]) -> None:
        self._writer, self._secret, self._divisions = writer, secret.encode(), divisions
        self._refusable = TokenBucket(**UNSIGNED)
        # Apart from the others, so that a flood of nonsense does not keep Exact Online from trying the address out.
        self._trials = TokenBucket(**UNSIGNED)
        self._tally = Tally()
        self._looking: asyncio.Task[bool] | None = None
        self._figures = CollectorRegistry()
        self._answers = Counter(
            "pipeline_webhook_answers", "Answers to what was sent.", ["status"], registry=self._figures
        )

    def application(self) -> Starlette:
        """The ASGI application; it writes from its start to its end."""
        routes = [
            Route("/webhooks/exact", self.take, methods=["POST"]),
            Route("/health", self.health, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]
        application = Starlette(routes=routes, lifespan=self._lifespan)
        application.router.redirect_slashes = False
        return application

    async def take(self, request: Request) -> Response:
        """Answers one POST, and counts it."""
        answer = await self._answered(request)
        self._answers.labels(str(answer.status_code)).inc()
        return answer

    async def metrics(self, request: Request) -> Response:
        """How often which status was answered since the start, for Prometheus; nothing of what was sent."""
        return await figures(request, self._figures)

    async def _answered(self, request: Request) -> Response:
        """200 when it is kept, when it only tries us out, or when it is about somebody else."""
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await _body(request)
            signed = opened(body, self._secret) if body else None
        except TooLarge:
            return self._refused(413)
        except NoNotification:
            return self._refused(400)
        except WrongSignature:
            return self._refused(401)
        except (TimeoutError, ClientDisconnect):
            return self._refused(408)
        if signed is None:
            return Response() if self._trials.take() else self._refused(429)
        return await self._kept(signed)

    async def health(self, request: Request) -> Response:
        """Whether the database answers; however many ask at once, it is asked once."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(run_in_threadpool(self._writer.database_answers))
        done, _ = await asyncio.wait({self._looking}, timeout=HEALTH_WITHIN)
        answers = bool(done) and self._looking.result()
        state = "answers" if answers else "does not answer"
        return JSONResponse({"database": state}, 200 if answers else 503)

    async def _kept(self, signed: Signed) -> Response:
        topic, division = _word(signed.said.get("Topic")), _number(signed.said.get("Division"))
        if topic is None or division is None:
            self._tally.count("signed, but without a topic or a division (answered 400)")
            return Response(status_code=400)
        administration = self._divisions.get(division)
        if administration is None:
            self._tally.count(f"for division {division}, which pipeline.yaml does not have (answered 200)")
            return Response()
        event = Event(
            hash_code=signed.hash_code,
            administration=administration,
            division=division,
            topic=topic,
            action=_word(signed.said.get("Action")),
            key=_word(signed.said.get("Key")),
            content=signed.content,
            received_at=datetime.now(UTC),
        )
        try:
            await self._writer.keep(event)
        except RetryLater:
            return Response(status_code=503)
        return Response()

    def _refused(self, status: int) -> Response:
        """That status, or 429 where too much came unsigned; the connection ends where its body was not read."""
        headers = {"connection": "close"} if status in {408, 413} else {}
        if not self._refusable.take():
            status, headers = 429, headers | {"retry-after": "10"}
        self._tally.count(f"answered {status}")
        return Response(status_code=status, headers=headers)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._writer.start()
        yield
        await run_in_threadpool(self._writer.stop)
        self._tally.tell()


async def _body(request: Request) -> bytes:
    """The body, counted while it comes: what a header says about its length may be wrong or missing."""
    promised = request.headers.get("content-length", "")
    if promised.isdigit() and int(promised) > MOST_BYTES + READ_PAST:
        raise TooLarge
    chunks: list[bytes] = []
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > MOST_BYTES + READ_PAST:
            break
        if length <= MOST_BYTES:
            chunks.append(chunk)
    if length > MOST_BYTES:
        raise TooLarge
    return b"".join(chunks)


def _word(value: Any) -> str | None:
    """A text without anything that would not fit into a column or a line."""
    return value if isinstance(value, str) and value.isprintable() and value else None


def _number(value: Any) -> int | None:
    """A whole number, written as such or as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
