"""Search in the simulated Pipedrive: late, and each endpoint with its own idea of equal."""

import pytest

from pipeline_tests.sandbox.pipedrive_transport import Account, refusal


@pytest.fixture
def account():
    account = Account()
    code = account.field("deal", "Exact order-ID", "varchar")["field_code"]
    account.code = code
    account.deal(title="Bestelling 1 – Bakker", custom_fields={code: "Ab-12"})
    account.deal(title="Bestelling 12", custom_fields={code: "ab-123"})
    account.advance(3)
    return account


def _found(account, **query):
    return [row["id"] for row in account.data("itemSearch/field", entity_type="deal", field=account.code, **query)]


def test_a_field_is_searched_with_case(account):
    assert _found(account, term="Ab-12") == [1]
    assert _found(account, term="ab-12") == []
    assert _found(account, term="ab-12", match="beginning") == [2]
    assert _found(account, term="b-12", match="middle") == [1, 2]


def test_the_index_is_some_seconds_late_for_writes_and_deletes(account):
    account.deal(custom_fields={account.code: "new"})
    account.delete("deals/1")
    account.advance(2)
    assert (_found(account, term="new"), _found(account, term="Ab-12")) == ([], [1])
    account.advance(1)
    assert (_found(account, term="new"), _found(account, term="Ab-12")) == ([3], [])


def test_deals_are_searched_without_case_and_shown_without_keys(account):
    hits = account.data("deals/search", term="AB-12", exact_match="true", fields="custom_fields")["items"]
    assert [hit["item"]["id"] for hit in hits] == [1]
    item = hits[0]["item"]
    assert item["custom_fields"] == ["Ab-12"]
    assert item["owner"] == {"id": 20480001}
    assert item["stage"] == {"id": 1, "name": "Qualified"}
    assert [hit["item"]["id"] for hit in account.data("deals/search", term="ab-12")["items"]] == [1, 2]


def test_a_hit_shows_only_the_values_that_hold_the_term(account):
    account.post("/api/v1/notes", {"content": "belt maandag", "deal_id": 1})
    account.advance(3)
    by_title = account.data("deals/search", term="Bakker")["items"][0]["item"]
    assert (by_title["custom_fields"], by_title["notes"]) == ([], [])
    assert account.data("deals/search", term="maandag")["items"][0]["item"]["notes"] == ["belt maandag"]


def test_an_exact_question_may_be_one_letter(account):
    account.deal(custom_fields={account.code: "7"})
    account.advance(3)
    assert _found(account, term="7") == [3]
    assert account.get("itemSearch/field", entity_type="deal", field=account.code, term="7", match="middle").is_error


def test_search_finds_archived_deals_and_says_so(account):
    account.patch("deals/1", {"is_archived": True})
    account.advance(3)
    hits = account.data("itemSearch", term="Ab-12", item_types="deal", exact_match="true")["items"]
    assert [hit["item"]["is_archived"] for hit in hits] == [True]


def test_a_product_is_found_by_its_code(account):
    account.product(code="85123A")
    account.product(code="85123AB")
    account.advance(3)
    query = {"term": "85123a", "fields": "code"}
    assert len(account.data("products/search", **query)["items"]) == 2
    hits = account.data("products/search", exact_match="true", **query)["items"]
    assert [hit["item"]["code"] for hit in hits] == ["85123A"]


def test_pages_of_hits(account):
    first = account.get("deals/search", term="Bestelling", limit=1).json()
    rest = account.get("deals/search", term="Bestelling", cursor=first["additional_data"]["next_cursor"]).json()
    assert [hit["item"]["id"] for hit in first["data"]["items"] + rest["data"]["items"]] == [1, 2]
    assert rest["additional_data"]["next_cursor"] is None


@pytest.mark.parametrize(
    ("path", "params", "problem"),
    [
        ("deals/search", {}, "term: Parameter 'term' is required"),
        ("deals/search", {"term": "x"}, "term: must be at least 2 characters long"),
        ("itemSearch", {"term": "xx", "limit": 101}, "limit: must be less than or equal to 100"),
        ("itemSearch", {"term": "xx", "item_types": "order"}, "item_types: must be one of"),
        ("itemSearch/field", {"term": "xx"}, "entity_type: Parameter 'entity_type' is required"),
        ("itemSearch/field", {"term": "xx", "entity_type": "deal", "field": "f" * 40}, "field: 'ffff"),
        ("organizations/search", {"term": "xx", "fields": "title"}, "fields: must be one of"),
    ],
)
def test_questions_that_do_not_fit(account, path, params, problem):
    status, text = refusal(account.get(path, **params))
    assert status == 400
    assert text.startswith(f"Validation failed: {problem}")


def test_dates_and_options_are_not_searched(account):
    code = account.field("deal", "Orderdatum", "date")["field_code"]
    assert account.get("itemSearch/field", term="2026", entity_type="deal", field=code).status_code == 400


def test_hits_may_come_as_items():
    account = Account(field_search_shape="items", search_lag_seconds=0)
    account.deal(title="Bestelling 7")
    hits = account.data("itemSearch/field", term="Bestelling 7", entity_type="deal", field="title")
    assert [(hit["item"]["id"], hit["item"]["title"]) for hit in hits] == [(1, "Bestelling 7")]


def test_deals_are_searched_by_person_organization_and_status(account):
    account.made("organizations", {"name": "Bakker BV", "address": {"value": "Dorpsstraat 1"}})
    account.made("persons", {"name": "Jan", "org_id": 1, "emails": [{"value": "jan@bakker.example"}]})
    account.deal(title="Bestelling 3", org_id=1, person_id=1, status="won")
    account.advance(3)
    for asked in ({"organization_id": 1}, {"person_id": 1}, {"status": "won"}):
        assert [hit["item"]["id"] for hit in account.data("deals/search", term="Bestelling", **asked)["items"]] == [3]
    item = account.data("deals/search", term="Bestelling 3")["items"][0]["item"]
    assert item["organization"] == {"id": 1, "name": "Bakker BV", "address": "Dorpsstraat 1"}
    assert item["person"] == {"id": 1, "name": "Jan"}


def test_persons_are_found_by_their_addresses(account):
    account.made("persons", {"name": "Jan", "emails": [{"value": "jan@bakker.example"}], "phones": [{"value": "0612"}]})
    account.advance(3)
    for asked in (
        {"term": "jan@bakker", "fields": "email"},
        {"term": "0612", "fields": "phone", "exact_match": "true"},
    ):
        item = account.data("persons/search", **asked)["items"][0]["item"]
        assert (item["emails"], item["phones"], item["organization"]) == (["jan@bakker.example"], ["0612"], None)


def test_what_the_sandbox_does_not_have_is_not_found(account):
    assert account.data("itemSearch", term="Bakker", item_types="lead,file")["items"] == []
    assert account.data("itemSearch/field", term="Bakker", entity_type="lead", field="title") == []
