"""The control calls of the simulated Pipedrive: state in words, clock, faults, edits by hand."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from pipeline_tests.sandbox.pipedrive_transport import Account


@pytest.fixture
def account():
    account = Account()
    account.deal()
    account.product()
    account.post("deals/1/products", {"product_id": 1, "item_price": 2, "quantity": 3})
    return account


def test_the_state_is_told_in_names(account):
    status = account.field("deal", "Leverstatus", "enum", "Open")
    account.patch("deals/1", {"custom_fields": {status["field_code"]: status["options"][0]["id"]}})
    state = account.control("state")
    deal = state["deals"][0]
    assert deal["custom_fields"] == {"Leverstatus": "Open"}
    assert (deal["stage"], deal["pipeline"], deal["owner"]) == ("Qualified", "Pipeline", "admin@sandbox.example")
    assert [line["quantity"] for line in deal["products"]] == [3]
    assert set(account.control("state?only=stages,users")) == {"stages", "users"}


def test_control_costs_nothing_and_needs_no_token(account):
    before = account.control("ledger")["total"]
    assert httpx.Client(transport=account.http._transport).get("http://x/__sandbox/counters").status_code == 200
    assert account.control("ledger")["total"] == before
    assert account.control("counters")["requests"] == {
        "POST /api/v2/deals": 1, "POST /api/v2/products": 1, "POST /api/v2/deals/{id}/products": 1,
    }  # fmt: skip


def test_the_clock_moves(account):
    assert account.control("clock", {"advance_days": 1, "advance_seconds": 5}) == {"now": "2026-11-21T09:00:05Z"}


@pytest.mark.parametrize(
    ("kind", "status", "is_done"),
    [
        ("status_before", 500, False),
        ("status_after", 500, True),
        ("drop_before", None, False),
        ("drop_after", None, True),
        ("burst_429", 429, False),
        ("daily_429", 429, False),
        ("delay", 200, True),
        ("truncate", 200, True),
        ("malformed", 200, True),
    ],
)
def test_a_fault_strikes_before_or_after_the_work(account, kind, status, is_done):
    account.control("fault", {"kind": kind, "method": "POST", "path": "/deals", "seconds": 0.5})
    if status is None:
        with pytest.raises(httpx.ReadError):
            account.post("deals", {"title": "y"})
    else:
        response = account.post("deals", {"title": "y"})
        assert response.status_code == status
        if kind in ("truncate", "malformed"):
            with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
                response.json()
    assert len(account.data("deals")) == (2 if is_done else 1)
    assert account.post("deals", {"title": "z"}).status_code == 200


def test_faults_count(account):
    order = {
        "kind": "status_before",
        "method": "GET",
        "path": "/api/v2/deals/{id}",
        "after": 1,
        "times": 2,
        "status": 503,
    }
    account.control("fault", order)
    assert [account.get("deals/1").status_code for _ in range(4)] == [200, 503, 503, 200]
    account.control("fault", {"kind": "status_before", "path": "/deals", "times": 9})
    account.http.request("DELETE", "/__sandbox/fault")
    assert account.get("deals/1").status_code == 200


def test_the_two_429s_differ_in_their_headers_only():
    account = Account(burst=100, daily_tokens=1000)
    for kind in ("burst_429", "daily_429"):
        account.control("fault", {"kind": kind})
    burst, daily = account.get("deals"), account.get("deals")
    assert burst.json() == daily.json()
    assert (burst.headers["x-ratelimit-remaining"], burst.headers["x-daily-ratelimit-token-remaining"]) == ("0", "1000")
    assert (daily.headers["x-ratelimit-remaining"], daily.headers["x-daily-ratelimit-token-remaining"]) == ("100", "0")


def test_many_threads_may_call_at_once(account):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: account.deal(title=str(number))["id"], range(200)))
    assert sorted(made) == list(range(2, 202))


def test_wrong_control_calls_say_what_would_be_right(account):
    assert account.http.get("/__sandbox/nothing").status_code == 404
    assert account.http.post("/__sandbox/fault", json={"kind": "x"}).status_code == 400
    assert account.http.post("/__sandbox/change", json={"kind": "x"}).status_code == 400
    assert account.http.post("/__sandbox/clock", json={"advance": 1}).status_code == 400


def _change(account, **wanted):
    return account.control("change", wanted)


def test_people_edit_deals_by_name(account):
    account.field("deal", "Artikelgroepen", "set", "Kaarsen", "Lampen")
    account.advance(10)
    _change(account, kind="edit_deal", id=1, fields={"title": "y", "custom_fields": {"Artikelgroepen": ["Lampen"]}})
    deal = account.control("state")["deals"][0]
    assert (deal["title"], deal["custom_fields"], deal["update_time"]) == (
        "y", {"Artikelgroepen": ["Lampen"]}, "2026-11-20T09:00:10Z",
    )  # fmt: skip


def test_people_change_rows(account):
    new = _change(account, kind="add_deal_product", deal_id=1, fields={"product_id": 1, "quantity": 1, "item_price": 5})
    assert account.data("deals/1")["value"] == 11
    _change(account, kind="edit_deal_product", id=new["id"], fields={"quantity": 2})
    assert account.data("deals/1")["value"] == 16
    _change(account, kind="move_deal_product", id=new["id"], place=1)
    assert [line["id"] for line in account.data("deals/1/products", sort_by="order_nr")] == [2, 1]
    _change(account, kind="delete_deal_product", id=1)
    assert account.data("deals/1")["value"] == 10


def test_people_delete_and_merge_deals(account):
    account.deal(title="z")
    _change(account, kind="merge_deals", id=1, into=2)
    assert [deal["id"] for deal in account.data("deals")] == [2]
    assert [line["deal_id"] for line in account.data("deals/2/products")] == [2]
    assert account.data("deals/2")["value"] == 6
    _change(account, kind="delete_deal", id=2)
    assert account.data("deals") == []


def test_people_take_away_what_others_stand_on(account):
    account.field("deal", "Leverstatus", "enum", "Open", "Geleverd")
    _change(account, kind="edit_deal", id=1, fields={"custom_fields": {"Leverstatus": "Open"}})
    _change(account, kind="delete_option", entity="deal", field="Leverstatus", option="Open")
    assert account.control("state")["deals"][0]["custom_fields"] == {"Leverstatus": None}
    _change(account, kind="delete_field", entity="deal", field="Leverstatus")
    assert account.data("deals/1")["custom_fields"] == {}
    _change(account, kind="delete_stage", id=1)
    assert account.data("deals/1")["stage_id"] == 2
    _change(account, kind="rename_pipeline", id=1, name="Verkoop")
    assert account.data("pipelines/1")["name"] == "Verkoop"
    _change(account, kind="delete_product", id=1, for_good=True)
    assert account.data("deals/1/products")[0]["product_id"] is None
    _change(account, kind="delete_pipeline", id=1)
    assert account.data("deals") == []
    assert account.post("deals", {"title": "x"}).status_code == 400
