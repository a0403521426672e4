"""Custom fields of the simulated Pipedrive: making them, what each type takes, how empty ones look."""

import pytest

from pipeline_tests.sandbox.pipedrive_transport import SANNE, Account, refusal


@pytest.fixture
def account():
    return Account()


def test_a_field_is_made_listed_renamed_and_deleted(account):
    made = account.field("deal", "Ordernummer", "varchar")
    assert len(made["field_code"]) == 40
    assert made["is_custom_field"] is True
    listed = account.data("dealFields", limit=500)
    assert [field["field_name"] for field in listed if field["is_custom_field"]] == ["Ordernummer"]
    assert "title" in [field["field_code"] for field in listed]
    account.deal(custom_fields={made["field_code"]: "20240001"})
    path = f"dealFields/{made['field_code']}"
    assert account.patch(path, {"field_name": "Order"}).json()["data"]["field_name"] == "Order"
    assert account.patch(path, {"field_type": "text"}).status_code == 400
    assert account.delete(path).status_code == 200
    assert account.get(path).status_code == 404
    assert account.data("deals/1")["custom_fields"] == {}


def test_every_custom_field_is_there_even_when_empty(account):
    order = account.field("deal", "Ordernummer", "varchar")["field_code"]
    date = account.field("deal", "Orderdatum", "date")["field_code"]
    account.field("organization", "Debiteurnummer", "varchar")
    deal = account.deal(custom_fields={order: "1"})
    assert deal["custom_fields"] == {order: "1", date: None}
    assert account.data("deals", custom_fields=date)[0]["custom_fields"] == {date: None}
    cleared = account.patch("deals/1", {"custom_fields": {order: None}}).json()["data"]
    assert cleared["custom_fields"] == {order: None, date: None}


def test_options_come_and_go_in_raw_arrays(account):
    field = account.field("deal", "Leverstatus", "enum", "Open", "Geleverd")
    path, code = f"dealFields/{field['field_code']}/options", field["field_code"]
    new = account.post(path, [{"label": "Deels geleverd"}]).json()["data"]
    assert [option["label"] for option in new] == ["Deels geleverd"]
    account.deal(custom_fields={code: new[0]["id"]})
    assert account.patch(path, [{"id": new[0]["id"], "label": "Half"}]).json()["data"][0]["label"] == "Half"
    shown = account.data("deals/1", include_option_labels="true")["custom_fields"][code]
    assert shown == {"id": new[0]["id"], "label": "Half"}
    assert account.post(path, [{"label": "nieuw"}, {"label": "Open"}]).status_code == 400
    assert account.post(path, {"data": []}).status_code == 400
    assert account.delete(path, [{"id": new[0]["id"]}]).status_code == 200
    assert account.data("deals/1")["custom_fields"] == {code: None}
    assert account.delete(path, [{"id": 999}]).status_code == 400


def test_option_ids_belong_to_one_field_only(account):
    first = account.field("deal", "Leverstatus", "enum", "Open")
    second = account.field("deal", "Factuurstatus", "enum", "Open")
    body = {"title": "x", "custom_fields": {second["field_code"]: first["options"][0]["id"]}}
    assert refusal(account.post("deals", body))[0] == 400


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"field_name": "x"}, "field_type: Parameter 'field_type' is required"),
        ({"field_name": "x", "field_type": "boolean"}, "field_type: must be one of"),
        ({"field_name": "x", "field_type": "enum"}, "options: Parameter 'options' is required"),
        ({"field_name": "x", "field_type": "varchar", "options": [{"label": "a"}]}, "options: Parameter 'options' is"),
        ({"name": "x", "field_name": "x", "field_type": "varchar"}, "name: Parameter 'name' is not allowed"),
        ({"field_name": "x", "field_type": "set", "options": [{"label": "a"}] * 2}, "options: Option 'a' already"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(account, body, problem):
    status, text = refusal(account.post("dealFields", body))
    assert status == 400
    assert text.startswith(f"Validation failed: {problem}")


def test_custom_fields_are_capped_for_the_whole_company():
    account = Account(field_cap=2)
    account.field("deal", "a", "varchar")
    account.field("person", "b", "varchar")
    response = account.post("productFields", {"field_name": "c", "field_type": "varchar"})
    assert (response.status_code, response.json()["code"]) == (403, "feature_capping_custom_fields_limit")


ADDRESS = {"value": "Dorpsstraat 1"} | dict.fromkeys(
    "country admin_area_level_1 admin_area_level_2 locality sublocality route street_number subpremise "
    "postal_code".split()
)
GOOD = [
    ("varchar", "x" * 255, "x" * 255),
    ("varchar", "", None),
    ("text", "x" * 65_000, "x" * 65_000),
    ("double", 1.5, 1.5),
    ("monetary", {"value": 500, "currency": "EUR"}, {"value": 500, "currency": "EUR"}),
    ("monetary", {"value": 500}, {"value": 500, "currency": "EUR"}),
    ("date", "2026-11-20", "2026-11-20"),
    ("daterange", {"value": "2026-11-20", "until": "2026-11-21"}, {"value": "2026-11-20", "until": "2026-11-21"}),
    ("time", {"value": "09:00:00"}, {"value": "09:00:00"}),
    ("user", SANNE, SANNE),
    ("phone", "+31 6", "+31 6"),
    ("address", {"value": "Dorpsstraat 1"}, ADDRESS),
]


@pytest.mark.parametrize(("kind", "value", "kept"), GOOD)
def test_what_a_field_takes(account, kind, value, kept):
    code = account.field("deal", "x", kind)["field_code"]
    assert account.deal(custom_fields={code: value})["custom_fields"] == {code: kept}


BAD = [
    ("varchar", "x" * 256),
    ("varchar", 5),
    ("text", "x" * 65_001),
    ("double", "1.5"),
    ("monetary", 500),
    ("monetary", {"value": "500"}),
    ("monetary", {"value": 5, "currency": "EURO"}),
    ("monetary", {"value": 5, "label": "x"}),
    ("date", "20-11-2026"),
    ("date", "2026-11-20T00:00:00Z"),
    ("date", ""),
    ("time", "09:00"),
    ("user", 1),
    ("org", 1),
    ("people", "1"),
    ("phone", 31),
    ("address", "Dorpsstraat 1"),
    ("address", {"country": "NL"}),
]


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_what_a_field_refuses(account, kind, value):
    code = account.field("deal", "x", kind)["field_code"]
    status, text = refusal(account.post("deals", {"title": "x", "custom_fields": {code: value}}))
    assert status == 400
    assert text.startswith(f"Validation failed: custom_fields.{code}: ")


@pytest.mark.parametrize("value", ["Open", "40", 7, [], {}])
def test_an_enum_takes_an_options_number_only(account, value):
    code = account.field("deal", "x", "enum", "Open")["field_code"]
    assert account.post("deals", {"title": "x", "custom_fields": {code: value}}).status_code == 400


@pytest.mark.parametrize("value", [[], ["40"], 40, "40", [40, 40], [7]])
def test_a_set_takes_options_numbers_only_and_never_an_empty_list(account, value):
    field = account.field("deal", "x", "set", "Kaarsen", "Lampen")
    ids = [option["id"] for option in field["options"]]
    assert ids == [40, 41]
    assert account.post("deals", {"title": "x", "custom_fields": {field["field_code"]: value}}).status_code == 400
    good = account.deal(custom_fields={field["field_code"]: [41, 40]})
    assert good["custom_fields"] == {field["field_code"]: [40, 41]}


def test_an_unknown_code_can_be_switched_to_be_ignored():
    account = Account(unknown_custom_field="ignored")
    assert account.deal(custom_fields={"f" * 40: 1})["custom_fields"] == {}


def test_labels_and_categories_are_options_of_system_fields(account):
    label = account.post("personFields/label_ids/options", [{"label": "Naar Exact"}]).json()["data"][0]
    person = account.made("persons", {"name": "Jan", "label_ids": [label["id"]]})
    assert account.data(f"persons/{person['id']}", include_labels="true")["labels"][0]["label"] == "Naar Exact"
    category = account.post("productFields/category/options", [{"label": "Kaarsen"}]).json()["data"][0]
    assert account.product(category=category["id"])["category"] == str(category["id"])
    assert account.post("dealFields/title/options", [{"label": "x"}]).status_code == 403
    assert account.delete("dealFields/title").status_code == 403


def test_two_accounts_have_different_codes():
    codes = {Account(seed=None).field("deal", "x", "varchar")["field_code"] for _ in range(2)}
    assert len(codes) == 2


def test_a_field_shows_where_it_is_seen_on_request(account):
    body = {
        "field_name": "x", "field_type": "varchar", "description": "van de ERP",
        "ui_visibility": {"add_visible_flag": True}, "required_fields": {"enabled": True, "stage_ids": [1]},
    }  # fmt: skip
    code = account.made("dealFields", body)["field_code"]
    shown = account.data(f"dealFields/{code}", include_fields="ui_visibility,required_fields,important_fields")
    assert shown["description"] == "van de ERP"
    assert shown["ui_visibility"] == {"add_visible_flag": True, "details_visible_flag": True}
    assert (shown["required_fields"]["enabled"], shown["important_fields"]["enabled"]) == (True, False)
    assert "ui_visibility" not in account.data(f"dealFields/{code}")


def test_a_system_option_that_goes_away_leaves_the_records(account):
    label = account.post("dealFields/label_ids/options", [{"label": "Spoed"}]).json()["data"][0]
    account.deal(label_ids=[label["id"]])
    account.delete("dealFields/label_ids/options", [{"id": label["id"]}])
    assert account.data("deals/1")["label_ids"] == []


def test_fields_come_in_pages(account):
    first = account.get("dealFields", limit=20).json()
    rest = account.get("dealFields", limit=500, cursor=first["additional_data"]["next_cursor"]).json()
    codes = [field["field_code"] for field in first["data"] + rest["data"]]
    assert len(codes) == len(set(codes)) == len(account.data("dealFields", limit=500))


def test_activities_have_fields_that_can_only_be_read(account):
    assert "subject" in [field["field_code"] for field in account.data("activityFields")]
    assert account.post("activityFields", {"field_name": "x", "field_type": "varchar"}).status_code == 405
