"""Asks Pipedrive, and turns its refusals into what to do next. What a body means is not known here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import httpx

from pipeline.errors import Full, GiveUp, HoldRow, OutcomeUnknown, PipelineError, RetryLater
from pipeline.pipedrive.ledger import Ledger
from pipeline.reaching import led_elsewhere

_WHERE = "PIPEDRIVE_BASE_URL"
_CHECK = f"check PIPEDRIVE_API_TOKEN and {_WHERE}."
SCHEMA_REFUSAL = "ERR_SCHEMA_VALIDATION_FAILED"
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "pipeline"}
_TIMEOUT = httpx.Timeout(60.0, connect=10.0).as_dict()  # seconds
PAGE = 500  # rows a list gives at most; a list costs the same whatever it holds


class PipedriveClient:
    """One account, for all threads of the one run that may write to it.

    Requests go to the transport as they are: cookies, redirections and authentication, which `httpx.Client` looks
    after with each of them, are nothing of Pipedrive's.
    """

    def __init__(self, transport: httpx.BaseTransport, base_url: str, api_token: str, ledger: Ledger) -> None:
        self._transport, self._base_url, self.ledger = transport, base_url.rstrip("/"), ledger
        self._headers = httpx.Headers(_HEADERS | {"x-api-token": api_token})
        self._hearers: list[Callable[[httpx.Response], None]] = []

    def listen(self, hear: Callable[[httpx.Response], None]) -> None:
        """Lets somebody hear the head of every answer."""
        self._hearers.append(hear)

    def get(self, path: str, **params: str | int) -> Any:
        """The data of one answer."""
        return self._ask("GET", path, params=params)["data"]

    def look(self, path: str) -> dict[str, Any] | None:
        """One record, or None when it is not there or deleted."""
        found = self._ask("GET", path, gone_is_fine=True)["data"]
        return None if not found or found.get("is_deleted") else found

    def pages(self, path: str, **params: str | int) -> Iterator[list[dict[str, Any]]]:
        """The pages of a v2 list; raises GiveUp when the cursor leads in a circle."""
        seen: set[str] = set()
        cursor = None
        while True:
            answer = self._ask("GET", path, params=params | {"limit": PAGE} | ({"cursor": cursor} if cursor else {}))
            yield answer["data"] or []
            cursor = (answer.get("additional_data") or {}).get("next_cursor")
            if not cursor:
                return
            if cursor in seen:
                raise GiveUp(f"Pipedrive's list {path} leads back to a page that was read already")
            seen.add(cursor)

    def post(self, path: str, body: Any) -> Any:
        """The data of what was made; raises OutcomeUnknown when it may have been made all the same."""
        return self._ask("POST", path, body=body)["data"]

    def patch(self, path: str, body: Any) -> Any:
        """The data after the change."""
        return self._ask("PATCH", path, body=body)["data"]

    def delete(self, path: str, **params: str) -> None:
        """Removes it; what is gone already is no mistake."""
        self._ask("DELETE", path, params=params, gone_is_fine=True)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        gone_is_fine: bool = False,
    ) -> dict[str, Any]:
        response = self._answer(
            httpx.Request(
                method,
                self._base_url + path,
                params=params or None,
                headers=self._headers,
                json=body,
                extensions={"timeout": _TIMEOUT},
            )
        )
        if gone_is_fine and response.status_code in {404, 410}:
            return {"data": None}
        return answered(response)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        response = self._transport.handle_request(request)
        response.request = request
        response.read()
        for hear in self._hearers:
            hear(response)
        return response


def answered(response: httpx.Response) -> dict[str, Any]:
    """The answer's JSON when the request was carried out; raises what to do next otherwise."""
    method, path, status = response.request.method, response.request.url.path, response.status_code
    answer: Any = None
    with suppress(ValueError):
        answer = response.json()
    if response.is_success and _is_whole(answer, method):
        return answer
    if 300 <= status < 400:
        raise GiveUp(f"Pipedrive answered {method} {path} with {status}: {led_elsewhere(response)}. Check {_WHERE}.")
    if status >= 500 or status == 408 or status < 400:
        error = RetryLater if method == "GET" else OutcomeUnknown
        raise error(f"Pipedrive answered {method} {path} with {status} and no usable result")
    raise refusal(answer, method, path, status, response.request.url.host)


def _is_whole(answer: Any, method: str) -> bool:
    """Whether the answer says that it was carried out, and with what result."""
    return isinstance(answer, dict) and answer.get("success", True) and ("data" in answer or method == "DELETE")


def refusal(answer: Any, method: str, path: str, status: int, host: str) -> PipelineError:
    """What to do about a 4xx."""
    said = _message(answer)
    code = str(answer.get("code", "")) if isinstance(answer, dict) else ""
    if code.startswith("feature_capping"):
        return Full(f"Pipedrive's plan allows no more of these: {said}")
    if status == 401:
        return GiveUp(f"Pipedrive does not accept the API token (401 {said}): {_CHECK}")
    if status == 402:
        return GiveUp(f"Pipedrive refuses {method} {path} (402 {said}): the company's subscription is not active.")
    if status == 403:
        hint = "check the rights of the token's user"
        return HoldRow(f"Pipedrive refused it: 403 {said}; {hint}", may_be_systematic=True)
    if status == 404 and answer is None:
        return GiveUp(f"There is no {path} at {host}: check {_WHERE}.")
    return HoldRow(f"Pipedrive refused it: {status} {said}", may_be_systematic=code == SCHEMA_REFUSAL)


def _message(answer: Any) -> str:
    if not isinstance(answer, dict):
        return "without a reason"
    return str(answer.get("error") or answer.get("errors") or "without a reason")
