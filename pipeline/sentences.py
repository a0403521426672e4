"""What a command stands in: the warehouse and the configuration; what goes wrong is one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from pipeline import logs
from pipeline.config import Config, load_config
from pipeline.entry import ready
from pipeline.errors import BudgetSpent, PipelineError
from pipeline.warehouse.connection import went_away

FAILED, SPENT, INTERRUPTED = 1, 3, 130


@contextmanager
def working(*, migrated: bool = True) -> Iterator[tuple[Engine, Config]]:
    """The warehouse and the configuration; what goes wrong is one sentence and exit status 1."""
    with sentences():
        config = load_config()
        with ready(migrated=migrated) as engine:
            yield engine, config


@contextmanager
def sentences() -> Iterator[None]:
    """What goes wrong is one sentence on standard error and an exit status."""
    try:
        yield
    except PipelineError as error:
        logs.say(str(error))
        raise typer.Exit(SPENT if isinstance(error, BudgetSpent) else FAILED) from None
    except OperationalError as error:
        logs.say(went_away(error))
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        logs.say("stopped; the next run goes on from here.")
        raise typer.Exit(INTERRUPTED) from None
