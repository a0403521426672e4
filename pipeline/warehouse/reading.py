"""Rows out of a table, as a frame of plain Python values: no NaN for what is empty, no float for what is exact."""

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, text

if TYPE_CHECKING:
    import pandas as pd


def frame(tx: Connection, query: str | Select, parameters: Mapping[str, Any] | None = None) -> "pd.DataFrame":
    """The query's rows; every column holds Python objects, empty ones None."""
    import pandas as pd  # here, because every run is a fresh interpreter and most never build a frame

    result = tx.execute(text(query) if isinstance(query, str) else query, parameters or {})
    names = list(result.keys())
    return pd.DataFrame([tuple(row) for row in result], columns=pd.Index(names), dtype=object)


def expect_frames() -> None:
    """Lets pandas be imported while this process waits for somebody else's answers."""
    if "pandas" not in sys.modules:
        Thread(target=import_module, args=["pandas"], daemon=True).start()


def rows(frame: "pd.DataFrame") -> Iterable[dict[str, Any]]:
    """The frame's rows as the dictionaries that `writing.upsert` takes."""
    names = list(frame.columns)
    return (dict(zip(names, values, strict=True)) for values in zip(*(frame[name] for name in names), strict=True))
