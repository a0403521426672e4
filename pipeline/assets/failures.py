"""Our errors become Dagster's failures here and nowhere else: a sentence instead of a stack trace."""

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import dagster as dg
from sqlalchemy.exc import OperationalError

from pipeline.discretion import discreet, scrub, secrets_of
from pipeline.errors import BudgetSpent, PipelineError, RetryLater
from pipeline.warehouse.connection import went_away

SPENT = "budget_spent"  # marks a failure that the next day mends

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def failing_clearly(body: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Lets an asset fail with our sentence; only what may work later may be retried."""

    @wraps(body)
    def with_failure(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return body(*args, **kwargs)
        except PipelineError as error:
            spent = {SPENT: True} if isinstance(error, BudgetSpent) else {}
            sentence = discreet(str(error), secrets_of(os.environ))
            raise dg.Failure(sentence, metadata=spent, allow_retries=isinstance(error, RetryLater)) from None
        except OperationalError as error:
            raise dg.Failure(discreet(went_away(error), secrets_of(os.environ)), allow_retries=True) from None
        except Exception as error:
            scrub(error, secrets_of(os.environ))  # its text goes into Dagster's events, its trace stays
            raise

    return with_failure
