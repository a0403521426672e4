"""1,000 orders with twenty lines each into the same simulated Pipedrive: by `pipeline sync`, and by a workflow of n8n.

The workflow reads all orders with one request, makes each deal, and adds its lines in bulk: three HTTP Request nodes,
which send everything at once. It keeps no memory of what it wrote, and is given the ids of products. Ours, whose
customers and products are in Pipedrive already, reads Exact Online, decides, writes and remembers. Both are whole
processes; the database of ours, and both simulators, are processes beside them.
"""

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from benchmarks import peers
from benchmarks.load import PIPELINE, surroundings, synchronised
from benchmarks.peers import Used
from benchmarks.table import Row, run

LINES, FASTER, LESS_MEMORY, LESS_CPU = 20, 2.0, 0.5, 1.0
WORKFLOW = "orders"
HTTP = httpx.Client(timeout=60)  # kept: making one takes more processor time than what is measured does for an order


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--peers", action="store_true", help="install n8n first, where it isn't")


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Both, one after the other, on one machine."""
    if chosen.peers and not peers.n8n_is_there():
        peers.install_n8n()
    if not peers.n8n_is_there():
        return [Row(what="orders a second beside n8n", said="n8n is not installed: --peers")]
    with surroundings(60, None) as pipedrive:
        synchronised()
        place_orders(os.environ["EXACT_BASE_URL"], pipedrive, chosen.orders)
        ours, our_span = watched(pipedrive, lambda: peers.used_by([*PIPELINE, "sync"], os.environ), chosen.orders)
        theirs, their_span = watched(pipedrive, lambda: by_n8n(pipedrive, chosen.orders), chosen.orders)
    print(f"ours {ours}, {our_span:.1f} s writing; n8n {theirs}, {their_span:.1f} s writing")
    number = chosen.orders
    return [
        Row(
            what=f"orders a second while writing {number}",
            ours=number / our_span,
            beside=number / their_span,
            named="n8n",
            line=FASTER,
            at_least=True,
        ),
        Row(
            what=f"orders a second of {number}, start of the process and all",
            ours=number / ours.seconds,
            beside=number / theirs.seconds,
            named="n8n",
        ),
        Row(
            what=f"peak memory, {number} orders",
            ours=ours.memory,
            beside=theirs.memory,
            named="MB, n8n",
            line=LESS_MEMORY,
            unit="MB",
        ),
        Row(
            what=f"processor time an order, of {number}",
            ours=ours.cpu * 1_000 / number,
            beside=theirs.cpu * 1_000 / number,
            named="ms, n8n",
            line=LESS_CPU,
            unit="ms",
        ),
    ]


def products(pipedrive: str) -> list[dict[str, Any]]:
    """As many products as an order has lines."""
    header = {"x-api-token": "sandbox"}
    answer = HTTP.get(f"{pipedrive}/api/v2/products", params={"limit": LINES + 1}, headers=header)
    return [product for product in answer.json()["data"] if product["code"] != "TOESLAG-KORTING"][:LINES]


def place_orders(exact: str, pipedrive: str, number: int) -> None:
    """So many new orders in the simulated Exact Online, of those products."""
    lines = [{"item": product["code"], "quantity": 2, "price": 12.5} for product in products(pipedrive)]
    for _ in range(number):
        order = {"kind": "place_order", "lines": lines}
        HTTP.post(f"{exact}/__sandbox/change", json=order).raise_for_status()
    time.sleep(1.5)  # a feed tells of a row a moment after it was written


def watched(pipedrive: str, work: Callable[[], Used], orders: int) -> tuple[Used, float]:
    """What the work used, and the seconds from its first deal to its last rows."""
    before = writes(pipedrive)
    moments: list[float] = []
    done = threading.Event()

    def watch() -> None:
        last = before
        while not done.is_set():
            now = writes(pipedrive)
            if now != last:
                moments.append(time.monotonic())
                last = now
            time.sleep(0.05)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    used = work()
    done.set()
    watcher.join()
    made = tuple(now - then for now, then in zip(writes(pipedrive), before, strict=True))
    if made != (orders, orders):
        raise SystemExit(f"{made} deals and bulk calls came of {orders} orders")
    return used, moments[-1] - moments[0]


def writes(pipedrive: str) -> tuple[int, int]:
    """Deals made and bulk calls so far."""
    requests = HTTP.get(f"{pipedrive}/__sandbox/counters").json()["requests"]
    return requests.get("POST /api/v2/deals", 0), requests.get("POST /api/v2/deals/{id}/products/bulk", 0)


def by_n8n(pipedrive: str, number: int) -> Used:
    """The workflow, imported into an n8n of its own before it is measured."""
    lines = [{"product_id": product["id"], "item_price": 12.5, "quantity": 2} for product in products(pipedrive)]
    orders = [{"title": f"Order {place}", "lines": lines} for place in range(number)]
    server = serving(json.dumps(orders).encode())
    with tempfile.TemporaryDirectory(prefix="pipeline-n8n-") as home:
        environment = {
            "PATH": f"{peers.NODE / 'bin'}:{os.environ['PATH']}",
            "HOME": home,
            "N8N_USER_FOLDER": home,
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
            "N8N_TEMPLATES_ENABLED": "false",
            "N8N_RUNNERS_ENABLED": "false",
            "N8N_LOG_LEVEL": "error",
        }
        file = Path(home) / "workflow.json"
        file.write_text(json.dumps(workflow(f"http://127.0.0.1:{server.server_port}/orders", pipedrive)), "utf-8")
        importing = [*peers.n8n_command(), "import:workflow", f"--input={file}"]
        subprocess.run(importing, env=environment, check=True, stdout=subprocess.DEVNULL)
        try:
            return peers.used_by([*peers.n8n_command(), "execute", f"--id={WORKFLOW}"], environment)
        finally:
            server.shutdown()


def serving(content: bytes) -> ThreadingHTTPServer:
    """Answers every request with that JSON."""

    class Orders(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is told."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Orders)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def workflow(orders: str, pipedrive: str) -> dict[str, Any]:
    """Trigger, orders, deal, lines."""
    nodes = [
        node("Start", "n8n-nodes-base.manualTrigger", 1, {}),
        request("Orders", {"url": orders}),
        request("Deal", posted(f"{pipedrive}/api/v2/deals", "={{ JSON.stringify({title: $json.title}) }}")),
        request(
            "Lines",
            posted(
                f"={pipedrive}/api/v2/deals/{{{{ $json.data.id }}}}/products/bulk",
                "={{ JSON.stringify({data: $('Orders').item.json.lines}) }}",
            ),
        ),
    ]
    names = [one["name"] for one in nodes]
    connections = {
        name: {"main": [[{"node": following, "type": "main", "index": 0}]]} for name, following in pairwise(names)
    }
    settings = {"executionOrder": "v1", "saveDataSuccessExecution": "none"}
    return {"id": WORKFLOW, "name": WORKFLOW, "nodes": nodes, "connections": connections, "settings": settings}


def posted(url: str, body: str) -> dict[str, Any]:
    """Settings of a node that sends JSON."""
    header = {"parameters": [{"name": "x-api-token", "value": "sandbox"}]}
    sent = {"sendBody": True, "specifyBody": "json", "jsonBody": body}
    return {"method": "POST", "url": url, "sendHeaders": True, "headerParameters": header, **sent}


def request(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """An HTTP Request node."""
    return node(name, "n8n-nodes-base.httpRequest", 4.2, parameters)


def node(name: str, kind: str, version: float, parameters: dict[str, Any]) -> dict[str, Any]:
    """A node as n8n's files have it."""
    return {
        "id": name,
        "name": name,
        "type": kind,
        "typeVersion": version,
        "position": [0, 0],
        "parameters": {**parameters, "options": {}},
    }


if __name__ == "__main__":
    run(__doc__, options, measure)
