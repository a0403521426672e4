"""The simulator behind a real port: connections that break, and a company that trades until somebody stops it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn

from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline.sandbox.serving import asgi


def waited_for(found: Callable[[], object], seconds: float = 60) -> object:
    """Asks until there is an answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if answer := found():
                return answer
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("nothing happened")


@pytest.fixture(params=["h11", "httptools"])
def served(request) -> Iterator[httpx.Client]:
    """The simulator under each of the server's parsers."""
    simulator = simulated_exact_online(seeded_company(orders=5), limits=False)
    config = uvicorn.Config(
        asgi(simulator), host="127.0.0.1", port=0, http=request.param, log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    waited_for(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
        form = {"grant_type": "refresh_token", "client_id": "sandbox", "client_secret": "sandbox"}
        token = http.post("/api/oauth2/token", data={**form, "refresh_token": "sandbox"}).json()["access_token"]
        http.headers.update({"Authorization": f"Bearer {token}", "Accept": "application/json"})
        yield http
    server.should_exit = True
    thread.join(timeout=10)


@pytest.mark.parametrize("kind", ["drop", "drop_after"])
def test_a_dropped_answer_breaks_the_connection_and_the_next_request_works(served, kind):
    path = "/api/v1/123456/salesorder/SalesOrders?$top=1"
    served.post("/__sandbox/fault", json={"path": "SalesOrders", "kind": kind})
    with pytest.raises(httpx.TransportError):
        served.get(path)
    assert len(served.get(path).json()["d"]) == 1


def test_many_requests_go_over_one_connection(served):
    path = "/api/v1/current/Me?$select=CurrentDivision"
    peers = {served.get(path).extensions["network_stream"].get_extra_info("client_addr") for _ in range(20)}
    assert len(peers) == 1


def orders_at(http: httpx.Client) -> int:
    return http.get("/__sandbox/state").json()["divisions"]["123456"]["rows"]["orders"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_live_company_trades_until_it_is_told_to_stop(ending):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "pipeline", "sandbox", "exact", "--port", str(port), "--orders", "20"]
    command += ["--live", "--speed", "5000"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as live:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
                waited_for(lambda: orders_at(http) > 25)
        finally:
            live.send_signal(ending)
        output, errors = live.communicate(timeout=30)
    assert (live.returncode, errors) == (0, "")
    assert " placed\n" in output
