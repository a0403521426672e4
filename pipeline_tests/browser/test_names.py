"""docs/names.md names what there is, in the words that the user interface shows; no browser is needed to see that."""

import re

import dagster as dg
import pytest

from pipeline.config import PROJECT_FOLDER
from pipeline.definitions import defs
from pipeline.warehouse.tables.columns import metadata

PAGE = (PROJECT_FOLDER / "docs" / "names.md").read_text("utf-8")
OPERATIONS = (PROJECT_FOLDER / "docs" / "operations.md").read_text("utf-8")
ASSETS = {spec.key.to_user_string(): spec.description for spec in defs.resolve_all_asset_specs()}


def rows_under(*headings: str) -> dict[str, str]:
    """The last cell of each row of those sections' tables, by the name in the first."""
    sections = {section.split("\n", 1)[0]: section for section in PAGE.split("\n## ")}
    return {
        name: said
        for heading in headings
        for name, said in re.findall(r"^\| `([^`]+)`.* \| ([^|]+) \|$", sections[heading], re.MULTILINE)
    }


def test_every_asset_is_named_with_its_description():
    assert rows_under("exact_online", "erp", "crm", "pipedrive", "marts") == ASSETS


def test_every_job_schedule_and_sensor_is_named_with_its_description():
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    found = [*jobs, *repository.schedule_defs, *repository.sensor_defs]
    assert rows_under("Jobs, schedules and sensors") == {one.name: one.description for one in found}


def test_every_check_is_named_with_its_description():
    checks = [check for check in defs.asset_checks or [] if isinstance(check, dg.AssetChecksDefinition)]
    specs = [spec for check in checks for spec in check.check_specs]
    assert rows_under("Checks") == {spec.name: spec.description for spec in specs}


def test_every_check_is_named_with_what_to_do_when_it_fails():
    section = OPERATIONS.split("\n## What a check says\n")[1].split("\n## ")[0]
    checks = {spec.name for check in defs.asset_checks or [] for spec in check.check_specs}
    named = {
        name for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for name in re.findall("`(.+?)`", row)
    }
    assert named == checks


@pytest.mark.parametrize("schema", sorted({table.schema for table in metadata.tables.values()} - {None}))
def test_every_table_is_named_as_an_asset_or_beside_them(schema: str):
    tables = {name: table.comment for name, table in metadata.tables.items() if table.schema == schema}
    beside = {name: said for name, said in tables.items() if name.replace(".", "/") not in ASSETS}
    assert {
        name: said for name, said in rows_under("Beside the assets").items() if name.split(".")[0] == schema
    } == beside
