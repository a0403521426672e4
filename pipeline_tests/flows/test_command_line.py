"""The console command as a user has it: real processes, real ports, a real database."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from pipeline.processes import free_ports
from pipeline_tests.console import Console, Running

DEADLINE = 120.0
PIPELINE = [sys.executable, "-W", "ignore", "-m", "pipeline"]


@dataclass
class Stage:
    """Two simulators on ports of their own, and the environment that points at them.

    Without a warehouse each command finds, starts and stops the embedded one in the stage's home.
    """

    console: Console
    warehouse: Engine | None = None
    processes: list[Running] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.exact, self.pipedrive = free_ports(2)

    def begin(self, home: Path, *pipedrive: str) -> None:
        exact = ["sandbox", "exact", "--port", str(self.exact), "--orders", "25", "--no-limits"]
        self._start(exact)
        self._start(["sandbox", "pipedrive", "--port", str(self.pipedrive), *(pipedrive or ("--burst", "0"))])
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("EXACT_", "PIPE", "WAREHOUSE"))
        }
        self.environment = kept | {
            "PIPELINE_HOME": str(home),
            "DAGSTER_HOME": "",
            "EXACT_BASE_URL": f"http://127.0.0.1:{self.exact}",
            "EXACT_CLIENT_ID": "sandbox",
            "EXACT_CLIENT_SECRET": "sandbox",
            "EXACT_REFRESH_TOKEN": "sandbox",
            "PIPEDRIVE_BASE_URL": f"http://127.0.0.1:{self.pipedrive}",
            "PIPEDRIVE_API_TOKEN": "sandbox",
        }
        if self.warehouse:
            self.environment |= in_warehouse(self.warehouse)
        for port in (self.exact, self.pipedrive):
            self._wait_for(port)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        return self.console.run(*arguments, environment=self.environment | environment, timeout=DEADLINE)

    def state(self) -> Any:
        return httpx.get(f"http://127.0.0.1:{self.pipedrive}/__sandbox/state", timeout=DEADLINE).json()

    def counters(self) -> dict[str, int]:
        return httpx.get(f"http://127.0.0.1:{self.pipedrive}/__sandbox/counters").json()["requests"]

    def end(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(DEADLINE)

    def _start(self, arguments: list[str]) -> None:
        self.processes.append(self.console.start(*arguments, environment=os.environ))

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/__sandbox/counters")
                return
            except httpx.TransportError:
                assert time.monotonic() < deadline, "a simulator did not start"
                time.sleep(0.1)


def in_warehouse(engine: Engine) -> dict[str, str]:
    """The variables that name that warehouse, and a key for what is stored in it."""
    return {
        "WAREHOUSE_URL": engine.url.render_as_string(hide_password=False),
        "PIPELINE_SECRET_KEY": Fernet.generate_key().decode(),
    }


@contextmanager
def a_stage(console: Console, *pipedrive: str, warehouse: Engine | None = None) -> Iterator[Stage]:
    """A stage of its own; `pipedrive` are that simulator's options."""
    stage = Stage(console, warehouse)
    with tempfile.TemporaryDirectory() as home:
        try:
            stage.begin(Path(home), *pipedrive)
            yield stage
        finally:
            stage.end()


@pytest.fixture(scope="module")
def stage(console: Console, shared_engine: Engine) -> Iterator[Stage]:
    """One stage for the whole file: first everything is written, then nothing is, then things are wrong."""
    with a_stage(console, warehouse=shared_engine) as stage:
        yield stage


def counts(finished: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_a_look_beforehand_writes_nothing_and_tells_how_far_apart_the_clocks_are(stage: Stage, tmp_path: Path):
    file = tmp_path / "page.html"
    found = counts(stage.run("verify", "--json", "--to", str(file), "--language", "en"))
    assert found["orders"][0]["orders"] == 25
    assert abs(found["clocks"]["pipedrive"]) < 60  # one machine, which may be slow to answer
    assert {request.split()[0] for request in stage.counters()} == {"GET"}
    assert '<html lang="en">' in file.read_text("utf-8")


def test_a_dry_run_plans_a_sync_creates_and_a_second_one_writes_nothing(stage: Stage):
    asked = stage.counters()
    planned = counts(stage.run("sync", "--dry-run", "--json"))
    assert planned["deals"]["create"] == 25
    assert stage.counters() == asked

    first = counts(stage.run("sync", "--json"))
    assert first["deals"] == {"created": 25, "updated": 0, "unchanged": 0, "held": 0, "left": 0}
    assert first["pipedrive_tokens"] >= planned["tokens"] - planned["setup"]
    deals = stage.state()["deals"]
    assert len({deal["custom_fields"]["Exact order-ID"] for deal in deals}) == 25

    asked = stage.counters()
    second = counts(stage.run("sync", "--json"))
    assert second["deals"] == {"created": 0, "updated": 0, "unchanged": 25, "held": 0, "left": 0}
    assert second["persons"]["unchanged"] == len(stage.state()["persons"]) > 0
    assert second["pipedrive_tokens"] == 0
    assert second["exact_calls"] <= 11
    assert stage.counters() == asked

    assert counts(stage.run("plan", "--json"))["tokens"] == 0
    assert "nothing waits" in stage.run("status").stdout


def test_the_report_on_customers_is_shown_saved_and_read_back(stage: Stage, tmp_path: Path):
    file = tmp_path / "klanten.csv"
    before = stage.state()["organizations"]
    found = counts(stage.run("customers", "--json", "--to", str(file)))
    assert found["counts"]["linked"] == len(found["customers"]) == len(before)
    assert file.read_text("utf-8-sig").count("\n") == len(before) + 1
    assert "linked already" in stage.run("customers", "--decide", str(file)).stdout
    assert stage.state()["organizations"] == before
    wrong = stage.run("customers", "--decide", str(tmp_path / "nowhere.csv"))
    assert (wrong.returncode, wrong.stderr.count("pipeline: Cannot read")) == (1, 1)


def test_an_audit_puts_back_what_somebody_changed_by_hand(stage: Stage):
    control = f"http://127.0.0.1:{stage.pipedrive}/__sandbox/change"
    deal = stage.state()["deals"][0]
    hand = {"kind": "edit_deal", "id": deal["id"], "fields": {"title": "van mij"}}
    httpx.post(control, json=hand).raise_for_status()
    found = counts(stage.run("audit", "--json"))
    assert (found["deals"]["differing"], found["written"]["deals"], found["differences"]["title"]) == (1, 1, 1)
    assert stage.state()["deals"][0]["title"] == deal["title"]
    assert "differing" in stage.run("audit", "--full").stdout


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PIPEDRIVE_API_TOKEN": "wrong"}, "PIPEDRIVE_API_TOKEN"),
        ({"EXACT_CLIENT_SECRET": "wrong"}, "EXACT_CLIENT_SECRET"),
        ({"EXACT_BASE_URL": "http://127.0.0.1:9"}, "does not answer"),
        ({"PIPEDRIVE_BASE_URL": "http://127.0.0.1:9"}, "does not answer"),
        ({"EXACT_CLIENT_ID": ""}, "EXACT_CLIENT_ID is not set"),
        ({"PIPELINE_CONFIG": "/nowhere/pipeline.yaml"}, "Cannot read"),
        ({"WAREHOUSE_URL": "mysql://localhost/x"}, "PostgreSQL only"),
        ({"WAREHOUSE_URL": "postgresql://nobody@127.0.0.1:9/x", "PIPELINE_SECRET_KEY": "x"}, "does not answer"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_with_status_1(
    stage: Stage, engine: Engine, environment: dict[str, str], sentence: str
):
    httpx.post(f"http://127.0.0.1:{stage.exact}/__sandbox/tokens", json={})  # the first refresh token is good again
    finished = stage.run("sync", **(in_warehouse(engine) | environment))
    assert finished.returncode == 1
    assert sentence in finished.stderr
    assert "Traceback" not in finished.stderr
    assert finished.stderr.count("pipeline: ") == 1


def test_the_demo_ends_with_a_summary(tmp_path: Path):
    with tempfile.TemporaryDirectory() as home:
        finished = subprocess.run(
            [*PIPELINE, "demo", "--once", "--orders", "15"],
            env=os.environ | {"PIPELINE_HOME": home},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
    assert finished.returncode == 0, finished.stderr
    assert "15 orders in Exact Online became 15 deals" in finished.stdout
    assert "Revenue per category" in finished.stdout
