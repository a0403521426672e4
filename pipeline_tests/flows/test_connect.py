"""`pipeline connect exact` as a person has it: a browser, a consent page on a real port, and tokens that are kept."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from pipeline.errors import GiveUp
from pipeline.exact_online.consent import code_in, consent_address
from pipeline.processes import free_ports
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline_tests.exact_online.served import served

COMMAND = [sys.executable, "-W", "ignore", "-m", "pipeline", "connect", "exact"]
ADMINISTRATION = "  - {name: %s, source: exact_online, division: %d, time_zone: Europe/Amsterdam}\n"


class Desk:
    """A person at a terminal and a browser, with an installation that has no token yet."""

    def __init__(self, engine: Engine, url: str, home: Path, simulator: Any) -> None:
        self.engine, self.simulator = engine, simulator
        (self.port,) = free_ports(1)
        config = home / "pipeline.yaml"
        config.write_text("administrations:\n" + ADMINISTRATION % ("nl", 123456) + ADMINISTRATION % ("be", 777))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXACT_", "PIPE", "PUBLIC"))}
        self.environment = kept | {
            "EXACT_BASE_URL": url,
            "EXACT_CLIENT_ID": "sandbox",
            "EXACT_CLIENT_SECRET": "sandbox",
            "PIPELINE_SECRET_KEY": Fernet.generate_key().decode(),
            "PIPELINE_HOME": str(home),
            "PIPELINE_CONFIG": str(config),
            "DAGSTER_HOME": "",
            "WAREHOUSE_URL": engine.url.render_as_string(hide_password=False),
        }

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, "--no-browser", "--port", str(self.port), *arguments],
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str, str]:
        said, problem = process.communicate(timeout=60)
        return process.returncode, said, problem

    def address(self, process: subprocess.Popen[str]) -> str:
        """The address it prints."""
        assert process.stdout
        for line in process.stdout:
            if line.startswith("http"):
                assert "Waiting" in process.stdout.readline() + process.stdout.readline()
                return line.strip()
        raise AssertionError(process.communicate()[1])


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Iterator[Desk]:
    simulator = simulated_exact_online(seeded_company(orders=1, products=1), limits=False)
    with served(simulator) as url:
        yield Desk(engine, url, tmp_path, simulator)


def test_a_person_agrees_in_a_browser_and_the_tokens_are_kept(desk: Desk):
    process = desk.start()
    address = desk.address(process)
    assert f"redirect_uri=http%3A%2F%2Flocalhost%3A{desk.port}%2Foauth%2Fexact" in address
    page = httpx.get(address, follow_redirects=True)
    assert (page.status_code, "Thank you" in page.text) == (200, True)
    status, said, problem = desk.finish(process)
    assert (status, problem) == (0, "")
    assert "sees 1 division(s):" in said
    assert "Division 123456 of 'nl' is among them." in said
    assert "Division 777 of 'be' is NOT among them: check pipeline.yaml." in said
    with desk.engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM state.tokens")).one())
    assert desk.simulator.tokens.refresh_token not in kept + said


def test_strangers_and_forged_answers_are_turned_away_and_waited_past(desk: Desk):
    process = desk.start()
    address = desk.address(process)
    home = f"http://localhost:{desk.port}"
    assert httpx.get(f"{home}/favicon.ico").status_code == 404
    forged = httpx.get(f"{home}/oauth/exact?code=evil&state=guessed")
    assert (forged.status_code, "another request for consent" in forged.text) == (400, True)
    assert httpx.get(address, follow_redirects=True).status_code == 200
    assert desk.finish(process)[0] == 0


def test_a_person_who_says_no_ends_it_with_a_sentence(desk: Desk):
    process = desk.start()
    state = re.search(r"state=([\w-]+)", desk.address(process))
    assert state
    answer = f"error=access_denied&state={state[1]}"
    assert httpx.get(f"http://localhost:{desk.port}/oauth/exact?{answer}").status_code == 400
    status, _, problem = desk.finish(process)
    assert (status, "sent back 'access_denied'" in problem) == (1, True)


def test_the_address_the_browser_was_sent_to_can_be_pasted(desk: Desk):
    public = {"PUBLIC_URL": "https://pipeline.example"}
    process = desk.start(**public)
    address = desk.address(process)
    process.terminate()
    process.communicate()
    sent_to = httpx.get(address).headers["Location"]
    assert sent_to.startswith("https://pipeline.example/oauth/exact?code=")
    forged = desk.finish(desk.start("--code", sent_to.replace("state=", "state=x"), **public))
    assert (forged[0], "another request for consent" in forged[2]) == (1, True)
    assert desk.finish(desk.start("--code", sent_to, **public))[0] == 0
    again = desk.finish(desk.start("--code", sent_to.split("code=")[1].split("&")[0], **public))
    assert (again[0], "did not take the code (400" in again[2]) == (1, True)


def test_a_new_consent_mends_a_broken_chain_though_the_old_token_still_stands_in_the_environment(desk: Desk):
    desk.environment["EXACT_REFRESH_TOKEN"] = "used long ago"
    process = desk.start()
    httpx.get(desk.address(process), follow_redirects=True)
    assert desk.finish(process)[0] == 0
    assert desk.simulator.calls["oauth2/token"] == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("abc-DEF_1", "abc-DEF_1"),
        (" abc \n", "abc"),
        ("stampNL.a%2Fb==", "stampNL.a/b=="),
        ("https://x.example/oauth/exact?code=a%2Fb%2B%25&state=s", "a/b+%"),
        ("code=abc&state=s", "abc"),
    ],
)
def test_a_code_is_found_in_what_a_person_pastes(answer: str, code: str):
    assert code_in(answer, state="s") == code


@pytest.mark.parametrize(
    ("answer", "state", "sentence"),
    [
        ("https://x.example/?code=a&state=other", "s", "another request"),
        ("https://x.example/?code=a", "s", "another request"),
        ("https://x.example/?code=a&state=s", None, "another request"),
        ("https://x.example/?state=s", "s", "no code"),
        ("https://x.example/?error=access_denied&state=s", "s", "sent back 'access_denied'"),
    ],
)
def test_an_address_that_is_no_answer_to_our_question_is_refused(answer: str, state: str | None, sentence: str):
    with pytest.raises(GiveUp, match=sentence):
        code_in(answer, state=state)


def test_the_consent_page_is_asked_for_what_exact_wants_to_know():
    address = consent_address("https://x.example", client_id="{a}", redirect_uri="https://y.example/o", state="s")
    assert address == (
        "https://x.example/api/oauth2/auth?client_id=%7Ba%7D&redirect_uri=https%3A%2F%2Fy.example%2Fo"
        "&response_type=code&state=s"
    )
