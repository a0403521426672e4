"""Logs for machines: with PIPELINE_LOG=json every line on standard error is one JSON object; else they stay for people.

`time` (UTC), `level`, `logger`, `message`, and what is known beside them: `run_id`, `job`, `step`, `administration`,
`event`, and of an error `error` (its kind) and `trace` (places in the code). What an error that is not ours says is
left out, since it may hold data of persons; Dagster's user interface shows it to whoever may log in there.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from pipeline.discretion import discreet, secrets_of
from pipeline.errors import ConfigurationError, PipelineError

VARIABLE = "PIPELINE_LOG"
FIELDS = ("run_id", "job", "step", "administration", "event", "error", "trace")
_KINDS = {"text", "json"}
_Error = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def is_json() -> bool:
    """Whether lines are for machines: who sits at a terminal reads sentences, in a container too."""
    return _kind() == "json" and not sys.stderr.isatty()


def _kind() -> str:
    return os.environ.get(VARIABLE, "").strip().lower() or "text"


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON, without what `discretion.py` takes out; `fields` adds what a library knows."""

    def __init__(self, fields: Callable[[logging.LogRecord], dict[str, Any]] | None = None) -> None:
        super().__init__()
        self._fields = fields
        self._secrets = secrets_of(os.environ)

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        line |= _of_error(record.exc_info) if record.exc_info else {}
        line |= self._fields(record) if self._fields else {}
        return json.dumps({name: self._discreet(value) for name, value in line.items()}, ensure_ascii=False)

    def _discreet(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._discreet(one) for one in value]
        return discreet(str(value), self._secrets)


class Stderr(logging.StreamHandler):
    """Standard error as it is when something is said: a test or a launcher may have put another one there."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """Standard error."""
        return sys.stderr


def set_up() -> None:
    """Lets this process speak as PIPELINE_LOG says: our own lines, and warnings of everybody.

    Raises ConfigurationError when the variable says neither json nor text.
    """
    if _kind() not in _KINDS:
        raise ConfigurationError(f"{VARIABLE} is '{_kind()}'; write json, or text (the default).")
    root = logging.getLogger()
    logging.getLogger("pipeline").setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines name whole addresses, with what is asked for
    if not is_json():
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        return
    handler = Stderr()
    handler.setFormatter(JsonFormatter())
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _unforeseen


def say(sentence: str) -> None:
    """What a command has to say for its failure: a line on standard error, in the form of the others."""
    if is_json():
        logging.getLogger("pipeline").error(sentence)
    else:
        print(f"pipeline: {sentence}", file=sys.stderr)


def _unforeseen(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("pipeline").critical("ended by an error nobody foresaw", exc_info=(kind, error, trace))


def _of_error(raised: _Error) -> dict[str, Any]:
    import traceback  # only who has an error to tell needs it

    kind, error, trace = raised
    said = {"said": str(error)} if isinstance(error, PipelineError) else {}
    places = [f"{place.filename}:{place.lineno} {place.name}" for place in traceback.extract_tb(trace)]
    return {"error": kind.__name__ if kind else "", **said, "trace": places}
