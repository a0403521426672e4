"""Organizations, persons, products, pipelines, stages and users of the simulated Pipedrive."""

import pytest

from pipeline_tests.sandbox.pipedrive_transport import ADMIN, SANNE, Account, refusal


@pytest.fixture
def account():
    return Account()


def test_an_organization_may_be_dated_back_when_it_is_made(account):
    response = account.post("organizations", {"name": "Bakker BV", "add_time": "2019-01-02T03:04:05Z"})
    assert response.status_code == 200
    assert response.json()["additional_data"] == {"didMerge": False}
    made = response.json()["data"]
    assert (made["add_time"], made["update_time"], made["address"]) == ("2019-01-02T03:04:05Z", None, None)
    assert account.patch("organizations/1", {"add_time": "2019-01-02T03:04:05Z"}).status_code == 400


def test_parts_of_an_address_that_are_not_sent_become_null(account):
    account.made("organizations", {"name": "x", "address": {"value": "Dorpsstraat 1", "country": "NL"}})
    changed = account.patch("organizations/1", {"address": {"value": "Dorpsstraat 2"}}).json()["data"]
    assert (changed["address"]["value"], changed["address"]["country"]) == ("Dorpsstraat 2", None)
    assert changed["update_time"] == "2026-11-20T09:00:00Z"


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("organizations", {}, "name: Parameter 'name' is required"),
        ("organizations", {"name": "x", "address": "Dorpsstraat"}, "address: must be an object"),
        ("organizations", {"name": "x", "address": {"country": "NL"}}, "address: must have 'value'"),
        ("organizations", {"name": "x", "industry": 3}, "industry: is not an option of this field"),
        ("organizations", {"name": "x", "update_time": "2026-01-01T00:00:00Z"}, "update_time: Parameter"),
        ("persons", {"name": "x", "email": "a@b.example"}, "email: Parameter 'email' is not allowed"),
        ("persons", {"name": "x", "emails": ["a@b.example"]}, "emails: must be an object"),
        ("persons", {"name": "x", "org_id": 4}, "org_id: Organization 4 not found"),
        ("products", {"name": "x", "prices": [{"price": 1}]}, "prices: must have 'currency'"),
        ("products", {"name": "x", "prices": {"EUR": 1}}, "prices: must be an array"),
        ("products", {"name": "x", "prices": [{"currency": "EUR"}] * 2}, "prices: must hold one price"),
        ("products", {"name": "x", "category": "Kaarsen"}, "category: must be an integer"),
        ("products", {"name": "x", "tax": "21"}, "tax: must be a number"),
        ("stages", {"name": "x"}, "pipeline_id: Parameter 'pipeline_id' is required"),
        ("stages", {"name": "x", "pipeline_id": 1, "order_nr": 1}, "order_nr: Parameter 'order_nr' is not allowed"),
        ("pipelines", {"name": ""}, "name: must not be empty"),
    ],
)
def test_bodies_that_do_not_fit(account, path, body, problem):
    status, text = refusal(account.post(path, body))
    assert status == 400
    assert text.startswith(f"Validation failed: {problem}")


def test_a_product_without_a_price_costs_nothing_in_the_companys_currency(account):
    response = account.post("products", {"name": "Lampion", "code": "85123A"})
    assert response.status_code == 201
    made = response.json()["data"]
    assert made["update_time"] == made["add_time"]
    assert made["prices"] == [
        {"product_id": 1, "price": 0, "currency": "EUR", "cost": 0, "direct_cost": None, "notes": ""}
    ]


def test_prices_that_are_sent_replace_all_others(account):
    account.product(prices=[{"currency": "EUR", "price": 5}, {"currency": "USD", "price": 6}])
    changed = account.patch("products/1", {"prices": [{"currency": "USD", "price": 7}]}).json()["data"]
    assert [(price["currency"], price["price"]) for price in changed["prices"]] == [("USD", 7)]


def test_a_person_splits_the_name_and_marks_one_address(account):
    mails = [{"value": "a@b.example"}, {"value": "c@d.example", "primary": True, "label": "work"}]
    person = account.made("persons", {"name": "Jan van Dijk", "emails": mails})
    assert (person["first_name"], person["last_name"]) == ("Jan", "van Dijk")
    assert [mail["primary"] for mail in person["emails"]] == [False, True]
    assert account.post("persons", {"name": "x", "job_title": "y"}).status_code == 403


def test_a_person_is_found_by_organization_and_by_deal(account):
    account.made("organizations", {"name": "x"})
    account.made("persons", {"name": "a"})
    account.made("persons", {"name": "b", "org_id": 1})
    account.deal(person_id=1)
    assert [person["id"] for person in account.data("persons", org_id=1)] == [2]
    assert [person["id"] for person in account.data("persons", deal_id=1)] == [1]


@pytest.mark.parametrize("path", ["organizations", "persons", "products"])
def test_deleted_records_are_gone_from_lists_and_take_no_edits(account, path):
    account.made(path, {"name": "x"})
    assert account.delete(f"{path}/1").json()["data"] == {"id": 1}
    assert account.data(path) == []
    assert account.data(f"{path}/1")["is_deleted"] is True
    assert account.patch(f"{path}/1", {"name": "y"}).status_code == 400
    assert account.delete(f"{path}/1").status_code == 404


def test_a_second_delete_may_answer_410():
    account = Account(second_delete=410)
    account.made("persons", {"name": "x"})
    account.delete("persons/1")
    again = account.delete("persons/1")
    assert (again.status_code, again.json()) == (410, {"success": True, "data": {"id": 1}})


def test_lists_of_records_know_updated_since(account):
    account.made("organizations", {"name": "x"})
    account.made("organizations", {"name": "y"})
    account.advance(60)
    account.patch("organizations/1", {"name": "z"})
    asked = {"updated_since": "2026-11-20T09:01:00Z"}
    assert [row["id"] for row in account.data("organizations", **asked)] == [1]
    assert account.get("pipelines", **asked).status_code == 400
    assert account.get("stages", **asked).status_code == 400
    assert account.get("products", updated_until="2026-11-20T09:01:00Z").status_code == 400


def test_a_fresh_account_has_one_pipeline_of_five_stages(account):
    assert [row["name"] for row in account.data("pipelines")] == ["Pipeline"]
    assert [row["order_nr"] for row in account.data("stages", pipeline_id=1)] == [1, 2, 3, 4, 5]


def test_users_are_v1s_and_the_admin_owns_the_token(account):
    users = account.data("/api/v1/users")
    assert [user["email"] for user in users][:2] == ["admin@sandbox.example", "sanne@sandbox.example"]
    me = account.data("/v1/users/me")
    assert (me["id"], me["is_admin"], me["default_currency"], me["timezone_name"]) == (
        ADMIN,
        1,
        "EUR",
        "Europe/Amsterdam",
    )
    found = account.data("/api/v1/users/find", term="SANNE@sandbox.example", search_by_email=1)
    assert [user["id"] for user in found] == [SANNE]
    assert account.get("users/me").status_code == 404


def test_variations_have_prices_of_their_own(account):
    account.product()
    body = {"name": "Rood", "prices": [{"currency": "EUR", "price": 3}]}
    made = account.post("products/1/variations", body)
    assert made.status_code == 201
    assert made.json()["data"]["prices"][0]["product_variation_id"] == 1
    account.deal()
    line = {"product_id": 1, "item_price": 1, "quantity": 1, "product_variation_id": 1}
    assert account.post("deals/1/products", line).json()["data"]["product_variation_id"] == 1
    assert account.post("deals/1/products", line | {"product_variation_id": 9}).status_code == 400
    assert account.patch("products/1/variations/1", {"name": "Blauw"}).json()["data"]["name"] == "Blauw"
    assert account.delete("products/1/variations/1").json()["data"] == {"id": 1}
    assert account.data("products/1/variations") == []


def test_pipelines_and_stages_are_changed_and_take_their_deals_along(account):
    pipeline = account.made("pipelines", {"name": "Bestellingen"})
    stage = account.made("stages", {"name": "Nieuw", "pipeline_id": pipeline["id"], "days_to_rotten": 5})
    deal = account.deal(stage_id=stage["id"])
    assert account.patch("pipelines/2", {"name": "Orders"}).json()["data"]["update_time"] == "2026-11-20T09:00:00Z"
    assert account.patch(f"stages/{stage['id']}", {"pipeline_id": 1}).json()["data"]["pipeline_id"] == 1
    assert account.data(f"deals/{deal['id']}")["pipeline_id"] == 1
    assert account.data(f"stages/{stage['id']}")["days_to_rotten"] == 5
    assert account.delete("stages/1").json()["data"] == {"id": 1}
    assert account.delete("pipelines/1").json()["data"] == {"id": 1}
    assert refusal(account.get("pipelines/1")) == (404, "Pipeline not found")
    assert account.data("deals") == []


def test_a_stage_that_goes_away_sends_its_deals_to_the_first_that_is_left(account):
    account.deal()
    account.delete("stages/1")
    assert account.data("deals/1")["stage_id"] == 2
    for stage in (2, 3, 4, 5):
        account.delete(f"stages/{stage}")
    assert account.data("deals") == []


def test_a_product_is_duplicated_with_its_prices(account):
    account.product(code="85123A", prices=[{"currency": "EUR", "price": 5}])
    twin = account.post("products/1/duplicate")
    assert twin.status_code == 201
    assert (twin.json()["data"]["id"], twin.json()["data"]["prices"][0]["price"]) == (2, 5)
    account.patch("products/2", {"prices": []})
    assert account.data("products/1")["prices"][0]["price"] == 5
    assert [row["name"] for row in account.data("products", sort_by="name", sort_direction="desc")] == [
        "Lampion (copy)", "Lampion",
    ]  # fmt: skip


def test_a_person_is_changed_and_may_change_the_marketing_status_once(account):
    account.made("persons", {"name": "Jan", "phones": [{"value": "06"}]})
    changed = account.patch("persons/1", {"phones": [], "marketing_status": "subscribed"}).json()["data"]
    assert (changed["phones"], changed["update_time"]) == ([], "2026-11-20T09:00:00Z")
    assert account.patch("persons/1", {"marketing_status": "unsubscribed"}).status_code == 403
    shown = account.data("persons/1", include_fields="marketing_status,open_deals_count")
    assert (shown["marketing_status"], shown["open_deals_count"]) == ("subscribed", 0)
    assert account.get("persons/9").status_code == 404


def test_lists_of_records_lag_where_it_is_set_so():
    account = Account(list_lag_seconds=5)
    account.made("organizations", {"name": "x"})
    assert account.data("organizations") == []
    account.advance(6)
    assert len(account.data("organizations", ids="1,7")) == 1


def test_null_may_be_refused_for_records_too():
    account = Account(null_clears=False)
    status, text = refusal(account.post("products", {"name": "x", "code": None}))
    assert (status, text) == (400, "Validation failed: code: must not be null")


def test_users_are_found_by_name_or_id(account):
    assert account.data("/api/v1/users/20480002")["name"] == "Sanne de Vries"
    assert account.get("/api/v1/users/7").status_code == 404
    assert account.get("/api/v1/users/find").status_code == 400
    assert [user["id"] for user in account.data("/api/v1/users/find", term="sanne")] == [SANNE]
