"""Deals as the simulated Pipedrive keeps them: what a body may say, what status entails, how lists page."""

import pytest

from pipeline_tests.sandbox.pipedrive_transport import ADMIN, DAAN, SANNE, Account, refusal

HASH = "a" * 40


@pytest.fixture
def account():
    return Account()


def test_a_deal_starts_with_the_defaults_of_the_account(account):
    deal = account.deal()
    wanted = {
        "id": 1, "value": 0, "currency": "EUR", "owner_id": ADMIN, "creator_user_id": ADMIN, "status": "open",
        "pipeline_id": 1, "stage_id": 1, "add_time": "2026-11-20T09:00:00Z", "update_time": None, "visible_to": 3,
        "won_time": None, "expected_close_date": None, "label_ids": [], "origin": "API", "custom_fields": {},
        "is_deleted": False, "is_archived": False,
    }  # fmt: skip
    assert wanted.items() <= deal.items()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "title: Parameter 'title' is required"),
        ({"title": ""}, "title: must not be empty"),
        ({"title": 5}, "title: must be a string"),
        ({"title": "x" * 256}, "title: must be at most 255 characters"),
        ({"title": "x", "add_time": "2026-01-01T00:00:00Z"}, "add_time: Parameter 'add_time' is not allowed"),
        ({"title": "x", "update_time": "2026-01-01T00:00:00Z"}, "update_time: Parameter 'update_time' is not allowed"),
        ({"title": "x", "origin_id": "4"}, "origin_id: Parameter 'origin_id' is not allowed for this request"),
        ({"title": "x", "user_id": ADMIN}, "user_id: Parameter 'user_id' is not allowed"),
        ({"title": "x", HASH: "1"}, f"{HASH}: Parameter '{HASH}' is not allowed"),
        ({"title": "x", "custom_fields": {HASH: "1"}}, f"custom_fields.{HASH}: Parameter '{HASH}' is not allowed"),
        ({"title": "x", "custom_fields": []}, "custom_fields: must be an object"),
        ({"title": "x", "value": "12"}, "value: must be a number"),
        ({"title": "x", "value": True}, "value: must be a number"),
        ({"title": "x", "currency": "eur"}, "currency: is not a valid currency"),
        ({"title": "x", "status": "deleted"}, "status: must be one of [open, won, lost]"),
        ({"title": "x", "owner_id": "20480001"}, "owner_id: must be a positive integer"),
        ({"title": "x", "owner_id": 3}, "owner_id: User 3 not found"),
        ({"title": "x", "org_id": 3}, "org_id: Organization 3 not found"),
        ({"title": "x", "stage_id": 99}, "stage_id: Stage 99 not found"),
        ({"title": "x", "pipeline_id": 99}, "pipeline_id: Pipeline 99 not found"),
        ({"title": "x", "visible_to": "3"}, "visible_to: must be one of [1, 3, 5, 7]"),
        ({"title": "x", "is_archived": 1}, "is_archived: must be a boolean"),
        ({"title": "x", "is_deleted": True}, "is_deleted: a deal is deleted with DELETE"),
        ({"title": "x", "expected_close_date": "2026-02-30"}, "expected_close_date: is not a valid date"),
        ({"title": "x", "expected_close_date": "2026-02-03T00:00:00Z"}, "expected_close_date: is not a valid date"),
        ({"title": "x", "won_time": "2026-01-01T12:00:00Z"}, "won_time: can only be set when the deal is won"),
        ({"title": "x", "lost_reason": "duur"}, "lost_reason: can only be set when the deal is lost"),
        ({"title": "x", "status": "won", "won_time": "2026-01-01 12:00:00"}, "won_time: is not a valid datetime"),
        ({"title": "x", "status": "won", "won_time": "2026-01-01T12:00:00.5Z"}, "won_time: is not a valid datetime"),
        ({"title": "x", "status": "won", "lost_time": "2026-01-01T12:00:00Z"}, "lost_time: can only be set when"),
        ({"title": "x", "label_ids": [7]}, "label_ids: Label 7 not found"),
        (["title"], "body: must be an object"),
        (None, "body: must be an object"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_makes_no_deal(account, body, problem):
    response = account.post("deals", body)
    assert response.status_code == 400
    assert response.json()["code"] == "ERR_SCHEMA_VALIDATION_FAILED"
    assert response.json()["error"].startswith(f"Validation failed: {problem}")
    assert account.data("deals") == []


def test_all_problems_stand_in_one_text(account):
    status, text = refusal(account.post("deals", {"titel": "x", "value": "1"}))
    assert status == 400
    assert text == (
        "Validation failed: title: Parameter 'title' is required; "
        "titel: Parameter 'titel' is not allowed for this request; value: must be a number"
    )


@pytest.mark.parametrize("content", [b"{", b"", b"title=x", b'{"title":"x","value":NaN}', b"[" * 5000])
def test_only_json_is_taken(account, content):
    assert account.http.post("/api/v2/deals", content=content).status_code == 400


def test_a_deal_can_be_made_won_with_the_date_of_the_order(account):
    deal = account.deal(status="won", won_time="2026-03-01T12:00:00Z")
    assert (deal["status"], deal["won_time"], deal["close_time"], deal["local_won_date"]) == (
        "won", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01",
    )  # fmt: skip


@pytest.mark.parametrize(("switch", "status", "won_time"), [("refused", 400, None), ("ignored", 200, "2026-11-20")])
def test_whether_won_time_is_taken_at_once_can_be_switched(switch, status, won_time):
    account = Account(won_time_on_create=switch)
    response = account.post("deals", {"title": "x", "status": "won", "won_time": "2026-03-01T12:00:00Z"})
    assert response.status_code == status
    if won_time:
        assert response.json()["data"]["won_time"].startswith(won_time)
        later = account.patch("deals/1", {"won_time": "2026-03-01T12:00:00Z"}).json()["data"]
        assert later["won_time"] == later["close_time"] == "2026-03-01T12:00:00Z"


def test_status_moves_in_all_directions_and_takes_its_dates_along(account):
    account.deal(status="won", won_time="2026-03-01T12:00:00Z")
    lost = account.patch("deals/1", {"status": "lost", "lost_reason": "Geannuleerd in Exact"}).json()["data"]
    assert (lost["won_time"], lost["lost_time"], lost["lost_reason"]) == (
        None, "2026-11-20T09:00:00Z", "Geannuleerd in Exact",
    )  # fmt: skip
    again = account.patch("deals/1", {"status": "open"}).json()["data"]
    assert [again[key] for key in ("won_time", "lost_time", "close_time", "lost_reason")] == [None] * 4
    assert account.data("deals/1", include_fields="first_won_time")["first_won_time"] == "2026-03-01T12:00:00Z"


def test_a_repeated_won_keeps_its_time(account):
    account.deal(status="won", won_time="2026-03-01T12:00:00Z")
    account.advance(60)
    again = account.patch("deals/1", {"status": "won", "title": "y"}).json()["data"]
    assert (again["won_time"], again["update_time"]) == ("2026-03-01T12:00:00Z", "2026-11-20T09:01:00Z")


def test_the_stage_wins_over_the_pipeline(account):
    pipeline = account.made("pipelines", {"name": "Bestellingen"})
    stages = [account.made("stages", {"name": name, "pipeline_id": pipeline["id"]}) for name in ("Nieuw", "Klaar")]
    assert account.deal(pipeline_id=pipeline["id"])["stage_id"] == stages[0]["id"]
    both = account.deal(pipeline_id=1, stage_id=stages[1]["id"])
    assert (both["pipeline_id"], both["stage_id"]) == (pipeline["id"], stages[1]["id"])
    moved = account.patch("deals/2", {"pipeline_id": 1}).json()["data"]
    assert (moved["stage_id"], moved["stage_change_time"]) == (1, "2026-11-20T09:00:00Z")


def test_a_deleted_deal_is_gone_from_lists_and_takes_no_edits(account):
    account.deal()
    assert account.delete("deals/1").json() == {"success": True, "data": {"id": 1}}
    assert account.data("deals") == []
    assert [deal["id"] for deal in account.data("deals", status="deleted")] == [1]
    assert account.data("deals/1")["is_deleted"] is True
    assert account.patch("deals/1", {"title": "y"}).status_code == 400
    assert account.delete("deals/1").status_code == 404
    account.advance(31 * 86_400)
    assert account.data("deals", status="deleted") == []
    assert account.get("deals/1").status_code == 404


def test_an_archived_deal_is_hidden_and_frozen_until_it_comes_back(account):
    account.deal()
    product = account.product()
    account.patch("deals/1", {"is_archived": True})
    assert account.data("deals") == []
    assert [deal["archive_time"] for deal in account.data("deals/archived")] == ["2026-11-20T09:00:00Z"]
    assert account.patch("deals/1", {"title": "y"}).status_code == 400
    assert account.patch("deals/1", {"title": "y", "is_archived": False}).status_code == 400
    line = {"product_id": product["id"], "item_price": 1, "quantity": 1}
    assert account.post("deals/1/products", line).status_code == 400
    assert account.patch("deals/1", {"is_archived": False}).json()["data"]["archive_time"] is None
    assert len(account.data("deals")) == 1


def test_a_plan_that_is_full_takes_no_more_deals_until_one_is_archived():
    account = Account(deal_cap=2)
    account.deal(status="won")
    account.deal()
    response = account.post("deals", {"title": "x"})
    assert response.status_code == 403
    assert response.json()["code"] == "feature_capping_deals_limit"
    assert response.json()["error"] == "Couldn't add the deal. Open deals limit reached."
    account.patch("deals/1", {"is_archived": True})
    account.deal()
    assert account.patch("deals/1", {"is_archived": False}).status_code == 403


def test_pages_walk_through_all_deals_once(account):
    for number in range(7):
        account.deal(title=f"deal {number}")
    seen, cursor = [], {}
    while True:
        page = account.get("deals", limit=3, sort_direction="desc", **cursor).json()
        seen += [deal["id"] for deal in page["data"]]
        if page["additional_data"]["next_cursor"] is None:
            break
        cursor = {"cursor": page["additional_data"]["next_cursor"]}
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_pages_by_update_time_hold_where_many_share_a_second(account):
    for _ in range(5):
        account.deal()
    account.advance(10)
    for deal in (4, 2):
        account.patch(f"deals/{deal}", {"value": 5})
    seen, cursor = [], {}
    for _ in range(3):
        page = account.get("deals", limit=2, sort_by="update_time", **cursor).json()
        seen += [deal["id"] for deal in page["data"]]
        cursor = {"cursor": page["additional_data"]["next_cursor"]}
    assert seen == [1, 3, 5, 2, 4]
    assert cursor == {"cursor": None}


def test_lists_filter(account):
    org = account.made("organizations", {"name": "Bakker BV"})
    account.deal(owner_id=SANNE, org_id=org["id"])
    account.deal(owner_id=DAAN, status="won")
    account.advance(5)
    account.deal(owner_id=DAAN)
    asked = {
        "owner_id": (DAAN, [2, 3]),
        "org_id": (org["id"], [1]),
        "status": ("won,lost", [2]),
        "ids": ("3,1,77", [1, 3]),
        "updated_since": ("2026-11-20T09:00:05Z", [3]),
        "updated_until": ("2026-11-20T10:00:05+01:00", [1, 2]),
    }
    assert {
        key: [deal["id"] for deal in account.data("deals", **{key: value})] for key, (value, _) in asked.items()
    } == {key: wanted for key, (_, wanted) in asked.items()}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"add_time": "x"}, "add_time: Parameter 'add_time' is not allowed for this request"),
        ({"start": "0"}, "start: Parameter 'start' is not allowed for this request"),
        ({"updated_since": "2026-11-20T09:00:00.000Z"}, "updated_since: is not a valid datetime"),
        ({"updated_since": "2026-11-20 09:00:00"}, "updated_since: is not a valid datetime"),
        ({"limit": "501"}, "limit: must be less than or equal to 500"),
        ({"limit": "0"}, "limit: must be a positive integer"),
        ({"cursor": "abc"}, "cursor: is not valid"),
        ({"ids": ",".join(map(str, range(1, 102)))}, "ids: must have at most 100 items"),
        ({"sort_by": "title"}, "sort_by: must be one of [id, update_time, add_time]"),
        ({"status": "open,gone"}, "status: must be one of [open, won, lost, deleted]"),
        ({"custom_fields": ",".join("abcdefghijklmnop")}, "custom_fields: must have at most 15 items"),
    ],
)
def test_a_query_that_does_not_fit_is_refused(account, params, problem):
    response = account.http.get("/api/v2/deals", params=params)
    assert refusal(response) == (400, f"Validation failed: {problem}")


def test_a_limit_that_is_too_high_can_be_clamped():
    assert Account(over_limit="clamped").get("deals", limit=501).status_code == 200


def test_unknown_ids_paths_and_methods(account):
    assert refusal(account.get("deals/77")) == (404, "Deal not found")
    assert account.get("deals/abc").status_code == 400
    unknown = account.get("/api/v2/dealz")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert account.get("/v1/dealz").json()["error"] == "Unknown method ."
    assert account.http.put("/api/v2/deals/1", json={}).status_code == 405


def test_an_inactive_colleague_owns_nothing_new(account):
    account.control("change", {"kind": "deactivate_user", "user": "sanne@sandbox.example"})
    assert account.post("deals", {"title": "x", "owner_id": SANNE}).status_code == 400
    assert account.data("/api/v1/users/20480002")["active_flag"] is False


def test_list_lag_keeps_fresh_deals_out_of_lists_only():
    account = Account(list_lag_seconds=5)
    account.deal()
    assert account.data("deals") == []
    assert account.data("deals/1")["id"] == 1
    account.advance(6)
    assert len(account.data("deals")) == 1


def test_a_pipeline_without_stages_takes_no_deal(account):
    account.made("pipelines", {"name": "Leeg"})
    account.deal()
    for response in (
        account.post("deals", {"title": "x", "pipeline_id": 2}),
        account.patch("deals/1", {"pipeline_id": 2}),
    ):
        assert refusal(response) == (400, "Validation failed: pipeline_id: Pipeline 2 has no stages")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("deals", {"title": "x"}, 200),
        ("persons", {"name": "x"}, 200),
        ("organizations", {"name": "x"}, 200),
        ("activities", {"subject": "x"}, 200),
        ("pipelines", {"name": "x"}, 200),
        ("stages", {"name": "x", "pipeline_id": 1}, 200),
        ("products", {"name": "x"}, 201),
        ("deals/1/products", {"product_id": 1, "item_price": 1, "quantity": 1}, 201),
        ("deals/1/products/bulk", {"data": [{"product_id": 1, "item_price": 1, "quantity": 1}]}, 201),
        ("deals/1/discounts", {"description": "x", "amount": 1, "type": "amount"}, 201),
        ("products/1/variations", {"name": "x"}, 201),
        ("/api/v1/notes", {"content": "x", "deal_id": 1}, 200),
    ],
)
def test_what_is_made_is_answered_with_200_or_201(account, path, body, status):
    account.deal()
    account.product()
    assert account.post(path, body).status_code == status


def test_more_about_a_deal_is_shown_on_request(account):
    label = account.post("dealFields/label_ids/options", [{"label": "Spoed"}]).json()["data"][0]
    colours = account.field("deal", "Artikelgroepen", "set", "Kaarsen", "Lampen")
    ids = [option["id"] for option in colours["options"]]
    account.deal(label_ids=[label["id"]], custom_fields={colours["field_code"]: ids})
    asked = "products_count,notes_count,smart_bcc_email,next_activity_id,files_count"
    shown = account.data("deals/1", include_fields=asked, include_labels="true", include_option_labels="true")
    assert [shown[key] for key in ("products_count", "notes_count", "next_activity_id", "files_count")] == [
        0,
        0,
        None,
        0,
    ]
    assert shown["labels"] == [{"id": label["id"], "label": "Spoed", "color": None}]
    assert shown["custom_fields"][colours["field_code"]] == [
        {"id": ids[0], "label": "Kaarsen"}, {"id": ids[1], "label": "Lampen"},
    ]  # fmt: skip
    assert "products_count" not in account.data("deals/1")


def test_a_deal_comes_back_from_deletion_by_is_deleted_alone(account):
    account.deal()
    account.delete("deals/1")
    assert account.patch("deals/1", {"is_deleted": False, "title": "y"}).status_code == 400
    assert account.patch("deals/1", {"is_deleted": False}).json()["data"]["is_deleted"] is False
    assert len(account.data("deals")) == 1


@pytest.mark.parametrize("moment", ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05"])
def test_the_moment_of_archiving_may_be_given_in_both_forms(account, moment):
    account.deal()
    archived = account.patch("deals/1", {"is_archived": True, "archive_time": moment}).json()["data"]
    assert archived["archive_time"] == "2026-01-02T03:04:05Z"
