"""Contacts of the ERP as persons in Pipedrive: made, followed, unlinked, put right, and never two of one contact."""

from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.company_rows import Contact
from pipeline_tests.world import World


@pytest.fixture
def world(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)
    return World(engine, company=seeded_company(orders=6, products=20))


@pytest.fixture
def synced(world: World) -> World:
    world.sync()
    return world


def persons(world: World) -> dict[str, dict[str, Any]]:
    """The persons in Pipedrive by their "Exact contact-ID"."""
    living = [one for one in world.control("state?only=persons")["persons"] if not one["is_deleted"]]
    keyed = {one["custom_fields"]["Exact contact-ID"]: one for one in living}
    assert len(keyed) == len(living)
    return keyed


def organizations(world: World) -> dict[str, int]:
    """The organizations in Pipedrive by their "Exact account-ID"."""
    there = world.control("state?only=organizations")["organizations"]
    return {one["custom_fields"]["Exact account-ID"]: one["id"] for one in there if not one["is_deleted"]}


def one_contact(world: World) -> Contact:
    """A contact whose person is there."""
    shown = persons(world)
    return next(contact for contact in world.company.contacts if contact.id in shown)


def one_that_did_not_order(world: World) -> Contact:
    """A contact at an account without orders."""
    ordering = {order.account_id for order in world.company.orders}
    return next(contact for contact in world.company.contacts if contact.account_id not in ordering)


def test_every_contact_of_a_mirrored_customer_is_a_person(synced: World):
    shown, linked = persons(synced), organizations(synced)
    books = synced.company
    mirrored = [contact for contact in books.contacts if contact.account_id in linked]
    assert set(shown) == {contact.id for contact in mirrored}
    assert len(shown) > 5
    for contact in mirrored:
        person = shown[contact.id]
        parts = (contact.first_name, contact.middle_name, contact.last_name)
        e_mail = contact.business_email or contact.email
        numbers = {"work": contact.business_phone or contact.phone, "mobile": contact.business_mobile or contact.mobile}
        assert person["name"] == " ".join(filter(None, parts))
        assert person["org_id"] == linked[contact.account_id]
        assert [one["value"] for one in person["emails"]] == ([e_mail] if e_mail else [])
        assert {one["label"]: one["value"] for one in person["phones"]} == {k: v for k, v in numbers.items() if v}


def test_a_second_run_has_nothing_to_write_and_asks_pipedrive_nothing(synced: World):
    asked = synced.requests()
    report = synced.sync()
    assert synced.requests() == asked
    assert report.tallies["persons"].unchanged == len(persons(synced))


def test_what_changes_of_a_contact_reaches_the_person_in_one_request(synced: World):
    contact = one_contact(synced)
    changes = {
        "last_name": "Jansen-de Wit",
        "business_email": None,
        "email": "thuis@example.nl",
        "business_mobile": None,
    }
    synced.company.change("contacts", contact.id, **changes, mobile=None)
    report = synced.sync()
    person = persons(synced)[contact.id]
    assert (report.tokens, report.tallies["persons"].updated) == (5, 1)
    assert person["name"].endswith("Jansen-de Wit")
    assert [one["value"] for one in person["emails"]] == ["thuis@example.nl"]
    assert [one["label"] for one in person["phones"]] == ["work"]


def test_what_the_erp_has_no_more_is_emptied(synced: World):
    contact = one_contact(synced)
    gone = ("email", "business_email", "phone", "business_phone", "mobile", "business_mobile")
    synced.company.change("contacts", contact.id, **dict.fromkeys(gone))
    synced.sync()
    person = persons(synced)[contact.id]
    assert (person["emails"], person["phones"]) == ([], [])


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"first_name": None, "middle_name": None, "last_name": None, "business_email": "info@example.nl"}, "e-mail"),
        ({"first_name": " ", "middle_name": None, "last_name": "", "business_email": "", "email": None}, "customer"),
    ],
    ids=["by its e-mail", "by its customer"],
)
def test_a_contact_without_any_name_is_called_something_people_understand(
    synced: World, fields: dict[str, Any], shown: str
):
    contact = one_contact(synced)
    synced.company.change("contacts", contact.id, **fields)
    synced.sync()
    name = synced.company.accounts.rows[contact.account_id].name
    assert persons(synced)[contact.id]["name"] == {"e-mail": "info@example.nl", "customer": name}[shown]


def test_a_person_without_a_name_of_its_own_follows_the_customers_name(synced: World):
    contact = one_contact(synced)
    nameless = dict.fromkeys(("first_name", "middle_name", "last_name", "business_email", "email"))
    synced.company.change("contacts", contact.id, **nameless)
    synced.sync()
    synced.company.rename_customer(contact.account_id, "Bakkerij Nieuw BV")
    synced.sync()
    assert persons(synced)[contact.id]["name"] == "Bakkerij Nieuw BV"


def test_a_contact_that_leaves_is_unlinked_and_not_deleted(synced: World):
    contact = one_contact(synced)
    before = persons(synced)[contact.id]
    synced.company.delete("contacts", contact.id)
    report = synced.sync()
    after = persons(synced)[contact.id]
    assert report.tallies["persons"].updated == 1
    assert (after["id"], after["org_id"], after["name"]) == (before["id"], None, before["name"])
    assert after["emails"] == before["emails"]
    assert synced.requests().keys().isdisjoint({"DELETE /api/v2/persons/{id}"})


def test_a_contact_that_leaves_before_it_was_a_person_becomes_none(world: World):
    contact = next(iter(world.company.contacts))
    world.land()
    world.refresh()
    world.company.delete("contacts", contact.id)
    world.sync()
    assert contact.id not in persons(world)
    assert world.ask("SELECT * FROM state.pending WHERE stage = 'pipedrive/persons'") == []


def test_contacts_of_an_account_that_is_no_customer_any_more_are_unlinked_and_come_back_with_it(synced: World):
    account_id = one_that_did_not_order(synced).account_id
    theirs = {one.id for one in synced.company.contacts if one.account_id == account_id}
    synced.company.change("accounts", account_id, status="P")
    synced.sync()
    assert {persons(synced)[key]["org_id"] for key in theirs} == {None}
    synced.company.change("accounts", account_id, status="C")
    synced.sync()
    assert {persons(synced)[key]["org_id"] for key in theirs} == {organizations(synced)[account_id]}


def test_contacts_of_an_account_that_is_no_customer_follow_its_first_order(world: World):
    contact = one_that_did_not_order(world)
    world.company.change("accounts", contact.account_id, status="P")
    world.sync()
    assert contact.id not in persons(world)
    item = next(iter(world.company.items)).id
    world.company.place_order(contact.account_id, [(item, 1, 10)])
    world.sync()
    assert persons(world)[contact.id]["org_id"] == organizations(world)[contact.account_id]


def test_a_contact_that_moves_follows_to_the_other_organization(synced: World):
    contact = one_contact(synced)
    linked = organizations(synced)
    other = next(key for key in linked if key != contact.account_id)
    synced.company.change("contacts", contact.id, account_id=other)
    report = synced.sync()
    assert persons(synced)[contact.id]["org_id"] == linked[other]
    assert (report.tokens, report.tallies["persons"].updated) == (5, 1)


def test_contacts_of_a_held_customer_wait_with_it(synced: World):
    contact = one_contact(synced)
    account = synced.company.accounts.rows[contact.account_id]
    code, before = account.code, persons(synced)[contact.id]
    new = Contact(synced.company.new_id(), account.id, 9_999, "Nieuwe", "Collega")
    synced.company.change("accounts", account.id, code=None)
    synced.company.add("contacts", new)
    synced.company.change("contacts", contact.id, last_name="Anders")
    synced.sync()
    assert new.id not in persons(synced)
    assert persons(synced)[contact.id] == before
    synced.company.change("accounts", account.id, code=code)
    synced.sync()
    assert persons(synced)[new.id]["name"] == "Nieuwe Collega"
    assert persons(synced)[contact.id]["name"].endswith("Anders")


def test_one_person_on_two_accounts_and_two_with_one_address_are_persons_of_their_own(synced: World):
    contact = one_contact(synced)
    other = next(key for key in organizations(synced) if key != contact.account_id)
    twin = Contact(synced.company.new_id(), other, 9_999, contact.first_name, contact.last_name)
    twin.business_email = contact.business_email
    synced.company.add("contacts", twin)
    synced.sync()
    there = persons(synced)
    assert there[twin.id]["id"] != there[contact.id]["id"]
    assert there[twin.id]["org_id"] == organizations(synced)[other]


def test_contacts_are_followed_after_the_division_moved_to_another_database(synced: World):
    synced.wait(7 * 3600)
    synced.sync()
    shown = persons(synced)
    leaving, changing = [contact for contact in synced.company.contacts if contact.id in shown][:2]
    synced.control_exact("change", {"kind": "move_division"})
    synced.company.delete("contacts", leaving.id)
    synced.company.change("contacts", changing.id, last_name="Na de verhuizing")
    synced.wait(7 * 3600)
    synced.sync()
    assert persons(synced)[leaving.id]["org_id"] is None
    assert persons(synced)[changing.id]["name"].endswith("Na de verhuizing")
