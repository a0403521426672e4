"""Calls the simulated Pipedrive in process, the way httpx would call a server. For the sandbox's own tests."""

from datetime import UTC, datetime
from typing import Any

import httpx

from pipeline.sandbox.pipedrive import Clock, Pipedrive, simulated_pipedrive
from pipeline_tests.sandbox.simulator_transport import SimulatorTransport

BASE_URL = "http://pipedrive.sandbox.example"
ADMIN, SANNE, DAAN = 20_480_001, 20_480_002, 20_480_003


class Account:
    """A simulated account whose clock stands still, and short words to talk to it."""

    def __init__(self, **settings: Any) -> None:
        limits = {"burst": None, "search_burst": None, "daily_tokens": None, "storm_refusals": None, "seed": 1}
        clock = Clock(datetime(2026, 11, 20, 9, tzinfo=UTC), running=False)
        self.simulator: Pipedrive = simulated_pipedrive(clock=clock, **(limits | settings))
        self.http = httpx.Client(
            base_url=BASE_URL, transport=SimulatorTransport(self.simulator), headers={"x-api-token": "sandbox"}
        )

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(_full(path), params=params)

    def post(self, path: str, body: Any = None, **params: Any) -> httpx.Response:
        return self.http.post(_full(path), json=body, params=params)

    def patch(self, path: str, body: Any) -> httpx.Response:
        return self.http.patch(_full(path), json=body)

    def delete(self, path: str, body: Any = None, **params: Any) -> httpx.Response:
        if body is None:
            return self.http.delete(_full(path), params=params)
        return self.http.request("DELETE", _full(path), json=body)

    def data(self, path: str, **params: Any) -> Any:
        """What a GET tells."""
        response = self.get(path, **params)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def made(self, path: str, body: Any) -> Any:
        """What a POST made."""
        response = self.post(path, body)
        assert response.status_code in (200, 201), response.text
        return response.json()["data"]

    def control(self, path: str, body: Any = None) -> Any:
        """The answer of a control call."""
        method = "GET" if body is None else "POST"
        response = self.http.request(method, f"/__sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def advance(self, seconds: float) -> None:
        self.simulator.advance(seconds)

    def deal(self, **body: Any) -> Any:
        return self.made("deals", {"title": "Bestelling 1"} | body)

    def product(self, **body: Any) -> Any:
        return self.made("products", {"name": "Lampion"} | body)

    def field(self, entity: str, name: str, kind: str, *labels: str) -> Any:
        body = {"field_name": name, "field_type": kind}
        return self.made(
            f"{entity}Fields", body | ({"options": [{"label": label} for label in labels]} if labels else {})
        )


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and text of an error."""
    return response.status_code, response.json()["error"]


def _full(path: str) -> str:
    return path if path.startswith("/") else f"/api/v2/{path}"
