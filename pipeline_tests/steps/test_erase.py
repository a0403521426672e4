"""Somebody asks to be erased: nothing that names him is found anywhere afterwards, but what the law wants kept."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.domain.erasure import ERASED_NAME, ERASED_WORD, Asked, kept_until, last_backup_gone, words_pattern
from pipeline.errors import GiveUp
from pipeline.exact_online import feeds
from pipeline.presentation_erasure import erased_again_text, erasure_text
from pipeline.sandbox.company_rows import Account, Contact
from pipeline.steps import erasures
from pipeline.steps.backup import backup
from pipeline.steps.erase import erase, erase_again
from pipeline.steps.erasure_report import save, signed, verified
from pipeline.steps.landing import landed_row
from pipeline.steps.let_in_again import let_in_again
from pipeline.steps.restore import restore
from pipeline.steps.retention import forget_deleted_contacts
from pipeline.warehouse.connection import engine_of
from pipeline.warehouse.tables import exact_online as tables
from pipeline_tests.steps.hands import hand
from pipeline_tests.steps.test_contacts_to_exact import a_synced_world, label
from pipeline_tests.steps.test_persons import persons
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_sync

COLUMNS = """
SELECT format('%I.%I', table_schema, table_name) AS name, format('%I', column_name) AS column_name
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
    AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'ARRAY')
"""
KEY = Fernet.generate_key().decode()


def found(engine: Engine, words: list[str]) -> list[tuple[str, str]]:
    """Where in the whole database, Dagster's tables too, one of the words stands: column and word."""
    with engine.connect() as connection:
        columns = connection.execute(text(COLUMNS)).all()
        one_each = " UNION ALL ".join(
            f"SELECT '{name}.{column}', word FROM unnest(CAST(:words AS text[])) AS word "
            f"WHERE EXISTS (SELECT FROM {name} WHERE position(word IN {column}::text) > 0)"
            for name, column in columns
        )
        return [tuple(row) for row in connection.execute(text(one_each), {"words": words})]


def layers(engine: Engine, words: list[str]) -> set[str]:
    """The schemas in which one of the words stands."""
    return {column.partition(".")[0] for column, _ in found(engine, words)}


@pytest.fixture
def world(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)
    with worlds.after(first_sync(orders=12, products=20)) as world:
        yield world


@pytest.fixture
def log(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets Dagster log a text, in its own tables of the same database."""
    monkeypatch.setenv("WAREHOUSE_URL", world.engine.url.render_as_string(hide_password=False))
    storage = {"module": "pipeline.automation.storage", "class": "WarehouseStorage", "config": {}}

    def write(said: str) -> None:
        with dg.instance_for_test(overrides={"storage": {"custom": storage}}) as instance:
            metadata = {"first": dg.MetadataValue.md(said)}
            instance.report_runless_asset_event(dg.AssetMaterialization(["erp", "contacts"], metadata=metadata))
            instance.event_log_storage._engine.dispose()  # type: ignore[attr-defined]

    return write


def erased(
    world: World, folder: Path, *, connected: bool = True, dry_run: bool = False, **asked: str
) -> dict[str, Any]:
    """The report of one erasure."""
    return erase(
        world.engine,
        world.pipedrive_client if connected else None,
        world.config,
        Asked(**asked),
        daily_tokens=10_000_000,
        backups=folder,
        by="tester",
        dry_run=dry_run,
    )


def test_a_contact_is_found_nowhere_afterwards_and_does_not_come_back(
    world: World, log: Callable[[str], None], tmp_path: Path
):
    contact = next(one for one in world.company.contacts if one.id in persons(world))
    says = {"first_name": "Zoë", "middle_name": None, "last_name": 'van "Loon"', "email": "zoe@thuis.example"}
    numbers = {"business_email": "zoe@zaak.example", "mobile": "06-31415926", "business_mobile": None}
    unneeded = {"gender": "V", "notes": "Houdt van tulpen", "job_title": "Tulpenkweker", "extra": {"City": "Lisse-Zoe"}}
    world.company.change("contacts", contact.id, **says, **numbers, **unneeded)
    world.sync()
    words = ['Zoë van "Loon"', 'Zoë van \\"Loon\\"', "zoe@thuis.example", "zoe@zaak.example", "06-31415926"]
    assert found(world.engine, ["Houdt van tulpen", "Tulpenkweker", "Lisse-Zoe"]) == []
    log("| name | e-mail |\n| " + " | ".join(words))
    with world.engine.begin() as tx:
        tx.execute(text(_NOTICED), {"key": contact.id})
    known = {"exact_online", "erp", "crm", "pipedrive", "dagster"}
    assert layers(world.engine, words) == known
    made = backup(world.engine, tmp_path)
    asked = world.requests()
    would = erased(world, tmp_path, contact=contact.id, dry_run=True)
    assert (layers(world.engine, words), world.requests()) == (known, asked)

    report = erased(world, tmp_path, contact=contact.id.upper())
    assert found(world.engine, words) == []
    assert report["erased"] == would["erased"]
    assert report["erased"].keys() >= {"exact_online.contacts", "crm.contact_conflicts", "inbox.webhook_events"}
    assert report["erased"].keys() >= {"pipedrive.rejected", "pipedrive.persons", "dagster.event_logs"}
    person = persons(world)[contact.id]
    assert (person["name"], person["emails"], person["phones"], person["org_id"]) == (ERASED_NAME, [], [], None)
    assert report["pipedrive"] == [{"kind": "persons", "records": 1, "waiting": 0, "ids": [person["id"]]}]
    assert "still there" in report["subjects"][0]["in_exact_online"]
    assert (report["stays"], report["backups"]["dumps"], report["backups"]["newest"]) == ([], 1, made.file.name)
    assert [word for word in words if word in json.dumps(report, ensure_ascii=False)] == []

    world.company.change("contacts", contact.id, last_name="van Loon-de Vries")
    asked = world.requests()
    world.sync()
    assert (world.requests(), found(world.engine, [*words, "van Loon-de Vries"])) == (asked, [])
    (listed,) = tmp_path.glob("erasures-*.json")
    again = erased(world, tmp_path, contact=contact.id)
    assert (again["erased"], world.requests(), [*tmp_path.glob("erasures-*.json")]) == ({}, asked, [listed])
    assert "Nothing is left to erase" in erasure_text(again, None)

    world.engine.dispose()
    restore(world.engine, made.file)
    assert layers(world.engine, words) == known
    with world.engine.begin() as tx:  # as on another machine, where only the folder with the backups was saved
        tx.execute(text("DELETE FROM state.erasures"))
    assert "were emptied again" in erased_again_text(erase_again(world.engine, world.config, tmp_path))
    assert found(world.engine, words) == []
    world.sync()
    assert erase_again(world.engine, world.config, tmp_path) == 0
    assert persons(world)[contact.id]["name"] == ERASED_NAME
    assert found(world.engine, words) == []


_NOTICED = """
WITH inboxed AS (INSERT INTO inbox.webhook_events (hash_code, administration, division, topic, action, key, content,
    received_at) VALUES ('A1', 'nl', 1, 'Contacts', 'Update', :key, '{}', now())),
refused AS (INSERT INTO pipedrive.rejected
    VALUES ('nl', 'persons', :key, 'Zoë van "Loon"', 'no zoe@zaak.example', now()))
INSERT INTO crm.contact_conflicts VALUES ('nl', :key, 'e_mail', now(), 1, 'zoe@thuis.example', 'zoe@zaak.example')
"""


def test_a_sole_trader_is_known_by_the_debtor_code_alone_and_his_orders_stay(world: World, tmp_path: Path):
    company = world.company
    place: dict[str, Any] = {
        "address_line1": "Tulpenlaan 7",
        "postcode": "2161 AA",
        "city": "Lissebroek",
        "website": "www.wimtulp.example",
    }
    trader = company.add("accounts", Account(company.new_id(), "90077", "Wim Tulp Bloemen", **place))
    contact = company.add(
        "contacts", Contact(company.new_id(), trader.id, 9_001, "Wim", "Tulp", email="wim@tulp.example")
    )
    item = next(iter(company.items)).id
    lost, open_one = (company.place_order(trader.id, [(item, 3, 12.5)]) for _ in range(2))
    company.change_order(lost.id, status=45)
    world.sync()
    words = ["Wim Tulp", "Tulpenlaan 7", "2161 AA", "Lissebroek", "wimtulp", "wim@tulp.example"]
    assert layers(world.engine, words) == {"exact_online", "erp", "crm", "pipedrive", "marts"}
    waiting = erased(world, tmp_path, account="90077", connected=False)
    assert waiting["pipedrive_waits_because"] == "PIPEDRIVE_API_TOKEN is not set: the next `pipeline sync` writes it"
    assert {one["kind"]: one["waiting"] for one in waiting["pipedrive"]} == {
        "persons": 1,
        "organizations": 1,
        "deals": 2,
    }
    assert found(world.engine, words) == []
    stays = {one["table"]: (one["rows"], one["until"]) for one in waiting["stays"]}
    assert stays["erp.orders"] == (2, f"{lost.order_date.year + 7}-12-31")
    assert stays["erp.order_lines"][0] == 2

    company.change("accounts", trader.id, city="Lissebroek aan Zee")
    world.sync()
    assert found(world.engine, words) == []
    state = json.dumps(world.control("state"), ensure_ascii=False)
    assert [word for word in words if word in state] == []
    organization = next(one for one in world.control("state")["organizations"] if one["name"] == "90077")
    titles = {world.deals()[one.id]["title"] for one in (lost, open_one)}
    assert titles == {f"Bestelling {one.number} – 90077" for one in (lost, open_one)}
    assert {world.deals()[one.id]["org_id"] for one in (lost, open_one)} == {organization["id"]}
    assert {row.customer for row in world.ask(_SHOWN, key=trader.id)} == {"90077"}

    other = next(one for one in company.contacts if one.id in persons(world) and one.id != contact.id and one.email)
    company.delete("contacts", other.id)
    world.sync()
    with world.engine.begin() as tx:
        assert forget_deleted_contacts(tx, 365) == 0
        tx.execute(text("UPDATE exact_online.deletions SET deleted_date = deleted_date - interval '366 days'"))
        assert forget_deleted_contacts(tx, 365) == 1
    assert found(world.engine, [other.id]) == [("exact_online.deletions.entity_key", other.id)]
    asked = world.requests()
    world.sync()
    assert world.requests() == asked

    let_in_again(world.engine, world.config, Asked(account="90077"), tmp_path)
    with pytest.raises(GiveUp, match="was not erased here, so there is nothing to let in again"):
        let_in_again(world.engine, world.config, Asked(account=trader.id), tmp_path)
    backup_knows = erasures.read_beside(tmp_path)
    assert {one["kind"] for one in backup_knows} == {"contact", "person"}
    world.sync()
    assert "Wim Tulp Bloemen" in {one["name"] for one in world.control("state")["organizations"]}


_SHOWN = """
SELECT customer FROM marts.revenue_per_customer WHERE customer_id = :key
UNION ALL SELECT customer FROM marts.dormant_customers WHERE customer_id = :key
"""


def test_who_wants_to_be_erased_is_not_carried_to_the_erp_again(
    worlds: Worlds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)
    with worlds.after(a_synced_world) as world:
        contact_id, person = next(iter(persons(world).items()))
        by_hand = {"name": "Kees Kaas", "emails": [{"value": "kees@kaas.example"}]}
        fields = {"label_ids": [label(world)], **by_hand}
        hand(world, "edit_person", id=person["id"], fields=fields)
        made = hand(world, "add_person", fields=fields | {"org_id": None})["id"]
        world.carry_back()
        words = ["Kees Kaas", "kees@kaas.example"]
        assert layers(world.engine, words) >= {"pipedrive"}
        report = erased(world, tmp_path, e_mail="Kees@Kaas.example")
        assert found(world.engine, words) == []
        assert {one["kind"]: one["ids"] for one in report["pipedrive"]}["persons made by hand"] == [made]
        books = world.company.contacts.rows
        before = books[contact_id].timestamp
        world.sync()
        assert found(world.engine, words) == []
        assert books[contact_id].timestamp == before


# --- who is meant ---


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"contact": "0f0f"}, "There is no contact 0f0f in nl, and none was erased"),
        ({"account": "1' OR 1=1"}, "There is no account 1' OR 1=1 in nl"),
        ({"e_mail": "nobody@nowhere.example"}, "Nobody with that e-mail address is held here"),
        ({"account": "7"}, "2 accounts are meant by that"),
    ],
)
def test_nothing_is_erased_when_nobody_or_more_than_one_is_meant(
    shared_engine: Engine, asked: dict[str, Any], said: str, tmp_path: Path
):
    world = World(shared_engine)
    with shared_engine.begin() as tx:
        tx.execute(text(_TWO_WITH_ONE_CODE))
    with pytest.raises(GiveUp, match=said.replace("(", r"\(")):
        erased(world, tmp_path, connected=False, **asked)
    assert len(world.ask("SELECT FROM erp.customers WHERE name = 'Twee'")) == 2


_TWO_WITH_ONE_CODE = """
INSERT INTO erp.customers (administration, customer_id, debtor_code, name, is_customer, is_deleted)
VALUES ('nl', 'a1', '7', 'Twee', true, false), ('nl', 'a2', '7', 'Twee', true, false) ON CONFLICT DO NOTHING
"""


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        (["Jan Bakker"], "| Jan Bakker |", f"| {ERASED_WORD} |"),
        (["Jan Bakker"], r"a\nJan Bakker, b", rf"a\n{ERASED_WORD}, b"),
        (["Bakker"], "Bakkerij en Rozenbakker", "Bakkerij en Rozenbakker"),
        (["event"], '{"event": "event."}', f'{{"event": "{ERASED_WORD}."}}'),
        (["José"], r'"Jos\u00e9" José', f'"{ERASED_WORD}" {ERASED_WORD}'),
        (['a "b" c'], r"x a \"b\" c x", f"x {ERASED_WORD} x"),
        (["A|B+C (x)"], r"A\|B+C (x) A|B+C (x)", f"{ERASED_WORD} {ERASED_WORD}"),
        (["+31 6 12"], "tel:+31 6 12, +31 6 123", f"tel:{ERASED_WORD}, +31 6 123"),
    ],
)
def test_words_are_taken_out_whole_however_a_log_writes_them(
    shared_engine: Engine, words: list[str], before: str, after: str
):
    with shared_engine.connect() as connection:
        of = {"before": before, "pattern": words_pattern(words), "mark": ERASED_WORD}
        taken = connection.execute(text("SELECT regexp_replace(:before, :pattern, :mark, 'g')"), of).scalar_one()
    assert taken == after


def test_words_too_short_to_be_told_from_others_are_left_alone():
    assert words_pattern(["Jan", " ", None]) is None


@pytest.mark.parametrize(("newest", "until"), [(date(2026, 1, 1), date(2033, 12, 31)), (None, date(2033, 12, 31))])
def test_books_are_kept_seven_years_after_their_own(newest: date | None, until: date):
    assert kept_until(newest, date(2026, 6, 1)) == until


@pytest.mark.parametrize(
    ("today", "gone"), [(date(2026, 11, 21), date(2027, 11, 2)), (date(2026, 12, 31), date(2027, 12, 2))]
)
def test_the_last_backup_of_a_month_is_kept_for_twelve(today: date, gone: date):
    assert last_backup_gone(today, 12) == gone


# --- what lands ---


@pytest.mark.parametrize(
    ("feed", "table"), [(feeds.CONTACTS, tables.contacts), (feeds.ACCOUNTS, tables.accounts)], ids=lambda one: one.name
)
def test_a_field_that_is_not_needed_never_lands_even_when_it_is_sent(feed: feeds.Feed, table: Any):
    sent = {field: "5" for field in feed.fields} | {"Modified": None}
    more = {
        "SocialSecurityNumber": "1",
        "BirthDate": "2",
        "Gender": "V",
        "Notes": "x",
        "BankAccount": "NL00",
        "Picture": "a",
    }
    assert landed_row("nl", sent | more, feed).keys() == {column.name for column in table.columns}


# --- the report and the list beside the backups ---


def test_a_report_that_was_changed_or_is_somebody_elses_is_refused(tmp_path: Path):
    file = tmp_path / "report.json"
    save(signed({"report": "erasure", "at": "2026-01-01", "by": "zoë"}, KEY), file)
    assert verified(file, KEY)["by"] == "zoë"
    with pytest.raises(GiveUp, match="signed with another PIPELINE_SECRET_KEY"):
        verified(file, Fernet.generate_key().decode())
    file.write_text(file.read_text("utf-8").replace("2026", "2027"), "utf-8")
    with pytest.raises(GiveUp, match="not as it was signed"):
        verified(file, KEY)
    file.write_text("{}", "utf-8")
    with pytest.raises(GiveUp, match="is no report of an erasure"):
        verified(file, KEY)
    with pytest.raises(GiveUp, match="its report can't be written"):
        save({}, file / "below")


def test_a_list_beside_the_backups_that_is_broken_or_cannot_be_written_is_named(shared_engine: Engine, tmp_path: Path):
    broken = tmp_path / "erasures-0.json"
    broken.write_text('[{"kind": "contact"', "utf-8")
    with shared_engine.connect() as connection:
        with pytest.raises(GiveUp, match=r"erasures-0.json can't be read \(JSONDecodeError\)"):
            erasures.write_beside(connection, tmp_path)
        erasures.remember(connection, [("nl", "contact", "c1")])
        with pytest.raises(GiveUp, match=r"can't be written"):
            erasures.write_beside(connection, broken / "below")


def test_the_console_erases_signs_and_verifies(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAREHOUSE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PIPELINE_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("PIPELINE_SECRET_KEY", KEY)
    with engine.begin() as tx:
        tx.execute(
            text("INSERT INTO erp.contacts VALUES ('nl', 'c1', 'a', 'Wim', NULL, 'Tulp', NULL, NULL, NULL, true)")
        )

    def console(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["erase", *arguments])
        return done.exit_code, done.output

    assert console("--contact", "c1", "--dry-run")[1].startswith("Would be erased, in rows:\n  erp.contacts")
    assert console("--contact", "c1", "--json")[0] == 0
    (file,) = (tmp_path / "erasures").iterdir()
    assert json.loads(file.read_text("utf-8"))["erased"] == {"erp.contacts": 1}
    assert "is as it was signed" in console("--verify", str(file))[1]
    assert "Let in again" in console("--contact", "c1", "--let-in-again")[1]
    assert "nobody's address is kept" in console("--email", "a@b.example", "--let-in-again")[1]
    status, said = console("--contact", "c1", "--account", "a")
    assert (status, "Name one" in said) == (1, True)
    engine_of(engine.url.render_as_string(hide_password=False)).dispose()
