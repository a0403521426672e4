"""The code location as Dagster sees it: it loads with nothing set, every table has its asset, and a rename is seen."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, Table
from syrupy.assertion import SnapshotAssertion

from pipeline.assets.described import OWNERS, asset_key, lineage_of, reported, schema_of, spec_of
from pipeline.assets.lineage import OWN, SOURCES
from pipeline.definitions import defs
from pipeline.warehouse.tables import metadata

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("exact_online", "erp", "crm", "pipedrive", "marts")
# What the writing to Pipedrive keeps for itself; no asset owns these.
BOOKKEEPING = {
    f"pipedrive.{name}"
    for name in ("duplicates", "field_options", "fields", "intents", "rejected", "stages", "token_usage", "users")
} | {"exact_online.written_contacts", "exact_online.contact_intents", "crm.contact_conflicts"}
TABLES = {name: table for name, table in metadata.tables.items() if table.schema in LAYERS and name not in BOOKKEEPING}
SPECS = {spec.key: spec for spec in sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key.path)}
TABLE_OF_ASSET = {asset_key(table): table for table in TABLES.values()}


def test_the_code_location_loads_with_an_empty_environment():
    script = "from pipeline.definitions import defs; print(len(list(defs.resolve_all_asset_specs())))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert (loaded.returncode, loaded.stdout.strip()) == (0, str(len(SPECS))), loaded.stderr


def test_every_table_has_its_asset_of_the_same_name_and_every_asset_its_table():
    assert {key.to_user_string() for key in SPECS} == {name.replace(".", "/") for name in TABLES}


def test_what_is_left_to_itself_is_there():
    assert set(metadata.tables) >= BOOKKEEPING
    # `inbox` and `state` have no asset: what was told, and what is remembered between runs, is nobody's result.
    assert {table.schema for table in metadata.tables.values()} == {*LAYERS, "inbox", "state"}


@pytest.mark.parametrize("key", SPECS, ids=dg.AssetKey.to_user_string)
def test_an_asset_says_what_it_is_and_whose(key: dg.AssetKey):
    spec, table = SPECS[key], TABLE_OF_ASSET[key]
    assert spec.group_name == table.schema
    assert "postgres" in spec.kinds
    assert 2 <= len(spec.kinds) <= 3
    assert list(spec.owners) == [OWNERS[table.schema or ""]]
    assert set(spec.tags) >= {"about", "follows"}
    assert ("personal-data" in spec.tags) == (table.name in {"contacts", "persons", "person_changes", "drift"})
    assert spec.description == table.comment
    assert len(spec.description) > 15


@pytest.mark.parametrize("key", SPECS, ids=dg.AssetKey.to_user_string)
def test_the_columns_of_an_asset_are_those_of_its_table_each_with_its_meaning(key: dg.AssetKey):
    columns = SPECS[key].metadata["dagster/column_schema"].columns
    table = TABLE_OF_ASSET[key]
    assert [column.name for column in columns] == [column.name for column in table.columns]
    assert [column.name for column in columns if not column.description or not column.type] == []
    assert {column.name for column in columns if not column.constraints.nullable} >= {
        column.name for column in table.primary_key
    }
    assert SPECS[key].metadata["dagster/table_name"] == table.fullname


@pytest.mark.parametrize("key", SPECS, ids=dg.AssetKey.to_user_string)
def test_an_asset_depends_only_on_assets_there_are_to_its_left(key: dg.AssetKey):
    order = {layer: place for place, layer in enumerate(LAYERS)}
    needed = {dep.asset_key for dep in SPECS[key].deps}
    assert needed <= set(SPECS)
    assert key not in needed
    assert [dep.to_user_string() for dep in needed if order[dep.path[0]] > order[key.path[0]]] == []


def test_nothing_right_of_erp_knows_the_source_but_what_compares_with_it():
    reach_past = [
        (key.to_user_string(), dep.asset_key.to_user_string())
        for key, spec in SPECS.items()
        for dep in spec.deps
        if key.path[0] in {"crm", "pipedrive", "marts"} and dep.asset_key.path[0] == "exact_online"
    ]
    assert reach_past == [("marts/differences", "exact_online/order_totals")]


# --- where columns come from ---


@pytest.mark.parametrize("table", SOURCES)
def test_lineage_names_only_columns_that_exist(table: str):
    columns = set(metadata.tables[table].columns.keys())
    named = {source for sources in SOURCES[table].values() for source in sources}
    missing = [
        source
        for source in sorted(named)
        if source.rpartition(".")[2] not in metadata.tables[source.rpartition(".")[0]].columns
    ]
    assert (set(SOURCES[table]) - columns, missing) == (set(), [])


@pytest.mark.parametrize("table", SOURCES)
def test_lineage_comes_only_from_assets_the_table_depends_on_somewhere(table: str):
    seen: set[dg.AssetKey] = set()
    front = [asset_key(metadata.tables[table])]
    while front:
        key = front.pop()
        front += [dep.asset_key for dep in SPECS[key].deps if dep.asset_key not in seen]
        seen |= {dep.asset_key for dep in SPECS[key].deps}
    sources = {source.rpartition(".")[0] for sources in SOURCES[table].values() for source in sources}
    assert {source for source in sources if dg.AssetKey(source.split(".")) not in seen} == set()


@pytest.mark.parametrize("layer", ["erp", "crm", "pipedrive", "marts"])
def test_every_table_of_our_own_says_where_its_columns_come_from(layer: str):
    assert {name for name, table in TABLES.items() if table.schema == layer} <= set(SOURCES)


@pytest.mark.parametrize("table", SOURCES)
def test_a_column_says_which_others_it_is_made_of_or_that_it_is_made_of_none(table: str):
    columns = set(metadata.tables[table].columns.keys()) - {"administration"}
    own = set(OWN.get(table, "").split())
    assert set(SOURCES[table]) | own == columns
    assert set(SOURCES[table]) & own == set()


def origins(column: str) -> set[str]:
    """The columns of `exact_online` that a column comes from, over all that lies between."""
    table, _, name = column.rpartition(".")
    sources = SOURCES.get(table, {}).get(name, [])
    return {column} if table.startswith("exact_online.") else {one for source in sources for one in origins(source)}


REVENUE_MARTS = ("revenue_per_category", "revenue_per_customer", "revenue_per_salesperson")


@pytest.mark.parametrize("mart", REVENUE_MARTS)
def test_revenue_is_followed_from_the_field_in_exact_to_the_mart(mart: str):
    found = origins(f"marts.{mart}.revenue_excl_vat")
    assert found >= {f"exact_online.{feed}.amount_fc_excl_vat" for feed in ("order_history", "order_changes")}
    fields = {metadata.tables[one.rpartition(".")[0]].columns[one.rpartition(".")[2]].comment for one in found}
    assert "AmountFCExclVat: without VAT, in the order's currency" in fields


def test_dagster_is_told_the_lineage_column_by_column():
    lineage = lineage_of(metadata.tables["crm.deals"])
    found = {(source.asset_key.to_user_string(), source.column_name) for source in lineage.deps_by_column["title"]}
    assert found == {("erp/orders", "order_number"), ("erp/customers", "name")}
    assert lineage_of(metadata.tables["exact_online.items"]).deps_by_column == {}


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
def test_a_table_describes_itself_to_dagster(table: Table):
    assert spec_of(table)["key"].path == [table.schema, table.name]
    types = {column.name: column.type for column in schema_of(table).columns}
    money = [name for name in types if name.endswith(("_vat", "_eur")) or name == "value"]
    assert [name for name in money if not types[name].startswith("numeric")] == []
    assert [name for name in types if types[name].startswith(("float", "double", "real"))] == []


def test_every_table_but_history_says_how_old_it_may_be():
    ageless = {key.to_user_string() for key, spec in SPECS.items() if spec.freshness_policy is None}
    assert ageless == {"exact_online/order_history"}


# --- what the user interface says of all the rest ---

REPOSITORY = defs.get_repository_def()
JOBS = [job for job in REPOSITORY.get_all_jobs() if not job.name.startswith("__")]
STARTED = [*JOBS, *REPOSITORY.schedule_defs, *REPOSITORY.sensor_defs]
CHECK_SPECS = [spec for check in defs.asset_checks or [] for spec in check.check_specs]


@pytest.mark.parametrize("one", STARTED, ids=lambda one: f"{type(one).__name__} {one.name}")
def test_what_runs_or_starts_runs_says_what_it_does_and_whose_it_is(one: Any):
    assert len(one.description or "") > 40
    assert one.description.endswith(".")
    assert set(one.owners or []) <= set(OWNERS.values())
    assert one.owners


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_is_tagged_with_its_place_in_the_queue(job: dg.JobDefinition):
    assert int(job.tags["dagster/priority"]) in range(-10, 11)


@pytest.mark.parametrize("spec", CHECK_SPECS, ids=lambda spec: spec.name)
def test_a_check_says_what_must_hold_and_what_happens_when_it_does_not(spec: dg.AssetCheckSpec):
    assert len(spec.description or "") > 40
    assert (spec.description or "").endswith(".")
    assert spec.metadata["when_broken"] in {"warns", "error", "fails the run", "blocks"}
    assert (spec.metadata["when_broken"] == "blocks") == spec.blocking


def test_every_table_is_checked():
    assert {spec.asset_key for spec in CHECK_SPECS} == set(SPECS)


@pytest.mark.parametrize(
    ("table", "links"),
    [
        ("erp.orders", {"nl in Exact Online": "https://exact.example/docs/MenuPortal.aspx?_Division_=123456"}),
        ("crm.deals", {"deals in Pipedrive": "https://pipedrive.example/deals"}),
        ("pipedrive.persons", {"persons in Pipedrive": "https://pipedrive.example/persons/list"}),
    ],
)
def test_a_materialisation_leads_to_the_same_records_on_the_other_side(
    table: str, links: dict[str, str], shared_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("EXACT_BASE_URL", "https://exact.example/")
    monkeypatch.setenv("PIPEDRIVE_BASE_URL", "https://pipedrive.example")
    metadata_shown = reported(shared_engine, metadata.tables[table], 0).metadata or {}
    urls = {name: value.value for name, value in metadata_shown.items() if isinstance(value, dg.UrlMetadataValue)}
    assert urls == links
    monkeypatch.delenv("PIPEDRIVE_BASE_URL")
    without = reported(shared_engine, metadata.tables[table], 0).metadata or {}
    assert [name for name in without if "Pipedrive" in name] == []


# --- the graph as a whole; `pytest --snapshot-update` accepts a change ---


def described(spec: dg.AssetSpec) -> dict[str, Any]:
    return {
        "group": spec.group_name,
        "kinds": sorted(spec.kinds),
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "warns and fails after": ages(spec),
    }


def ages(spec: dg.AssetSpec) -> list[str]:
    windows = (getattr(spec.freshness_policy, name, None) for name in ("warn_window", "fail_window"))
    return [str(window.to_timedelta()) for window in windows if window]


def test_the_assets_are_these(snapshot: SnapshotAssertion):
    assert {key.to_user_string(): described(SPECS[key]) for key in sorted(SPECS)} == snapshot


def test_the_jobs_are_these(snapshot: SnapshotAssertion):
    jobs = {job.name: job for job in defs.resolve_all_job_defs() if not job.name.startswith("__")}
    selected = {
        name: {
            "assets": sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys),
            "tags": dict(job.tags),
            "partitions": type(job.partitions_def).__name__,
        }
        for name, job in sorted(jobs.items())
    }
    assert selected == snapshot


def test_the_schedules_sensors_and_checks_are_these(snapshot: SnapshotAssertion):
    repository = defs.get_repository_def()
    checks = {
        f"{spec.asset_key.to_user_string()} {spec.name}": spec.metadata["when_broken"]
        for check in defs.asset_checks or []
        for spec in check.check_specs
    }
    assert {
        "schedules": {
            one.name: [one.cron_schedule, one.job_name, one.default_status.value] for one in repository.schedule_defs
        },
        "sensors": {
            one.name: [one.minimum_interval_seconds, one.default_status.value] for one in repository.sensor_defs
        },
        "checks": checks,
    } == snapshot
