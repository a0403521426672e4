"""The report on customers: what each would get, decided by a person where it is not clear, and nothing written."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.errors import GiveUp
from pipeline.presentation import customers_text
from pipeline.sandbox.company import seeded_company
from pipeline.steps.customer_report import CustomerReport, CustomerRow, customer_report
from pipeline_tests.steps.hands import hand
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_reading

LONGEST_CODE = "123456789012345678"


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    """A company whose customers were read, and nothing was written."""
    with worlds.after(first_reading(orders=20, products=20)) as world:
        yield world


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "klanten.csv"


def report(world: World, decide_from: Path | None = None) -> CustomerReport:
    return customer_report(
        world.engine, world.pipedrive_client, world.config, daily_tokens=10_000_000, decide_from=decide_from
    )


def made_by_hand(world: World, name: str, **fields: Any) -> int:
    return hand(world, "add_organization", fields={"name": name, **fields})["id"]


def accounts(world: World) -> list[Any]:
    """Customers in the order of their codes, each with a name of its own."""
    names = [account.name for account in world.company.accounts]
    return [account for account in world.company.accounts if names.count(account.name) == 1]


def row_of(found: CustomerReport, account: Any) -> CustomerRow:
    (row,) = [row for row in found.rows if row.customer_id == account.id]
    return row


def line(account: Any, org_id: object, decision: str, administration: str = "nl") -> str:
    return f"{administration};{account.id};{org_id};{decision}"


def written(file: Path, *lines: str, header: str = "administration;customer_id;org_id;decision") -> Path:
    file.write_text("\n".join([header, *lines]), encoding="utf-8")
    return file


def organizations(world: World) -> dict[int, dict[str, Any]]:
    return {one["id"]: one for one in world.control("state?only=organizations")["organizations"]}


def kept(world: World) -> list[tuple[str, int, bool]]:
    query = "SELECT customer_id, org_id, is_adopted FROM state.organization_decisions ORDER BY 1, 2"
    return [tuple(row) for row in world.ask(query)]


def test_each_customer_stands_there_as_it_would_be_matched(world: World):
    adopted, alike, _, coded, *_ = accounts(world)
    hand(world, "add_field", entity="organization", field="Debiteurnummer", type="varchar")
    place = made_by_hand(world, adopted.name, address={"value": f"Kade 1, {adopted.postcode} Ergens"})
    namesake = made_by_hand(world, alike.name)
    by_code = made_by_hand(world, "Iets anders", custom_fields={"Debiteurnummer": coded.code})
    world.company.change("accounts", accounts(world)[2].id, code=None)
    world.land()
    world.refresh()
    asked = world.requests()
    found = report(world)
    assert (row_of(found, adopted).match, row_of(found, adopted).org_id) == ("adopted", place)
    assert (row_of(found, alike).match, row_of(found, alike).org_id) == ("ambiguous", namesake)
    assert row_of(found, alike).reason == "the same name"
    assert (row_of(found, coded).match, row_of(found, coded).org_id) == ("debtor code", by_code)
    held = row_of(found, accounts(world)[2])
    assert (held.match, held.reason) == ("held", "the customer has no debtor code")
    rest = len(world.company.accounts) - 4
    assert found.counts == {
        "linked": 0,
        "debtor code": 1,
        "adopted": 1,
        "decided": 0,
        "ambiguous": 1,
        "new": rest,
        "held": 1,
    }
    assert {request for request in world.requests() if world.requests()[request] != asked.get(request)} == {
        "GET /api/v2/organizations",
        "GET /api/v2/organizationFields",
    }


def test_the_report_says_what_then_happens_and_afterwards_all_are_linked(world: World):
    adopted, alike, *_ = accounts(world)
    place = made_by_hand(
        world, adopted.name, website=adopted.website or "x.nl", address={"value": f"{adopted.postcode}"}
    )
    namesake = made_by_hand(world, alike.name)
    before = report(world)
    world.write()
    there = {one["custom_fields"]["Exact account-ID"]: one["id"] for one in organizations(world).values()}
    assert row_of(before, adopted).org_id == there[adopted.id] == place
    assert organizations(world)[namesake]["custom_fields"]["Exact account-ID"] is None
    after = report(world)
    assert after.counts["linked"] == len(world.company.accounts)
    assert row_of(after, alike).org_id != namesake


@pytest.mark.parametrize("word", ["adopt", "ADOPT", " Adopt "])
def test_a_confirmed_organization_is_adopted_and_no_other_is_made(world: World, file: Path, word: str):
    account = accounts(world)[0]
    namesake = made_by_hand(world, account.name)
    found = report(world, written(file, line(account, namesake, word)))
    assert (found.decided, row_of(found, account).match, row_of(found, account).decision) == (1, "decided", "adopt")
    world.write()
    assert organizations(world)[namesake]["custom_fields"]["Exact account-ID"] == account.id
    assert len(organizations(world)) == len(world.company.accounts)


def test_a_refused_organization_is_left_alone_even_with_the_same_place(world: World, file: Path):
    account = accounts(world)[0]
    place = made_by_hand(world, account.name, address={"value": f"{account.postcode} Ergens"})
    assert row_of(report(world), account).match == "adopted"
    found = report(world, written(file, line(account, place, "new")))
    assert (row_of(found, account).match, row_of(found, account).decision) == ("new", "new")
    world.write()
    assert organizations(world)[place]["custom_fields"]["Exact account-ID"] is None


def test_of_several_a_person_chooses_one_and_may_choose_again(world: World, file: Path):
    account = accounts(world)[0]
    places = [made_by_hand(world, account.name, address={"value": f"{account.postcode} Ergens"}) for _ in range(3)]
    shown = [row for row in report(world).rows if row.customer_id == account.id]
    assert [(row.match, row.org_id) for row in shown] == [("ambiguous", place) for place in places]
    assert shown[0].reason == "the same name and postcode; 3 organizations look alike"
    report(world, written(file, line(account, places[0], "adopt"), line(account, places[1], "new")))
    report(world, written(file, line(account, places[2], "adopt")))
    assert kept(world) == [(account.id, places[1], False), (account.id, places[2], True)]
    world.write()
    assert organizations(world)[places[2]]["custom_fields"]["Exact account-ID"] == account.id


def test_the_saved_file_is_read_back_as_a_spreadsheet_saves_it(world: World, file: Path):
    account = accounts(world)[0]
    namesake = made_by_hand(world, account.name, website='=cmd("x");1')
    first = report(world)
    first.save(file)
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as sheet:
        rows = list(csv.DictReader(sheet, delimiter=";"))
    assert len(rows) == len(first.rows)
    (chosen,) = [row for row in rows if row["customer_id"] == account.id]
    assert chosen["organization_website"] == '\'=cmd("x");1'
    chosen["decision"] = "adopt"
    with file.open("w", encoding="utf-8-sig", newline="") as sheet:
        writer = csv.DictWriter(sheet, rows[0], delimiter=";", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    assert report(world, file).decided == 1
    assert kept(world) == [(account.id, namesake, True)]


HEADER = "administration;customer_id;org_id;decision;opmerking"
AS_EXCEL_SAVES: dict[str, Callable[[str], bytes]] = {
    "semicolons": lambda text: text.encode(),
    "commas": lambda text: text.replace(";", ",").encode(),
    "tabs and UTF-16": lambda text: text.replace(";", "\t").encode("utf-16"),
    "a byte-order mark": lambda text: text.encode("utf-8-sig"),
    "Windows' own letters": lambda text: text.encode("cp1252"),
    "Windows' line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "old Macintosh' line ends": lambda text: text.replace("\n", "\r").encode(),
    "sep= on top": lambda text: f"sep=;\r\n{text}".encode("utf-8-sig"),
    "quotes": lambda text: "\n".join(
        ";".join(f'"{cell}"' for cell in row.split(";")) for row in text.split("\n")
    ).encode(),
    "empty lines and cells": lambda text: f"{text};;;\n\n;;;;;\n".encode(),
    "capitals in the header": lambda text: text.replace(HEADER, HEADER.title()).encode(),
    "columns in another order": lambda text: "\n".join(
        ";".join(reversed(row.split(";"))) for row in text.split("\n")
    ).encode(),
}


@pytest.mark.parametrize("saved", AS_EXCEL_SAVES.values(), ids=AS_EXCEL_SAVES.keys())
def test_excels_ways_are_read(world: World, file: Path, saved: Callable[[str], bytes]):
    account = accounts(world)[0]
    namesake = made_by_hand(world, account.name)
    file.write_bytes(saved(f"{HEADER}\n{line(account, namesake, 'adopt')};café één"))
    assert report(world, file).decided == 1


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("nl;{other};{free};yes", "Line 3: 'yes' is neither adopt nor new."),
        ("nl;unknown;{free};adopt", "Line 3: there is no customer unknown in administration nl."),
        ("be;{other};{free};adopt", "Line 3: there is no customer {other} in administration be."),
        ("nl;{other};99999;adopt", "Line 3: there is no organization 99999 in Pipedrive."),
        ("nl;{other};99999;new", "Line 3: there is no organization 99999 in Pipedrive."),
        ("nl;{other};;adopt", "Line 3: '' is not the number of an organization."),
        ("nl;{other};1,5;new", "Line 3: '1,5' is not the number of an organization."),
        ("nl;{other};9999999999999999999;new", "Line 3: '9999999999999999999' is not the number of an organization."),
        ("nl;{other};{coded};adopt", "Line 3: organization {coded} has the debtor code of customer {owner}."),
        ("nl;{owner};{free};adopt", "Line 3: customer {owner} has organization {coded} already."),
        ("nl;{account};{namesake};new", "Line 3: line 2 says otherwise."),
        (
            "nl;{account};{free};adopt",
            "Line 3: line 2 adopts for the same customer or the same organization.",
        ),
        (
            "nl;{other};{namesake};adopt",
            "Line 3: line 2 adopts for the same customer or the same organization.",
        ),
    ],
)
def test_one_line_that_cannot_be_meant_and_nothing_is_taken(world: World, file: Path, mistake: str, said: str):
    account, other, owner, *_ = accounts(world)
    hand(world, "add_field", entity="organization", field="Debiteurnummer", type="varchar")
    ids = {
        "account": account.id,
        "other": other.id,
        "owner": owner.id,
        "namesake": made_by_hand(world, account.name),
        "free": made_by_hand(world, "Iemand anders"),
        "coded": made_by_hand(world, "Nog iemand", custom_fields={"Debiteurnummer": owner.code}),
    }
    written(file, line(account, ids["namesake"], "adopt"), mistake.format(**ids))
    with pytest.raises(GiveUp) as stopped:
        report(world, file)
    assert str(stopped.value) == f"{said.format(**ids)} Nothing of the file was taken."
    assert kept(world) == []


def test_an_organization_that_is_linked_already_is_nobody_elses(world: World, file: Path):
    world.write()
    account, other, *_ = accounts(world)
    ours = next(one["id"] for one in organizations(world).values() if one["name"] == account.name)
    with pytest.raises(GiveUp, match=f"Line 2: organization {ours} is linked to customer {account.id} already"):
        report(world, written(file, line(other, ours, "adopt")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has other columns than the report"),
        (b"naam;besluit\nx;y", "has other columns than the report: .*and has naam, besluit"),
        (b"administration;customer_id;org_id;decision;decision\n", "has other columns than the report"),
        (b"\x00\x01\x02\xff\xfe", "has other columns than the report|is not a CSV file"),
        (b"administration;customer_id;org_id;decision\n" + b"x" * 200_000, "is not a CSV file"),
        (None, "Cannot read .*klanten.csv: No such file"),
    ],
)
def test_another_file_is_not_taken(world: World, file: Path, content: bytes | None, said: str):
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(GiveUp, match=said):
        report(world, file)
    assert world.requests() == {}


def test_a_line_of_a_cell_with_line_ends_is_where_it_begins(world: World, file: Path):
    header = "administration;customer_id;org_id;decision;opmerking"
    written(file, 'nl;x;1;;"een\ntwee\ndrie"', "nl;x;1;perhaps;", header=header)
    with pytest.raises(GiveUp, match=r"^Line 5: 'perhaps'"):
        report(world, file)


def test_without_customers_the_way_there_is_said(engine: Engine):
    with pytest.raises(GiveUp, match="pipeline sync --dry-run"):
        report(World(engine, company=seeded_company(orders=3, products=5)))


def test_a_folder_that_is_not_there_is_said(world: World, tmp_path: Path):
    with pytest.raises(GiveUp, match=r"Cannot write .*No such file"):
        report(world).save(tmp_path / "nowhere" / "klanten.csv")


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"name": ""}, "new"),
        ({"country": ""}, "new"),
        ({"code": ""}, "held"),
        ({"code": LONGEST_CODE}, "new"),
        ({"name": "", "postcode": None, "website": None, "country": ""}, "new"),
    ],
    ids=str,
)
def test_an_odd_customer_has_its_place_in_the_report(world: World, fields: dict[str, Any], match: str):
    account = accounts(world)[0]
    world.company.change("accounts", account.id, **fields)
    world.land()
    world.refresh()
    found = report(world)
    assert row_of(found, account).match == match
    assert row_of(found, account).debtor_code == (fields.get("code", account.code) or None)
    world.write()
    shown = [one for one in organizations(world).values() if one["custom_fields"]["Exact account-ID"] == account.id]
    assert [one["custom_fields"]["Debiteurnummer"] for one in shown] == ([] if match == "held" else [account.code])


def test_a_customer_held_before_it_was_written_gets_its_organization_once_it_is_free(world: World):
    first, second, *_ = accounts(world)
    code = second.code
    world.company.change("accounts", second.id, code=first.code)
    world.sync()
    names = {one["custom_fields"]["Exact account-ID"] for one in organizations(world).values()}
    assert names.isdisjoint({first.id, second.id})
    world.company.change("accounts", second.id, code=code)
    world.sync()
    assert len(organizations(world)) == len(world.company.accounts)


def test_a_debtor_code_that_changes_changes_on_the_same_organization(world: World):
    account = accounts(world)[0]
    world.write()
    before = next(
        one for one in organizations(world).values() if one["custom_fields"]["Exact account-ID"] == account.id
    )
    world.company.change("accounts", account.id, code=LONGEST_CODE)
    world.sync()
    assert organizations(world)[before["id"]]["custom_fields"]["Debiteurnummer"] == LONGEST_CODE
    assert row_of(report(world), account).match == "linked"
    assert len(organizations(world)) == len(world.company.accounts)


def test_codes_that_differ_only_in_case_are_two_customers(world: World):
    first, second, *_ = accounts(world)
    world.company.change("accounts", first.id, code="ab-1")
    world.company.change("accounts", second.id, code="AB-1")
    world.sync()
    shown = {one["custom_fields"]["Exact account-ID"]: one["custom_fields"] for one in organizations(world).values()}
    assert [shown[account.id]["Debiteurnummer"] for account in (first, second)] == ["ab-1", "AB-1"]


def test_the_report_as_text_and_as_json(world: World):
    account = accounts(world)[0]
    namesake = made_by_hand(world, account.name)
    found = json.loads(json.dumps(report(world).as_dict()))
    assert found["counts"]["ambiguous"] == 1
    assert [row["org_id"] for row in found["customers"] if row["match"] == "ambiguous"] == [namesake]
    text = customers_text(found, None)
    assert f"nl {account.code} {account.name}: organization {namesake} {account.name} (the same name)" in text
    assert "--decide" in text
    assert customers_text(found, "klanten.csv").endswith("Written to klanten.csv")
