"""docs/tables.md is what the tables say of themselves, and the questions of docs/queries.md have answers."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from pipeline.sandbox.company import seeded_company
from pipeline.steps.export import EXPORTED
from pipeline.steps.reconciliation import reconcile
from pipeline.steps.token_usage import refresh_token_usage
from pipeline.tables_page import FILE, tables_page
from pipeline.warehouse.tables import metadata
from pipeline.warehouse.tables.views import VIEWS
from pipeline_tests.conftest import fresh_engine
from pipeline_tests.world import World

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = re.findall(r"## ([^\n]+)\n\n```sql\n(.+?)```", (ROOT / "docs" / "queries.md").read_text("utf-8"), re.DOTALL)


def test_the_page_is_up_to_date():
    assert (ROOT / FILE).read_text("utf-8") == tables_page(), "run: make docs"


def test_every_table_is_on_it_and_every_column_says_what_it_means():
    assert re.findall(r"^### (\S+)", tables_page(), re.MULTILINE) == sorted(
        EXPORTED, key=lambda name: (["erp", "crm", "pipedrive", "marts"].index(name.partition(".")[0]), name)
    )
    silent = [str(column) for table in metadata.tables.values() for column in table.columns if not column.comment]
    assert (silent, [table.fullname for table in metadata.tables.values() if not table.comment]) == ([], [])


def test_the_database_says_the_same_of_its_views(shared_engine: Engine):
    comments = (
        "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = CAST(:view AS regclass)"
    )
    with shared_engine.connect() as connection:
        found = {
            name: (
                connection.execute(text("SELECT obj_description(CAST(:view AS regclass))"), {"view": name}).scalar(),
                dict(map(tuple, connection.execute(text(f"{comments} ORDER BY attnum"), {"view": name}))),
            )
            for name in VIEWS
        }
    assert found == {name: (view.comment, dict(view.columns)) for name, view in VIEWS.items()}
    assert {
        source.rpartition(".")[0] for view in VIEWS.values() for all_ in view.sources.values() for source in all_
    } <= set(metadata.tables)
    columns = {f"{table}.{column.name}" for table, made in metadata.tables.items() for column in made.columns}
    assert {source for view in VIEWS.values() for all_ in view.sources.values() for source in all_} <= columns


@pytest.fixture(scope="module")
def synced(postgres: str):
    """A small company, in Pipedrive to its last row."""
    with fresh_engine(postgres) as engine:
        world = World(engine, company=seeded_company(orders=30, products=20, odd=True))
        world.sync()
        refresh_token_usage(engine)
        reconcile(engine)
        yield world


def test_there_are_ten_questions():
    assert len(QUESTIONS) == 10


@pytest.mark.parametrize("query", [query for _, query in QUESTIONS], ids=[question[:40] for question, _ in QUESTIONS])
def test_a_question_has_an_answer(synced: World, query: str):
    assert synced.ask(query.strip().rstrip(";"))
