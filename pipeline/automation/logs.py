"""Dagster's own lines in the form of ours: daemon, webserver, code server and the runs, with PIPELINE_LOG=json.

Dagster has no setting for the lines of a run, and its `--log-format json` writes other names and whole error texts.
So its loggers hand their lines on to ours, and the one that a run speaks with is made here.
"""

import logging
from typing import Any

import dagster._loggers as dagster_loggers
from dagster_shared.error import SerializableErrorInfo

from pipeline import logs

DAGSTERS = ("dagster", "dagit", "dagster-webserver", "uvicorn", "uvicorn.error", "uvicorn.access")


def set_up() -> None:
    """Takes Dagster's lines over where PIPELINE_LOG=json."""
    if not logs.is_json():
        return
    logs.set_up()
    dagster_loggers.create_console_logger = console_logger  # pyright: ignore[reportPrivateImportUsage]
    logging.setLogRecordFactory(_record)


def _record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """A record as ever. Dagster's daemon sets its loggers up after its storage, so who has a handler is seen here."""
    for name in DAGSTERS:
        logger = logging.getLogger(name)
        logger.propagate = True
        logger.handlers.clear()
    return logging.LogRecord(*args, **kwargs)


def console_logger(name: str, level: str | int) -> logging.Logger:
    """The logger that a run tells its events to."""
    logger = logging.getLoggerClass()(name, level=level)
    handler = logs.Stderr()
    handler.setFormatter(logs.JsonFormatter(fields_of))
    logger.addHandler(handler)
    return logger


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What Dagster knows of a line: the run, the step, the event, and of a failure its kind and its places."""
    known: dict[str, Any] = getattr(record, "dagster_meta", None) or {}
    event = known.get("dagster_event")
    tags = known.get("job_tags") or {}
    fields = {
        "message": known.get("orig_message"),
        "run_id": known.get("run_id"),
        "job": known.get("job_name"),
        "step": known.get("step_key"),
        "administration": tags.get("dagster/partition"),
        "event": event.event_type_value if event else None,
        **(_of_failure(event.event_specific_data) if event else {}),
    }
    return {name: value for name, value in fields.items() if value}


def _of_failure(told: Any) -> dict[str, Any]:
    """Our sentence, which needs no trace; of a mistake nobody foresaw its kind and places, not its text."""
    if ours := getattr(told, "user_failure_data", None):
        return {"said": ours.description}
    error: SerializableErrorInfo | None = getattr(told, "error", None)
    while error and error.cause:
        error = error.cause
    return {"error": error.cls_name, "trace": [" ".join(place.split()) for place in error.stack]} if error else {}
