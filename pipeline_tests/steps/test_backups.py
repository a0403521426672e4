"""Backups, and the hardest case of all: a warehouse that is older than Pipedrive."""

import json
import os
import resource
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from dataclasses import replace as but
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.config import Config
from pipeline.errors import GiveUp
from pipeline.sandbox.company_rows import Account, Contact
from pipeline.steps.audit import audit
from pipeline.steps.backup import backup
from pipeline.steps.restore import note_snapshot, restore
from pipeline.warehouse.connection import engine_of
from pipeline.warehouse.dumps import replace, rows_by_table
from pipeline.warehouse.identity import note_up_to_date, was_put_back
from pipeline_tests.automation.factory import run
from pipeline_tests.chaos.changes import busy_week
from pipeline_tests.chaos.comparison import differences
from pipeline_tests.steps.hands import hand, one_of
from pipeline_tests.world import SETTINGS, World
from pipeline_tests.worlds import Worlds, first_sync

DELETED = "was deleted or merged by hand in Pipedrive: restore it there"
KINDS = ("deals", "organizations", "persons", "products")


@pytest.fixture
def world(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("pipeline.steps.doubts.time.sleep", lambda _: None)
    with worlds.after(first_sync(orders=30, products=30)) as world:
        yield world


def rows(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return rows_by_table(connection)


def put_back(engine: Engine) -> bool:
    with engine.connect() as connection:
        return was_put_back(connection)


def a_new_customer_orders(world: World) -> None:
    """With a contact, and an item nobody ordered before."""
    company = world.company
    account = company.add("accounts", Account(company.new_id(), "90001", "Nieuwe Klant BV", city="Utrecht"))
    company.add("contacts", Contact(company.new_id(), account.id, 9_001, "Noor", "Nieuw", email="noor@klant.example"))
    item = company.add("items", but(next(iter(company.items)), id=company.new_id(), code="NIEUW-1"))
    company.place_order(account.id, [(item.id, 3, 12.5)])


def how_many(world: World) -> dict[str, int]:
    state = world.control("state")
    return {kind: len(state[kind]) for kind in KINDS}


def contents(world: World) -> list[dict[str, Any]]:
    """Every record as it stands, whenever it was last touched."""
    state = world.control("state")
    return [record | {"update_time": None} for kind in KINDS for record in state[kind]]


# --- a warehouse older than Pipedrive ---


def test_what_came_after_the_backup_is_found_and_not_made_again(world: World, tmp_path: Path):
    made = backup(world.engine, tmp_path)
    assert made.was_restored
    busy_week(world.company)
    a_new_customer_orders(world)
    world.sync()
    hand(world, "edit_deal", id=one_of(world, "open")[1]["id"], fields={"title": "Van ons"})
    with_their_records = how_many(world)
    restore(world.engine, made.file)
    assert put_back(world.engine)

    world.land()
    world.refresh()
    asked = world.requests()
    stopped = world.write(daily_tokens=30)  # too few to read everything back
    assert stopped.stopped
    assert {request for request in world.requests().keys() - asked.keys() if not request.startswith("GET")} == set()
    assert put_back(world.engine)

    world.sync()
    assert how_many(world) == with_their_records
    assert differences(world.engine, world.control("state"), world.company) == []
    assert not put_back(world.engine)
    asked = world.requests()
    world.sync()
    assert world.requests() == asked
    assert world.ask("SELECT * FROM pipedrive.drift WHERE field <> 'value'") == []


def test_what_was_deleted_by_hand_after_the_backup_stays_so_and_an_audit_first_makes_no_difference(
    world: World, tmp_path: Path
):
    made = backup(world.engine, tmp_path)
    gone = one_of(world, "open")[1]
    hand(world, "delete_deal", id=gone["id"])
    a_new_customer_orders(world)
    world.sync()
    before = contents(world)
    restore(world.engine, made.file)
    audit(world.engine, world.pipedrive_client, world.config, full=True, daily_tokens=10_000_000)
    world.sync()
    assert contents(world) == before
    held = world.ask("SELECT reason FROM crm.held_orders")
    assert {row.reason for row in held} == {f"deal {gone['id']} {DELETED}"}


def test_a_product_goes_to_the_administration_that_turns_out_to_want_it(world: World):
    one = SETTINGS["administrations"][0]
    both = {"administrations": [one, one | {"name": "be", "division": 654321}]}
    world.config = Config.model_validate(SETTINGS | both)
    before = how_many(world)
    key = {"key": world.ask("SELECT product_key FROM pipedrive.products ORDER BY 1 LIMIT 1")[0].product_key}
    with world.engine.begin() as tx:  # as if it were the other one's, which was not read yet since the backup
        tx.execute(text("DELETE FROM pipedrive.products WHERE product_key = :key"), key)
        tx.execute(text("CREATE TABLE public.later AS SELECT * FROM crm.products WHERE product_key = :key"), key)
        tx.execute(text("DELETE FROM crm.products WHERE product_key = :key"), key)
    note_snapshot(world.engine)
    world.write()
    assert world.ask("SELECT * FROM pipedrive.products WHERE product_key = :key", **key) == []
    with world.engine.begin() as tx:
        tx.execute(text("UPDATE public.later SET administration = 'be'"))
        tx.execute(text("INSERT INTO crm.products SELECT * FROM public.later"))
        tx.execute(text("INSERT INTO state.pending VALUES ('pipedrive/products', 'be', :key)"), key)
    world.write()
    linked = world.ask("SELECT administration FROM pipedrive.products WHERE product_key = :key", **key)
    assert ([row.administration for row in linked], how_many(world)) == (["be"], before)


# --- the dump itself ---


@pytest.fixture(scope="module")
def only_dump(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One dump of a warehouse with hardly anything in it."""
    with shared_engine.begin() as tx:
        tx.execute(text("INSERT INTO state.tokens VALUES ('exact_online', 'then', 'then', 'hash')"))
        tx.execute(text("INSERT INTO state.watermarks VALUES ('nl', 'accounts', '5', now())"))
    return backup(shared_engine, tmp_path_factory.mktemp("home") / "backups").file


@pytest.fixture
def dump(only_dump: Path, tmp_path: Path) -> Path:
    """A copy of it in a folder of its own."""
    return Path(shutil.copy2(only_dump, tmp_path))


def test_a_restore_brings_back_everything_but_the_newest_tokens(engine: Engine, only_dump: Path):
    assert stat.S_IMODE(only_dump.stat().st_mode) == 0o600
    assert stat.S_IMODE(only_dump.parent.stat().st_mode) == 0o700
    with engine.begin() as tx:
        tx.execute(text("INSERT INTO state.tokens VALUES ('exact_online', 'now', 'now', 'hash')"))
        tx.execute(text("INSERT INTO state.watermarks VALUES ('nl', 'items', '9', now())"))
        tx.execute(text("DROP TABLE marts.dormant_customers"))
        tx.execute(text("CREATE TABLE marts.of_a_newer_release (id int)"))
    restore(engine, only_dump)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT seen_up_to, refresh_token FROM state.watermarks, state.tokens")).all()
        may_read = connection.execute(text("SELECT has_table_privilege('analyst', 'erp.orders', 'SELECT')")).scalar()
        there = rows_by_table(connection)
    assert (found, may_read) == ([("5", "now")], True)
    assert "marts.dormant_customers" in there
    assert "marts.of_a_newer_release" not in there


def test_the_nightly_job_makes_one_and_tables_put_back_with_other_programs_are_noticed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PIPELINE_HOME", str(tmp_path))
    assert run(world, "backup").success
    (file,) = (tmp_path / "backups").iterdir()
    assert not put_back(world.engine)
    replace(world.engine, file, before="", after="")
    assert put_back(world.engine)


def test_the_console_makes_a_backup_and_puts_it_back(
    engine: Engine, dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WAREHOUSE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", "")
    with engine.begin() as tx:  # of a newer release than this one, which goes back to the release before
        tx.execute(text("UPDATE state.alembic_version SET version_num = '9999'"))
    engine.dispose()  # nobody else may be connected
    restored = CliRunner().invoke(app, ["restore", str(dump)])
    assert (restored.exit_code, "Run `pipeline sync` next" in restored.stdout) == (0, True)
    with engine.begin() as tx:
        assert was_put_back(tx)
        note_up_to_date(tx)
    assert CliRunner().invoke(app, ["restore", "--snapshot"]).exit_code == 0
    assert put_back(engine)
    done = CliRunner().invoke(app, ["backup", "--json"])
    assert json.loads(done.stdout)["was_restored"]
    assert CliRunner().invoke(app, ["restore"]).exit_code == 1
    engine_of(engine.url.render_as_string(hide_password=False)).dispose()


def cut_off(dump: Path) -> None:
    whole = dump.read_bytes()
    dump.write_bytes(whole[: len(whole) * 2 // 3])


def of_something_else(dump: Path) -> None:
    dump.write_text("CREATE TABLE orders ();")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut_off, "Nothing was changed"),
        (of_something_else, "is no dump that `pipeline backup` made"),
        (Path.unlink, "is not there"),
    ],
)
def test_a_file_that_is_no_whole_dump_changes_nothing(engine: Engine, dump: Path, spoil: Any, said: str):
    spoil(dump)
    before = rows(engine)
    with pytest.raises(GiveUp, match=said):
        restore(engine, dump)
    assert (rows(engine), put_back(engine)) == (before, False)


def test_a_dump_of_a_newer_release_is_not_restored(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with engine.begin() as tx:
        tx.execute(text("UPDATE state.alembic_version SET version_num = '9999'"))
    monkeypatch.setattr("pipeline.steps.backup._MAY_MAKE_DATABASES", "SELECT false")
    newer = backup(engine, tmp_path)
    assert not newer.was_restored
    with pytest.raises(GiveUp, match="was made by a newer release: its tables are at revision 9999"):
        restore(engine, newer.file)


def test_nothing_is_restored_under_the_feet_of_a_process_at_work(
    engine: Engine, dump: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pipeline.steps.restore._LEAVING", 0.1)
    other = create_engine(engine.url, connect_args={"application_name": "somebody"})
    with other.connect(), pytest.raises(GiveUp, match=r"1 other sessions are in the database \(somebody\)"):
        restore(engine, dump)
    other.dispose()


def test_a_restore_that_is_killed_half_way_leaves_everything_as_it_was(engine: Engine, dump: Path):
    before = rows(engine)
    engine.dispose()
    child = os.fork()
    if not child:
        replace(engine, dump, before="SELECT pg_sleep(1);", after="")
        os._exit(0)
    sleeping = text(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1);%' AND pid <> pg_backend_pid()"
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(sleeping).scalar_one():
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while connection.execute(sleeping).scalar_one():
            time.sleep(0.01)
    assert (rows(engine), put_back(engine)) == (before, False)


def test_a_full_disk_leaves_the_backups_that_are_there(engine: Engine, dump: Path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(GiveUp, match=r"pg_dump failed: .*No backup was made; those made before are untouched"):
            backup(engine, dump.parent)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(dump.parent.iterdir()) == [dump]


def test_what_grew_old_is_removed_and_other_files_are_left_alone(engine: Engine, dump: Path):
    old = [dump.parent / f"pipeline-2020-01-{day:02}T010000Z.dump" for day in range(1, 21)]
    foreign = dump.parent / "pipeline.dump"
    for path in (*old, foreign):
        path.touch()
    made = backup(engine, dump.parent)
    removed = [old[day - 1] for day in (1, 2, 3, 4, 6, 7)]  # the 5th is the newest of its week
    assert made.removed == removed
    assert {*dump.parent.iterdir()} == {dump, made.file, foreign, *old} - {*removed}


def test_a_folder_that_takes_no_files_is_named(engine: Engine, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(GiveUp, match=r"Backups can't be kept in .*: Not a directory. Name another folder with --to"):
        backup(engine, tmp_path / "file" / "backups")
