"""The kept connection, against a server that says exactly what the test lets it say."""

import gzip
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import httpx
import pytest

from pipeline.pipedrive.connection import KeptConnection

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
END = None  # the server ends the connection


class Server:
    """Answers each connection with its next words; a connection whose words are used up is left open or ended."""

    def __init__(self, *connections: list[bytes | None]) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/api/v2/deals"
        self.connections, self.heard, self._open = connections, [], []
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for words in self.connections:
            there, _ = self.socket.accept()
            self._open.append(there)
            heard: list[bytes] = []
            self.heard.append(heard)
            for word in words:
                if word is END:
                    there.shutdown(socket.SHUT_RDWR)
                    break
                heard.append(_one_request(there))
                there.sendall(word)

    def close(self) -> None:
        self._thread.join(10)
        for there in [*self._open, self.socket]:
            there.close()


def _one_request(there: socket.socket) -> bytes:
    """A request with a body of two characters, or none."""
    heard = b""
    while b"\r\n\r\n" not in heard or (b"Content-Length: 2" in heard and not heard.endswith(b"{}")):
        more = there.recv(65536)
        if not more:
            break
        heard += more
    return heard


@contextmanager
def served(*connections: list[bytes | None]) -> Iterator[tuple[Server, KeptConnection]]:
    server, connection = Server(*connections), KeptConnection(httpx.create_ssl_context())
    try:
        yield server, connection
    finally:
        connection.close()
        server.close()


def asked(connection: KeptConnection, server: Server, *, method: str = "POST", read: float = 10.0) -> httpx.Response:
    timeout = {"timeout": httpx.Timeout(read, connect=10.0).as_dict()}
    body = b"{}" if method == "POST" else None
    answer = connection.handle_request(httpx.Request(method, server.url, extensions=timeout, content=body))
    answer.read()
    return answer


def test_a_request_goes_out_whole_and_the_next_one_over_the_same_connection():
    with served([OK, OK]) as (server, connection):
        answers = [asked(connection, server), asked(connection, server, method="GET")]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {})] * 2
        ((post, get),) = server.heard
    assert post.startswith(b"POST /api/v2/deals HTTP/1.1\r\nHost: 127.0.0.1:")
    assert post.count(b"Host:") == 1
    assert post.endswith(b"\r\n\r\n{}")
    assert get.startswith(b"GET /api/v2/deals HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Name: caf\xe9\r\n\r\n[1,2]",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[1,2]",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s"
        % (len(gzip.compress(b"[1,2]")), gzip.compress(b"[1,2]")),
    ],
    ids=["in chunks", "beside a name with an accent", "after a 100", "compressed"],
)
def test_bodies_are_read_as_they_come(answer: bytes):
    with served([answer, OK]) as (server, connection):
        assert asked(connection, server).json() == [1, 2]
        assert asked(connection, server).json() == {}
        assert len(server.heard) == 1


def test_a_server_that_says_no_length_ends_the_body_with_the_connection():
    with served([b"HTTP/1.0 200 OK\r\n\r\n[1,2]", END], [OK]) as (server, connection):
        assert asked(connection, server).json() == [1, 2]
        assert asked(connection, server).json() == {}


def test_a_connection_that_was_ended_meanwhile_is_made_anew_and_nothing_is_in_doubt():
    with served([OK, END], [OK]) as (server, connection):
        asked(connection, server)
        server._open[0].settimeout(10)
        assert server._open[0].recv(1) == b""  # the server has ended it
        assert asked(connection, server).status_code == 200
        assert [len(heard) for heard in server.heard] == [1, 1]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([b"", END], httpx.ReadError),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n[1", END], httpx.ReadError),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", END], httpx.ReadError),
        ([b"SSH-2.0-OpenSSH_9.6\r\n", END], httpx.ReadError),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"], httpx.ReadError),
        ([b"HTTP/1.1 200 OK\r\nContent-Le"], httpx.ReadTimeout),
    ],
)
def test_what_was_sent_and_not_answered_whole_may_have_been_carried_out(
    words: list[bytes | None], error: type[Exception]
):
    with served(words, [OK]) as (server, connection):
        with pytest.raises(error):
            asked(connection, server, read=0.2 if error is httpx.ReadTimeout else 10)
        assert asked(connection, server).status_code == 200  # over another connection
        assert len(server.heard) == 2


def test_where_nobody_listens_nothing_was_sent():
    with served() as (server, connection):
        server.close()
        with pytest.raises(httpx.ConnectError):
            asked(connection, server)


def test_a_header_with_a_line_break_is_not_sent_and_not_shown():
    with served([b""], [OK]) as (server, connection):
        request = httpx.Request("GET", server.url, headers={b"x-api-token": b"two\nlines"})
        with pytest.raises(httpx.LocalProtocolError, match=r"^Illegal header value$"):
            connection.handle_request(request)
        assert asked(connection, server).status_code == 200
        assert server.heard[0] == [b""]
