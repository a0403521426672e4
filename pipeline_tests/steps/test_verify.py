"""What `pipeline verify` sees of both accounts, that it writes to neither, and the page it makes of it."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import Engine

from pipeline.config import Budget, Config
from pipeline.errors import GiveUp
from pipeline.language import Language
from pipeline.page import save
from pipeline.presentation import verify_text
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.company_rows import Account, Item, ItemGroup
from pipeline.steps import verify_books
from pipeline.steps.plan import plan
from pipeline.steps.verify import verify
from pipeline.steps.verify_answers import Heads
from pipeline.verify_page import verify_page
from pipeline.verify_words import WORDS
from pipeline_tests.pages import Parsed
from pipeline_tests.sandbox.simulator_transport import SimulatorTransport
from pipeline_tests.steps.hands import hand
from pipeline_tests.world import PIPEDRIVE, SALESPEOPLE, World

EIGHTEEN = "123456789012345678"
SCRIPT = "<script>alert('kwaad')</script> & Zn."
KEYS = {
    "read_at",
    "administrations",
    "status_combinations",
    "held_orders",
    "salespeople",
    "salespeople_yaml",
    "owners",
    "customers",
    "items",
    "orders",
    "migration",
    "plans",
    "clocks",
    "limits",
    "unseen",
    "findings",
}


@pytest.fixture(scope="module")
def world(shared_engine: Engine) -> World:
    """Books with one of everything that should not happen, an account with a field of another type, nothing synced."""
    company = seeded_company(orders=12, odd=True, products=20)
    item = next(iter(company.items.rows))
    for code, name, country in ((EIGHTEEN, "Achttien", "NL"), ("abc1", SCRIPT, "NL"), ("ABC1", "", "")):
        company.add("accounts", Account(company.new_id(), code, name, country=country))
    for code, name in (("LAMP", "LAMPEN"), ("lamp", "Lampen"), ("L2", "Lampen")):
        company.add("item_groups", ItemGroup(company.new_id(), code, name))
    company.add("items", replace(company.items.rows[item], id=company.new_id(), code="odd-🎄"))
    company.add("items", Item(company.new_id(), "ZG-2", "Nog een zonder groep", None))
    account = next(iter(company.accounts.rows))
    company.place_order(account, [(item, 2, 10)], currency="USD")
    made = World(shared_engine, company=company)
    http = httpx.Client(
        base_url=PIPEDRIVE, transport=SimulatorTransport(made.pipedrive), headers={"x-api-token": "sandbox"}
    )
    http.post("/api/v2/dealFields", json={"field_name": "Orderdatum", "field_type": "varchar"}).raise_for_status()
    hand(made, "deactivate_user", user="daan@sandbox.example")
    return made


def looked(world: World, config: Config | None = None) -> dict[str, Any]:
    return verify(
        world.engine, lambda _: world.client, world.pipedrive_client, config or world.config, daily_tokens=10_000_000
    )


def changed(world: World, **settings: Any) -> Config:
    return world.config.model_copy(update=settings)


@pytest.fixture(scope="module")
def found(world: World) -> dict[str, Any]:
    """What is found while the warehouse is empty; read once for the tests that only look at it."""
    return looked(world)


def test_nothing_is_written_to_either_side_and_nothing_lands(world: World, found: dict[str, Any]):
    methods: Counter[str] = Counter()
    world.client.listen(lambda response: methods.update([response.request.method]))
    looked(world)
    assert set(methods) == {"GET"}
    assert {request.split()[0] for request in world.requests() if "Fields" not in request} == {"GET"}
    assert world.requests()["POST /api/v2/dealFields"] == 1  # made by the test
    assert methods["GET"] == found["administrations"][0]["exact_calls"]
    landed = "SELECT (SELECT count(*) FROM exact_online.accounts) + (SELECT count(*) FROM state.pending) AS rows"
    assert world.ask(landed)[0].rows == 0
    assert found["limits"]["pipedrive"]["tokens_of_this_look"] == 20 + 4 * 10 + 10


def test_every_combination_of_statuses_is_counted_with_the_rule_that_takes_it(world: World, found: dict[str, Any]):
    rows = {(row["status"], row["delivery"], row["invoice"]): row for row in found["status_combinations"]}
    assert sum(row["orders"] for row in rows.values()) == len(world.company.orders)
    uncovered = rows["complete", "open", "open"]
    (odd,) = [order for order in world.company.orders if (order.status, order.delivery_status) == (21, 12)]
    assert uncovered == {
        "administration": "nl",
        "status": "complete",
        "delivery": "open",
        "invoice": "open",
        "orders": 1,
        "examples": [str(odd.number)],
        "rule": None,
        "outcome": None,
        "is_covered": False,
    }
    assert (rows["complete", "complete", "complete"]["rule"], rows["open", "open", "open"]["outcome"]) == (2, "new")
    assert "! nl" in verify_text(found, None)


def test_rules_of_pipeline_yaml_are_the_ones_that_are_named(world: World):
    rule = {"status": ["complete"], "delivery": ["open"], "invoice": "any", "then": "won"}
    config = Config.model_validate(world.config.model_dump() | {"status_rules": [rule]})
    rows = {(row["status"], row["delivery"]): row for row in looked(world, config)["status_combinations"]}
    assert (rows["complete", "open"]["rule"], rows["open", "open"]["is_covered"]) == (1, False)


def test_salespeople_without_an_active_user_are_ready_to_paste(world: World):
    first, second, third, *others = SALESPEOPLE
    mapping = {first: SALESPEOPLE[first], second: SALESPEOPLE[second], third.upper(): "nobody@sandbox.example"}
    found = looked(world, changed(world, salespeople=mapping, default_owner="sanne@sandbox.example"))
    users = {row["salesperson_id"]: row["user"] for row in found["salespeople"]}
    assert users[first] == "active"
    assert users[second] == "deactivated"
    assert users[third] == "no such user"
    assert {users[person] for person in others} == {"not in pipeline.yaml"}
    pasted = yaml.safe_load("\n".join(["salespeople:", *found["salespeople_yaml"]]))["salespeople"]
    assert pasted == {person: SALESPEOPLE[person] for person in (second, third, *others)}
    assert all("# " in line and " orders" in line for line in found["salespeople_yaml"])
    assert found["owners"] == [{"owner": "sanne@sandbox.example", "orders": len(world.company.orders)}]


def test_what_is_wrong_with_customers_items_and_orders_is_found(world: World, found: dict[str, Any]):
    (customers,), (items,), (orders,) = found["customers"], found["items"], found["orders"]

    def codes(fault: str) -> list[str | None]:
        return [row["debtor_code"] for row in customers[fault]["examples"]]

    assert codes("without_code") == [None]
    assert codes("shared_codes") == ["99001", "99001"]
    assert codes("long_codes") == [EIGHTEEN]
    assert sorted(map(str, codes("codes_alike"))) == ["ABC1", "abc1"]
    assert codes("without_name") == codes("without_country") == ["ABC1"]
    assert items["without_group"] == {"items": 2, "examples": ["ZG-1", "ZG-2"]}
    assert (items["not_in_the_catalogue"], items["most_options"]) == (1, 10_000)
    assert (items["groups_alike"], items["groups_of_one_name"]) == ([["LAMPEN", "Lampen"]], ["Lampen"])
    assert items["codes_alike"] == [["ODD-🎄", "odd-🎄"]]
    assert orders["other_currencies"] == [{"currency": "USD", "orders": 1}]
    assert (orders["lines_an_order"]["most"], orders["without_lines"]) == (1114, 1)
    assert sum(month["orders"] for month in orders["months"]) == orders["orders"] == len(world.company.orders)
    assert [row["field"] for row in found["migration"]["fields_of_another_type"]] == ["Orderdatum"]
    counted = {row["finding"]: row["count"] for row in found["findings"]}
    assert counted == counted | {"uncovered_orders": 1, "customers_shared_codes": 2, "fields_of_another_type": 1}
    assert "salespeople_without_user" in counted


def test_each_plan_says_how_long_it_takes_and_what_fits(found: dict[str, Any]):
    plans = {row["plan"]: row for row in found["plans"]}
    assert list(plans) == ["Lite", "Growth", "Premium", "Ultimate"]
    lite, seats = plans["Lite"], plans["Lite"]["seats"]
    assert (lite["tokens_a_day"], plans["Ultimate"]["tokens_a_day"]) == (30_000 * seats, 210_000 * seats)
    assert (lite["deals"], lite["deals_allowed"], lite["deals_fit"]) == (
        found["migration"]["deals"],
        2500 * seats,
        True,
    )
    assert (lite["fields"], lite["fields_allowed"]) == (22, 30)
    assert len(lite["item_groups_left_out"]) == lite["item_group_fields"] - 5
    assert plans["Growth"]["item_groups_left_out"] == []
    assert all(row["days"] == 1 for row in plans.values())


def test_the_json_has_the_keys_that_are_documented_and_goes_through_json(found: dict[str, Any], project: Path):
    assert set(found) == KEYS
    assert json.loads(json.dumps(found)) == found
    described = (project / "docs/operations.md").read_text("utf-8")
    assert [key for key in KEYS if f"`{key}`" not in described] == []


def test_the_page_stands_alone_and_escapes_what_comes_from_outside(world: World, found: dict[str, Any], tmp_path: Path):
    file = tmp_path / "page.html"
    save(verify_page(found, Language.NL), file)
    html = file.read_text("utf-8")
    parsed = Parsed(html)
    assert parsed.open == []
    assert (parsed.tags["script"], parsed.tags["link"], parsed.tags["img"], parsed.references) == (0, 0, 0, [])
    assert "url(" not in html
    assert "@import" not in html
    assert SCRIPT in parsed.text
    for words in ("Vooronderzoek", "GEEN REGEL", "de klant heeft geen debiteurnummer", "1.114", "@page { size: A4"):
        assert words in parsed.text
    assert "the customer has no debtor code" in Parsed(verify_page(found, Language.EN)).text
    contacts = [contact for contact in world.company.contacts if contact.email]
    assert [contact.email for contact in contacts if str(contact.email) in html] == []
    with pytest.raises(GiveUp, match="Cannot write"):
        save(verify_page(found, Language.NL), tmp_path / "nowhere" / "page.html")


def test_a_sentence_has_the_same_places_in_both_languages():
    def places(sentence: str) -> list[str]:
        return sorted(part.split("}")[0] for part in sentence.split("{")[1:])

    assert [key for key, (dutch, english) in WORDS.items() if places(dutch) != places(english)] == []


def test_what_could_not_be_read_is_said_and_the_rest_is_there(world: World, monkeypatch: pytest.MonkeyPatch):
    spent = looked(world, changed(world, budget=Budget(keep_for_live=0.99999999)))
    assert len(spent["administrations"][0]["months_not_read"]) == 13
    assert any("kept for live changes" in sentence for sentence in spent["unseen"])
    assert "Not seen" in verify_text(spent, None)

    monkeypatch.setattr(verify_books, "MOST_CALLS", 3)
    bounded = looked(world)
    (administration,) = bounded["administrations"]
    assert len(administration["months_not_read"]) == 11
    assert any("3 calls for orders were made" in sentence for sentence in bounded["unseen"])


def test_the_clock_of_the_other_side_is_read_from_its_answers():
    now = datetime(2026, 11, 20, 9, tzinfo=UTC).timestamp()
    heads = Heads(now=lambda: now)
    assert heads.ahead is None
    for date in ("Fri, 20 Nov 2026 09:02:10 GMT", "Fri, 20 Nov 2026 09:02:05 GMT", "tomorrow", ""):
        heads(httpx.Response(200, headers={"date": date}))
    assert heads.ahead == 125.0


def test_a_synchronisation_comes_to_what_was_foretold_and_a_full_warehouse_changes_nothing(engine: Engine):
    world = World(engine, company=seeded_company(orders=12, odd=True, products=20), erp={"hr_rights": False})
    before = looked(world)
    world.land()
    world.refresh()
    held = world.ask("SELECT reason, count(*) AS orders FROM crm.held WHERE entity = 'order' GROUP BY reason")
    assert {row["reason"]: row["orders"] for row in before["held_orders"]} == {row.reason: row.orders for row in held}
    foretold = {kind: before["migration"][kind] for kind in ("organizations", "persons", "products", "deals")}
    assert foretold == {kind: world.ask(f"SELECT count(*) AS rows FROM crm.{kind}")[0].rows for kind in foretold}
    assert before["migration"]["rows"] == world.ask("SELECT count(*) AS rows FROM crm.deal_products")[0].rows
    planned = plan(engine, world.config, 10_000_000)
    assert before["migration"]["tokens"] - before["migration"]["setup_tokens"] == planned.tokens - planned.setup
    world.write()
    after = looked(world)
    assert after["migration"]["deals_there_already_ours"] == after["migration"]["deals"] == foretold["deals"]
    assert after["plans"][0]["deals"] == before["plans"][0]["deals"]
    assert (after["migration"]["fields_there"], after["migration"]["fields_to_be_made"]) == (22, 0)
    same = ("status_combinations", "held_orders", "customers", "items", "orders", "owners", "salespeople")
    assert {part: after[part] for part in same} == {part: before[part] for part in same}
    unmapped = looked(world, changed(world, salespeople={}))
    assert any("e-mail addresses of salespeople" in sentence for sentence in unmapped["unseen"])
    assert len([line for line in unmapped["salespeople_yaml"] if line.startswith("  # ")]) == len(SALESPEOPLE)
