"""The consent that begins a chain of tokens: where a person agrees, and the code that comes back, made into a pair."""

from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import httpx

from pipeline.errors import GiveUp, RetryLater
from pipeline.exact_online.oauth import token_pair, token_request
from pipeline.reaching import why_no_answer

PATH = "/oauth/exact"


def consent_address(base_url: str, *, client_id: str, redirect_uri: str, state: str) -> str:
    """The page on which a person agrees."""
    asked = {"client_id": client_id, "redirect_uri": redirect_uri, "response_type": "code", "state": state}
    return f"{base_url}/api/oauth2/auth?{urlencode(asked)}"


def code_in(answer: str, *, state: str | None) -> str:
    """The code in what came back: an address, or the code alone, as a person copied it.

    An address has to carry the state that was sent along; raises GiveUp when it does not, or when it says no. What was
    copied out of an address is decoded once.
    """
    if not any(sign in answer for sign in ("code=", "error=", "state=", "://")):
        return unquote(answer.strip())
    parts = urlsplit(answer.strip())
    said = {name: values[0] for name, values in parse_qs(parts.query or parts.path).items()}
    if "error" in said:
        raise GiveUp(
            f"Exact Online sent back '{said.get('error_description') or said['error']}' instead of a code; agree again."
        )
    if state is None or said.get("state") != state:
        raise GiveUp(
            "This answer belongs to another request for consent: run `pipeline connect exact` and open the address it "
            "prints now."
        )
    if not said.get("code"):
        raise GiveUp("There is no code in this address; paste the whole address the browser was sent to.")
    return said["code"]


def exchanged(
    http: httpx.Client, code: str, *, client_id: str, client_secret: str, redirect_uri: str
) -> tuple[str, str]:
    """Refresh and access token for the code, which is good once and for about three minutes."""
    request = token_request(
        f"{str(http.base_url).rstrip('/')}/api/oauth2/token",
        grant_type="authorization_code",
        code=code,
        redirect_uri=redirect_uri,
        client_id=client_id,
        client_secret=client_secret,
    )
    try:
        response = http.send(request)
    except httpx.TransportError as problem:
        raise RetryLater(f"{why_no_answer(http.base_url, problem)} Then begin anew.") from None
    if 400 <= response.status_code < 500:
        raise GiveUp(
            f"Exact Online did not take the code ({response.status_code} {_said(response)}): it is good once and for "
            f"three minutes, and only with the redirect address {redirect_uri} as registered with the app. Check "
            "EXACT_CLIENT_ID and EXACT_CLIENT_SECRET, and begin anew."
        )
    return token_pair(response)


def _said(response: httpx.Response) -> str:
    try:
        answer = response.json()
        return str(answer.get("error_description") or answer.get("error") or "")
    except (ValueError, AttributeError):
        return ""
