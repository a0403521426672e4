"""SQL has values only as bound parameters: what people wrote never becomes a part of a statement."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from pipeline.sandbox.company import seeded_company
from pipeline_tests.world import World

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    file
    for file in sorted((ROOT / "pipeline").rglob("*.py"))
    if not {"sandbox", "versions"} & set(file.parts)  # no database; no values, and run before there are any
]
SQL = re.compile(
    r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|FROM|WHERE|JOIN|CREATE|DROP|ALTER|GRANT|REVOKE|COPY|SET LOCAL|EXISTS)\b"
)
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
# Between quotes no parameter can stand, and only a word of ours may: a constant, or one of these, which are stages,
# kinds and topics that the calls in the same file name.
WORDS_OF_OURS = {
    ("steps/erase_records.py", "kind"),
    ("steps/erase_records.py", "topic"),
    ("steps/read_back.py", "kind"),
    ("steps/reconciliation.py", "before"),
    ("steps/reconciliation.py", "after"),
}
# Lists of columns, settings of a session and tables out of PostgreSQL's own catalogue.
NAMED_ALIKE = {
    ("steps/erase_records.py", "settings"),
    ("warehouse/dumps.py", "name"),
    ("warehouse/dumps.py", "settings"),
    ("warehouse/writing.py", "settings"),
}
# What holds what people wrote is known by these names throughout the project.
FROM_OUTSIDE = re.compile(
    r"(row|record|answer|body|said|values?|event|order|customer|contact|person|config|settings|environment"
    r"|administration|name|content|said|search|wanted\[)\b(?!s)"
)


def strings_with_places(tree: ast.AST) -> Iterator[ast.JoinedStr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and SQL.search(" ".join(_words(node))):
            yield node


def _words(node: ast.JoinedStr) -> list[str]:
    return [part.value for part in node.values if isinstance(part, ast.Constant)]


def between_quotes(source: str) -> Iterator[str]:
    """What is put between the quotes of a text in a statement."""
    for node in strings_with_places(ast.parse(source)):
        before = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                before += part.value
            elif isinstance(part, ast.FormattedValue) and before.count("'") % 2:
                yield ast.unparse(part.value)


def from_outside(source: str) -> Iterator[str]:
    """What is put into a statement and is called as values are."""
    for node in strings_with_places(ast.parse(source)):
        for part in node.values:
            if isinstance(part, ast.FormattedValue) and FROM_OUTSIDE.match(ast.unparse(part.value)):
                yield ast.unparse(part.value)


def test_only_words_of_ours_stand_between_quotes_of_a_statement():
    found = {
        (str(file.relative_to(ROOT / "pipeline")), put) for file in FILES for put in between_quotes(file.read_text())
    }
    assert {(file, put) for file, put in found if not CONSTANT.fullmatch(put)} == WORDS_OF_OURS


def test_no_value_is_put_into_the_text_of_a_statement():
    found = {
        (str(file.relative_to(ROOT / "pipeline")), put) for file in FILES for put in from_outside(file.read_text())
    }
    assert found == NAMED_ALIKE


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("""tx.execute(text(f"SELECT * FROM t WHERE name = '{name}'"))""", (["name"], ["name"])),
        ("""f"DELETE FROM t WHERE id = {row.id}\"""", ([], ["row.id"])),
        ("""f"SELECT {_COLUMNS} FROM {table.fullname}\"""", ([], [])),
        ("""f"Nothing from {row.id}\"""", ([], [])),
    ],
)
def test_a_value_in_a_statement_would_be_found(source: str, found: tuple[list[str], list[str]]):
    assert (list(between_quotes(source)), list(from_outside(source))) == found


MARK = "'); DROP TABLE x; --\"%s%(n)s:n {0} \\'"
TEXTS = ("name", "description", "your_ref", "first_name", "last_name", "city", "remarks", "address_line1", "notes")


def marked(rows: Iterable[Any]) -> int:
    """Gives every text that a person wrote a mark that breaks, or is seen in, any statement it gets into."""
    texts = [(row, name) for row in rows for name in TEXTS if isinstance(getattr(row, name, None), str)]
    for row, name in texts:
        setattr(row, name, f"{getattr(row, name)} {MARK}")
    return len(texts)


def test_what_people_write_reaches_the_warehouse_and_pipedrive_and_no_statement(engine: Engine):
    company = seeded_company(orders=6, products=6)
    lines = [line for order in company.orders for line in order.lines]
    for rows in (company.accounts, company.contacts, company.items, lines):
        assert marked(rows)
    world = World(engine, company=company)
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    world.sync()
    assert len(statements) > 200
    assert [statement for statement in statements if "DROP TABLE x" in statement] == []
    of_customers = "SELECT count(*), count(*) FILTER (WHERE name LIKE '%DROP TABLE x%') FROM erp.customers"
    [(customers, with_mark)] = world.ask(of_customers)
    assert customers == with_mark > 0
    assert all(MARK in deal["title"] for deal in world.deals().values())
