"""A chat and a mail server, each behind a real port of this machine, that keep what they got."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_string
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Chat:
    """Takes what is posted to `url`; answers with `status`."""

    url: str = ""
    status: int = 200
    got: list[dict] = field(default_factory=list)


@dataclass
class Mailbox:
    """Takes what is sent to `url`; `refuses` says to which command it answers no."""

    url: str = ""
    refuses: str = ""
    got: list[Message] = field(default_factory=list)


@contextmanager
def chat() -> Iterator[Chat]:
    """A chat's webhook."""
    kept = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/secret-of-the-chat"
        with _serving(server):
            yield kept


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server without encryption, as on the machine itself."""
    kept = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 here")
            for line in self.rfile:
                word = line.decode().strip().upper()
                if kept.refuses and word.startswith(kept.refuses):
                    self.say("550 no")
                elif word == "DATA":
                    self.say("354 go on")
                    kept.got.append(message_from_string(self.mail()))
                    self.say("250 kept")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 fine")

        def mail(self) -> str:
            lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
            return "".join(lines)

        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"smtp://127.0.0.1:{server.server_address[1]}"
        with _serving(server):
            yield kept


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
