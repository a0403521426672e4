"""What a command stands in: the warehouse and the configuration; what goes wrong is one sentence."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from pipeline.config import Config, load_config
from pipeline.entry import ready
from pipeline.errors import BudgetSpent, PipelineError

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
        print(f"pipeline: {error}", file=sys.stderr)
        raise typer.Exit(SPENT if isinstance(error, BudgetSpent) else FAILED) from None
    except OperationalError as error:
        print(
            f"pipeline: The warehouse went away: {str(error.orig).splitlines()[0]}. Start it and run this again.",
            file=sys.stderr,
        )
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        print("pipeline: stopped; the next run goes on from here.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
