"""Asks Exact Online; does not know what the answers mean. Pages are nobody else's business."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx

from pipeline.errors import GiveUp, RetryLater
from pipeline.exact_online import limits
from pipeline.exact_online.odata import next_page, rows_of
from pipeline.reaching import address_of, led_elsewhere

MOST_READINGS = 3  # of one page whose body was broken
# All that is ever written: subscriptions (`webhooks.py`) and, where it is switched on, contacts (`contacts.py`).
WRITABLE = {"webhooks/WebhookSubscriptions": ("POST", "PUT", "DELETE"), "crm/Contacts": ("POST", "PUT")}


class ExactOnlineClient:
    """Reads one division. Counts its API calls in `calls`; token calls are not among them."""

    def __init__(
        self,
        http: httpx.Client,
        division: int,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._http, self._division, self._sleep, self._now = http, division, sleep, now
        self._wait_until, self._keep_for_live = 0.0, 0.0
        self.calls = 0

    def now(self) -> float:
        """Seconds since 1970."""
        return self._now()

    @contextmanager
    def sparing(self, keep_for_live: float) -> Iterator[None]:
        """Readings inside leave this share of the day's calls to live changes, and raise BudgetSpent at it."""
        before, self._keep_for_live = self._keep_for_live, keep_for_live
        try:
            yield
        finally:
            self._keep_for_live = before

    def listen(self, hear: Callable[[httpx.Response], None]) -> None:
        """Lets somebody hear the head of every answer, those with tokens too."""
        self._http.event_hooks["response"].append(hear)

    def close(self) -> None:
        """Closes the connections; asking again opens new ones."""
        self._http.close()

    def me(self) -> dict[str, Any]:
        """The user whose consent this works with; the one question that names no division and costs no daily call."""
        url = self._http.base_url.join("/api/v1/current/Me").copy_merge_params({"$select": "UserName,CurrentDivision"})
        rows = rows_of(self._read(url))
        return rows[0] if rows else {}

    def pages(self, path: str, **options: str) -> Iterator[list[dict[str, Any]]]:
        """The pages of a collection; options are OData's without the dollar sign.

        Raises GiveUp when Exact refuses or leads in a circle, RetryLater when it is down or busy.
        """
        query = {f"${name}": value for name, value in options.items() if value}
        url: httpx.URL | None = self._http.base_url.join(f"/api/v1/{self._division}/{path}").copy_merge_params(query)
        asked: set[str] = set()
        while url:
            if str(url) in asked:
                raise GiveUp(f"Exact Online sent us back to a page of {path} that was read already")
            asked.add(str(url))
            answer = self._read(url)
            yield rows_of(answer)
            url = self._following(next_page(answer))

    def sync_timestamp(self, endpoint: str, modified: str) -> int | None:
        """The row version from which records of that endpoint were modified since then; None when there are none."""
        path = f"/api/v1/{self._division}/read/sync/Sync/SyncTimestamp"
        url = self._http.base_url.join(path).copy_merge_params({"modified": modified, "endPoint": f"'{endpoint}'"})
        for row in rows_of(self._read(url)):
            for name, value in row.items():
                if name.lower() == "timestampasbigint" and value is not None:
                    return int(value)
        return None

    def write(self, method: str, path: str, body: Mapping[str, str] | None = None) -> None:
        """Writes once. Raises OutcomeUnknown when no answer came, GiveUp or RetryLater when Exact refused."""
        checked(self.send(method, path, body))

    def send(self, method: str, path: str, body: Mapping[str, str | None] | None = None) -> httpx.Response:
        """Sends a write once and returns whatever is answered; raises OutcomeUnknown when nothing is.

        Only what stands in WRITABLE may be written, orders least of all: anything else is a mistake of ours.
        """
        if method not in WRITABLE.get(path.split("(")[0], ()):
            raise AssertionError(f"{method} {path}: nothing in this project writes that to Exact Online")
        self._wait_for_the_minute()
        self.calls += 1
        return self._http.request(method, self._http.base_url.join(f"/api/v1/{self._division}/{path}"), json=body)

    def divisions(self, seen_from: int) -> dict[int, str]:
        """The divisions the user sees, with their names. The question has to be put to one of them."""
        path, options = f"/api/v1/{seen_from}/system/Divisions", {"$select": "Code,Description"}
        url: httpx.URL | None = self._http.base_url.join(path).copy_merge_params(options)
        found: dict[int, str] = {}
        while url:
            answer = self._read(url)
            found |= {int(row["Code"]): str(row.get("Description") or "") for row in rows_of(answer)}
            url = self._following(next_page(answer))
        return found

    def _following(self, link: str | None) -> httpx.URL | None:
        """The next page's address, at the same place and nowhere else: the access token goes along."""
        if link is None:
            return None
        home = self._http.base_url
        try:
            url = home.join(link)
        except (httpx.InvalidURL, TypeError):
            raise GiveUp("Exact Online's link to the next page is no address; it is not followed") from None
        if (url.scheme, url.host, url.port, url.userinfo) != (home.scheme, home.host, home.port, home.userinfo):
            raise GiveUp(
                f"Exact Online's next page lies on another host ({address_of(url)}, not {address_of(home)}); it is not "
                "followed, because credentials would go there. Check EXACT_BASE_URL, and what stands between."
            )
        return url

    def _read(self, url: httpx.URL) -> Any:
        for _ in range(MOST_READINGS):
            self._wait_for_the_minute()
            self.calls += 1
            response = checked(self._http.get(url, extensions={limits.KEEP: self._keep_for_live}))
            if limits.minute_is_spent(response.headers):
                self._wait_until = self._now() + limits.seconds_until_reset(response.headers, self._now())
            try:
                answer = json.loads(response.content, parse_float=Decimal)
                rows_of(answer)
            except (ValueError, RetryLater):
                continue
            return answer
        raise RetryLater(f"Exact Online answered {url.path} with a broken page {MOST_READINGS} times")

    def _wait_for_the_minute(self) -> None:
        left = self._wait_until - self._now()
        if left > 0:
            self._sleep(min(left, limits.LONGEST_WAIT))  # more is left only when the clock was put back since


def checked(response: httpx.Response) -> httpx.Response:
    """The response when it is a success; raises GiveUp or RetryLater with Exact's own reason otherwise."""
    if response.is_success:
        return response
    said = limits.reason_of(response)
    what = f"Exact Online answered {response.status_code} to {response.request.url.path}{f' ({said})' if said else ''}"
    if response.status_code < 400:
        raise GiveUp(f"{what}: {led_elsewhere(response)}. Check EXACT_BASE_URL.")
    if response.status_code == 401:
        raise GiveUp(
            f"{what}: the access token is not accepted. Check EXACT_CLIENT_ID and EXACT_CLIENT_SECRET, "
            "then run `pipeline connect exact`."
        )
    if response.status_code == 403:
        raise GiveUp(f"{what}: check the user's rights, the app's scopes and the division in pipeline.yaml.")
    if response.status_code == 404:
        raise GiveUp(f"{what}: check EXACT_BASE_URL and the division in pipeline.yaml.")
    raise (RetryLater if response.status_code in {408, 429} or response.status_code >= 500 else GiveUp)(what)
