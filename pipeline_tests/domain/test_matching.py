"""Which organization stands for which customer: by debtor code first, by name and place where only one fits."""

import pytest

from pipeline.domain.matching import Candidate, Wanted, joined_postcode, match

CUSTOMER = Wanted("c1", "De Bloemenhof", "1001", "nl", "3011AB", "https://www.bloemenhof.nl/")


def organization(org_id: int = 1, name: str = "De Bloemenhof", **known: str | None) -> Candidate:
    """An organization; what isn't said of it is empty."""
    fields = ("debtor_code", "administration", "address", "website")
    return Candidate(org_id, name, **{field: known.get(field) for field in fields})


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        pytest.param([], None, id="nobody there"),
        pytest.param([organization(debtor_code="1001", administration="nl")], 1, id="code and administration"),
        pytest.param([organization(debtor_code=" 1001 ", administration="nl")], 1, id="blanks around the code"),
        pytest.param([organization(name="X", debtor_code="1001", administration="nl")], 1, id="whatever its name"),
        pytest.param([organization(debtor_code="1001")], 1, id="the code and no administration"),
        pytest.param([organization(debtor_code="1001", administration="be")], None, id="another administration"),
        pytest.param(
            [organization(debtor_code="9", administration="nl", address="Straat 1, 3011 AB Rotterdam")],
            None,
            id="another code is another customer",
        ),
        pytest.param(
            [organization(1, debtor_code="1001"), organization(2, debtor_code="1001", administration="nl")],
            2,
            id="the administration's own goes first",
        ),
        pytest.param(
            [
                organization(1, address="Straat 1, 3011 AB Rotterdam"),
                organization(2, debtor_code="1001", administration="nl"),
            ],
            2,
            id="the code goes before name and place",
        ),
        pytest.param([organization(address="Straat 1, 3011 AB Rotterdam")], 1, id="name and postcode"),
        pytest.param([organization(address="straat 1, 3011ab rotterdam")], 1, id="postcode in small letters"),
        pytest.param([organization(website="bloemenhof.nl")], 1, id="name and website"),
        pytest.param([organization(website="HTTP://BLOEMENHOF.NL")], 1, id="website in capitals"),
        pytest.param([organization(name=" de  BLOEMEN hof", website="www.bloemenhof.nl")], 1, id="blanks and case"),
        pytest.param([organization()], None, id="the name alone"),
        pytest.param([organization(website="tulpen.nl", address="1234 ZZ")], None, id="another place"),
        pytest.param([organization(name="De Tulp", website="bloemenhof.nl")], None, id="the place alone"),
        pytest.param(
            [organization(1, website="bloemenhof.nl"), organization(2, address="3011 AB")], None, id="two that fit"
        ),
        pytest.param(
            [organization(1, website="bloemenhof.nl"), organization(2, website="tulpen.nl")],
            1,
            id="two of that name, one in that place",
        ),
    ],
)
def test_an_organization_is_found_or_nothing_is_guessed(candidates: list[Candidate], expected: int | None):
    found = {} if expected is None else {"c1": expected}
    assert match([CUSTOMER], candidates) == found
    assert match([CUSTOMER], candidates[::-1]) == found


@pytest.mark.parametrize(
    ("customer", "candidate"),
    [
        pytest.param({"postcode": None, "website": None}, {}, id="neither knows a place"),
        pytest.param({"postcode": None, "website": None}, {"website": "a.nl", "address": "3011 AB"}, id="the customer"),
        pytest.param({"postcode": "", "website": ""}, {"website": "", "address": ""}, id="empty texts are no place"),
        pytest.param({"postcode": None, "website": "http://"}, {}, id="a website of nothing"),
        pytest.param({"postcode": None, "website": "www."}, {"website": "https://www."}, id="two websites of nothing"),
        pytest.param(
            {"postcode": "1000", "website": None}, {"address": "Kade 21000, 9000 Gent"}, id="digits of a number"
        ),
    ],
)
def test_a_place_that_nobody_knows_is_not_the_same_place(customer: dict, candidate: dict):
    wanted = Wanted("c1", "De Bloemenhof", "1001", "nl", customer["postcode"], customer["website"])
    assert match([wanted], [organization(**candidate)]) == {}


def test_an_organization_that_two_customers_recognise_goes_to_neither():
    second = Wanted("c2", "De Bloemenhof", "1002", "nl", "3011AB", None)
    assert match([CUSTOMER, second], [organization(address="3011 AB Rotterdam")]) == {}


def test_an_organization_found_by_code_leaves_the_one_found_by_place_to_the_other():
    second = Wanted("c2", "De Bloemenhof", "1002", "nl", "3011AB", None)
    candidates = [organization(1, debtor_code="1002", administration="nl"), organization(2, address="3011 AB")]
    assert match([CUSTOMER, second], candidates) == {"c1": 2, "c2": 1}


def test_an_organization_without_administration_goes_to_one_of_two_customers_of_that_code_at_most():
    second = Wanted("c2", "Elders", "1001", "be", None, None)
    assert list(match([CUSTOMER, second], [organization(1, debtor_code="1001")]).values()) in ([], [1])


def test_one_code_in_two_administrations_is_two_customers():
    second = Wanted("c2", "Elders", "1001", "be", None, None)
    candidates = [organization(n, debtor_code="1001", administration=name) for n, name in ((1, "nl"), (2, "be"))]
    assert match([CUSTOMER, second], candidates) == {"c1": 1, "c2": 2}


@pytest.mark.parametrize(
    ("postcode", "joined"), [("3011 ab", "3011AB"), (" 3011AB ", "3011AB"), ("  ", None), (None, None)]
)
def test_a_postcode_is_compared_without_blanks_in_capitals(postcode: str | None, joined: str | None):
    assert joined_postcode(postcode) == joined
