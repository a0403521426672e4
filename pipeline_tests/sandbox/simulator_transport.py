"""Calls a simulator in process, the way httpx would call a server."""

import httpx

from pipeline.sandbox.wire import Request, Simulator, decoded_path


class SimulatorTransport(httpx.BaseTransport):
    """Hands requests to a simulator; no socket, no waiting."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._simulator(
            Request(
                method=request.method,
                path=decoded_path(request.url.raw_path),
                query=request.url.query.decode("latin-1"),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.read(),
                base_url=f"{request.url.scheme}://{request.url.netloc.decode()}",
            )
        )
        if response.dropped:
            raise httpx.ReadError("connection dropped", request=request)
        return httpx.Response(response.status, headers=response.headers, content=response.body)
