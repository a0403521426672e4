"""Our errors become Dagster's failures here and nowhere else: a sentence instead of a stack trace."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import dagster as dg

from pipeline.errors import BudgetSpent, PipelineError, RetryLater

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
            raise dg.Failure(str(error), metadata=spent, allow_retries=isinstance(error, RetryLater)) from None

    return with_failure
