"""What PostgreSQL complains of, without the rows it complains about: no DETAIL, no CONTEXT, no parameters.

They hold what people are called and where they are reached, and an error's text goes into Dagster's events, logs and
alerts. `connection.py` puts it in force for every engine of the process, Dagster's too.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Error
from sqlalchemy.engine import ExceptionContext

_BAD_VALUES = "22"  # the class of errors whose first line quotes the value
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


@contextmanager
def without_rows() -> Iterator[None]:
    """For work that goes past SQLAlchemy: its errors lose what they say of rows."""
    try:
        yield
    except Error as error:
        shorten(error)
        raise


def shorten(error: Any) -> None:
    """Leaves of a driver's error its first line, and of a bad value only that it was bad."""
    said = error.diag.message_primary
    if said is None:  # it is about a connection
        return
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    error.args = (_QUOTED.sub('"…"', said) if code.startswith(_BAD_VALUES) else said,)


def shortened(context: ExceptionContext) -> None:
    """What SQLAlchemy calls for each error it is about to raise: that loses its parameters too."""
    driver, ours = context.original_exception, context.sqlalchemy_exception
    if hasattr(driver, "diag"):
        shorten(driver)
    if ours:
        ours.hide_parameters = True
        ours.args = (f"({type(driver).__module__}.{type(driver).__name__}) {driver}",)
