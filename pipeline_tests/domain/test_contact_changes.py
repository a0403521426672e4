"""Who has the last word on a person that both sides may change, and what of its contact becomes another."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.contact_changes import (
    Contact,
    Content,
    Verdict,
    changes,
    content,
    decide,
    differing,
    is_address,
    name_parts,
    new_contact,
)

AGREED = Content("Jan Jansen", "jan@example.nl", "020-1", "06-1", 7)
THEIRS, OURS = replace(AGREED, phone="020-2"), replace(AGREED, mobile="06-2")
CONTACT = Contact("c", "a", "Jan", None, "Jansen", "jan@example.nl", "jan@example.nl", "030-9", "020-1", "06-1", None)
NOTHING, WRITE, ERP_WINS = Verdict.NOTHING, Verdict.WRITE, Verdict.ERP_WINS


@pytest.mark.parametrize(
    ("theirs", "erp", "agreed", "own", "is_linked", "verdict"),
    [
        pytest.param(AGREED, OURS, AGREED, (), True, NOTHING, id="changed in the ERP alone: the mirror's business"),
        pytest.param(THEIRS, AGREED, AGREED, (), True, WRITE, id="changed in Pipedrive alone"),
        pytest.param(THEIRS, THEIRS, AGREED, (), True, NOTHING, id="the same change on both sides"),
        pytest.param(THEIRS, OURS, AGREED, (), True, ERP_WINS, id="other changes on both sides"),
        pytest.param(THEIRS, OURS, AGREED, (OURS,), True, WRITE, id="what the ERP says is what we sent it"),
        pytest.param(THEIRS, OURS, None, (), True, ERP_WINS, id="nothing was ever agreed"),
        pytest.param(THEIRS, OURS, None, (OURS,), True, WRITE, id="nothing was agreed, but we wrote what it says"),
        pytest.param(THEIRS, OURS, None, (), False, WRITE, id="a new person with the address of a contact"),
        pytest.param(OURS, OURS, None, (), False, NOTHING, id="a new person who says what the contact says"),
    ],
)
def test_the_erp_wins_where_both_changed_and_what_we_wrote_is_no_change(
    theirs: Content, erp: Content, agreed: Content | None, own: tuple[Content, ...], is_linked: bool, verdict: Verdict
):
    hashes = {one.hash for one in own}
    assert decide(theirs, erp, agreed=agreed and agreed.hash, own=hashes, is_linked=is_linked) is verdict


def test_what_differs_is_told_field_by_field():
    assert differing(THEIRS, OURS) == {"phone": ("020-2", "020-1"), "mobile": ("06-1", "06-2")}
    assert differing(AGREED, replace(AGREED, org_id=None)) == {"org_id": ("7", None)}


@pytest.mark.parametrize(
    ("name", "first", "middle", "last"),
    [
        ("Jansen", None, None, "Jansen"),
        ("Jan Jansen", "Jan", None, "Jansen"),
        ("Jan van der Berg", "Jan", "van der", "Berg"),
        ("Anna Maria Jansen", "Anna", "Maria", "Jansen"),
    ],
)
def test_a_name_has_first_middle_and_last_parts(name: str, first: str | None, middle: str | None, last: str):
    assert name_parts(name) == {"first_name": first, "middle_name": middle, "last_name": last}


@pytest.mark.parametrize("address", ["bel liever", "jan@", "@example.nl", "jan@example", "a@b.nl; c@d.nl", "jan @x.nl"])
def test_such_addresses_are_none(address: str):
    assert not is_address(address)
    assert is_address("jan.o'neil+werk@mail.example.nl")


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        ({}, {}),
        ({"name": "Piet Jansen"}, {"first_name": "Piet", "middle_name": None, "last_name": "Jansen"}),
        ({"phone": "020-2"}, {"business_phone": "020-2"}),
        ({"phone": None}, {"business_phone": None}),
        ({"mobile": "06-2"}, {"mobile": "06-2"}),
        ({"e_mail": "j@example.nl"}, {"business_e_mail": "j@example.nl", "e_mail": "j@example.nl"}),
    ],
    ids=str,
)
def test_only_what_changed_is_sent_and_it_replaces_the_old_value_wherever_that_stood(
    change: dict[str, Any], sent: dict[str, str | None]
):
    before = CONTACT.content(7)
    assert before == AGREED
    assert changes(CONTACT, before, replace(AGREED, **change), "a", is_linked=True) == sent


def test_a_person_who_moved_takes_the_contact_along_and_one_never_linked_empties_nothing():
    assert changes(CONTACT, AGREED, AGREED, "b", is_linked=True) == {"customer_id": "b"}
    bare = replace(AGREED, phone=None, mobile=None, name="Jan Jansen")
    assert changes(CONTACT, AGREED, bare, "a", is_linked=False) == {}


_TEXTS = st.text("ab 1", max_size=4)


@given(_TEXTS, _TEXTS, _TEXTS, _TEXTS)
def test_a_contact_made_of_a_person_says_what_the_person_says(name: str, e_mail: str, phone: str, mobile: str):
    person = content(name or "x", f"{e_mail.strip()}@b.nl", phone, mobile, 7)
    if person.name:
        made: Any = (
            {field: None for field in Contact.__dataclass_fields__} | new_contact(person, "a") | {"contact_id": "c"}
        )
        assert Contact(**made).content(7) == person
