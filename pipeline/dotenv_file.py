"""`.env` into the environment, read as docker compose reads it wherever both can; what can't be read is named by line.

Not here: what the variables mean (`settings.py`). No value is ever told, because it may be a secret.
"""

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from dotenv.variables import parse_variables

from pipeline.errors import ConfigurationError

_LITERAL = re.compile(r"[^=]*=\s*'")  # single quotes: nothing in them means anything else


def load(path: Path) -> None:
    """Adds to the environment what that file says and the environment does not have yet; without the file nothing.

    Raises ConfigurationError where a line can't be read.
    """
    if path.exists():
        for name, value in read(path, os.environ).items():
            os.environ.setdefault(name, value)


def read(path: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What the file says, with `${NAME}` filled in from the environment and from the lines above."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "it is no UTF-8 text"
        raise ConfigurationError(f"{path} can't be read: {reason}. .env.example shows what it should be.") from None
    found: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise ConfigurationError(
                f"{path}, line {_line(binding)}, can't be read: write NAME=value, and around a value with blanks, "
                "quotes, # or $ single quotes, two of them."
            )
        if binding.key and binding.value is not None:
            found[binding.key] = _filled_in(binding, {**found, **environment})
    return found


def _line(binding: Binding) -> int:
    """Where it begins: blank lines before it are counted as part of it."""
    said = binding.original.string
    return binding.original.line + said[: len(said) - len(said.lstrip())].count("\n")


def _filled_in(binding: Binding, known: Mapping[str, str]) -> str:
    value = binding.value or ""
    if _LITERAL.match(binding.original.string):
        return value
    return "".join(part.resolve(known) for part in parse_variables(value))
