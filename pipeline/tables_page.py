"""docs/tables.md: every table that analysts query, made from what the tables say of themselves.

`python -m pipeline.tables_page` (`make docs`) writes it; a test holds it to the tables.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy.dialects import postgresql

from pipeline.assets.lineage import SOURCES
from pipeline.config import PROJECT_FOLDER
from pipeline.steps.export import EXPORTED, SCHEMAS
from pipeline.warehouse.analysts import ANALYST, CONTACTS, OF_CONTACTS
from pipeline.warehouse.analysts import SCHEMAS as READ_BY_ANALYSTS
from pipeline.warehouse.tables import metadata
from pipeline.warehouse.tables.views import VIEWS

FILE = Path("docs") / "tables.md"
_OPENING = f"""# Tables

Made by `make docs` from the declared tables: change it there. Money is exact, in the currency its row names; moments
are UTC. The role `{ANALYST}` reads what is marked so, `{OF_CONTACTS}` the personal data of contacts, see
[operations.md](operations.md#analysts). `pipeline export TABLE --to FILE.parquet` (or `.csv`) takes any of them along;
[queries.md](queries.md) has questions with their answers in SQL.
"""
_LAYERS = {
    "erp": "What the ERP knows, with one meaning for every source.",
    "crm": "What Pipedrive should hold.",
    "pipedrive": "What was written there, and what this pipeline keeps of it.",
    "marts": "Answers that analysts ask for.",
}


def tables_page() -> str:
    """The page."""
    parts = [_OPENING]
    for schema in SCHEMAS:
        parts.append(f"## {schema}\n\n{_LAYERS[schema]}\n")
        parts += [_chapter(name) for name in EXPORTED if name.startswith(f"{schema}.")]
    return "\n".join(parts)


def _chapter(name: str) -> str:
    view, table = VIEWS.get(name), metadata.tables.get(name)
    lines = [f"### {name}", "", str(view.comment if view else table.comment if table is not None else ""), ""]
    lines += [f"{_readers(name)}{' It is a view.' if view else ''}", ""]
    lines += ["| column | type | means | comes from |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in _columns(name)]
    return "\n".join([*lines, ""])


def _readers(name: str) -> str:
    if name in CONTACTS:
        return f"Personal data of contacts: read by `{OF_CONTACTS}`."
    if name.partition(".")[0] in READ_BY_ANALYSTS:
        return f"Read by `{ANALYST}`."
    return "Not for analysts' roles; `pipeline export` has it."


def _columns(name: str) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, meaning and origin of each column; those of the key with an asterisk."""
    if view := VIEWS.get(name):
        for column, meaning in view.columns.items():
            yield column, "", meaning, _origin(view.sources, column)
        return
    for column in metadata.tables[name].columns:
        key = " *" if column.primary_key else ""
        kind = column.type.compile(dialect=postgresql.dialect()).lower()
        yield f"{column.name}{key}", kind, column.comment or "", _origin(SOURCES.get(name, {}), column.name)


def _origin(sources: Mapping[str, list[str]], column: str) -> str:
    return ", ".join(f"`{source}`" for source in sources.get(column, []))


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


if __name__ == "__main__":
    (PROJECT_FOLDER / FILE).write_text(tables_page(), "utf-8")
