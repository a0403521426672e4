"""How v1 shows what v2 shows: times without a zone, visibility as text, custom fields at the top."""

from collections.abc import Mapping
from typing import Any

from pipeline.sandbox.pipedrive.clock import v1_text

_TIMES = ("add_time", "update_time", "stage_change_time", "won_time", "lost_time", "close_time", "archive_time")


def as_v1(entity: str, shown: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """A record in v1's words; `known` are the entity's fields, for what custom values are."""
    old = {key: value for key, value in shown.items() if key not in ("custom_fields", "owner_id", "is_deleted")}
    old |= {key: v1_text(old[key]) for key in _TIMES if key in old}
    if "visible_to" in old:
        old["visible_to"] = str(old["visible_to"])
    if "owner_id" in shown:
        old["user_id" if entity in ("deal", "activity") else "owner_id"] = shown["owner_id"]
    if "is_deleted" in shown:
        old |= _liveness(entity, shown)
    for code, value in (shown.get("custom_fields") or {}).items():
        old |= _custom(code, known[code].type if code in known else "", value)
    return old


def _liveness(entity: str, shown: Mapping[str, Any]) -> dict[str, Any]:
    if entity == "deal":
        return {"deleted": shown["is_deleted"], "active": shown["status"] == "open"}
    return {"active_flag": not shown["is_deleted"]}


def _custom(code: str, kind: str, value: Any) -> dict[str, Any]:
    """A value and what belongs to it, each with a key of its own; options are text."""
    if isinstance(value, dict):
        parts = {f"{code}_{part}": member for part, member in value.items() if part != "value"}
        return {code: value.get("value"), **parts}
    if isinstance(value, list):
        return {code: ",".join(map(str, value))}
    return {code: str(value) if kind == "enum" and value is not None else value}
