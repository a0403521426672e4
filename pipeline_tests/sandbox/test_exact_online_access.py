"""Who is let in and how often: tokens, rate limits, error velocity, faults."""

import json
from datetime import date

import httpx
import pytest

from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.exact_online import simulated_exact_online
from pipeline_tests.sandbox.exact_transport import Caller


def caller(**settings) -> Caller:
    return Caller(simulated_exact_online(seeded_company(orders=5), **settings))


def token_form(token: str) -> dict[str, str]:
    return {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": "sandbox",
        "client_secret": "sandbox",
    }


def test_the_first_token_answer_has_its_lifetime_as_text():
    exact = caller()
    exact.control("clock", {"advance_seconds": 575})
    answer = exact.refresh().json()
    assert (answer["expires_in"], answer["token_type"]) == ("600", "bearer")
    assert set(answer) == {"access_token", "token_type", "expires_in", "refresh_token"}


def test_a_refresh_before_570_seconds_is_refused_and_changes_nothing():
    exact = caller()
    early = exact.refresh()
    assert early.status_code == 400
    assert early.json() == {
        "error": "access_denied",
        "error_description": "Rate limit exceeded: access_token not expired",
    }
    assert early.headers["Reason"] == "TooEarlyToRefreshTokens: Rate limit exceeded: access_token not expired"
    exact.control("clock", {"advance_seconds": 570})
    assert exact.refresh().status_code == 200


def test_a_used_refresh_token_is_refused():
    exact = caller()
    answer = exact.http.post("/api/oauth2/token", data=token_form("sandbox"))
    assert answer.status_code == 401
    assert answer.json() == {"error": "unauthorized_client", "error_description": "Old refresh token used."}


def test_a_refresh_token_lives_thirty_days():
    exact = caller()
    exact.control("clock", {"advance_seconds": 30 * 86400})
    answer = exact.refresh()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "The refresh token expired at " in answer.json()["error_description"]


@pytest.mark.parametrize(
    ("name", "value"), [("client_secret", "x"), ("grant_type", "password"), ("refresh_token", "x")]
)
def test_other_token_mistakes_are_400(name, value):
    exact = caller()
    assert exact.http.post("/api/oauth2/token", data={**token_form("x"), name: value}).status_code == 400


def test_a_person_can_consent_and_the_code_works_once():
    exact = caller()
    asked = {"client_id": "sandbox", "response_type": "code", "redirect_uri": "https://app.example/cb", "state": "s"}
    back = exact.http.get("/api/oauth2/auth", params=asked)
    location = httpx.URL(back.headers["Location"])
    assert (back.status_code, location.host, location.params["state"]) == (302, "app.example", "s")
    form = {**token_form(""), "grant_type": "authorization_code", "redirect_uri": "https://app.example/cb"}
    form["code"] = location.params["code"]
    assert exact.http.post("/api/oauth2/token", data=form).status_code == 200
    assert exact.http.post("/api/oauth2/token", data=form).status_code == 400
    exact.control("clock", {"advance_seconds": 600})
    assert exact.refresh().status_code == 401  # the earlier chain has ended


def test_an_access_token_is_needed_and_expires_after_ten_minutes():
    exact = caller()
    assert exact.http.get("/api/v1/current/Me", headers={"Authorization": "Bearer no"}).status_code == 401
    exact.control("clock", {"advance_seconds": 599})
    assert exact.get("/api/v1/current/Me").status_code == 200
    exact.control("clock", {"advance_seconds": 1})
    assert exact.get("/api/v1/current/Me").status_code == 401


NAMES = ("Limit", "Remaining", "Reset", "Minutely-Limit", "Minutely-Remaining", "Minutely-Reset")


def test_six_headers_tell_what_is_left():
    exact = Caller(simulated_exact_online(seeded_company(orders=5, today=date(2026, 11, 20))))  # noon, 11:00 UTC
    exact.control("clock", {"speed": 0})
    headers = exact.get("crm/Accounts", top="1").headers
    assert {name: headers[f"X-RateLimit-{name}"] for name in NAMES} == {
        "Limit": "5000",
        "Remaining": "4999",
        "Reset": "1795219200000",
        "Minutely-Limit": "60",
        "Minutely-Remaining": "59",
        "Minutely-Reset": "1795172460000",
    }


def test_the_minute_is_the_clocks_and_its_429_has_only_its_own_headers():
    company = seeded_company(orders=5, today=date(2026, 11, 20))
    exact = Caller(simulated_exact_online(company, minutely_limit=3))
    exact.control("clock", {"speed": 0})
    answers = [exact.get("crm/Accounts", top="1") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    sent = {name.lower() for name in answers[3].headers}
    assert answers[3].content == b""
    assert {name for name in NAMES if f"x-ratelimit-{name.lower()}" in sent} == {n for n in NAMES if "Minutely" in n}
    exact.control("clock", {"advance_seconds": 60})
    assert exact.get("crm/Accounts", top="1").status_code == 200


def test_the_daily_429_has_the_daily_headers_and_me_is_free():
    exact = caller(daily_limit=2)
    assert [exact.get("crm/Accounts", top="1").status_code for _ in range(3)] == [200, 200, 429]
    refused = exact.get("crm/Accounts", top="1")
    assert {name for name in NAMES if f"x-ratelimit-{name.lower()}" in refused.headers} == {
        "Limit",
        "Remaining",
        "Reset",
    }
    assert exact.get("/api/v1/current/Me").status_code == 200


def test_more_than_ten_errors_in_an_hour_block_the_endpoint():
    exact = caller()
    statuses = [exact.get("crm/Accounts", filter="Nonsense eq 1").status_code for _ in range(12)]
    assert statuses == [400] * 11 + [429]
    assert exact.get("crm/Accounts", top="1").status_code == 429
    assert exact.get("crm/Contacts", top="1").status_code == 200


def test_without_limits_nothing_is_ever_too_much():
    exact = caller(limits=False)
    assert {exact.get("crm/Accounts", filter="Nonsense eq 1").status_code for _ in range(100)} == {400}
    assert int(exact.get("crm/Accounts", top="1").headers["X-RateLimit-Remaining"]) > 1_000_000


def test_ordered_faults_hit_only_their_path():
    exact = caller()
    exact.control("fault", {"path": "crm/Accounts", "kind": "status", "status": 503, "times": 2})
    assert exact.get("crm/Contacts", top="1").status_code == 200
    assert [exact.get("crm/Accounts", top="1").status_code for _ in range(3)] == [503, 503, 200]


def test_a_lost_refresh_answer_costs_the_token():
    exact = caller()
    exact.control("clock", {"advance_seconds": 580})
    exact.control("fault", {"path": "oauth2/token", "kind": "drop_after"})
    with pytest.raises(httpx.ReadError):
        exact.refresh()
    assert exact.refresh().json()["error_description"] == "Old refresh token used."


def test_a_demo_can_start_again_with_the_first_token():
    exact = caller()
    assert exact.control("tokens", {}) == {"refresh_token": "sandbox"}
    assert exact.http.post("/api/oauth2/token", data=token_form("sandbox")).status_code == 200


def test_half_a_page_comes_with_status_200():
    exact = caller()
    for kind in ("truncate", "glue", "empty"):
        exact.control("fault", {"path": "crm/Accounts", "kind": kind})
        answer = exact.get("crm/Accounts", select="ID")
        assert answer.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            answer.json()


def test_only_json_is_spoken():
    """By those who write; readers may have Atom."""
    exact = caller()
    xml = {"Content-Type": "application/atom+xml"}
    assert exact.http.post("/api/v1/123456/crm/Contacts", content=b"<entry />", headers=xml).status_code == 400
