"""The receiver behind a real port: what is kept, what is refused with which status, and what the log never says."""

import json
import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, text

from pipeline.errors import ConfigurationError
from pipeline.sandbox.exact_online.webhooks import signed
from pipeline.settings import Settings
from pipeline.webhooks import receiver, writer
from pipeline.webhooks.receiver import MOST_BYTES, READ_PAST, UNSIGNED
from pipeline.webhooks.writer import inbox_engine
from pipeline_tests.webhooks.receiving import Served, serving, stored
from pipeline_tests.webhooks.sending import DIVISION, SECRET, Sender, content, hash_code, notification, notifications

pytestmark = pytest.mark.postgres


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM inbox.webhook_events ORDER BY number")).all())


def exchanged(port: int, sent: bytes) -> bytes:
    """What a raw connection gets back until it ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


# --- taken ---


def test_an_empty_body_is_a_trial_and_gets_200(served: Served):
    assert (served.post(b""), rows(served.engine)) == (200, [])


def test_a_notification_is_in_the_table_when_it_is_answered(served: Served):
    body = notification(Key="8c1b", Action="Delete")
    assert served.post(body) == 200
    (row,) = rows(served.engine)
    assert (row.hash_code, row.administration, row.division) == (hash_code(body), "nl", DIVISION)
    assert (row.topic, row.action, row.key, row.handled_at) == ("SalesOrders", "Delete", "8c1b", None)
    assert body == signed(row.content, SECRET)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(hash_code(body).encode(), hash_code(body).lower().encode()),
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body + b"\n",
    ],
    ids=["lower-case hex", "byte-order mark", "line break"],
)
def test_what_is_not_signed_may_differ_and_it_is_still_the_same_notification(served: Served, change: Any):
    body = notification()
    assert (served.post(body), served.post(change(body))) == (200, 200)
    assert [row.hash_code for row in rows(served.engine)] == [hash_code(body)]


@pytest.mark.parametrize("topic", ["StockPositions", "Nonsense"])
def test_what_no_feed_reads_is_kept_and_nobody_has_to_act(served: Served, topic: str):
    assert served.post(notification(topic)) == 200
    (row,) = rows(served.engine)
    assert row.handled_at == row.received_at


def test_a_division_we_do_not_know_is_logged_and_not_asked_for_again(served: Served, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, logger="pipeline"):
        assert served.post(notification(division=999)) == 200
    assert rows(served.engine) == []
    assert caplog.messages == ["webhooks: 1 × for division 999, which pipeline.yaml does not have (answered 200)"]


def test_each_division_is_its_own_administration(served: Served):
    assert [served.post(notification(division=division)) for division in (2, DIVISION, "2")] == [200] * 3
    assert [row.administration for row in rows(served.engine)] == ["be", "nl", "be"]


def test_the_age_and_the_order_of_a_notification_do_not_matter(served: Served):
    moments = ["2031-01-01T00:00:00", "2026-10-25T02:30:00", "2026-03-29T02:30:00", "1970-01-01T00:00:00", "later"]
    bodies = [notification(EventCreatedOn=moment) for moment in moments]
    assert [served.post(body) for body in bodies] == [200] * 5
    assert [row.hash_code for row in rows(served.engine)] == [hash_code(body) for body in bodies]


@pytest.mark.parametrize("odd", [None, "", 7, ["x"], "a\u0000b", "\ud800", "line\nbreak"])
def test_a_key_or_an_action_that_is_no_word_is_left_out(served: Served, odd: Any):
    body = signed(json.dumps({"Topic": "Items", "Division": DIVISION, "Key": odd, "Action": odd}), SECRET)
    assert served.post(body) == 200
    (row,) = rows(served.engine)
    assert (row.topic, row.key, row.action) == ("Items", None, None)
    assert body == signed(row.content, SECRET)


def test_without_a_key_it_still_says_that_something_changed(served: Served):
    assert served.post(signed(f'{{"Topic":"Items","Division":{DIVISION}}}', SECRET)) == 200
    assert [(row.topic, row.key) for row in rows(served.engine)] == [("Items", None)]


def test_the_same_notification_many_times_at_once_is_stored_once(served: Served):
    body = notification()
    answers = Sender(served.port, connections=20).send([body] * 200)
    assert answers.counted == {200: 1}
    assert stored(served.engine) == {hash_code(body)}


def test_a_storm_of_5000_is_stored_without_one_missing(served: Served):
    bodies = list(notifications(5000))
    answers = Sender(served.port, connections=50).send(bodies)
    assert answers.counted == {200: 5000}
    assert stored(served.engine) == {hash_code(body) for body in bodies}


def test_a_body_of_exactly_the_largest_size_is_taken(served: Served):
    padding = MOST_BYTES - len(notification(Filler=""))
    body = notification(Filler="x" * padding)
    assert (len(body), served.post(body)) == (MOST_BYTES, 200)


# --- refused ---


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (lambda: json.dumps(json.loads(notification())).encode(), 401),
        (lambda: notification().replace(b"Update", b"Delete"), 401),
        (lambda: signed(content(), "another secret"), 401),
        (lambda: signed(content(), ""), 401),
        (lambda: f'{{"Content":{content()}}}'.encode(), 401),
        (lambda: b"{}", 400),
        (lambda: b"x", 400),
        (lambda: b"\xff" * 100, 400),
        (lambda: b"\xef\xbb\xbf", 400),
        (lambda: notification()[:-1], 400),
        (lambda: signed("[]", SECRET), 400),
        (lambda: signed('{"Topic":"SalesOrders"}', SECRET), 400),
        (lambda: signed(f'{{"Division":{DIVISION}}}', SECRET), 400),
        (lambda: signed(content(division=True), SECRET), 400),
        (lambda: signed(content(division="12³"), SECRET), 400),
        (lambda: signed(content(topic="a\nb"), SECRET), 400),
    ],
    ids=[
        "re-serialised",
        "changed",
        "another secret",
        "no secret",
        "no HashCode",
        "empty object",
        "no JSON",
        "no text",
        "only a byte-order mark",
        "cut off",
        "signed list",
        "signed, no division",
        "signed, no topic",
        "signed, division is true",
        "signed, division is no number",
        "signed, topic is no word",
    ],
)
def test_what_is_not_exacts_is_refused_and_nothing_is_stored(served: Served, body: Any, status: int):
    assert (served.post(body()), rows(served.engine)) == (status, [])


@pytest.mark.parametrize("size", [MOST_BYTES + 1, 1024 * 1024, MOST_BYTES + READ_PAST])
def test_a_body_that_is_too_large_is_refused_even_when_it_is_signed(served: Served, size: int):
    body = notification(Filler="x" * size)
    assert (served.post(body), rows(served.engine)) == (413, [])


HEAD = b"POST /webhooks/exact HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


def chunked(body: bytes, size: int = 8192) -> bytes:
    parts = [body[place : place + size] for place in range(0, len(body), size)]
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts) + b"0\r\n\r\n"


def test_a_length_that_is_not_told_is_counted(served: Served):
    large, small = notification(Filler="x" * MOST_BYTES), notification()
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    assert status_of(exchanged(served.port, head + chunked(large))) == 413
    assert status_of(exchanged(served.port, head + chunked(small))) == 200
    assert stored(served.engine) == {hash_code(small)}


def test_a_length_that_is_far_too_large_is_not_waited_for(served: Served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(HEAD + b"Content-Length: 99999999999\r\n\r\n{")
        assert status_of(connection.recv(65536)) == 413


@pytest.mark.parametrize("length", [b"10", b"0", b"-1", b"1e3"])
def test_a_length_that_lies_stores_nothing_and_the_next_is_taken(served: Served, length: bytes):
    exchanged(served.port, HEAD + b"Content-Length: " + length + b"\r\n\r\n" + notification())
    body = notification()
    assert served.post(body) == 200
    assert stored(served.engine) == {hash_code(body)}


def test_a_sender_that_hangs_up_half_way_stores_nothing(served: Served):
    body = notification()
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:100])
    assert (served.post(body), len(rows(served.engine))) == (200, 1)


def test_a_sender_that_falls_silent_half_way_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(receiver, "BODY_WITHIN", 0.2)
    assert status_of(exchanged(served.port, HEAD + b"Content-Length: 500\r\n\r\n{")) == 408


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/webhooks/exact", 405),
        ("PUT", "/webhooks/exact", 405),
        ("POST", "/webhooks/exact/", 404),
        ("POST", "/", 404),
        ("POST", "/health", 405),
    ],
)
def test_nothing_else_is_there(served: Served, method: str, path: str, status: int):
    assert served.http.request(method, path).status_code == status


# --- limits ---


def test_too_much_that_is_unsigned_gets_429_and_what_is_signed_never(served: Served):
    bad = [notification().replace(b"Update", b"Delete") for _ in range(2 * UNSIGNED["at_once"])]
    answers = Sender(served.port, connections=5).send(bad)
    assert set(answers.counted) == {401, 429}
    # Twenty more a second are looked at: the next one may be.
    more = (served.http.post("/webhooks/exact", content=b"x") for _ in range(UNSIGNED["at_once"]))
    assert next(answer for answer in more if answer.status_code == 429).headers["retry-after"] == "10"
    assert Sender(served.port, connections=5).send(notifications(300)).counted == {200: 300}
    assert served.post(b"") == 200


def test_too_many_trials_get_429_and_what_is_signed_never(served: Served):
    statuses = [served.post(b"") for _ in range(2 * UNSIGNED["at_once"])]
    assert set(statuses) == {200, 429}
    assert served.post(notification()) == 200


# --- the database ---


def test_health_says_whether_the_database_answers(served: Served, shared_engine: Engine):
    answer = served.http.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"database": "answers"})
    with serving(shared_engine, "postgresql://nobody@127.0.0.1:1/nowhere") as cut_off:
        answer = cut_off.http.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"database": "does not answer"})


def test_without_a_database_exact_is_asked_to_repeat_and_told_so_once(
    shared_engine: Engine, caplog: pytest.LogCaptureFixture
):
    with (
        caplog.at_level(logging.WARNING, logger="pipeline"),
        serving(shared_engine, "postgresql://nobody@127.0.0.1:1/nowhere") as cut_off,
    ):
        assert [cut_off.post(notification()) for _ in range(3)] == [503] * 3
        assert cut_off.post(b"") == 200
    (line,) = caplog.messages
    assert line.startswith("webhooks: the inbox is not written, and senders get 503 so that they repeat: ")


def test_a_connection_that_the_database_ended_costs_nobody_a_repetition(served: Served):
    assert served.post(notification()) == 200
    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'pipeline webhooks'"
    with served.engine.connect() as connection:
        connection.execute(text(f"{end} AND datname = current_database()"))
    assert (served.post(notification()), served.http.get("/health").status_code) == (200, 200)


@contextmanager
def standing_still(engine: Engine) -> Iterator[None]:
    """The database does not move for the sessions of the receiver."""
    sessions = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pipeline webhooks'"
    with engine.connect() as connection:
        own = list(connection.execute(text(f"{sessions} AND datname = current_database()")).scalars())
    assert own
    for pid in own:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in own:
            os.kill(pid, signal.SIGCONT)


def test_a_database_that_stands_still_is_not_waited_for_and_what_it_took_is_stored_once(
    served: Served, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(receiver, "HEALTH_WITHIN", 0.5)
    monkeypatch.setattr(writer, "ANSWER_WITHIN", 0.5)
    body = notification()
    assert served.http.get("/health").status_code == 200
    with standing_still(served.engine):
        assert served.post(body) == 503
    assert (served.post(body), len(rows(served.engine))) == (200, 1)
    with standing_still(served.engine):
        assert served.http.get("/health").status_code == 503
    assert served.post(notification()) == 200


def test_a_table_that_is_locked_holds_up_an_answer_and_not_for_ever(served: Served):
    with served.engine.begin() as tx:
        tx.execute(text("LOCK TABLE inbox.webhook_events"))
        assert served.post(notification()) == 503
    assert served.post(notification()) == 200


def test_the_database_is_told_to_keep_what_was_answered(shared_engine: Engine):
    """The role's own habit is another one (see the tests' conftest)."""
    with shared_engine.connect() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "off"
    inbox = inbox_engine(shared_engine.url.render_as_string(hide_password=False))
    for _ in range(2):
        with inbox.connect() as connection:
            assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
            assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "3s"
    inbox.dispose()


# --- what is never said ---


def test_nothing_that_was_sent_stands_in_the_log(served: Served, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        for body in (notification(Key="secret-key"), b"secret-key", signed('{"Key":"secret-key"}', SECRET)):
            served.post(body)
            served.post(body.replace(b"Update", b"secret-key"))
        with served.engine.begin() as tx:
            tx.execute(
                text("ALTER TABLE inbox.webhook_events ADD CONSTRAINT odd CHECK (key <> 'secret-key') NOT VALID")
            )
        assert served.post(notification(Key="secret-key")) == 503
        with served.engine.begin() as tx:
            tx.execute(text("ALTER TABLE inbox.webhook_events DROP CONSTRAINT odd"))
    assert "secret-key" not in caplog.text
    assert hash_code(notification()) not in caplog.text
    assert SECRET not in "".join(record.getMessage() for record in caplog.records if record.name == "pipeline")


# --- settings ---


@pytest.mark.parametrize(
    ("public_url", "callback"),
    [
        ("https://pipeline.example.nl", "https://pipeline.example.nl/webhooks/exact"),
        ("https://pipeline.example.nl/", "https://pipeline.example.nl/webhooks/exact"),
        ("https://example.nl/pipeline/", "https://example.nl/pipeline/webhooks/exact"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/webhooks/exact"),
        ("http://localhost:8000/", "http://localhost:8000/webhooks/exact"),
    ],
)
def test_the_callback_lies_below_the_public_address(public_url: str, callback: str):
    assert Settings({"PUBLIC_URL": public_url}).webhook_callback == callback


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "PUBLIC_URL is not set"),
        ({"PUBLIC_URL": " "}, "PUBLIC_URL is not set"),
        ({"PUBLIC_URL": "http://pipeline.example.nl"}, "only to https"),
        ({"PUBLIC_URL": "http://127.0.0.1.example.nl"}, "only to https"),
        ({"PUBLIC_URL": "pipeline.example.nl"}, "with https:// in front"),
    ],
)
def test_an_address_exact_would_not_take_is_one_sentence(environment: dict[str, str], sentence: str):
    with pytest.raises(ConfigurationError, match=sentence):
        _ = Settings(environment).webhook_callback
