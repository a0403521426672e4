"""A wire to PostgreSQL that reads along: it sees every COMMIT, and what was written before it.

It knows the frames of PostgreSQL's protocol and nothing of what is in the tables.
"""

import re
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread

from sqlalchemy import make_url

from pipeline_tests.chaos.tripwire import Moment, Tripwire

_STARTUP = 196608  # protocol 3.0; smaller or larger codes ask for encryption or cancel something
_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\s+(?:ONLY\s+)?([a-z_]+\.[a-z_]+)", re.IGNORECASE)
_COMMIT = b"COMMIT\0"
_SIZE = 1 << 16


class DatabaseProxy:
    """Listens on a port of its own and passes everything on to the server; `wire` is asked at every COMMIT."""

    def __init__(self, url: str) -> None:
        query = make_url(url).query
        self._server = f"{query['host']}/.s.PGSQL.{query['port']}"
        self.wire = Tripwire()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        Thread(target=self._accept, name="database proxy", daemon=True).start()

    def url(self, database: str) -> str:
        """The address of a database behind this proxy."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    def close(self) -> None:
        """Listens no longer."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            passing = _Passing(client, server, self.wire)
            Thread(target=passing.to_server, daemon=True).start()
            Thread(target=passing.to_client, daemon=True).start()


@dataclass
class _Passing:
    """One connection, both ways."""

    client: socket.socket
    server: socket.socket
    wire: Tripwire
    statements: dict[bytes, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)  # tables, in this transaction
    committing: tuple[str, int] | None = None  # sent to the server and not yet answered
    is_open: bool = False

    def to_server(self) -> None:
        """What the process says, message by message."""
        waiting = b""
        try:
            while data := self.client.recv(_SIZE):
                waiting = self._passed_on(waiting + data)
        except OSError:
            pass
        finally:
            self._hang_up()

    def to_client(self) -> None:
        """What the server answers; an answer to a COMMIT may never arrive."""
        try:
            while data := self.server.recv(_SIZE):
                committed, self.committing = self.committing, None
                if committed and self._is_hit(*committed, "after"):
                    break
                self.client.sendall(data)
        except OSError:
            pass
        finally:
            self._hang_up()

    def _passed_on(self, data: bytes) -> bytes:
        """Sends the whole messages on and returns the beginning of the next one."""
        start = 0
        while (end := self._end(data, start)) is not None:
            if self.is_open:
                self._read(data[start:end])
                if data[start:end] == b"Q" + struct.pack("!i", 4 + len(_COMMIT)) + _COMMIT:
                    kind = self._commit()
                    number = self.wire.passing(kind)
                    if self._is_hit(kind, number, "before"):
                        raise OSError("the process is dead")
                    self.committing = (kind, number)
            else:
                self.is_open = struct.unpack_from("!i", data, start + 4)[0] == _STARTUP
            self.server.sendall(data[start:end])
            start = end
        return data[start:]

    def _end(self, data: bytes, start: int) -> int | None:
        """Where the message that begins there ends, once all of it is here."""
        head = 1 if self.is_open else 0
        if len(data) < start + head + 4:
            return None
        end = start + head + struct.unpack_from("!i", data, start + head)[0]
        return end if len(data) >= end else None

    def _read(self, message: bytes) -> None:
        """Notes which tables a statement writes, also when it was prepared earlier."""
        body = message[5:]
        if message[:1] == b"Q":
            self._note(body[:-1].decode("utf-8", "replace"))
        elif message[:1] == b"P":
            name, sql, _ = body.split(b"\0", 2)
            self.statements[name] = sql.decode("utf-8", "replace")
        elif message[:1] == b"B":
            self._note(self.statements.get(body.split(b"\0", 2)[1], ""))

    def _note(self, sql: str) -> None:
        if sql.startswith(("BEGIN", "ROLLBACK")):
            self.written = []
        self.written += _WRITES.findall(sql)

    def _commit(self) -> str:
        """What a transaction is called: the first table it wrote that is not a queue."""
        named = [table for table in self.written if not table.startswith("state.")] or self.written or ["nothing"]
        self.written = []
        return f"commit: {named[0]}"

    def _is_hit(self, kind: str, number: int, moment: Moment) -> bool:
        return self.wire.is_hit(kind, number, moment)

    def _hang_up(self) -> None:
        for one in (self.client, self.server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
