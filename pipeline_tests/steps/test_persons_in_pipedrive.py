"""Persons under lost answers, refusals, spent days and hands in Pipedrive: none twice, none forgotten."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from pipeline.errors import RetryLater
from pipeline.sandbox.company_rows import Contact
from pipeline.sandbox.pipedrive import person_requests
from pipeline.sandbox.pipedrive.refusals import invalid
from pipeline.steps.audit import Audit, audit
from pipeline.steps.plan import plan
from pipeline_tests.steps.hands import hand
from pipeline_tests.steps.test_faults import forgetful
from pipeline_tests.steps.test_persons import one_contact, organizations, persons
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_reading, first_sync

PATH = "/api/v2/persons"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)


@pytest.fixture
def landed(worlds: Worlds) -> Iterator[World]:
    with worlds.after(first_reading(orders=6, products=20)) as world:
        yield world


@pytest.fixture
def synced(worlds: Worlds) -> Iterator[World]:
    with worlds.after(first_sync(orders=6, products=20)) as world:
        yield world


def audited(world: World, *, full: bool = True) -> Audit:
    return audit(world.engine, world.pipedrive_client, world.config, full=full, daily_tokens=10_000_000)


def assert_all_there(world: World) -> None:
    """A person for each contact that is wanted, as it is wanted, and another run has nothing to do."""
    shown, linked = persons(world), organizations(world)
    wanted = world.ask("SELECT * FROM crm.persons")
    assert {row.contact_id for row in wanted} == set(shown)
    for row in wanted:
        assert shown[row.contact_id]["name"] == row.name
        assert shown[row.contact_id]["org_id"] == linked.get(row.customer_id)
    assert world.ask("SELECT * FROM pipedrive.intents WHERE kind = 'persons'") == []
    asked = world.requests()
    world.sync()
    assert world.requests() == asked


@pytest.mark.parametrize("kind", ["drop_after", "status_after", "truncate"])
def test_a_person_whose_answer_is_lost_is_looked_up_and_never_made_twice(landed: World, kind: str):
    landed.control("fault", {"kind": kind, "method": "POST", "path": PATH, "times": 3, "after": 2, "status": 502})
    for _ in range(3):
        with suppress(RetryLater):
            landed.write()
    assert_all_there(landed)


def test_a_person_in_doubt_is_found_by_search_when_no_list_shows_it(synced: World):
    contact = one_contact(synced)
    person = persons(synced)[contact.id]
    with synced.engine.begin() as tx:
        tx.exec_driver_sql(
            "INSERT INTO pipedrive.intents (administration, kind, key, intended_at, body) SELECT administration, "
            "'persons', contact_id, now() + interval '1 hour', written FROM pipedrive.persons WHERE person_id = %s",
            (person["id"],),
        )
        tx.exec_driver_sql(
            "INSERT INTO state.pending (stage, administration, key) SELECT 'pipedrive/persons', administration, "
            "contact_id FROM pipedrive.persons WHERE person_id = %s",
            (person["id"],),
        )
        tx.exec_driver_sql("DELETE FROM pipedrive.persons WHERE person_id = %s", (person["id"],))
    synced.wait(7 * 3600)
    synced.write()
    assert synced.requests()["GET /api/v2/itemSearch/field"] == 1
    assert persons(synced)[contact.id]["id"] == person["id"]
    assert_all_there(synced)


def test_the_first_load_costs_five_tokens_a_person_and_the_plan_says_so(landed: World):
    wanted = landed.ask("SELECT count(*) AS persons FROM crm.persons")[0].persons
    planned = plan(landed.engine, landed.config, 10_000_000)
    assert planned.as_dict()["persons"] == {"create": wanted, "update": 0, "tokens": 5 * wanted}
    report = landed.write()
    assert report.tallies["persons"].created == wanted
    booked = {row.request: row.tokens for row in landed.ask("SELECT request, tokens FROM pipedrive.token_usage")}
    assert booked["POST /api/v2/persons"] == 5 * wanted
    assert not any("/persons" in request for request in booked if not request.startswith("POST"))


def test_persons_come_after_the_rows_of_deals_and_wait_for_a_day_with_tokens(landed: World):
    landed.control("fault", {"kind": "daily_429", "method": "POST", "path": PATH, "times": 100, "after": 3})
    report = landed.write()
    assert report.stopped
    assert report.tallies["persons"].left == len(landed.ask("SELECT * FROM crm.persons")) - 3
    assert report.tallies["deal_products"].left == report.tallies["deals"].left == 0
    assert landed.ask("SELECT * FROM pipedrive.intents") == []
    landed.control_off("fault")
    landed.write()
    assert_all_there(landed)


def test_a_warehouse_that_forgot_everything_recognises_its_persons(synced: World):
    before = persons(synced)
    again = forgetful(synced)
    again.sync()
    after = persons(again)
    assert {key: one["id"] for key, one in after.items()} == {key: one["id"] for key, one in before.items()}
    assert_all_there(again)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"name": "Iemand anders"}, "name"),
        ({"emails": [{"value": "ander@example.nl"}]}, "emails"),
        ({"phones": []}, "phones"),
        ({"org_id": None}, "org_id"),
        ({"custom_fields": {"Exact contact-ID": None}}, "Exact contact-ID"),
    ],
    ids=str,
)
@pytest.mark.parametrize("full", [True, False], ids=["full", "since the last"])
def test_a_field_of_the_erp_is_put_back(synced: World, fields: dict[str, Any], shown: str, full: bool):
    audited(synced)
    contact = one_contact(synced)
    before = persons(synced)[contact.id]
    hand(synced, "edit_person", id=before["id"], fields=fields)
    found = audited(synced, full=full)
    assert +found.fields == {shown: 1}
    after = persons(synced)[contact.id]
    assert {name: after[name] for name in before if name != "update_time"} == {
        name: before[name] for name in before if name != "update_time"
    }


def test_what_the_sales_team_added_stays(synced: World):
    contact = one_contact(synced)
    person = persons(synced)[contact.id]
    hand(synced, "add_field", entity="person", field="Hobby", type="varchar")
    hand(synced, "edit_person", id=person["id"], fields={"custom_fields": {"Hobby": "zeilen"}, "visible_to": 1})
    synced.company.change("contacts", contact.id, last_name="Verhuisd")
    assert +audited(synced).fields == {}
    synced.sync()
    after = persons(synced)[contact.id]
    assert (after["custom_fields"]["Hobby"], after["visible_to"]) == ("zeilen", 1)
    assert after["name"].endswith("Verhuisd")


@pytest.mark.parametrize("notices", ["audit", "change"])
def test_a_person_that_was_deleted_or_merged_is_made_again_once(synced: World, notices: str):
    contact = one_contact(synced)
    gone = persons(synced)[contact.id]["id"]
    hand(synced, "delete_person", id=gone)
    if notices == "audit":
        audited(synced)
    synced.company.change("contacts", contact.id, last_name="Terug")
    synced.sync()
    assert persons(synced)[contact.id]["id"] != gone
    assert_all_there(synced)


def test_one_who_left_and_was_deleted_by_hand_is_not_made_again(synced: World):
    contact = one_contact(synced)
    synced.company.delete("contacts", contact.id)
    synced.sync()
    hand(synced, "delete_person", id=persons(synced)[contact.id]["id"])
    audited(synced)
    synced.sync()
    assert contact.id not in persons(synced)
    assert synced.ask("SELECT * FROM state.pending WHERE stage = 'pipedrive/persons'") == []


@pytest.mark.parametrize("notices", ["audit", "new colleague"])
def test_persons_move_to_the_organization_that_was_made_again(synced: World, notices: str):
    contact = one_contact(synced)
    gone = organizations(synced)[contact.account_id]
    hand(synced, "delete_organization", id=gone)
    if notices == "audit":
        audited(synced)
    else:
        synced.company.add("contacts", Contact(synced.company.new_id(), contact.account_id, 9_999, "Nieuwe", "Collega"))
    synced.sync()
    assert organizations(synced)[contact.account_id] != gone
    synced.sync()
    assert_all_there(synced)


def test_persons_of_an_organization_that_was_refused_follow_when_it_is_there(landed: World):
    landed.control(
        "fault", {"kind": "status_before", "method": "POST", "path": "/api/v2/organizations", "times": 1, "status": 422}
    )
    landed.write()
    refused = landed.ask("SELECT reason FROM pipedrive.rejected WHERE kind = 'persons'")
    assert {row.reason for row in refused} == {"its organization is not in Pipedrive, see why that was refused"}
    with landed.engine.begin() as tx:
        tx.exec_driver_sql(
            "INSERT INTO state.pending (stage, administration, key) SELECT 'pipedrive/organizations', administration, "
            "key FROM pipedrive.rejected WHERE kind = 'organizations'"
        )
    landed.write()
    landed.sync()
    assert landed.ask("SELECT * FROM pipedrive.rejected") == []
    assert_all_there(landed)


def test_a_copy_made_by_hand_is_reported_and_not_fed(synced: World):
    contact = one_contact(synced)
    person = persons(synced)[contact.id]
    copy = hand(synced, "add_person", fields={"name": "Kopie", "custom_fields": {"Exact contact-ID": contact.id}})
    audited(synced)
    duplicates = synced.ask("SELECT record_id, kept_id FROM pipedrive.duplicates WHERE kind = 'persons'")
    assert [(row.record_id, row.kept_id) for row in duplicates] == [(copy["id"], person["id"])]


def picky(monkeypatch: pytest.MonkeyPatch, *parts: str) -> None:
    """Lets the account refuse addresses without @, or numbers with letters: nobody knows whether a real one does."""
    taken = person_requests._check

    def check(company: Any, body: dict[str, Any], row: Any = None) -> None:
        taken(company, body, row)
        for one in body.get("emails", ()) if "emails" in parts else ():
            if "@" not in one["value"]:
                raise invalid([f"emails: {one['value']} is no e-mail address"])
        for one in body.get("phones", ()) if "phones" in parts else ():
            if any(letter.isalpha() for letter in one["value"]):
                raise invalid([f"phones: {one['value']} is no phone number"])

    monkeypatch.setattr(person_requests, "_check", check)


@pytest.mark.parametrize("parts", [("emails",), ("phones",), ("emails", "phones")], ids="+".join)
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "changed"])
def test_what_pipedrive_refuses_of_a_person_is_left_out_and_shown_with_its_words(
    synced: World, monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...], is_new: bool
):
    contact = one_contact(synced)
    if is_new:
        contact = Contact(synced.company.new_id(), contact.account_id, 9_999, "Nieuwe", "Collega")
        synced.company.add("contacts", contact)
    bad = {"business_email": "bel liever", "business_phone": "vraag naar Jan", "business_mobile": None, "mobile": None}
    synced.company.change("contacts", contact.id, **bad)
    with monkeypatch.context() as account:
        picky(account, *parts)
        synced.sync()
        person = persons(synced)[contact.id]
        shown = {"emails": "bel liever", "phones": "vraag naar Jan"}
        for name, value in shown.items():
            assert [one["value"] for one in person[name]] == ([] if name in parts else [value])
        assert person["org_id"] == organizations(synced)[contact.account_id]
        refused = synced.ask("SELECT key, number, reason FROM pipedrive.rejected WHERE kind = 'persons'")
        assert [(row.key, row.number) for row in refused] == [(contact.id, contact.id)]
        assert shown[parts[-1]] in refused[0].reason
        asked = synced.requests()
        synced.sync()
        assert synced.requests() == asked
    good = {"business_email": "jan@example.nl", "business_phone": "020 1234567"}
    synced.company.change("contacts", contact.id, **good)
    synced.sync()
    assert [one["value"] for one in persons(synced)[contact.id]["emails"]] == ["jan@example.nl"]
    assert synced.ask("SELECT * FROM pipedrive.rejected") == []


def test_addresses_that_are_none_and_numbers_with_text_go_as_they_are_where_pipedrive_takes_them(synced: World):
    contact = one_contact(synced)
    odd = {
        "business_email": "geen@",
        "business_phone": "020-1234567 (na 9 uur)",
        "business_mobile": "020-1234567 (na 9 uur)",
    }
    synced.company.change("contacts", contact.id, **odd)
    synced.sync()
    person = persons(synced)[contact.id]
    assert [one["value"] for one in person["emails"]] == ["geen@"]
    assert person["phones"] == [{"value": "020-1234567 (na 9 uur)", "primary": True, "label": "work"}]
