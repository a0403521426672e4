"""Puts a simulator behind a real port on 127.0.0.1. Knows HTTP, no vendor."""

import asyncio
from typing import Any

import uvicorn

from pipeline.sandbox.wire import Request, Simulator, decoded_path

SHUTDOWN_S = 5  # an answer that a fault holds back does not hold back the end


def asgi(simulator: Simulator) -> Any:
    """The simulator as an ASGI application."""

    async def application(scope: dict, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        response = simulator(await _request(scope, receive))
        if response.delay:
            await asyncio.sleep(response.delay)
        if response.dropped:
            # Promised and never sent: the server closes the connection, where silence would make it answer 500.
            promised = [(b"content-length", b"1")]
            await send({"type": "http.response.start", "status": 200, "headers": promised})
            return None
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.items()]
        headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    return application


def serve(simulator: Simulator, *, port: int, workers_log_level: str = "warning") -> None:
    """Serves in the foreground until the process is told to stop."""
    uvicorn.run(
        asgi(simulator),
        host="127.0.0.1",
        port=port,
        log_level=workers_log_level,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


async def _request(scope: dict, receive: Any) -> Request:
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(
        method=scope["method"],
        path=decoded_path(scope["raw_path"]),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=b"".join(chunks),
        base_url=f"{scope['scheme']}://{headers.get('host', '127.0.0.1')}",
    )


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
