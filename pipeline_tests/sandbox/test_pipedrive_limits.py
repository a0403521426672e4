"""What the simulated Pipedrive lets through: tokens a day, requests in two seconds, the wall behind the 429s."""

import pytest

from pipeline.sandbox.pipedrive import plan
from pipeline.sandbox.pipedrive.simulator import ROUTES
from pipeline_tests.sandbox.pipedrive_transport import Account

DAY = 86_400


def test_a_wrong_token_gets_the_gateways_answer():
    account = Account()
    for headers, params in (({"x-api-token": "wrong"}, {}), ({"x-api-token": ""}, {"api_token": "no"})):
        response = account.http.get("/api/v2/deals", headers=headers, params=params)
        assert response.status_code == 401
        assert response.json() == {
            "success": False, "error": "unauthorized access", "errorCode": 401,
            "error_info": "Please check developers.pipedrive.com",
        }  # fmt: skip
        assert response.headers["x-401-by-gw"] == "true"
        assert response.headers["x-correlation-id"]


def test_the_token_may_stand_in_the_query():
    account = Account()
    del account.http.headers["x-api-token"]
    assert account.get("deals", api_token="sandbox").status_code == 200
    assert account.get("deals").status_code == 401


def test_requests_cost_what_the_price_list_says_and_refused_ones_nothing():
    account = Account(daily_tokens=1000)
    account.deal()
    account.product()
    account.post("deals/1/products", {"product_id": 1, "item_price": 1, "quantity": 1})
    account.post("deals/1/products/bulk", {"data": [{"product_id": 1, "item_price": 1, "quantity": 1}]})
    account.post("deals", {"titel": "x"})
    account.get("deals/77")
    account.get("deals/1")
    account.get("deals")
    account.get("deals/archived")
    account.get("stages")
    account.get("itemSearch", term="xx")
    account.get("/api/v1/users")
    account.delete("deals/1/products/1")
    response = account.delete("deals/1")
    ledger = account.control("ledger")
    assert ledger["endpoints"] == {
        "POST /api/v2/deals": 5, "POST /api/v2/products": 5, "POST /api/v2/deals/{id}/products": 5,
        "POST /api/v2/deals/{id}/products/bulk": 25, "GET /api/v2/deals/{id}": 1, "GET /api/v2/deals": 10,
        "GET /api/v2/deals/archived": 20, "GET /api/v2/stages": 5, "GET /api/v2/itemSearch": 20,
        "GET /api/v1/users": 20, "DELETE /api/v2/deals/{id}/products/{id}": 3, "DELETE /api/v2/deals/{id}": 3,
    }  # fmt: skip
    assert ledger["total"] == ledger["days"]["2026-11-20"]["total"] == 122
    assert response.headers["x-daily-ratelimit-token-limit"] == "1000"
    assert response.headers["x-daily-ratelimit-token-remaining"] == "878"


def test_refused_requests_can_be_made_to_cost():
    account = Account(charge_refused=True)
    account.post("deals", {"titel": "x"})
    assert account.control("ledger")["total"] == 5


def test_the_day_is_spent_and_comes_back_at_the_servers_midnight():
    account = Account(daily_tokens=12, server_zone="Europe/Amsterdam", burst=100)
    account.deal()
    account.deal()
    refused = account.post("deals", {"title": "x"})
    assert refused.status_code == 429
    assert refused.json()["error"] == "Request over limit"
    assert "retry-after" not in refused.headers
    assert int(refused.headers["x-ratelimit-remaining"]) >= 1
    assert account.get("deals/1").status_code == 200
    account.advance(14 * 3600 - 1)
    assert account.post("deals", {"title": "x"}).status_code == 429
    account.advance(1)
    assert account.post("deals", {"title": "x"}).status_code == 200


def test_two_seconds_hold_so_many_requests():
    account = Account(burst=3)
    statuses = [account.get("deals") for _ in range(5)]
    assert [response.status_code for response in statuses] == [200, 200, 200, 429, 429]
    last = statuses[-1].headers
    assert (last["x-ratelimit-limit"], last["x-ratelimit-remaining"], last["x-ratelimit-reset"]) == ("3", "0", "2")
    account.advance(2)
    assert account.get("deals").status_code == 200


def test_searches_have_a_window_of_their_own():
    account = Account(burst=100, search_burst=2)
    assert [account.get("deals/search", term="xx").status_code for _ in range(3)] == [200, 200, 429]
    assert account.get("deals").status_code == 200


def test_who_ignores_429s_meets_a_wall():
    account = Account(burst=1, storm_refusals=5, storm_block_seconds=60)
    statuses = [account.get("deals").status_code for _ in range(8)]
    assert statuses == [200, 429, 429, 429, 429, 429, 403, 403]
    assert "Cloudflare" in account.get("deals").text
    account.advance(61)
    assert account.get("deals").status_code == 200


def test_apps_are_spared_the_wall():
    account = Account(oauth_burst=1, storm_refusals=3)
    form = {"grant_type": "refresh_token", "refresh_token": "sandbox"}
    token = account.http.post("/oauth/token", data=form, auth=("sandbox", "sandbox")).json()["access_token"]
    del account.http.headers["x-api-token"]
    account.http.headers["authorization"] = f"Bearer {token}"
    assert [account.get("deals").status_code for _ in range(6)] == [200, 429, 429, 429, 429, 429]


def _price(route):
    """The published price list: v1's is twice v2's, but for a few."""
    path, factor = route.template, 1 if route.is_v2 else 2
    exceptions = {
        "GET /api/v2/pipelines": 5, "GET /api/v2/stages": 5, "GET /api/v2/deals/archived": 20,
        "POST /api/v2/deals/{id}/products/bulk": 25, "DELETE /api/v2/deals/{id}/products": 25,
        "GET /api/v1/webhooks": 10, "GET /api/v1/users/me": 2, "PUT /api/v1/deals/{id}/merge": 40,
    }  # fmt: skip
    if f"{route.method} {path}" in exceptions:
        return exceptions[f"{route.method} {path}"]
    if path.endswith(("/search", "/itemSearch", "/itemSearch/field", "/find")):
        return 20 * factor
    if route.method == "GET":
        return (1 if path.endswith(("{id}", "{code}")) else 10) * factor
    return (3 if route.method == "DELETE" else 5) * factor


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_every_endpoint_has_its_published_price(route):
    cost = route.cost if isinstance(route.cost, int) else route.cost(Account().simulator.company)
    assert cost == _price(route)


def test_without_limits_there_are_no_headers():
    assert not [name for name in Account().get("deals").headers if "ratelimit" in name]
    account = Account(daily_tokens=5, daily_headers=False)
    assert not [name for name in account.get("deals/1").headers if "ratelimit" in name]


@pytest.mark.parametrize(
    ("name", "tokens", "burst", "deals", "fields"),
    [
        ("lite", 180_000, 20, 15_000, 30),
        ("premium", 900_000, 100, 90_000, 300),
        ("ultimate", 1_260_000, 120, 120_000, 500),
    ],
)
def test_plans(name, tokens, burst, deals, fields):
    found = plan(name, seats=6)
    assert [found[key] for key in ("daily_tokens", "burst", "deal_cap", "field_cap")] == [tokens, burst, deals, fields]
