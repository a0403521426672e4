"""A vendor as it must never be: a real server whose every answer a test chooses, with a certificate if it wants one."""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TOKENS = (200, {}, {"access_token": "at.issued-today", "refresh_token": "rt.issued-today", "expires_in": "600"})
Answer = tuple[int, Mapping[str, str], Any]


@dataclass
class Vendor:
    """Where it is reached, what it answers to paths that begin so, and what it heard."""

    url: str
    answers: Mapping[str, Answer]
    heard: list[str] = field(default_factory=list)

    def answer_to(self, path: str) -> Answer:
        """The first that fits."""
        return next((answer for start, answer in self.answers.items() if path.startswith(start)), (404, {}, {}))


@contextmanager
def vendor(answers: Mapping[str, Answer], certificate: Path | None = None) -> Iterator[Vendor]:
    """A server on 127.0.0.1 for as long as this lasts."""

    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            there.heard.append(f"{self.command} {self.path}")
            status, headers, said = there.answer_to(self.path)
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PATCH = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A visitor who does not like the certificate is none of its errors."""

    with Quiet(("127.0.0.1", 0), Page) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        there = Vendor(f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}", answers)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield there
        finally:
            server.shutdown()
            thread.join()


def certificate(file: Path, *, address: str = "127.0.0.1", days: int = 1) -> Path:
    """A self-signed certificate with its key; with `days` below zero it ended so many days ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor")])
    end = datetime.now(UTC) + timedelta(days=days)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(end - timedelta(days=30))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
