"""Finding and making pipeline, stages, fields, options and users in a simulated account."""

from collections import Counter
from typing import Any

import httpx
import pytest

from pipeline.errors import Full, GiveUp, HoldRow, OutcomeUnknown, RetryLater
from pipeline.pipedrive.client import PipedriveClient, answered
from pipeline.pipedrive.fields import PATHS, custom_fields
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.schema import Schema
from pipeline.pipedrive.setup import complete
from pipeline_tests.sandbox.pipedrive_transport import BASE_URL, Account, SimulatorTransport

STAGES = {"new": "Nieuw", "backorder": "Wacht op backorder", "shipped": "Verzonden"}
GROUPS = {"VAZEN": "Vazen", "KOMMEN": "Kommen"}


@pytest.fixture
def account() -> Account:
    return Account()


def client_of(account: Account, burst: int | None = None) -> PipedriveClient:
    transport = SimulatorTransport(account.simulator)
    return PipedriveClient(transport, BASE_URL, "sandbox", Ledger(30_000, 30_000, burst=burst))


def set_up(
    account: Account, known: Schema | None = None, *, burst: int | None = None, **wanted: Any
) -> tuple[Schema, bool]:
    """Everything found or made, for these item groups and settings; `burst` is the window that answers told."""
    settings = {"administrations": {"nl": "nl"}, "item_groups": GROUPS, "collections": None, "category_amounts": False}
    return complete(
        client_of(account, burst),
        known or Schema(),
        pipeline="Bestellingen",
        stages=STAGES,
        fields=custom_fields(**(settings | wanted)),
    )


def writes(account: Account) -> Counter[str]:
    """How often each writing endpoint was asked since the counters were set to 0."""
    asked = account.control("counters")["requests"]
    return Counter({endpoint: count for endpoint, count in asked.items() if not endpoint.startswith("GET")})


def forget_counts(account: Account) -> None:
    account.http.delete("/__sandbox/counters")


def types(account: Account, entity: str) -> dict[str, str]:
    """Name and type of the custom fields."""
    found = account.simulator.state("fields")["fields"][entity]
    return {field["field_name"]: field["field_type"] for field in found if field["is_custom_field"]}


def labels(account: Account, entity: str, name: str) -> list[str]:
    found = account.simulator.state("fields")["fields"][entity]
    return [option["label"] for field in found if field["field_name"] == name for option in field["options"]]


def test_the_first_time_everything_is_made(account: Account):
    schema, used_before = set_up(account)
    assert used_before is False
    state = account.simulator.state("pipelines", "stages")
    (pipeline,) = [row for row in state["pipelines"] if row["name"] == "Bestellingen"]
    stages = [row["name"] for row in state["stages"] if row["pipeline_id"] == pipeline["id"]]
    assert (schema.pipeline_id, stages) == (pipeline["id"], list(STAGES.values()))
    assert types(account, "deal") == {
        "Exact order-ID": "varchar",
        "Ordernummer": "varchar",
        "Orderdatum": "date",
        "Leverdatum": "date",
        "Klantreferentie": "varchar",
        "Leverstatus": "enum",
        "Factuurstatus": "enum",
        "Betaalstatus": "enum",
        "Artikelgroepen": "set",
        "Hoofdgroep": "enum",
        "Administratie": "enum",
    }
    assert types(account, "organization") == {
        "Debiteurnummer": "varchar",
        "Exact account-ID": "varchar",
        "Administratie": "enum",
        "Laatste order": "date",
        "Omzet 12 maanden": "monetary",
        "Openstaand": "monetary",
        "Slapend": "enum",
    }
    assert types(account, "person") == {"Exact contact-ID": "varchar"}
    assert types(account, "product") == {"Artikelgroep": "enum", "Artikelstatus": "enum", "Exact item-ID": "varchar"}


@pytest.mark.parametrize(
    ("entity", "name", "expected"),
    [
        ("deal", "Leverstatus", ["Open", "Deels geleverd", "Geleverd"]),
        ("deal", "Factuurstatus", ["Open", "Deels gefactureerd", "Gefactureerd"]),
        ("deal", "Betaalstatus", ["Open", "Deels betaald", "Betaald", "Te laat"]),
        ("deal", "Artikelgroepen", ["Vazen", "Kommen"]),
        ("deal", "Hoofdgroep", ["Vazen", "Kommen"]),
        ("deal", "Administratie", ["nl"]),
        ("organization", "Slapend", ["Ja", "Nee"]),
        ("product", "Artikelstatus", ["Actief", "Vervallen"]),
    ],
)
def test_options_are_called_what_the_contract_calls_them(account: Account, entity: str, name: str, expected: list[str]):
    set_up(account)
    assert labels(account, entity, name) == expected


def test_the_second_time_nothing_is_made_and_the_same_is_found(account: Account):
    first, _ = set_up(account)
    forget_counts(account)
    again, used_before = set_up(account)
    assert (writes(account), used_before) == (Counter(), True)
    assert again == first
    known, _ = set_up(account, first)
    assert (writes(account), known) == (Counter(), first)


def test_fields_and_options_of_the_settings_are_made_where_they_are_wanted(account: Account):
    schema, _ = set_up(account, collections={"Zomer": "Zomer"}, category_amounts=True)
    assert types(account, "product")["Collectie"] == "enum"
    assert {name: kind for name, kind in types(account, "deal").items() if name.startswith("Omzet ")} == {
        "Omzet Vazen": "monetary",
        "Omzet Kommen": "monetary",
    }
    assert schema.option("product", "Collectie", "Zomer") is not None


def test_a_field_that_would_have_no_option_waits_until_it_has_one(account: Account):
    schema, _ = set_up(account, item_groups={})
    assert "Hoofdgroep" not in types(account, "deal")
    set_up(account, schema)
    assert labels(account, "deal", "Hoofdgroep") == ["Vazen", "Kommen"]


def test_a_new_group_becomes_an_option_more(account: Account):
    first, _ = set_up(account)
    forget_counts(account)
    schema, _ = set_up(account, first, item_groups=GROUPS | {"LAMPEN": "Lampen"})
    assert labels(account, "deal", "Hoofdgroep") == ["Vazen", "Kommen", "Lampen"]
    assert writes(account).total() == 3  # two fields of deals and one of products
    assert schema.option("deal", "Hoofdgroep", "VAZEN") == first.option("deal", "Hoofdgroep", "VAZEN")


def test_a_renamed_group_renames_its_option(account: Account):
    first, _ = set_up(account)
    schema, _ = set_up(account, first, item_groups=GROUPS | {"VAZEN": "Glaswerk"})
    for entity, name in (("deal", "Artikelgroepen"), ("deal", "Hoofdgroep"), ("product", "Artikelgroep")):
        assert labels(account, entity, name) == ["Glaswerk", "Kommen"]
        assert schema.option(entity, name, "VAZEN") == first.option(entity, name, "VAZEN")


def test_a_group_that_takes_over_the_name_of_another_shares_its_option(account: Account):
    first, _ = set_up(account)
    schema, _ = set_up(account, first, item_groups={"VAZEN": "Kommen", "KOMMEN": "Kommen"})
    assert schema.option("deal", "Hoofdgroep", "VAZEN") == first.option("deal", "Hoofdgroep", "KOMMEN")
    assert sorted(labels(account, "deal", "Hoofdgroep")) == ["Kommen", "Vazen"]


def test_an_option_that_two_groups_share_keeps_its_name_for_the_one_that_was_not_renamed(account: Account):
    first, _ = set_up(account, item_groups={"A": "Vazen", "B": "Vazen"})
    schema, _ = set_up(account, first, item_groups={"A": "Glaswerk", "B": "Vazen"})
    assert schema.option("deal", "Hoofdgroep", "B") == first.option("deal", "Hoofdgroep", "B")
    assert schema.option("deal", "Hoofdgroep", "A") != schema.option("deal", "Hoofdgroep", "B")


def test_an_option_somebody_removed_is_made_again(account: Account):
    first, _ = set_up(account)
    code, option = first.code("deal", "Hoofdgroep"), first.option("deal", "Hoofdgroep", "VAZEN")
    assert account.delete(f"dealFields/{code}/options", [{"id": option}]).is_success
    schema, _ = set_up(account, first)
    assert labels(account, "deal", "Hoofdgroep") == ["Kommen", "Vazen"]
    assert schema.option("deal", "Hoofdgroep", "VAZEN") != option


def test_a_pipeline_and_stages_that_are_there_are_used(account: Account):
    pipeline = account.made("pipelines", {"name": "Bestellingen"})["id"]
    shipped = account.made("stages", {"name": "Verzonden", "pipeline_id": pipeline})["id"]
    new = account.made("stages", {"name": "Nieuw", "pipeline_id": pipeline})["id"]
    forget_counts(account)
    schema, _ = set_up(account)
    assert (schema.pipeline_id, schema.stages["shipped"], schema.stages["new"]) == (pipeline, shipped, new)
    assert (writes(account)["POST /api/v2/pipelines"], writes(account)["POST /api/v2/stages"]) == (0, 1)


def test_a_stage_of_that_name_in_another_pipeline_is_not_ours(account: Account):
    elsewhere = account.made("stages", {"name": "Nieuw", "pipeline_id": 1})["id"]
    schema, _ = set_up(account)
    assert schema.stages["new"] != elsewhere


def test_fields_that_people_made_by_that_name_are_used(account: Account):
    code = account.field("organization", "Debiteurnummer", "varchar")["field_code"]
    status = account.field("product", "Artikelstatus", "enum", "Vervallen", "Actief")
    schema, used_before = set_up(account)
    assert (schema.code("organization", "Debiteurnummer"), used_before) == (code, False)
    ids = {option["label"]: option["id"] for option in status["options"]}
    assert schema.option("product", "Artikelstatus", "active") == ids["Actief"]
    assert schema.option("product", "Artikelstatus", "ended") == ids["Vervallen"]


@pytest.mark.parametrize(("entity", "name"), [("deal", "Exact order-ID"), ("product", "Exact item-ID")])
def test_a_field_only_this_pipeline_makes_shows_that_it_was_here_before(account: Account, entity: str, name: str):
    account.field(entity, name, "varchar")
    assert set_up(account)[1] is True


def test_a_field_of_another_type_is_a_sentence_and_stays_as_it_is(account: Account):
    account.field("deal", "Orderdatum", "varchar")
    with pytest.raises(GiveUp, match='deal field "Orderdatum" of type varchar, but date is needed: rename that field'):
        set_up(account)
    assert types(account, "deal")["Orderdatum"] == "varchar"


def test_a_plan_without_room_for_another_field_is_a_sentence():
    with pytest.raises(GiveUp, match='does not take the deal field "Orderdatum"'):
        set_up(Account(field_cap=2))


def amount_fields(account: Account) -> dict[str, str]:
    """Name and key of the fields for revenue by item group."""
    found = account.simulator.state("fields")["fields"]["deal"]
    return {one["field_name"]: one["field_code"] for one in found if one["field_name"].startswith("Omzet ")}


@pytest.mark.parametrize(
    ("cap", "burst", "room"),
    [
        (30, 20, 5),  # Lite: nine tenths of 30 fields, 22 of which are taken
        (25, 20, 3),  # fewer than the plan is known for: the refusal tells
        (30, 33, 8),  # a plan nobody knows: likewise
        (100, 40, 12),
    ],
    ids=["Lite", "a cap below the plan's", "no known plan", "Growth"],
)
def test_of_the_fields_for_item_groups_the_first_are_made_as_far_as_the_plan_has_room(cap: int, burst: int, room: int):
    account, groups = Account(field_cap=cap), {f"{number:02}": f"Groep {number}" for number in range(12)}
    schema, _ = set_up(account, burst=burst, item_groups=groups, category_amounts=True)
    assert list(amount_fields(account)) == [f"Omzet {name}" for name in list(groups.values())[:room]]
    assert schema.left_out == list(groups.values())[room:]
    wanted = custom_fields(administrations={"nl": "nl"}, item_groups=groups, collections=None, category_amounts=True)
    assert schema.lacks(wanted, STAGES) is False
    forget_counts(account)
    again, _ = set_up(account, schema, burst=burst, item_groups=groups, category_amounts=True)
    assert again == schema
    made = {
        name: key for (entity, name), key in schema.fields.items() if entity == "deal" and name.startswith("Omzet ")
    }
    assert made == amount_fields(account)
    assert writes(account).total() == (room in {3, 8})  # one field is asked for again, and refused


@pytest.mark.parametrize(
    ("before", "after", "names", "contradicts"),
    [
        ({"A": "Vazen"}, {"A": "Potten"}, {"Omzet Vazen": "Omzet Potten"}, False),
        (
            {"A": "Vazen", "B": "Potten"},
            {"A": "Potten", "B": "Vazen"},
            {"Omzet Vazen": "Omzet Potten", "Omzet Potten": "Omzet Vazen"},
            True,
        ),
        ({"A": "Vazen", "B": "Vazen"}, {"A": "Vazen", "B": "Potten"}, {"Omzet Vazen": "Omzet Vazen"}, True),
        (
            {"A": "Vazen", "B": "Potten"},
            {"A": "Vazen", "B": "Vazen"},
            {"Omzet Vazen": "Omzet Vazen", "Omzet Potten": "Omzet Potten"},
            True,
        ),
        (
            {"A": "Vazen", "B": "Potten"},
            {"A": "Glas", "B": "Glas"},
            {"Omzet Vazen": "Omzet Glas", "Omzet Potten": "Omzet Potten"},
            True,
        ),
    ],
    ids=["renamed", "names swapped", "one of two of a name renamed", "renamed to another's name", "both to a new name"],
)
def test_a_field_for_revenue_stays_with_its_group_whatever_that_is_called(
    account: Account, before: dict[str, str], after: dict[str, str], names: dict[str, str], contradicts: bool
):
    known, _ = set_up(account, item_groups=before, category_amounts=True)
    there = amount_fields(account)
    schema, _ = set_up(account, known, item_groups=after, category_amounts=True)
    now = {key: name for name, key in amount_fields(account).items()}
    assert {name: now[key] for name, key in there.items()} == names
    assert {f"Omzet {label}" for label in after.values()} <= set(now.values())
    assert set(now) == {key for (_, name), key in schema.fields.items() if name.startswith("Omzet ")} - {
        schema.code("organization", "Omzet 12 maanden")
    }
    assert schema.contradicts(known) is contradicts


def test_users_are_known_by_their_e_mail_in_small_letters(account: Account):
    users = set_up(account)[0].users
    assert users["sanne@sandbox.example"].is_active
    assert [e_mail for e_mail, user in users.items() if user.is_token_owner] == ["admin@sandbox.example"]
    assert all(e_mail == e_mail.lower() for e_mail in users)


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ({}, False),
        ({"item_groups": GROUPS | {"LAMPEN": "Lampen"}}, True),
        ({"item_groups": GROUPS | {"VAZEN": "Glaswerk"}}, True),
        ({"item_groups": {"VAZEN": "Vazen"}}, False),
        ({"item_groups": {}}, False),
        ({"administrations": {"nl": "nl", "be": "be"}}, True),
        ({"category_amounts": True}, True),
        ({"collections": {}}, False),
        ({"collections": {"Zomer": "Zomer"}}, True),
    ],
)
def test_what_is_known_tells_whether_pipedrive_has_to_be_asked(account: Account, change: dict[str, Any], lacks: bool):
    schema, _ = set_up(account)
    settings = {"administrations": {"nl": "nl"}, "item_groups": GROUPS, "collections": None, "category_amounts": False}
    assert schema.lacks(custom_fields(**(settings | change)), STAGES) is lacks


def test_an_account_never_seen_lacks_everything():
    assert Schema().lacks([], []) is True


def test_every_kind_of_record_has_its_fields_somewhere():
    every = custom_fields(administrations={}, item_groups={}, collections={}, category_amounts=False)
    assert {field.entity for field in every} == set(PATHS)
    assert len({(field.entity, field.name) for field in every}) == len(every)


# --- what an answer means ---

REQUEST = {
    "GET": httpx.Request("GET", f"{BASE_URL}/api/v2/deals"),
    "POST": httpx.Request("POST", f"{BASE_URL}/api/v2/deals"),
}


@pytest.mark.parametrize(
    ("method", "status", "body", "error", "sentence"),
    [
        ("GET", 500, b"", RetryLater, "with 500 and no usable result"),
        ("POST", 500, b"", OutcomeUnknown, "with 500 and no usable result"),
        ("POST", 503, b"<html>", OutcomeUnknown, "with 503"),
        ("GET", 200, b"<html>", RetryLater, "with 200"),
        ("POST", 201, b"", OutcomeUnknown, "with 201"),
        ("POST", 200, b'{"success": false}', OutcomeUnknown, "with 200"),
        ("GET", 401, b'{"error": "unauthorized access"}', GiveUp, "PIPEDRIVE_API_TOKEN and PIPEDRIVE_BASE_URL"),
        ("POST", 402, b'{"error": "pay"}', GiveUp, r"\(402 pay\): the company's subscription"),
        ("POST", 403, b'{"error": "no"}', HoldRow, "refused it: 403 no; check the rights"),
        (
            "POST",
            403,
            b'{"error": "full", "code": "feature_capping_deals"}',
            Full,
            "plan allows no more of these: full",
        ),
        ("GET", 404, b"<html>", GiveUp, "There is no /api/v2/deals .*PIPEDRIVE_BASE_URL"),
        ("POST", 404, b'{"error": "Deal not found"}', HoldRow, "404 Deal not found"),
        ("POST", 400, b'{"error": "title is required"}', HoldRow, "400 title is required"),
        ("POST", 422, b"{}", HoldRow, "422 without a reason"),
        ("POST", 400, b"[]", HoldRow, "400 without a reason"),
    ],
)
def test_a_refusal_says_what_to_do_next(method: str, status: int, body: bytes, error: type, sentence: str):
    with pytest.raises(error, match=sentence) as raised:
        answered(httpx.Response(status, content=body, request=REQUEST[method]))
    assert type(raised.value) is error


def paged(*cursors: str | None) -> PipedriveClient:
    """A client whose list gives one row and one of these cursors a page."""
    left = iter(enumerate(cursors))

    def handler(request: httpx.Request) -> httpx.Response:
        number, cursor = next(left)
        return httpx.Response(200, json={"data": [{"id": number}], "additional_data": {"next_cursor": cursor}})

    return PipedriveClient(httpx.MockTransport(handler), BASE_URL, "sandbox", Ledger(1, 1))


def test_a_list_is_read_to_its_last_page():
    assert list(paged("a", "b", None).pages("/api/v2/deals")) == [[{"id": 0}], [{"id": 1}], [{"id": 2}]]


def test_a_list_that_leads_back_is_refused():
    with pytest.raises(GiveUp, match="leads back"):
        list(paged("a", "b", "a", None).pages("/api/v2/deals"))


@pytest.mark.parametrize(("status", "body"), [(404, b'{"error": "gone"}'), (410, b""), (200, b'{"data": {"id": 1}}')])
def test_removing_what_is_gone_already_is_no_mistake(status: int, body: bytes):
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(status, content=body)

    PipedriveClient(httpx.MockTransport(handler), BASE_URL, "sandbox", Ledger(1, 1)).delete("/api/v2/x/1")
    assert asked == ["DELETE"]
