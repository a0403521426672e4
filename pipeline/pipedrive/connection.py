"""One kept connection to the vendor, of the standard library, under httpx's requests and answers.

It takes half the processor time of httpx's own, which keeps a pool and reads HTTP in Python; of a first load sending
is the largest part. The library reads bodies to a length, in chunks and to the end, whatever the server speaks.
"""

import select
import ssl
from http.client import HTTP_PORT, HTTPS_PORT, HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection

import httpx


class KeptConnection(httpx.BaseTransport):
    """The connection of one thread to one host; made with the first request, and again where the other side ended it.

    Raises httpx's errors: ConnectError, ConnectTimeout and LocalProtocolError when nothing was sent, ReadTimeout and
    ReadError when the request may have been carried out.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._connection: HTTPConnection | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends it and reads the whole answer."""
        connection = self._connected(request)
        try:
            _put_head(connection, request)
        except ValueError:  # which shows the header: a credential
            self.close()
            raise httpx.LocalProtocolError("Illegal header value", request=request) from None
        try:
            connection.endheaders(request.read())
            answer = connection.getresponse()
            content = answer.read()
        except TimeoutError as problem:
            self.close()
            raise httpx.ReadTimeout("no answer in time", request=request) from problem
        except (OSError, HTTPException) as problem:
            self.close()
            raise httpx.ReadError(str(problem) or type(problem).__name__, request=request) from problem
        return httpx.Response(answer.status, headers=_head(answer), stream=httpx.ByteStream(content))

    def close(self) -> None:
        """Ends the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _connected(self, request: httpx.Request) -> HTTPConnection:
        if self._connection and self._connection.sock and not _is_readable(self._connection):
            return self._connection
        self.close()
        connection = self._to(request)
        try:
            connection.connect()
        except TimeoutError as problem:
            raise httpx.ConnectTimeout("no connection in time", request=request) from problem
        except OSError as problem:
            raise httpx.ConnectError(str(problem), request=request) from problem
        connection.sock.settimeout(_timeout(request, "read"))
        self._connection = connection
        return connection

    def _to(self, request: httpx.Request) -> HTTPConnection:
        # A port is always said: without one the end of an IPv6 address would be taken for it.
        url, patience = request.url, _timeout(request, "connect")
        if url.scheme == "https":
            return HTTPSConnection(url.host, url.port or HTTPS_PORT, timeout=patience, context=self._context)
        return HTTPConnection(url.host, url.port or HTTP_PORT, timeout=patience)


def _timeout(request: httpx.Request, name: str) -> float | None:
    """Seconds; None for as long as it takes."""
    return request.extensions.get("timeout", {}).get(name)


def _put_head(connection: HTTPConnection, request: httpx.Request) -> None:
    """Gives the connection what is sent with the body; raises ValueError for a header that has a line break in it."""
    target = request.url.raw_path.decode("ascii")
    connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.raw:
        connection.putheader(name, value)


def _head(answer: HTTPResponse) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()]


def _is_readable(connection: HTTPConnection) -> bool:
    """Whether something came that nobody asked for: as a rule the other side's end."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
