"""`pipeline webhooks` as people start it, against the simulated Exact Online behind a real port."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from pipeline.exact_online.webhooks import TOPICS
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline.sandbox.serving import asgi
from pipeline_tests.webhooks.receiving import COMMAND, environment, free_port, receiver, stored

pytestmark = pytest.mark.postgres


@pytest.fixture
def exact() -> Iterator[httpx.Client]:
    """The simulated Exact Online behind a port; it sends its webhooks by itself."""
    simulator = simulated_exact_online(seeded_company(orders=5), limits=False)
    server = uvicorn.Server(uvicorn.Config(asgi(simulator), host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        yield http
    server.should_exit = True
    thread.join(timeout=30)


def until(come_true: Callable[[], object]) -> None:
    """Returns when it did; fails after a minute."""
    deadline = time.monotonic() + 60
    while not come_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def variables(engine: Engine, tmp_path: Path) -> dict[str, str]:
    """The environment of the commands."""
    credentials = dict.fromkeys(("EXACT_CLIENT_ID", "EXACT_CLIENT_SECRET", "EXACT_REFRESH_TOKEN"), "sandbox")
    key = Fernet.generate_key().decode()
    warehouse = engine.url.render_as_string(hide_password=False)
    return environment(tmp_path, warehouse, PIPELINE_SECRET_KEY=key, **credentials)


def run(variables: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of the command."""
    done = subprocess.run([*COMMAND, *arguments], env=variables, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_from_the_subscription_to_the_inbox_and_back(engine: Engine, exact: httpx.Client, variables: dict[str, str]):
    port = free_port()
    callback = f"http://127.0.0.1:{port}/webhooks/exact"
    variables |= {"EXACT_BASE_URL": str(exact.base_url), "PUBLIC_URL": f"http://127.0.0.1:{port}"}

    def change(reference: str) -> None:
        body = {"kind": "set_order", "fields": {"your_ref": reference}}
        exact.post("/__sandbox/change", json=body).raise_for_status()

    def waits() -> int:
        return exact.get("/__sandbox/webhooks").json()["waiting"]

    with receiver(variables, port):
        assert run(variables, "subscribe") == (0, "".join(f"nl  {topic:16}subscribed\n" for topic in TOPICS), "")
        change("told")
        until(lambda: len(stored(engine)) == 1)
    change("not heard")
    until(lambda: waits() == 1)  # it was tried, and is tried again after two minutes
    with receiver(variables, port):
        exact.post("/__sandbox/clock", json={"advance_seconds": 121})
        until(lambda: len(stored(engine)) == 2)
        listed = "".join(f"nl  {topic:16}{callback}\n" for topic in sorted(TOPICS))
        assert run(variables, "list", "--administration", "nl") == (0, listed, "")
    assert run(variables, "unsubscribe") == (0, "".join(f"nl  {topic:16}ended\n" for topic in sorted(TOPICS)), "")
    assert exact.get("/__sandbox/webhooks").json()["subscriptions"] == []


def test_a_receiver_nobody_reaches_is_said_topic_by_topic(exact: httpx.Client, variables: dict[str, str]):
    variables |= {"EXACT_BASE_URL": str(exact.base_url), "PUBLIC_URL": f"http://127.0.0.1:{free_port()}"}
    status, said, _ = run(variables, "subscribe")
    assert status == 1
    assert said.count("not subscribed: Exact Online answered 500") == len(TOPICS)
    assert exact.get("/__sandbox/webhooks").json()["subscriptions"] == []


@pytest.mark.parametrize(
    ("arguments", "changed", "status", "sentence"),
    [
        (["--port", "1"], {"EXACT_WEBHOOK_SECRET": ""}, 1, "pipeline: EXACT_WEBHOOK_SECRET is not set"),
        (["subscribe"], {}, 1, "pipeline: PUBLIC_URL is not set"),
        (["subscribe"], {"PUBLIC_URL": "http://a.example"}, 1, "pipeline: PUBLIC_URL is 'http://a.example'; Exact"),
    ],
)
def test_what_is_missing_is_one_sentence(
    variables: dict[str, str], arguments: list[str], changed: dict[str, str], status: int, sentence: str
):
    found = run(variables | changed, *arguments)
    assert (found[0], found[1]) == (status, "")
    assert found[2].startswith(sentence)
    assert found[2].count("\n") == 1


def test_a_port_that_is_taken_is_one_sentence(exact: httpx.Client, variables: dict[str, str]):
    status, _, said = run(variables, "--port", str(exact.base_url.port))
    assert status == 1
    assert said == (
        f"pipeline: Cannot listen on 127.0.0.1:{exact.base_url.port}: Address already in use; choose another --port.\n"
    )


def test_without_a_port_it_says_what_there_is_to_choose(variables: dict[str, str]):
    status, _, said = run(variables)
    assert status == 2
    assert "subscribe, list or unsubscribe" in " ".join(said.replace("│", " ").split())


def test_the_receiver_does_not_need_dagster_or_pandas():
    script = "import sys, pipeline.cli, pipeline.webhooks.serving; print({'dagster', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "set()\n"), done.stderr
