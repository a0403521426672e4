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
        ("status", 500, False),
        ("drop", None, False),
        ("unsuccessful", 200, False),
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


def test_a_page_may_come_twice(account):
    for _ in range(4):
        account.deal()
    account.control("fault", {"kind": "repeat_page", "path": "/deals"})
    pages, cursor = [], {}
    for _ in range(4):
        page = account.get("deals", limit=2, **cursor).json()
        pages.append([deal["id"] for deal in page["data"]])
        cursor = {"cursor": page["additional_data"]["next_cursor"]}
    assert pages == [[1, 2], [1, 2], [3, 4], [5]]
    assert cursor == {"cursor": None}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("fault", {"kind": "x"}),
        ("fault", {"kind": "delay", "seconds": -1}),
        ("fault", {"kind": "delay", "times": "2"}),
        ("fault", {"kind": "status_before", "status": 204}),
        ("fault", {"kind": "status_before", "where": "/deals"}),
        ("change", {"kind": "x"}),
        ("change", {"kind": "edit_deal", "id": 1, "fields": {"title": 5}}),
        ("change", {"kind": "edit_deal", "id": 1, "fields": {"org_id": 5}}),
        ("change", {"kind": "edit_deal", "id": 1, "fields": {"custom_fields": {"no such": 5}}}),
        ("change", {"kind": "edit_deal_product", "id": 1, "fields": {"item_price": 1e14}}),
        ("change", {"kind": "merge_deals", "id": 1, "into": 1}),
        ("change", {"kind": "delete_field", "entity": "deal", "field": "title"}),
        ("change", {"kind": "add_option", "entity": "deal", "field": "title", "option": "x"}),
        ("change", {"kind": "deactivate_user", "user": "nobody"}),
        ("change", {"kind": "add_stage", "fields": {"name": "x"}}),
        ("clock", {"advance": 1}),
        ("clock", {"advance_seconds": -1}),
        ("clock", {"advance_days": 0.5}),
        ("clock", {"advance_days": 1e9}),
        ("webhooks", {"skip": -1}),
        ("state", []),
    ],
)
def test_a_wrong_control_call_is_refused_and_changes_nothing(account, path, body):
    before = account.control("state")
    method = "GET" if path == "state" else "POST"
    response = account.http.request(method, f"/__sandbox/{path}", json=body)
    assert response.status_code == 400
    assert response.json()["error"]
    assert account.control("state") == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "nothing", None), ("PUT", "clock", {}), ("POST", "change", {"kind": "edit_deal", "id": 9, "fields": {}})],
)
def test_what_is_not_there_is_not_found(account, method, path, body):
    assert account.http.request(method, f"/__sandbox/{path}", json=body).status_code == 404


def test_open_faults_are_shown_and_cleared(account):
    account.control("fault", {"kind": "status", "path": "/deals", "skip": 1, "times": 2})
    fault = account.control("fault")["waiting"][0]
    assert (fault["kind"], fault["after"], fault["times"]) == ("status_before", 1, 2)
    assert account.control("fault", {"clear": True}) == {"open": 0}
    assert account.control("counters", {}) == {}
    assert account.control("counters")["total"] == 0


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


def test_people_edit_whatever_there_is(account):
    account.control("change", {"kind": "add_organization", "fields": {"name": "Bakker BV"}})
    account.control("change", {"kind": "add_person", "fields": {"name": "Jan", "emails": [{"value": "a@b.example"}]}})
    account.control("change", {"kind": "add_deal", "fields": {"title": "met de hand", "org_id": 1}})
    _change(account, kind="edit_organization", id=1, fields={"address": {"value": "Dorpsstraat 1"}})
    _change(account, kind="edit_person", id=1, fields={"org_id": 1})
    _change(account, kind="edit_product", id=1, fields={"code": "85123A"})
    _change(account, kind="add_stage", fields={"name": "Klaar", "pipeline_id": 1})
    state = account.control("state")
    assert state["organizations"][0]["address"]["value"] == "Dorpsstraat 1"
    assert (state["persons"][0]["org_id"], state["products"][0]["code"]) == (1, "85123A")
    assert (state["deals"][1]["organization"], state["stages"][-1]["name"]) == ("Bakker BV", "Klaar")
    _change(account, kind="delete_person", id=1)
    assert account.data("persons") == []


def test_people_change_what_can_be_chosen(account):
    _change(account, kind="add_field", entity="deal", field="Leverstatus", type="enum", options=["Open"])
    added = _change(account, kind="add_option", entity="deal", field="Leverstatus", option="Klaar")
    _change(account, kind="rename_option", entity="deal", field="Leverstatus", option="Open", name="Nieuw")
    _change(account, kind="rename_field", entity="deal", field="Leverstatus", name="Status van levering")
    field = next(field for field in account.data("dealFields", limit=500) if field["is_custom_field"])
    assert field["field_name"] == "Status van levering"
    assert [(option["id"], option["label"]) for option in field["options"]] == [(40, "Nieuw"), (added["id"], "Klaar")]
    _change(account, kind="deactivate_user", user=20_480_002)
    _change(account, kind="activate_user", user="sanne@sandbox.example")
    assert all(user["active_flag"] for user in account.data("/api/v1/users"))


def test_notes_and_moments_go_along_with_a_merged_deal(account):
    account.post("/api/v1/notes", {"content": "bel", "deal_id": 1})
    account.deal(title="z")
    _change(account, kind="merge_deals", id=1, into=2)
    assert [note["deal_id"] for note in account.data("/api/v1/notes", deal_id=2)] == [2]
