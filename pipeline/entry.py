"""What every entry point does first: environment, a database that answers, tables up to date, Dagster's home."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dotenv import load_dotenv
from sqlalchemy import Engine

from pipeline.config import PROJECT_FOLDER
from pipeline.settings import Settings, settings
from pipeline.warehouse.connection import connected
from pipeline.warehouse.migrating import migrate


@contextmanager
def ready(*, migrated: bool = True) -> Iterator[Engine]:
    """The warehouse, migrated, with the process's environment set so that Dagster and its child processes find it.

    Without WAREHOUSE_URL the embedded PostgreSQL runs for as long as this lasts. Not `migrated` it is whatever stands
    there, for who is about to put something else in its place.
    """
    load_dotenv(PROJECT_FOLDER / ".env")
    with ExitStack() as stack:
        if not os.environ.get("WAREHOUSE_URL"):
            os.environ["WAREHOUSE_URL"] = stack.enter_context(_embedded(settings().home))
            stack.callback(os.environ.pop, "WAREHOUSE_URL")
        engine = stack.enter_context(connected(settings().warehouse_url))
        if migrated:
            migrate(engine)
        prepare_dagster_home(settings())
        yield engine
        engine.dispose()


def prepare_dagster_home(environment: Settings) -> None:
    """Dagster's home inside ours, with the project's dagster.yaml in it."""
    home = Path(os.environ.get("DAGSTER_HOME") or environment.home / "dagster")
    home.mkdir(parents=True, exist_ok=True)
    settings_file = PROJECT_FOLDER / "dagster.yaml"
    if home != PROJECT_FOLDER and settings_file.exists():
        shutil.copyfile(settings_file, home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)


@contextmanager
def _embedded(home: Path) -> Iterator[str]:
    from pipeline.warehouse.embedded import embedded_postgres, secret_key  # only here is its extra needed

    os.environ["PIPELINE_SECRET_KEY"] = os.environ.get("PIPELINE_SECRET_KEY") or secret_key(home)
    with embedded_postgres(home) as url:
        yield url
