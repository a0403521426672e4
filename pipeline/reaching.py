"""Why a vendor could not be reached, in a sentence with what to do: an unknown name, a certificate that is not valid, a
network that is down, an answer that leads elsewhere.

No path, query, password or header stands in any of them: that is where credentials are.
"""

import socket
import ssl
from collections.abc import Iterator

import httpx

from pipeline.errors import GiveUp


def address_of(url: httpx.URL) -> str:
    """Scheme, host and port."""
    return f"{url.scheme}://{url.netloc.decode()}"


def why_no_answer(url: httpx.URL, problem: httpx.RequestError | None) -> str:
    """The sentence. The same request may be answered once the reason is gone; until then nothing was sent or lost."""
    where = address_of(url)
    for cause in _causes(problem):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"{where} shows a certificate that is not valid ({cause.verify_message}): nothing was sent. One that "
                "expired is renewed over there, if this machine's clock is right; one that is self-signed or of an "
                "unknown issuer means that something stands between: see docs/security.md."
            )
        if isinstance(cause, socket.gaierror):
            return (
                f"{where} does not answer: the name {url.host} is not known ({cause.strerror}). Is it written right, "
                "and does DNS work on this machine? The next run goes on from here."
            )
    return f"{where} does not answer ({problem}); is the address right and the network up?"


def raise_if_unsendable(url: httpx.URL, problem: httpx.RequestError) -> None:
    """Raises GiveUp where a header has what no header may have, without the header: it is the credential."""
    if isinstance(problem, httpx.LocalProtocolError) and "Illegal header" in str(problem):
        raise GiveUp(
            f"The credential for {address_of(url)} has a character that can't be sent, such as a line break: copy it "
            "again into the environment."
        ) from None


def led_elsewhere(response: httpx.Response) -> str:
    """What to say of an answer that leads to another address, which is never followed."""
    try:
        there = address_of(response.request.url.join(response.headers["location"]))
    except (KeyError, httpx.InvalidURL):
        return "a redirection, which is not followed"
    return f"a redirection to {there}, which is not followed because credentials would go there"


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__
