"""docs/gdpr says what is so: every personal column, every retention period, and that a lawyer has to look at it."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Column

from pipeline.assets.lineage import SOURCES
from pipeline.config import Config
from pipeline.domain.backups import DAYS, MONTHS, WEEKS
from pipeline.warehouse.tables import metadata
from pipeline.warehouse.tables.personal import NOT_PERSONAL, PERSONAL, Whose
from pipeline_tests.world import SETTINGS

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "gdpr"
DOCUMENTS = sorted(FOLDER.glob("*.md"))
SOUNDS_PERSONAL = re.compile(
    r"name|mail|phone|mobile|address|postcode|city|website|reference|your_ref|title$|customer$|salesperson$|manager$"
    r"|written$|body|theirs|ours$|found$|wanted$|reason|number$|said|content"
)
TYPES = {"TEXT", "JSONB", "ARRAY"}


def columns() -> list[Column]:
    return [column for table in metadata.tables.values() for column in table.columns]


def place(column: Column) -> str:
    return f"{column.table.fullname}.{column.name}"


PLACES = {f"{table}.{name}" for table, of in PERSONAL.items() for names in of.values() for name in names}


def test_every_column_that_sounds_like_a_person_is_said_to_be_personal_or_not():
    sounding = {
        place(column)
        for column in columns()
        if SOUNDS_PERSONAL.search(column.name) and type(column.type).__name__.upper() in TYPES
    }
    assert sounding - PLACES - NOT_PERSONAL.keys() == set()


def test_what_is_said_of_columns_is_said_of_columns_that_exist():
    assert (PLACES | NOT_PERSONAL.keys()) - {place(column) for column in columns()} == set()
    assert PLACES & NOT_PERSONAL.keys() == set()


def comes_from(table: str, name: str) -> list[str]:
    return SOURCES.get(table, {}).get(name, [])


def row(table: str, whose: Whose, names: tuple[str, ...]) -> str:
    """A line of the table in gegevensstromen.md."""
    sources = sorted({source.rpartition(".")[0] for name in names for source in comes_from(table, name)})
    origin = ", ".join(f"`{source}`" for source in sources)
    return f"| `{table}` | {', '.join(names)} | {whose.value} | {origin} |"


ROWS = [row(table, whose, names) for table, of in PERSONAL.items() for whose, names in of.items()]


def test_the_data_flow_lists_exactly_the_personal_columns_in_the_order_they_flow():
    listed = re.findall(r"^\| `\w+\.\w+` \|.*$", (FOLDER / "gegevensstromen.md").read_text("utf-8"), re.MULTILINE)
    assert listed == ROWS


def test_retention_periods_are_those_of_the_settings():
    page = (FOLDER / "bewaartermijnen.md").read_text("utf-8")
    said = {(name, int(days)) for name, days in re.findall(r"\| `(keep_\w+)` \| (\d+) \|", page)}
    settings = Config.model_validate(SETTINGS).model_dump()
    assert said == {(name, value) for name, value in settings.items() if name.startswith("keep_")}
    assert f"{DAYS} dagen, {WEEKS} weken, {MONTHS} maanden" in page


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_is_marked_as_a_template_and_listed(document: Path):
    first, _, marked, *_ = document.read_text("utf-8").splitlines()
    assert first.startswith("# ")
    assert marked.startswith("> **Sjabloon.**")
    assert "jurist" in marked
    assert document.name == "README.md" or f"({document.name})" in (FOLDER / "README.md").read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_is_there(document: Path):
    page, root = document.read_text("utf-8"), FOLDER.parent.parent
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page)
    files = re.findall(r"`((?:pipeline|deploy)/[\w./]+)`", page)
    assert [link for link in links if not (FOLDER / link).exists()] == []
    assert [file for file in files if file != "deploy/logins" and not (root / file).exists()] == []
