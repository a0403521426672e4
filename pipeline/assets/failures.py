"""Our errors become Dagster's failures here and nowhere else: a sentence instead of a stack trace."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import dagster as dg

from pipeline.errors import PipelineError, RetryLater

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def failing_clearly(body: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Lets an asset fail with our sentence; only what may work later may be retried."""

    @wraps(body)
    def with_failure(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return body(*args, **kwargs)
        except PipelineError as error:
            raise dg.Failure(description=str(error), allow_retries=isinstance(error, RetryLater)) from None

    return with_failure
