"""The chart a materialisation carries: drawn when it shows something new; else a link to the one that is there."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import dagster as dg
from sqlalchemy import Engine, Table

from pipeline.language import Language
from pipeline.steps.pictures import PICTURES
from pipeline.warehouse import memory

_KEPT = timedelta(days=1)  # then it is drawn again: a run that was pruned, or killed at its end, has none
_NOTED = timedelta(seconds=5)  # Dagster notes a materialisation a moment after its chart was drawn


def pictured(engine: Engine, table: Table, changed: int, *, now: datetime | None = None) -> dict[str, Any]:
    """The metadata `chart` of a table that has one.

    Dagster keeps what every run says, so a chart in each of them would be stored 288 times a day.
    """
    draw = PICTURES.get(table.fullname)
    if draw is None:
        return {}
    name, now = f"chart of {table.fullname}", now or datetime.now(UTC)
    with engine.begin() as tx:
        known = memory.recall(tx, name) or {}
        drawn_at = datetime.fromisoformat(known["at"]) if known else None
        is_kept = drawn_at is not None and now - drawn_at < _KEPT
        if drawn_at and is_kept and not changed:
            return {"chart": _link(table, drawn_at)}
        charts = draw(tx, Language.EN)
        digest = sha256("".join(charts).encode()).hexdigest()
        if drawn_at and is_kept and known["digest"] == digest:
            return {"chart": _link(table, drawn_at)}
        memory.note(tx, name, {"at": now.isoformat(), "digest": digest})
    return {"chart": dg.MetadataValue.md("\n\n".join(map(_image, charts)))}


def _image(chart: str) -> str:
    """An image within the text: Dagster's page shows no other drawing."""
    return f"![chart](data:image/svg+xml;base64,{b64encode(chart.encode()).decode()})"


def _link(table: Table, drawn_at: datetime) -> dg.MetadataValue:
    as_of = int((drawn_at + _NOTED).timestamp() * 1000)
    page = f"/assets/{table.schema}/{table.name}?view=events&asOf={as_of}"
    return dg.MetadataValue.md(f"[Unchanged since {drawn_at:%d-%m-%Y %H:%M} (UTC): the chart]({page})")
