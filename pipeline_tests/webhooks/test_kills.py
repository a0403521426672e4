"""What was answered 200 is in the table, whoever is killed. `python -m benchmarks.receiver --kills N` kills oftener."""

import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pipeline_tests.webhooks.kills import kill_database, kill_receiver
from pipeline_tests.webhooks.receiving import environment, receiver, stored
from pipeline_tests.webhooks.sending import Sender, notifications

pytestmark = pytest.mark.postgres
EVENTS = 600


# Not pytest's folders: as root the server has an account of its own, which pytest would shut out.
@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize("at", [1, 137, 401])
def test_a_killed_receiver_has_kept_all_it_answered(engine: Engine, tmp_path: Path, at: int):
    outcome = kill_receiver(tmp_path, engine, at, EVENTS)
    counted = outcome.answers.counted
    assert outcome.missing == set()
    assert (len(outcome.answers.statuses), set(counted)) == (EVENTS, {0, 200})
    assert counted[200] >= at


def test_a_killed_database_has_kept_all_that_was_answered_and_the_receiver_goes_on(folder: Path, tmp_path: Path):
    outcomes = list(kill_database(tmp_path, folder, [211, 50], EVENTS))
    assert [outcome.missing for outcome in outcomes] == [set(), set()]
    assert [set(outcome.answers.counted) for outcome in outcomes] == [{200, 503}] * 2


def test_a_receiver_that_is_told_to_stop_first_answers_what_it_has_taken(engine: Engine, tmp_path: Path):
    url = engine.url.render_as_string(hide_password=False)
    with receiver(environment(tmp_path, url)) as running:
        begun = threading.Event()
        sender = Sender(running.port, connections=10, a_second=400, answered=lambda _: begun.set())
        sending = threading.Thread(target=lambda: sender.send(notifications(200)))
        sending.start()
        assert begun.wait(30)
        running.process.send_signal(signal.SIGTERM)
        status, said = running.ended()
        sending.join()
    assert (status, set(sender.answers.counted)) == (0, {0, 200})
    assert sender.answers.accepted == stored(engine)
    assert said.splitlines() == [f"receiving Exact Online's webhooks on {running.url}/webhooks/exact"]
