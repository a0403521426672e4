"""What every entry point does first: environment, a database that answers, tables up to date, Dagster's home."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Engine

from pipeline import dotenv_file, logs
from pipeline.config import PROJECT_FOLDER
from pipeline.settings import Settings, settings
from pipeline.warehouse.connection import connected
from pipeline.warehouse.migrating import migrate
from pipeline.warehouse.revision import held_to_this_release


@contextmanager
def ready(*, migrated: bool = True) -> Iterator[Engine]:
    """The warehouse, migrated, with the process's environment set so that Dagster and its child processes find it.

    Without WAREHOUSE_URL the embedded PostgreSQL runs for as long as this lasts. Not `migrated` it is whatever stands
    there, for who is about to put something else in its place.
    """
    with addressed() as url, connected(url) as engine:
        if migrated:
            migrate(engine)
        prepare_dagster_home(settings())
        yield held_to_this_release(engine) if migrated else engine
        engine.dispose()


@contextmanager
def addressed() -> Iterator[str]:
    """The warehouse's URL, with .env read; whether it answers is not looked at, unless it is the embedded one."""
    dotenv_file.load(PROJECT_FOLDER / ".env")
    if logs.is_json():  # .env may have said so
        logs.set_up()
    with ExitStack() as stack:
        if not os.environ.get("WAREHOUSE_URL"):
            os.environ["WAREHOUSE_URL"] = stack.enter_context(_embedded(settings().home))
            stack.callback(os.environ.pop, "WAREHOUSE_URL")
        yield settings().warehouse_url


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
