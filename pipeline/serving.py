"""What the receiver and the figures share as servers: where they listen, and how figures are told to Prometheus."""

import os
import socket

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pipeline.errors import ConfigurationError

BACKLOG = 2048


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections; raises ConfigurationError where the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigurationError(f"Cannot listen on {host}:{port}: {reason}; choose another --port.") from None


async def figures(request: Request, registry: CollectorRegistry) -> Response:
    """All that the registry knows, in the form that is asked for; who looks into the database does so in a thread."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(await run_in_threadpool(encode, registry), media_type=content_type)
