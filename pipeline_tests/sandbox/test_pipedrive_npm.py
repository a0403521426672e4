"""Pipedrive's own JavaScript client is satisfied with the simulator, over a real port."""

import json
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from pipeline.sandbox.pipedrive import simulated_pipedrive
from pipeline.sandbox.serving import asgi

FOLDER = Path(__file__).parent / "npm"
pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="Node is not on this machine")


@pytest.fixture(scope="module")
def base_url():
    simulator = simulated_pipedrive(search_lag_seconds=0)
    server = uvicorn.Server(uvicorn.Config(asgi(simulator), host="127.0.0.1", port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def seen(base_url):
    if not (FOLDER / "node_modules").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, capture_output=True)
    done = subprocess.run(
        ["node", "drive.js", base_url, "sandbox"], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_creates_and_reads(seen):
    assert (seen["me"]["email"], seen["users"]) == ("admin@sandbox.example", 7)
    assert seen["deal"]["won_time"] == "2026-03-01T12:00:00Z"
    assert seen["deal"]["custom_fields"][seen["field"]["field_code"]] == seen["field"]["options"][1]["id"]
    assert seen["organization"]["address"]["value"] == "Dorpsstraat 1, 1234 AB Utrecht"
    assert seen["product"]["prices"][0]["price"] == 2.5


def test_it_attaches_products(seen):
    assert seen["line"]["sum"] == 3.35
    assert [line["comments"] for line in seen["rows"]] == ["", "1", "2"]
    assert seen["changed"]["sum"] == 1.12
    assert seen["value"] == 4.47


def test_it_pages_searches_and_updates(seen):
    assert seen["pages"] == [[5, 4], [3, 2], [1]]
    assert [hit["id"] for hit in seen["found"]] == [1]
    assert seen["updated"]["title"] == "Bestelling 2b"
    assert seen["note"]["content"] == "Betaalt altijd laat"
    assert seen["deleted"] == {"id": 5}


def test_it_hears_refusals(seen):
    refused = seen["addTime"]
    assert refused["code"] == "ERR_SCHEMA_VALIDATION_FAILED"
    assert refused["error"] == "Validation failed: add_time: Parameter 'add_time' is not allowed for this request"
    assert (seen["unknown"]["success"], seen["unknown"]["error"]) == (False, "Deal not found")
    assert seen["stranger"]["errorCode"] == 401


def test_it_logs_in_as_an_app(seen, base_url):
    assert seen["bearer"] == {"type": "Bearer", "domain": base_url}
    assert seen["byApp"] == 1
