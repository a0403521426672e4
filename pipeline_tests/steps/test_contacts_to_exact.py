"""Persons with the label "Naar Exact" as contacts in the ERP: made once, followed both ways, and never against it."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, cast

import dagster as dg
import httpx
import pytest
from sqlalchemy import Engine, text

from pipeline.assets.contacts_to_exact import person_changes
from pipeline.errors import GiveUp, RetryLater
from pipeline.exact_online import feeds
from pipeline.exact_online.webhooks import subscribe
from pipeline.presentation import status_text
from pipeline.resources import ExactOnline, Pipedrive
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.company_rows import Contact
from pipeline.steps.audit import audit
from pipeline.steps.catalogue import land_catalogue
from pipeline.steps.refresh_erp import refresh_contacts
from pipeline.steps.refresh_persons import refresh_persons
from pipeline.steps.status import status
from pipeline.warehouse.tables import exact_online as tables
from pipeline_tests.steps.hands import hand
from pipeline_tests.steps.test_persons import one_contact, organizations, persons
from pipeline_tests.webhooks.receiving import Served, serving
from pipeline_tests.world import SETTINGS, World
from pipeline_tests.worlds import Worlds

CONTACTS = "crm/Contacts"


def a_synced_world(engine: Engine) -> World:
    company = seeded_company(orders=6, products=20)
    # A thread that delivers would sleep on into other tests, where sleeping moves the clock.
    erp = {"deliver_in_background": False}
    world = World(engine, company=company, settings=SETTINGS | {"contacts_to_exact": True}, erp=erp)
    world.sync()
    return world


@pytest.fixture
def world(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)
    with worlds.after(a_synced_world) as world:
        yield world


def label(world: World) -> int:
    options = next(one for one in world.pipedrive.company.fields.of("person").values() if one.code == "label_ids")
    return next(key for key, word in options.option_labels().items() if word == "Naar Exact")


def add(world: World, **fields: Any) -> int:
    """A person made by hand on a customer's organization, with the label."""
    there = organizations(world)
    org_id = next(there[one.account_id] for one in world.company.contacts if one.account_id in there)
    shown = {"name": "Jan van der Berg", "emails": [{"value": "jan@nieuw.example"}], "org_id": org_id}
    return hand(world, "add_person", fields=shown | {"label_ids": [label(world)]} | fields)["id"]


def shown(world: World, person_id: int) -> dict[str, Any]:
    return next(one for one in world.control("state?only=persons")["persons"] if one["id"] == person_id)


def with_address(world: World, e_mail: str) -> list[Contact]:
    return [one for one in world.company.contacts if e_mail in {one.business_email, one.email}]


def test_a_person_with_the_label_becomes_one_contact_and_an_idle_look_costs_one_list(world: World):
    phones = [{"value": "020-1", "label": "work", "primary": True}, {"value": "06-1", "label": "mobile"}]
    person_id = add(world, phones=phones)
    sent = world.carry_back()
    assert (sent.looked_at, sent.made, sent.changed) == (1, 1, 0)
    (contact,) = with_address(world, "jan@nieuw.example")
    assert (contact.first_name, contact.middle_name, contact.last_name) == ("Jan", "van der", "Berg")
    assert (contact.business_email, contact.business_phone, contact.business_mobile) == (
        "jan@nieuw.example",
        "020-1",
        "06-1",
    )
    assert contact.account_id == one_contact(world).account_id
    assert shown(world, person_id)["custom_fields"]["Exact contact-ID"] == contact.id
    people, asked = len(persons(world)), world.requests()
    world.sync()
    spent = {request: count - asked.get(request, 0) for request, count in world.requests().items()}
    assert {request: count for request, count in spent.items() if count} == {"GET /api/v2/persons": 2}
    resources = {
        "engine": world.engine,
        "configuration": world.config,
        "exact": ExactOnline(lambda _: world.client),
        "pipedrive": Pipedrive(world.pipedrive_client, 10_000),
    }
    (result,) = dg.materialize(
        [cast(dg.AssetsDefinition, person_changes)], resources=resources
    ).asset_materializations_for_node("pipedrive__person_changes")
    said = {name: value.value for name, value in result.metadata.items()}
    assert (said["pipedrive_tokens"], said["exact_calls"], said["rows_changed"]) == (10, 0, 0)
    assert len(persons(world)) == people
    assert persons(world)[contact.id]["id"] == person_id


def linked(world: World) -> tuple[Contact, int]:
    """A contact and its person, who has the label now."""
    contact = one_contact(world)
    person = persons(world)[contact.id]
    hand(world, "edit_person", id=person["id"], fields={"label_ids": [label(world)]})
    return contact, person["id"]


def assert_both_say_the_same(world: World, contact: Contact, person_id: int) -> None:
    person = shown(world, person_id)
    numbers = {"work": contact.business_phone or contact.phone, "mobile": contact.business_mobile or contact.mobile}
    parts = filter(None, (contact.first_name, contact.middle_name, contact.last_name))
    assert person["name"] == " ".join(parts)
    assert [one["value"] for one in person["emails"]] == [contact.business_email or contact.email]
    assert {one["label"]: one["value"] for one in person["phones"]} == {k: v for k, v in numbers.items() if v}
    assert person["org_id"] == organizations(world)[contact.account_id]


def held(world: World) -> dict[int, str]:
    """Why persons are not in the ERP as they stand."""
    rows = world.ask(
        "SELECT person_id, reason FROM pipedrive.person_changes WHERE since IS NOT NULL ORDER BY person_id"
    )
    return {row.person_id: row.reason for row in rows}


def writes(world: World) -> Counter[str]:
    """Counts what is written to Exact from now on."""
    counted: Counter[str] = Counter()

    def hear(response: httpx.Response) -> None:
        if response.request.method != "GET" and "/api/v1/" in response.request.url.path:
            counted[f"{response.request.method} {response.request.url.path.split('/')[-1].split('(')[0]}"] += 1

    world.client.listen(hear)
    return counted


@dataclass
class BothSides:
    """One person and its contact, whom both sides change, and Exact's webhooks that tell of every change and write."""

    world: World
    served: Served
    echoes: deque[bytes] = field(default_factory=deque)
    told: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contact, self.person_id = linked(self.world)
        webhooks = self.world.exact.divisions[self.world.company.division].webhooks
        webhooks._post = lambda url, body: (self.echoes.append(body) if body else None, 200)[1]
        (outcome,) = subscribe(self.world.client, "https://pipeline.example/webhooks/exact", topics=["Contacts"])
        assert outcome.done == "subscribed"

    def in_pipedrive(self, number: int) -> None:
        number_at_work = [{"value": f"020-{number}", "label": "work", "primary": True}]
        fields = {"phones": number_at_work} if number % 2 else {"name": f"Eva {number} de Boer"}
        hand(self.world, "edit_person", id=self.person_id, fields=fields)

    def in_exact(self, number: int) -> None:
        numbers = {"business_mobile": f"06-{number}", "business_phone": f"030-{number}"}
        self.world.company.change("contacts", self.contact.id, **numbers)

    def poll(self) -> None:
        """What a poll does of contacts, which it reads only when a webhook told of one."""
        world = self.world
        world.wait(60)
        world.control_exact("webhooks", {"deliver": True})
        self.told += [self.served.post(self.echoes.popleft()) for _ in range(len(self.echoes))]
        land_catalogue(world.engine, world.client, "nl", feeds.CONTACTS, tables.contacts, only_when_asked=True)
        refresh_contacts(world.engine, world.config.administrations[0])
        refresh_persons(world.engine, world.config)
        world.write()
        world.carry_back()


def test_both_sides_change_one_person_fifty_times_and_nothing_goes_round_in_circles(world: World):
    with serving(world.engine) as served:
        sides, random, changed = BothSides(world, served), Random(7), 0
        to_exact, before = writes(world), world.requests()
        while changed < 50:
            for side in random.choice(["P", "E", "PEP", "EPE", "PEPE", "EPEPE"]):
                change = sides.in_pipedrive if side == "P" else sides.in_exact
                changed += 1
                change(changed)
            sides.poll()
        for _ in range(2):
            sides.poll()
    after, person_id = world.requests(), sides.person_id
    assert_both_say_the_same(world, world.company.contacts.rows[sides.contact.id], person_id)
    wrote = {request: after.get(request, 0) - before.get(request, 0) for request in after if "GET" not in request}
    to_pipedrive = {request: count for request, count in wrote.items() if count}
    assert (set(to_exact), set(to_pipedrive)) == ({"PUT Contacts"}, {"PATCH /api/v2/persons/{id}"})
    assert min(*to_exact.values(), *to_pipedrive.values()) > 5
    assert to_exact.total() + sum(to_pipedrive.values()) <= changed
    conflicts = world.ask("SELECT theirs, ours FROM crm.contact_conflicts WHERE person_id = :id", id=person_id)
    assert len(conflicts) > 5
    assert (len(sides.told) > to_exact.total(), set(sides.told)) == (True, {200})
    assert world.ask("SELECT * FROM inbox.webhook_events WHERE handled_at IS NULL") == []
    assert world.ask("SELECT * FROM exact_online.contact_intents") == []


def lose_the_answer(world: World, method: str, times: int = 1, **fault: Any) -> None:
    world.control_exact("fault", {"path": CONTACTS, "method": method, "kind": "drop_after", "times": times} | fault)


def test_a_lost_answer_or_a_kill_makes_one_contact_and_one_person(world: World, monkeypatch: pytest.MonkeyPatch):
    people = len(persons(world))
    lost = add(world, name="Lost Antwoord", emails=[{"value": "lost@nieuw.example"}])
    lose_the_answer(world, "POST")
    assert world.carry_back().made == 0  # the second pass finds it instead of making it
    (contact,) = with_address(world, "lost@nieuw.example")
    assert shown(world, lost)["custom_fields"]["Exact contact-ID"] == contact.id

    killed = add(world, name="Halverwege", emails=[{"value": "killed@nieuw.example"}])
    with monkeypatch.context() as process:
        process.setattr("pipeline.steps.contacts_to_exact._remember", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.carry_back()
    assert len(world.ask("SELECT * FROM exact_online.contact_intents")) == 1
    world.sync()  # the mirror reads the contact first, and leaves its person to who made it
    (contact,) = with_address(world, "killed@nieuw.example")
    assert (contact.last_name, persons(world)[contact.id]["id"]) == ("Halverwege", killed)
    assert world.ask("SELECT * FROM exact_online.contact_intents") == []

    hand(world, "edit_person", id=killed, fields={"name": "Halverwege Klaar"})
    with monkeypatch.context() as process:
        process.setattr("pipeline.steps.contacts_to_exact._remember", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.carry_back()
    hand(world, "edit_person", id=killed, fields={"phones": [{"value": "020-5", "label": "work"}]})
    lose_the_answer(world, "PUT", kind="drop", times=9)
    with pytest.raises(RetryLater, match="1 contacts sent to Exact Online were never answered"):
        world.sync()
    world.control_exact("fault", {"clear": True})
    world.sync()
    assert (contact.first_name, contact.last_name, contact.business_phone) == ("Halverwege", "Klaar", "020-5")
    assert world.ask("SELECT * FROM crm.contact_conflicts") == []
    world.sync()
    assert len(persons(world)) == people + 2


def test_what_exact_refuses_is_kept_with_its_reason_and_not_sent_again_until_it_changes(world: World):
    sent = writes(world)
    lose_the_answer(world, "POST", kind="status", status=500, times=2)
    broken = add(world, emails=[{"value": "broken@nieuw.example"}])
    world.carry_back()
    lose_the_answer(world, "POST", kind="status", status=400)
    refused = add(world, emails=[{"value": "refused@nieuw.example"}])
    world.carry_back()
    reasons = held(world)
    assert [reason[:29] for reason in reasons.values()] == [
        "Exact Online refused it: 500 ",
        "Exact Online refused it: 400 ",
    ]
    assert (set(reasons), sent) == ({broken, refused}, {"POST Contacts": 3})
    hand(world, "edit_person", id=refused, fields={"visible_to": 1})
    world.sync()
    assert (sent, held(world)) == ({"POST Contacts": 3}, reasons)
    hand(world, "edit_person", id=refused, fields={"name": "Toch Goed"})
    world.sync()
    assert (sent, set(held(world))) == ({"POST Contacts": 4}, {broken})


def test_what_keeps_a_person_from_the_erp_is_said_and_goes_away_with_its_reason(world: World):
    contact = one_contact(world)
    of_gone = persons(world)[contact.id]["id"]
    elsewhere = hand(world, "add_organization", fields={"name": "Prospect"})["id"]
    twin = Contact(
        world.company.new_id(), contact.account_id, 9_999, "Nog", "Iemand", business_email="dubbel@x.example"
    )
    world.company.add("contacts", twin)
    second = Contact(world.company.new_id(), contact.account_id, 9_998, "En", "Nog", email="Dubbel@x.example")
    world.company.add("contacts", second)
    odd = {
        "belongs to no organization": add(world, org_id=None),
        "stands for no customer": add(world, org_id=elsewhere),
        "it has no e-mail address": add(world, emails=[]),
        "its e-mail address is none": add(world, emails=[{"value": "bel liever"}]),
        "2 contacts of its customer have its e-mail address": add(world, emails=[{"value": "dubbel@x.example"}]),
    }
    without = hand(world, "add_person", fields={"name": "Zonder", "emails": [{"value": "zonder@nieuw.example"}]})["id"]
    single = add(world, name="Cher", emails=[{"value": "cher@nieuw.example"}])
    before, sent = len(list(world.company.contacts)), writes(world)
    world.sync()
    reasons = held(world)
    assert {reason: person_id for reason, person_id in odd.items() if reason not in reasons[person_id]} == {}
    assert (set(reasons), len(list(world.company.contacts))) == (set(odd.values()), before + 1)
    (cher,) = with_address(world, "cher@nieuw.example")
    assert (cher.first_name, cher.last_name, shown(world, without)["custom_fields"]["Exact contact-ID"]) == (
        None,
        "Cher",
        None,
    )
    linked_to = {"org_id": organizations(world)[contact.account_id]}
    hand(world, "edit_person", id=odd["stands for no customer"], fields=linked_to)
    hand(world, "edit_person", id=odd["it has no e-mail address"], fields={"label_ids": []})
    hand(world, "edit_person", id=single, fields={"org_id": organizations(world)[other_account(world, contact)]})
    world.company.delete("contacts", contact.id)
    fields = {"label_ids": [label(world)], "name": "Wie Ben Ik"}
    hand(world, "edit_person", id=of_gone, fields=fields)
    world.carry_back()
    assert set(held(world)) == set(odd.values()) - {
        odd["stands for no customer"],
        odd["it has no e-mail address"],
    } | {of_gone}
    assert "was deleted in Exact Online" in held(world)[of_gone]
    assert cher.account_id == other_account(world, contact)
    assert sent == {"POST Contacts": 2, "PUT Contacts": 1}


def other_account(world: World, contact: Contact) -> str:
    """Another customer with an organization."""
    return next(account for account in organizations(world) if account not in {None, contact.account_id})


def test_the_audit_leaves_a_change_for_the_erp_alone_and_puts_back_what_has_no_label(world: World):
    contact, person_id = linked(world)
    other = next(key for key in persons(world) if key != contact.id)
    hand(world, "edit_person", id=person_id, fields={"name": "Naar Het ERP"})
    hand(world, "edit_person", id=persons(world)[other]["id"], fields={"name": "Terug Ermee"})
    found = audit(world.engine, world.pipedrive_client, world.config, full=True, daily_tokens=10_000_000)
    assert +found.fields == {"name": 1}
    assert persons(world)[other]["name"] != "Terug Ermee"
    world.company.change("contacts", contact.id, business_mobile="06-77")
    world.land()
    world.refresh()
    world.write()  # people's change is not written over before it was looked at
    assert shown(world, person_id)["name"] == "Naar Het ERP"
    world.carry_back()
    assert_both_say_the_same(world, world.company.contacts.rows[contact.id], person_id)
    lost = world.ask("SELECT field, theirs, ours FROM crm.contact_conflicts ORDER BY field")
    assert [(row.field, row.theirs) for row in lost if row.field == "name"] == [("name", "Naar Het ERP")]

    hand(world, "edit_person", id=person_id, fields={"name": "Te Laat"})
    off = World(world.engine, company=world.company)
    off.pipedrive, asked, sent = world.pipedrive, world.requests(), writes(off)
    off.sync()
    assert (off.requests(), sent, off.ask("SELECT * FROM pipedrive.person_changes")) == (asked, {}, [])


def test_a_new_person_with_the_address_of_a_contact_updates_it_and_empties_nothing(world: World):
    contact, known = one_contact(world), persons(world)
    world.company.change("contacts", contact.id, business_email="Zelfde@X.example", business_phone="020-9")
    world.sync()
    copy = add(world, name="Zelfde Persoon", emails=[{"value": "zelfde@x.example"}])
    world.sync()
    assert (contact.first_name, contact.last_name, contact.business_phone) == ("Zelfde", "Persoon", "020-9")
    assert f"its contact is person {known[contact.id]['id']} in Pipedrive already" in held(world)[copy]
    world.sync()
    assert shown(world, known[contact.id]["id"])["name"] == "Zelfde Persoon"


def test_a_refused_label_missing_rights_and_a_merged_contact_are_said_and_go_on_where_they_stopped(world: World):
    field = next(one for one in world.pipedrive.company.fields.of("person").values() if one.code == "label_ids")
    named, field.options = field.options, []
    with world.engine.begin() as tx:
        tx.execute(text("DELETE FROM state.remembered WHERE name LIKE 'pipedrive label%'"))
    world.control("fault", {"path": "/personFields/label_ids/options", "kind": "status", "status": 400})
    with pytest.raises(GiveUp, match=r'does not take the label "Naar Exact" .* or switch contacts_to_exact off'):
        world.carry_back()
    field.options = named

    sent = writes(world)
    asking = add(world, emails=[{"value": "rechten@nieuw.example"}])
    lose_the_answer(world, "POST", kind="status", status=403)
    with pytest.raises(GiveUp, match=r"403 .*check the user's rights"):
        world.carry_back()
    assert (world.carry_back().made, len(with_address(world, "rechten@nieuw.example"))) == (1, 1)
    assert (sent, held(world)) == ({"POST Contacts": 2}, {})

    contact, person_id = linked(world)
    stays = replace(contact, id=world.company.new_id(), hid=9_997)
    world.company.add("contacts", stays)
    world.company.delete("contacts", contact.id)  # merged in Exact, and no feed was read since
    hand(world, "edit_person", id=person_id, fields={"name": "Na Samenvoegen"})
    world.carry_back()
    assert (stays.first_name, stays.last_name) == ("Na", "Samenvoegen")
    people = len(persons(world))
    world.sync()
    assert (persons(world)[stays.id]["id"], len(persons(world)), held(world)) == (person_id, people, {})

    gone, left = add(world, emails=[]), add(world, emails=[], name="Blijft")
    world.carry_back()
    found = status(world.engine)
    assert ({row["person_id"] for row in found["contacts_to_exact"]["held"]}, set(held(world))) == ({gone, left},) * 2
    assert "Persons for Exact Online: 0 waiting, 2 held" in status_text(found)
    assert f"  person {left}: it has no e-mail address" in status_text(found)
    hand(world, "delete_person", id=gone)
    with world.engine.begin() as tx:
        tx.execute(text("UPDATE state.remembered SET value = jsonb_set(value, '{day}', '\"2000-01-01\"') "
                        "WHERE name LIKE 'pipedrive label%'"))  # fmt: skip
    world.carry_back()
    assert (set(held(world)), asking in {one["id"] for one in persons(world).values()}) == ({left}, True)
