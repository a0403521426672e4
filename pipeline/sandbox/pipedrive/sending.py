"""Posts webhook events to their subscribers, from a thread of its own. What is due, `webhooks.py` knows."""

import base64
import json
import threading
from collections.abc import Callable
from functools import cache

import httpx

from pipeline.sandbox.pipedrive.webhooks import Delivery

_PATIENCE = 10.0  # seconds a subscriber has for its answer
_PAUSE = 0.1

Post = Callable[[str, dict[str, str], bytes], int | None]


@cache
def _http() -> httpx.Client:
    return httpx.Client(trust_env=False)  # kept, since making one takes longer than a message


def post(url: str, headers: dict[str, str], body: bytes) -> int | None:
    """One try; redirects are not followed, and no answer is None."""
    try:
        return _http().post(url, headers=headers, content=body, timeout=_PATIENCE).status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None


def send(delivery: Delivery, using: Post) -> int | None:
    """Posts one event, with the subscription's login."""
    headers = {"content-type": "application/json", "user-agent": "Pipedrive Webhooks"}
    if delivery.hook.login:
        pair = ":".join(delivery.hook.login).encode("utf-8", "replace")
        headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return using(delivery.hook.url, headers, json.dumps(delivery.payload).encode())


class Sender:
    """Looks for events that are due, as long as the process lives."""

    def __init__(self, deliver: Callable[[Post], int]) -> None:
        self._deliver = deliver
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="webhooks", daemon=True).start()

    def stop(self) -> None:
        """Ends the thread after its present event."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(_PAUSE):
            self._deliver(post)
