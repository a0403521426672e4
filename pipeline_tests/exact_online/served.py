"""The simulated Exact Online behind a real port, for tests that need several processes or a browser."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from pipeline.sandbox.exact_online import ExactOnlineSimulator
from pipeline.sandbox.serving import asgi

DEADLINE = 30.0


@contextmanager
def served(simulator: ExactOnlineSimulator) -> Iterator[str]:
    """Its address, for as long as it lasts."""
    config = uvicorn.Config(asgi(simulator), host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + DEADLINE
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(DEADLINE)
