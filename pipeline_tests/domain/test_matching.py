"""Which organization stands for which customer: by debtor code first, by name and place where only one fits."""

import pytest

from pipeline.domain.matching import NO_DECISIONS, Candidate, Decisions, How, Match, Wanted, joined_postcode, match

CUSTOMER = Wanted("c1", "De Bloemenhof", "1001", "nl", "3011AB", "https://www.bloemenhof.nl/")


def organization(org_id: int = 1, name: str = "De Bloemenhof", **known: str | None) -> Candidate:
    """An organization; what isn't said of it is empty."""
    fields = ("debtor_code", "administration", "address", "website")
    return Candidate(org_id, name, **{field: known.get(field) for field in fields})


def found(wanted: list[Wanted], candidates: list[Candidate]) -> dict[str, int]:
    """The organization of each customer that has one."""
    there = match(wanted, candidates)
    return {customer: one.org_id for (_, customer), one in there.items() if one.org_id is not None}


def alone(customer: Wanted, candidates: list[Candidate], decisions: Decisions = NO_DECISIONS) -> Match:
    return match([customer], candidates, decisions)[customer.record]


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
    wanted = {} if expected is None else {"c1": expected}
    assert found([CUSTOMER], candidates) == wanted
    assert found([CUSTOMER], candidates[::-1]) == wanted


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
    assert found([wanted], [organization(**candidate)]) == {}


def test_an_organization_that_two_customers_recognise_goes_to_neither():
    second = Wanted("c2", "De Bloemenhof", "1002", "nl", "3011AB", None)
    assert found([CUSTOMER, second], [organization(address="3011 AB Rotterdam")]) == {}


def test_an_organization_found_by_code_leaves_the_one_found_by_place_to_the_other():
    second = Wanted("c2", "De Bloemenhof", "1002", "nl", "3011AB", None)
    candidates = [organization(1, debtor_code="1002", administration="nl"), organization(2, address="3011 AB")]
    assert found([CUSTOMER, second], candidates) == {"c1": 2, "c2": 1}


def test_an_organization_without_administration_goes_to_one_of_two_customers_of_that_code_at_most():
    second = Wanted("c2", "Elders", "1001", "be", None, None)
    assert list(found([CUSTOMER, second], [organization(1, debtor_code="1001")]).values()) in ([], [1])


def test_one_code_in_two_administrations_is_two_customers():
    second = Wanted("c2", "Elders", "1001", "be", None, None)
    candidates = [organization(n, debtor_code="1001", administration=name) for n, name in ((1, "nl"), (2, "be"))]
    assert found([CUSTOMER, second], candidates) == {"c1": 1, "c2": 2}


@pytest.mark.parametrize(
    ("postcode", "joined"), [("3011 ab", "3011AB"), (" 3011AB ", "3011AB"), ("  ", None), (None, None)]
)
def test_a_postcode_is_compared_without_blanks_in_capitals(postcode: str | None, joined: str | None):
    assert joined_postcode(postcode) == joined


BY_PLACE = organization(7, address="Straat 1, 3011 AB Rotterdam")


@pytest.mark.parametrize(
    ("candidates", "how", "alike"),
    [
        pytest.param([], How.NEW, [], id="nobody"),
        pytest.param([organization(debtor_code="1001")], How.BY_CODE, [], id="its code"),
        pytest.param([BY_PLACE], How.ADOPTED, [], id="name and place"),
        pytest.param([organization(name="De Tulp", address="3011 AB")], How.NEW, [], id="another name"),
        pytest.param([organization()], How.AMBIGUOUS, [1], id="the name alone"),
        pytest.param([BY_PLACE, organization(2, website="bloemenhof.nl")], How.AMBIGUOUS, [2, 7], id="two that fit"),
        pytest.param([BY_PLACE, organization(2)], How.ADOPTED, [], id="one that fits and a namesake"),
        pytest.param([organization(debtor_code="0815")], How.AMBIGUOUS, [1], id="a code that it may have had before"),
        pytest.param([organization(name="X", administration="nl")], How.NEW, [], id="neither name nor code"),
        pytest.param([organization(administration="be")], How.NEW, [], id="marked as another administration's"),
    ],
)
def test_who_looks_alike_is_for_a_person_to_look_at(candidates: list[Candidate], how: How, alike: list[int]):
    there = alone(CUSTOMER, candidates)
    assert (there.how, [one.org_id for one in there.alike]) == (how, alike)


@pytest.mark.parametrize(("ours", "theirs"), [("ab-12", "AB-12"), ("STRASSE", "straße")])
def test_a_code_that_differs_only_in_case_is_not_the_same_but_alike(ours: str, theirs: str):
    customer = Wanted("c1", "De Bloemenhof", ours, "nl", None, None)
    there = alone(customer, [organization(name="Iemand", debtor_code=theirs, administration="nl")])
    assert (there.how, [one.org_id for one in there.alike]) == (How.AMBIGUOUS, [1])


def test_two_codes_that_differ_only_in_case_are_two_customers():
    small, capital = (Wanted(code, "De Bloemenhof", code, "nl", None, None) for code in ("ab", "AB"))
    assert found([small, capital], [organization(1, debtor_code="AB"), organization(2, debtor_code="ab")]) == {
        "ab": 2,
        "AB": 1,
    }


def test_an_organization_with_anothers_code_is_not_alike_for_its_name():
    second = Wanted("c2", "De Tulp", "1002", "nl", None, None)
    taken = [organization(1, debtor_code="1002", administration="nl"), organization(2, debtor_code="1002")]
    there = match([CUSTOMER, second], taken)
    assert there["nl", "c1"].how is How.NEW
    assert there["nl", "c2"].org_id == 1


def test_an_organization_that_two_recognise_is_alike_for_both():
    second = Wanted("c2", "De Bloemenhof", "1002", "nl", "3011AB", None)
    there = match([CUSTOMER, second], [BY_PLACE])
    assert {customer: [one.org_id for one in found.alike] for customer, found in there.items()} == {
        ("nl", "c1"): [7],
        ("nl", "c2"): [7],
    }


def test_an_organization_without_administration_that_two_may_claim_is_alike_for_both():
    second = Wanted("c2", "Elders", "1001", "be", None, None)
    there = match([CUSTOMER, second], [organization(1, debtor_code="1001")])
    assert {one.how for one in there.values()} == {How.AMBIGUOUS}


def test_one_account_in_two_administrations_is_two_customers():
    second = Wanted("c1", "De Bloemenhof", "1001", "be", None, None)
    candidates = [organization(n, debtor_code="1001", administration=name) for n, name in ((1, "nl"), (2, "be"))]
    there = match([CUSTOMER, second], candidates)
    assert {customer: one.org_id for customer, one in there.items()} == {("nl", "c1"): 1, ("be", "c1"): 2}


@pytest.mark.parametrize(
    ("candidates", "decisions", "expected"),
    [
        pytest.param([organization()], Decisions({("nl", "c1"): 1}), (How.DECIDED, 1), id="chosen"),
        pytest.param([organization(name="X")], Decisions({("nl", "c1"): 1}), (How.DECIDED, 1), id="unlike, but chosen"),
        pytest.param(
            [organization(1), BY_PLACE], Decisions({("nl", "c1"): 1}), (How.DECIDED, 1), id="before name and place"
        ),
        pytest.param(
            [organization(1), organization(2, debtor_code="1001")],
            Decisions({("nl", "c1"): 1}),
            (How.BY_CODE, 2),
            id="after the code",
        ),
        pytest.param([organization()], Decisions({("be", "c1"): 1}), (How.AMBIGUOUS, None), id="of somebody else"),
        pytest.param([organization()], Decisions({("nl", "c1"): 99}), (How.AMBIGUOUS, None), id="one that is gone"),
        pytest.param(
            [organization()], Decisions(refused=frozenset({(("nl", "c1"), 1)})), (How.NEW, None), id="refused"
        ),
        pytest.param(
            [BY_PLACE], Decisions(refused=frozenset({(("nl", "c1"), 7)})), (How.NEW, None), id="not adopted then"
        ),
        pytest.param(
            [BY_PLACE, organization(2, website="bloemenhof.nl")],
            Decisions(refused=frozenset({(("nl", "c1"), 2)})),
            (How.ADOPTED, 7),
            id="one of two refused",
        ),
    ],
)
def test_a_person_decides(candidates: list[Candidate], decisions: Decisions, expected: tuple[How, int | None]):
    there = alone(CUSTOMER, candidates, decisions)
    assert (there.how, there.org_id) == expected
