"""Requests no sender of good faith makes, byte by byte: refused by the server or the receiver, and nothing is kept."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine, text

from pipeline.webhooks.receiver import Receiver
from pipeline_tests.fuzz.taking import DOCUMENTED, Taking, seeds
from pipeline_tests.webhooks.receiving import Served, serving, stored
from pipeline_tests.webhooks.sending import SECRET, content, notification, signed

TOLD = notification()
LENGTH = b"Content-Length: %d\r\n" % len(TOLD)


@pytest.fixture(scope="module")
def running(shared_engine: Engine) -> Iterator[Served]:
    """One receiver for all of this file."""
    with serving(shared_engine) as served:
        yield served


@pytest.fixture
def receiver(running: Served) -> Served:
    """It, with an empty inbox."""
    with running.engine.begin() as tx:
        tx.execute(text("TRUNCATE inbox.webhook_events"))
    return running


def answered(served: Served, head: bytes, body: bytes = TOLD, start: bytes = b"POST /webhooks/exact HTTP/1.1") -> int:
    """The status of the answer to those bytes; 0 where the connection was ended without one."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(start + b"\r\nHost: receiver\r\n" + head + b"\r\n" + body)
        said = connection.recv(4096)
    return int(said.split(b" ", 2)[1]) if said else 0


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(LENGTH + b"Content-Length: 3\r\n", {400}, id="two lengths"),
        pytest.param(LENGTH + b"Transfer-Encoding: chunked\r\n", {400}, id="a length and chunks"),
        pytest.param(b"Transfer-Encoding: chunked, chunked\r\n", {400, 501}, id="chunks of chunks"),
        pytest.param(b"Content-Length: 99999999999999999999999\r\n", {400, 413}, id="a length beyond any number"),
        pytest.param(b"X\x00Y: a\r\n" + LENGTH, {400}, id="a zero in a header"),
        pytest.param(b" folded: a\r\n" + LENGTH, {400}, id="a header that begins with a blank"),
    ],
)
def test_a_head_that_two_servers_could_read_differently_is_refused(receiver: Served, head: bytes, status: set[int]):
    assert answered(receiver, head) in status
    assert stored(receiver.engine) == set()


@pytest.mark.parametrize(
    "head", [b"X: " + b"a" * 200_000 + b"\r\n", b"X: a\r\n" * 20_000], ids=["one header", "twenty thousand"]
)
def test_a_huge_head_changes_nothing_about_what_is_taken(receiver: Served, head: bytes):
    """The proxy in front refuses heads from 1 MB on; what is smaller counts by its body alone."""
    assert answered(receiver, head + b"Content-Length: 2\r\n", b"{}") == 400
    assert stored(receiver.engine) == set()
    assert answered(receiver, head + LENGTH) == 200


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (b"POST /webhooks/exact/../exact HTTP/1.1", 404),
        (b"POST //webhooks/exact HTTP/1.1", 404),
        (b"POST /webhooks/\xff\xfe HTTP/1.1", 400),
        (b"POST /webhooks/exact%00 HTTP/1.1", 404),
        (b"CONNECT 127.0.0.1:5432 HTTP/1.1", 400),
        (b"TRACE /webhooks/exact HTTP/1.1", 405),
        (b"PRI * HTTP/2.0", 400),
        (b"POST /webhooks/exact HTTP/9.9", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ],
    ids=repr,
)
def test_what_is_no_request_for_us_is_refused(receiver: Served, start: bytes, status: int):
    assert answered(receiver, LENGTH, start=start) == status
    assert stored(receiver.engine) == set()


@pytest.mark.parametrize(
    "said",
    [
        '{"Topic":"SalesOrders","Division":' + "1" * 5000 + "}",
        '{"Topic":' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"Topic":"SalesOrders","Division":NaN}',
        '{"Topic":"SalesOrders","Division":true}',
        content(Division="9" * 5000),
        content(Division="١٢٣٤٥٦"),
        content(Division=123456.5),
    ],
    ids=lambda said: said[:44],
)
def test_nonsense_that_is_signed_is_refused_and_does_no_harm(receiver: Served, said: str):
    assert receiver.post(signed(said, SECRET)) == 400
    assert stored(receiver.engine) == set()


def test_a_division_beyond_any_number_is_nobodys_and_a_content_type_does_not_matter(receiver: Served):
    assert receiver.post(signed(content(Division=10**30), SECRET)) == 200
    assert stored(receiver.engine) == set()
    for kind in (b"text/plain", b"application/xml; charset=utf-7", b"multipart/form-data", b"\xff"):
        assert answered(receiver, b"Content-Type: " + kind + b"\r\n" + LENGTH) == 200
    assert len(stored(receiver.engine)) == 1


def test_what_the_fuzzers_begin_with_is_answered_as_described():
    """`make fuzz` goes on from here."""
    with closing(Taking()) as taking:
        statuses = {taking(seed) for seed in seeds()}
    assert {200, 400, 401, 413} == statuses
    assert statuses <= DOCUMENTED


def test_the_description_has_the_receivers_paths_and_statuses(project: Path):
    described = yaml.safe_load((project / "docs" / "webhooks.openapi.yaml").read_text())["paths"]
    routes = Receiver(None, secret="s", divisions={}).application().routes  # type: ignore[arg-type]
    assert {path: set(methods) for path, methods in described.items()} == {
        route.path: {method.lower() for method in route.methods - {"HEAD"}} for route in routes
    }
    assert {int(status) for status in described["/webhooks/exact"]["post"]["responses"]} == DOCUMENTED
