"""Each question about Pipedrive that nobody could answer has a switch with its possible answers."""

import pytest
from typer.testing import CliRunner

from pipeline.sandbox.commands import sandbox
from pipeline.sandbox.pipedrive import answers, plan
from pipeline_tests.sandbox.pipedrive_transport import Account, refusal


@pytest.mark.parametrize(
    ("answer", "status", "add_time"),
    [("refused", 400, None), ("ignored", 200, "2026-11-20T09:00:00Z"), ("taken", 200, "2020-01-01T00:00:00Z")],
)
def test_add_time_of_a_deal(answer, status, add_time):
    response = Account(deal_add_time=answer).post("deals", {"title": "x", "add_time": "2020-01-01T00:00:00Z"})
    assert response.status_code == status
    assert response.json().get("data", {}).get("add_time") == add_time


def test_the_body_of_a_429_and_its_advice():
    account = Account(burst=1, short_429_body=True, retry_after=3)
    account.get("deals")
    refused = account.get("deals")
    assert refused.json() == {"success": False, "error": "request over limit"}
    assert refused.headers["retry-after"] == "3"


def test_the_last_request_of_a_day_may_cost_more_than_is_left():
    for allowed, statuses in ((False, [200, 429]), (True, [200, 200, 429])):
        account = Account(daily_tokens=7, daily_overdraft=allowed)
        assert [account.post("deals", {"title": "x"}).status_code for _ in statuses] == statuses


def test_searches_may_count_in_the_general_window():
    for counts, status in ((False, 200), (True, 429)):
        account = Account(burst=1, search_burst=5, search_in_burst=counts)
        account.get("deals/search", term="xx")
        assert account.get("deals").status_code == status


def test_cursors_may_grow_old():
    account = Account(cursor_lifetime_seconds=60)
    for _ in range(3):
        account.deal()
    cursor = account.get("deals", limit=1).json()["additional_data"]["next_cursor"]
    account.advance(59)
    assert account.get("deals", cursor=cursor).status_code == 200
    account.advance(2)
    assert refusal(account.get("deals", cursor=cursor)) == (400, "Validation failed: cursor: has expired")


def test_null_may_be_refused_where_the_request_model_does_not_name_it():
    for clears, status in ((True, 200), (False, 400)):
        account = Account(null_clears=clears)
        account.deal(expected_close_date="2026-12-01")
        assert account.patch("deals/1", {"expected_close_date": None}).status_code == status
        assert account.patch("deals/1", {"org_id": None, "person_id": None}).status_code == 200


def test_a_404_may_carry_a_code():
    assert Account().get("deals/1").json() == {"success": False, "error": "Deal not found", "code": "ERR_NOT_FOUND"}
    assert Account(not_found_code=None).get("deals/1").json() == {"success": False, "error": "Deal not found"}


def test_a_deleted_deal_may_be_gone_at_once():
    account = Account(deleted_get=404)
    account.deal()
    account.delete("deals/1")
    assert account.get("deals/1").status_code == 404


def test_a_problem_with_a_custom_field_may_name_its_code():
    for names, ending in ((True, " (field_code: {})"), (False, "must be a string")):
        account = Account(field_problem_names_code=names)
        code = account.field("deal", "x", "varchar")["field_code"]
        assert refusal(account.post("deals", {"title": "x", "custom_fields": {code: 1}}))[1].endswith(
            ending.format(code)
        )


def test_lengths_that_are_not_known():
    assert Account(title_limit=None).post("deals", {"title": "x" * 999}).status_code == 200
    account = Account(comments_limit=10)
    account.deal()
    account.product()
    line = {"product_id": 1, "item_price": 1, "quantity": 1, "comments": "x" * 11}
    assert account.post("deals/1/products", line).status_code == 400
    account = Account(notes_per_deal=1, note_limit=5)
    account.deal()
    bodies = ({"content": "too long", "deal_id": 1}, {"content": "x", "deal_id": 1}, {"content": "x", "deal_id": 1})
    assert [account.post("/v1/notes", body).status_code for body in bodies] == [400, 200, 400]


def test_editing_what_is_frozen_may_have_another_status():
    account = Account(frozen_edit_status=403)
    account.deal()
    account.patch("deals/1", {"is_archived": True})
    assert account.patch("deals/1", {"title": "x"}).status_code == 403


def test_archived_deals_may_take_products():
    account = Account(products_on_archived_deals=True)
    account.deal(is_archived=True)
    account.product()
    assert account.post("deals/1/products", {"product_id": 1, "item_price": 1, "quantity": 1}).status_code == 201


def test_fresh_deals_may_be_missing_from_updated_since():
    for shown, count in ((True, 1), (False, 0)):
        account = Account(fresh_in_updated_since=shown)
        account.deal()
        assert len(account.data("deals", updated_since="2026-11-20T00:00:00Z")) == count


def test_a_patch_of_the_value_may_empty_custom_fields():
    for resets, kept in ((False, "1"), (True, None)):
        account = Account(patch_value_resets=resets)
        code = account.field("deal", "x", "varchar")["field_code"]
        account.deal(custom_fields={code: "1"})
        assert account.patch("deals/1", {"value": 5}).json()["data"]["custom_fields"] == {code: kept}


def test_a_line_may_move_the_update_time_of_its_deal():
    for touches, moment in ((False, "2026-11-20T09:00:00Z"), (True, "2026-11-20T09:01:00Z")):
        account = Account(lines_touch_deal=touches)
        account.deal()
        account.product()
        account.post("deals/1/products", {"product_id": 1, "item_price": 1, "quantity": 1})
        account.data("deals/1")
        account.advance(60)
        account.patch("deals/1/products/1", {"comments": "x"})
        assert account.data("deals/1")["update_time"] == moment


def test_the_currency_may_be_frozen_by_products():
    account = Account(currency_with_products="refused")
    account.deal()
    account.product()
    account.post("deals/1/products", {"product_id": 1, "item_price": 1, "quantity": 1})
    assert account.patch("deals/1", {"currency": "USD"}).status_code == 400
    assert account.patch("deals/1", {"currency": "EUR"}).status_code == 200


def test_dates_of_closing_may_be_bounded():
    account = Account(close_time_years=10)
    body = {"title": "x", "status": "won", "won_time": "1999-01-01T00:00:00Z"}
    assert account.post("deals", body).status_code == 400
    assert account.post("deals", body | {"won_time": "2020-01-01T00:00:00Z"}).status_code == 200


def test_quantities_may_be_negative():
    account = Account(negative_quantity=True)
    account.deal()
    account.product()
    assert account.made("deals/1/products", {"product_id": 1, "item_price": 2, "quantity": -3})["sum"] == -6


def test_search_may_page_by_start():
    account = Account(search_paging="start", search_lag_seconds=0)
    for _ in range(2):
        account.deal()
    page = account.get("deals/search", term="Bestelling", limit=1).json()["additional_data"]["pagination"]
    assert page == {"start": 0, "limit": 1, "more_items_in_collection": True, "next_start": 1}
    assert len(account.data("deals/search", term="Bestelling", start=1)["items"]) == 1


def test_lite_shows_no_recurring_revenue_and_contact_sync_opens_its_fields():
    account = Account(recurring_revenue=False, contact_sync=True)
    account.deal()
    account.product()
    account.post("deals/1/products", {"product_id": 1, "item_price": 1, "quantity": 1})
    assert account.data("deals/1")["acv"] is None
    assert account.post("persons", {"name": "x", "job_title": "inkoper"}).json()["data"]["job_title"] == "inkoper"


def test_detaching_many_costs_what_is_set():
    account = Account(bulk_delete_cost=15)
    account.deal()
    account.delete("deals/1/products")
    assert account.control("ledger")["endpoints"]["DELETE /api/v2/deals/{id}/products"] == 15


def test_apps_have_a_window_of_their_own():
    account = Account(burst=1, oauth_burst=2)
    login = ("sandbox", "sandbox")
    form = {"grant_type": "refresh_token", "refresh_token": "sandbox"}
    token = account.http.post("/oauth/token", data=form, auth=login).json()["access_token"]
    account.get("deals")
    del account.http.headers["x-api-token"]
    account.http.headers["authorization"] = f"Bearer {token}"
    assert [account.get("deals").status_code for _ in range(3)] == [200, 200, 429]


def test_the_token_may_be_refused_in_the_query():
    account = Account(query_token="refused")
    del account.http.headers["x-api-token"]
    assert account.get("deals", api_token="sandbox").status_code == 401


def test_the_daily_headers_may_be_missing_after_a_pause():
    account = Account(daily_tokens=1000, headers_missing_after_pause=2)

    def told():
        return ["x-daily-ratelimit-token-remaining" in account.get("deals").headers for _ in range(3)]

    assert told() == [False, False, True]
    account.advance(3599)
    assert told() == [True, True, True]
    account.advance(3600)
    assert told() == [False, False, True]


def test_the_old_rule_about_writes_may_still_hold():
    account = Account(daily_writes=2)
    assert [account.deal()["id"], account.deal()["id"]] == [1, 2]
    refused = account.patch("deals/1", {"title": "y"})
    assert (refused.status_code, refused.headers["x-daily-requests-left"]) == (429, "0")
    assert account.get("deals").headers["x-daily-requests-left"] == "0"
    account.advance(15 * 3600)
    assert account.patch("deals/1", {"title": "y"}).headers["x-daily-requests-left"] == "1"


@pytest.mark.parametrize(("answer", "additional"), [("null", {"next_cursor": None}), ("omitted", {}), ("bare", None)])
@pytest.mark.parametrize("path", ["deals", "stages", "dealFields?limit=500", "deals/search?term=Bestelling"])
def test_the_end_of_a_list_may_be_left_out(path, answer, additional):
    account = Account(list_end=answer, search_lag_seconds=0)
    account.deal()
    assert account.http.get(f"/api/v2/{path}").json().get("additional_data") == additional


def test_a_list_that_goes_on_always_says_so():
    account = Account(list_end="bare")
    account.deal()
    account.deal()
    assert account.get("deals", limit=1).json()["additional_data"]["next_cursor"]


@pytest.mark.parametrize("entity", ["deal", "organization", "person", "product"])
def test_a_record_without_custom_values_may_show_null(entity):
    account = Account(empty_custom_fields="null")
    code = account.field(entity, "x", "varchar")["field_code"]
    body = {"title" if entity == "deal" else "name": "x"}
    assert account.made(f"{entity}s", body)["custom_fields"] is None
    assert account.made(f"{entity}s", body | {"custom_fields": {code: "1"}})["custom_fields"] == {code: "1"}


def test_an_unknown_v2_path_may_answer_in_json():
    unknown = Account(unknown_v2_path="json").get("users/me")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "Unknown method .")


@pytest.mark.parametrize(("answer", "status"), [("refused", 400), ("taken", 200)])
def test_a_person_may_need_no_name(answer, status):
    assert Account(nameless_persons=answer).post("persons", {"emails": []}).status_code == status


@pytest.mark.parametrize(("answer", "shown"), [("id", "40"), ("label", "Kaarsen")])
def test_a_category_may_be_read_as_its_label(answer, shown):
    account = Account(category_as=answer)
    account.post("productFields/category/options", [{"label": "Kaarsen"}])
    assert account.product(category=40)["category"] == shown
    assert account.product()["category"] is None


def test_a_deal_may_leave_out_what_it_has_nothing_for():
    account = Account(deal_nulls="omitted")
    assert not {"won_time", "org_id", "update_time"} & account.deal().keys()
    assert {"won_time": None, "org_id": None}.items() <= account.control("state")["deals"][0].items()


@pytest.mark.parametrize(("answer", "status", "title"), [("alone", 400, "Bestelling 1"), ("with_edits", 200, "y")])
def test_an_archived_deal_may_come_back_with_other_edits(answer, status, title):
    account = Account(unarchive=answer)
    account.deal(is_archived=True)
    assert account.patch("deals/1", {"is_archived": False, "title": "y"}).status_code == status
    assert account.data("deals/1")["title"] == title


@pytest.mark.parametrize(
    ("texts", "settings"),
    [
        (["rounding=deal", "burst=null", "lines_touch_deal=true"], {"rounding": "deal", "burst": None}),
        (["recalculation_seconds=2", "api_token=abc"], {"recalculation_seconds": 2, "api_token": "abc"}),
    ],
)
def test_switches_are_set_from_the_command_line(texts, settings):
    found = answers(texts)
    assert settings.items() <= found.items()
    assert Account(**(found | {"api_token": "sandbox"})).get("deals").status_code == 200


@pytest.mark.parametrize(
    "setting",
    [
        {"rounding": "cent"},
        {"second_delete": 500},
        {"burst": "3"},
        {"lines_touch_deal": 1},
        {"seed": 1.5},
        {"server_zone": "x"},
    ],
)
def test_an_answer_that_no_switch_has_is_refused(setting):
    with pytest.raises(ValueError, match="is not an answer"):
        Account(**setting)


def test_an_unknown_switch_or_plan_is_refused():
    with pytest.raises(ValueError, match="no setting"):
        answers(["rouding=deal"])
    with pytest.raises(ValueError, match="one of lite, growth"):
        plan("gold")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--plan", "gold"], "a plan is one of"),
        (["--switch", "rounding=cent"], "is not an answer"),
        (["--switch", "nonsense=1"], "no setting"),
    ],
)
def test_the_command_says_what_is_wrong_with_its_options(options, problem):
    done = CliRunner().invoke(sandbox, ["pipedrive", "--port", "1", *options], terminal_width=200)
    assert done.exit_code == 2
    assert problem in done.output
