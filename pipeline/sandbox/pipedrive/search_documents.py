"""What of a record the search finds: its names, codes, notes, and custom fields of the searchable types."""

from typing import Any

from pipeline.sandbox.pipedrive.fields import SEARCHABLE_TYPES, Fields
from pipeline.sandbox.pipedrive.search_index import Document


def document(fields: Fields, entity: str, record: Any, notes: list[str]) -> Document:
    """The record as the index sees it: field code to text."""
    words = {key: value for key, value in _own_words(entity, record).items() if value}
    known = fields.of(entity)
    for code, value in record.custom.items():
        if known[code].type in SEARCHABLE_TYPES:
            words[code] = _as_text(value)
    if notes:
        words["notes"] = "\n".join(notes)
    return words


def custom_keys(fields: Fields, entity: str) -> set[str]:
    """Codes of the custom fields that are searched."""
    return {field.code for field in fields.custom(entity) if field.type in SEARCHABLE_TYPES}


def _own_words(entity: str, record: Any) -> dict[str, str]:
    if entity == "deal":
        return {"title": record.title}
    if entity == "organization":
        return {"name": record.name, "address": (record.address or {}).get("value") or ""}
    if entity == "person":
        emails = {f"email{place}": mail["value"] for place, mail in enumerate(record.emails)}
        phones = {f"phone{place}": phone["value"] for place, phone in enumerate(record.phones)}
        return {"name": record.name, **emails, **phones}
    return {"name": record.name, "code": record.code or ""}


def _as_text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("value")
    return f"{value:g}" if isinstance(value, float) else str(value)
