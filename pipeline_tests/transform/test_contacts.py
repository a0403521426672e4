"""`erp.contacts` and `crm.persons`: what is for business before what is private, and a name people understand."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.transform.contacts import to_contacts
from pipeline.transform.persons import to_persons
from pipeline_tests.transform.frames import deletions, frame, only_row, wall

CONTACT = {
    "id": "contact-1",
    "timestamp": 100,
    "account": "customer-1",
    "first_name": "Anna",
    "middle_name": "de",
    "last_name": "Wit",
    "email": "anna@thuis.example",
    "business_email": "anna@bloemenhof.example",
    "phone": "020 1",
    "business_phone": "020 2",
    "mobile": "06 1",
    "business_mobile": "06 2",
    "modified": wall("2026-07-15 12:00"),
}
AT_WORK = {"e_mail": "anna@bloemenhof.example", "phone": "020 2", "mobile": "06 2"}
AT_HOME = {"e_mail": "anna@thuis.example", "phone": "020 1", "mobile": "06 1"}
BLANK = {"business_email": "  ", "business_phone": "", "business_mobile": None}
PERSON = {
    "administration": "nl",
    "contact_id": "contact-1",
    "customer_id": "customer-1",
    "customer_name": "De Bloemenhof",
    "debtor_code": "1001",
    "first_name": "Anna",
    "middle_name": "de",
    "last_name": "Wit",
    **AT_WORK,
}


def contact(changes: dict[str, Any], **deleted: int) -> dict[str, Any]:
    landed = frame(list(CONTACT), [CONTACT | changes])
    return only_row(to_contacts(landed, deletions(**deleted), administration="nl", time_zone="Europe/Amsterdam"))


def person(changes: dict[str, Any]) -> dict[str, Any]:
    return only_row(to_persons(frame(list(PERSON), [PERSON | changes])))


def test_a_contact_is_one_row_in_our_own_words():
    assert contact({}) == {
        "administration": "nl",
        "contact_id": "contact-1",
        "customer_id": "customer-1",
        "first_name": "Anna",
        "middle_name": "de",
        "last_name": "Wit",
        **AT_WORK,
        "is_deleted": False,
        "modified_at": datetime(2026, 7, 15, 10, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        (BLANK, AT_HOME),
        (BLANK | {"email": None, "phone": " ", "mobile": ""}, dict.fromkeys(AT_HOME)),
        ({"first_name": " Anna ", "middle_name": "", "last_name": None}, {"first_name": "Anna", "middle_name": None}),
        ({"account": "00000000-0000-0000-0000-000000000000"}, {"customer_id": None}),
    ],
    ids=["private", "nothing", "blanks", "no account"],
)
def test_what_is_empty_gives_way(changes: dict[str, Any], shown: dict[str, Any]):
    found = contact(changes)
    assert {name: found[name] for name in shown} == shown


@pytest.mark.parametrize(("version", "is_deleted"), [(99, False), (100, True), (101, True)])
def test_a_deletion_counts_when_it_is_not_older_than_the_contact(version: int, is_deleted: bool):
    assert contact({}, **{"contact-1": version})["is_deleted"] is is_deleted


NAMELESS = dict.fromkeys(("first_name", "middle_name", "last_name"))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Anna de Wit"),
        ({"middle_name": None}, "Anna Wit"),
        ({"first_name": None, "middle_name": None}, "Wit"),
        (NAMELESS, "anna@bloemenhof.example"),
        (NAMELESS | {"e_mail": None}, "De Bloemenhof"),
        (NAMELESS | {"e_mail": None, "customer_name": ""}, "1001"),
        ({"last_name": "x" * 300}, "Anna de " + "x" * 247),
    ],
)
def test_a_person_is_called_something_people_understand(changes: dict[str, Any], name: str):
    assert person(changes)["name"] == name


def test_a_person_has_what_pipedrive_shows_of_a_contact():
    assert person({}) == {
        "administration": "nl",
        "contact_id": "contact-1",
        "customer_id": "customer-1",
        "name": "Anna de Wit",
        **AT_WORK,
    }
