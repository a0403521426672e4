"""A transport that gives prepared answers, for what no simulator would ever say."""

from collections.abc import Callable
from typing import Any

import httpx

from pipeline.exact_online.client import ExactOnlineClient

BASE_URL = "https://exact.sandbox.example"


def client_for(handler: Callable[[httpx.Request], httpx.Response], **more: Any) -> ExactOnlineClient:
    """A client whose requests the handler answers."""
    http = httpx.Client(base_url=BASE_URL, transport=httpx.MockTransport(handler))
    return ExactOnlineClient(http, 123456, **more)


def answering(*answers: httpx.Response) -> tuple[Callable[[httpx.Request], httpx.Response], list[httpx.URL]]:
    """A handler that gives these answers one after the other, and the addresses it was asked for."""
    asked: list[httpx.URL] = []
    left = iter(answers)

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return next(left)

    return handler, asked


def page(*rows: Any, following: str | None = None) -> httpx.Response:
    """A page of rows, with the address of the next one."""
    return httpx.Response(200, json={"d": {"results": list(rows)} | ({"__next": following} if following else {})})
