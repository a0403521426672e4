"""A logged-in client of the simulated Exact Online, for the sandbox's own tests."""

import httpx

from pipeline.sandbox.wire import Simulator
from pipeline_tests.sandbox.simulator_transport import SimulatorTransport

BASE_URL = "http://exact.sandbox.example"


class Caller:
    """A logged-in client of the simulator, for short tests."""

    def __init__(self, simulator: Simulator, *, division: int = 123456) -> None:
        self.http = httpx.Client(base_url=BASE_URL, transport=SimulatorTransport(simulator))
        self.division = division
        self.refresh_token = "sandbox"
        self.refresh()

    def refresh(self) -> httpx.Response:
        """A new access token for the refresh token at hand."""
        form = {"grant_type": "refresh_token", "client_id": "sandbox", "client_secret": "sandbox"}
        answer = self.http.post("/api/oauth2/token", data={**form, "refresh_token": self.refresh_token})
        if answer.status_code == 200:
            self.refresh_token = answer.json()["refresh_token"]
            self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    def get(self, path: str, **options: str) -> httpx.Response:
        """GET on a resource of the division; options come without their `$`."""
        url = path if path.startswith(("http", "/")) else f"/api/v1/{self.division}/{path}"
        params = {f"${name}": value for name, value in options.items()} or None
        return self.http.get(url, params=params, headers={"Accept": "application/json"})

    def rows(self, path: str, **options: str) -> list[dict]:
        """All rows of all pages."""
        found: list[dict] = []
        answer = self.get(path, **options)
        while True:
            assert answer.status_code == 200, answer.text
            data = answer.json()["d"]
            if isinstance(data, list):
                return found + data
            found += data["results"]
            if "__next" not in data:
                return found
            answer = self.get(data["__next"])

    def control(self, path: str, body: dict | None = None) -> dict:
        """A control call: POST with a body, GET without."""
        url = f"/__sandbox/{path}"
        answer = self.http.get(url) if body is None else self.http.post(url, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()
