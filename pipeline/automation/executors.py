"""Where the steps of a run are carried out, by PIPELINE_EXECUTOR: in the run's process, a process each, or on workers.

Steps hand nothing to each other but what stands in the database, so that any of them gives the same result.
"""

import dagster as dg

from pipeline.errors import ConfigurationError

IN_PROCESS, MULTIPROCESS, CELERY = "in_process", "multiprocess", "celery"
_TWO_AT_ONCE = {"max_concurrent": 2}  # processes, forked as runs are (`warm_runs.py`)
_BROKER = {"broker": {"env": "CELERY_BROKER_URL"}, "backend": {"env": "CELERY_RESULT_BACKEND"}}


def executor_of(name: str) -> dg.ExecutorDefinition:
    """The executor of that name, `in_process` where it is empty; raises ConfigurationError for any other."""
    if name in ("", IN_PROCESS):
        return dg.in_process_executor
    if name == MULTIPROCESS:
        return dg.multiprocess_executor.configured(_TWO_AT_ONCE, name=MULTIPROCESS)
    if name == CELERY:
        return _celery()
    raise ConfigurationError(f"PIPELINE_EXECUTOR is {name!r}; write {IN_PROCESS}, {MULTIPROCESS} or {CELERY}.")


def _celery() -> dg.ExecutorDefinition:
    try:
        from dagster_celery import celery_executor  # only here is its extra needed
    except ImportError:
        raise ConfigurationError(
            "PIPELINE_EXECUTOR is celery, and what that needs is not installed; install it with: "
            "uv sync --extra celery (docs/scaling.md)."
        ) from None
    return celery_executor.configured(_BROKER, name=CELERY)
