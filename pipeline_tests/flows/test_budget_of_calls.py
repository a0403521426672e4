"""`pipeline sync` on a day whose Exact calls are nearly used up: history waits, changes go through, and it says so."""

import tempfile
from pathlib import Path

import httpx

from pipeline_tests.console import Console
from pipeline_tests.flows.test_command_line import Stage

CALLS = 80  # a day; sixteen of them are kept for live changes
FORM = {"grant_type": "refresh_token", "client_id": "sandbox", "client_secret": "sandbox", "refresh_token": "sandbox"}


class ShortDay(Stage):
    """Exact Online takes only so many calls a day."""

    def _start(self, arguments: list[str]) -> None:
        limited = ["--switch", f"daily_limit={CALLS}", "--switch", "minutely_limit=1000"]
        super()._start([part for one in arguments for part in (limited if one == "--no-limits" else [one])])

    def use_up(self, calls: int) -> None:
        """Somebody else works with the same app; the first refresh token is ours all the same."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.exact}") as http:
            token = http.post("/api/oauth2/token", data=FORM).json()["access_token"]
            for _ in range(calls):
                signed = {"Authorization": f"Bearer {token}"}
                assert http.get("/api/v1/123456/crm/Accounts?$top=1&$select=ID", headers=signed).status_code == 200
            http.post("/__sandbox/tokens", json={})


def test_history_waits_for_the_next_day_changes_go_through_and_the_status_is_three(console: Console):
    stage = ShortDay(console)
    with tempfile.TemporaryDirectory() as home:
        try:
            stage.begin(Path(home))
            stage.use_up(CALLS - 17)
            stopped = stage.run("sync")
            assert (stopped.returncode, "kept for live changes (16 of 80 left)" in stopped.stdout) == (3, True)
            spent = stage.run("sync")
            assert (spent.returncode, "calls for today are used up; it goes on" in spent.stderr) == (3, True)
        finally:
            stage.end()
