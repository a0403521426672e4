"""Field definitions of an account: the system's own and the custom ones, with their options.

What a custom field's value must look like stands in `field_values.py`, the requests in `field_requests.py`.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.sandbox.pipedrive.system_fields import SYSTEM_FIELDS

ENTITIES = ("deal", "organization", "person", "product", "activity")
CREATABLE_TYPES = (
    "varchar varchar_auto text double monetary date set enum user org people phone time timerange daterange address"
).split()
OPTION_TYPES = ("enum", "set")
SEARCHABLE_TYPES = ("address", "varchar", "text", "varchar_auto", "double", "monetary", "phone")
_SUBFIELDS = {
    "monetary": ("currency",),
    "daterange": ("until",),
    "timerange": ("until", "timezone_name"),
    "time": ("timezone_name",),
}


@dataclass(slots=True)
class Field:
    """One column of an entity."""

    code: str
    name: str
    type: str
    is_custom: bool = True
    options: list[dict[str, Any]] | None = None
    description: str | None = None
    visibility: dict[str, Any] = field(default_factory=dict)

    def option_labels(self) -> dict[Any, str]:
        """Option id to label."""
        return {option["id"]: option["label"] for option in self.options or ()}

    def takes_options(self) -> bool:
        """Whether people may add options to it."""
        return self.type in OPTION_TYPES and (self.is_custom or self.code in ("label_ids", "category", "industry"))

    def picture(self, included: Iterable[str] = ()) -> dict[str, Any]:
        """The definition as the API shows it."""
        shown: dict[str, Any] = {
            "field_name": self.name,
            "field_code": self.code,
            "field_type": self.type,
            "options": self.options,
            "subfields": self._subfields(),
            "is_custom_field": self.is_custom,
            "is_optional_response_field": False,
        }
        if self.description is not None:
            shown["description"] = self.description
        for key in included:
            shown[key] = self.visibility.get(key) or dict(DEFAULT_VISIBILITY[key])
        return shown

    def _subfields(self) -> list[dict[str, str]] | None:
        parts = _SUBFIELDS.get(self.type) if self.is_custom else None
        if not parts:
            return None
        return [
            {"field_code": f"{self.code}_{part}", "field_name": f"{self.name} {part}", "field_type": "varchar"}
            for part in parts
        ]


DEFAULT_VISIBILITY: dict[str, dict[str, Any]] = {
    "ui_visibility": {"add_visible_flag": False, "details_visible_flag": True},
    "important_fields": {"enabled": False, "stage_ids": []},
    "required_fields": {"enabled": False, "stage_ids": [], "statuses": {}},
}


class Fields:
    """All field definitions of the account; custom codes and option ids are its own, as in every account."""

    def __init__(self, seed: int | None) -> None:
        self._random = random.Random(seed)
        self._next_option = 40
        self._of: dict[str, dict[str, Field]] = {entity: {} for entity in ENTITIES}
        self._blank: dict[str, dict[str, None]] = {}
        for entity, known in SYSTEM_FIELDS.items():
            for code, name, kind, options in known:
                self._of[entity][code] = Field(code, name, kind, is_custom=False, options=_system_options(options))

    def of(self, entity: str) -> dict[str, Field]:
        """An entity's definitions by code, in their order."""
        return self._of[entity]

    def custom(self, entity: str) -> Iterator[Field]:
        """An entity's custom definitions."""
        return (field for field in self._of[entity].values() if field.is_custom)

    def blank(self, entity: str) -> dict[str, None]:
        """Every custom field as null: what a record shows where nothing is filled."""
        if entity not in self._blank:
            self._blank[entity] = dict.fromkeys(field.code for field in self.custom(entity))
        return self._blank[entity]

    def custom_count(self) -> int:
        """Custom fields of the whole company: plans cap them together."""
        return sum(len(self.blank(entity)) for entity in ENTITIES)

    def create(self, entity: str, name: str, kind: str, labels: list[str], moment: str) -> Field:
        """A new custom field."""
        code = f"{self._random.getrandbits(160):040x}"
        field = Field(code, name, kind, options=[] if kind in OPTION_TYPES else None)
        self._of[entity][code] = field
        self._blank.pop(entity, None)
        self.add_options(field, labels, moment)
        return field

    def add_options(self, field: Field, labels: list[str], moment: str) -> list[dict[str, Any]]:
        """New options; their ids count through the whole company."""
        new = []
        for label in labels:
            option = {"id": self._next_option, "label": label, "color": None, "add_time": moment, "update_time": None}
            new.append(option)
            self._next_option += 1
        if new:
            field.options = [*(field.options or []), *new]
        return new

    def remove(self, entity: str, code: str) -> None:
        """Takes a definition away; the values on the records are the caller's business."""
        del self._of[entity][code]
        self._blank.pop(entity, None)

    def find(self, entity: str, name_or_code: str) -> Field | None:
        """A definition by its code or, for people who speak in names, its name."""
        known = self._of[entity]
        return known.get(name_or_code) or next((f for f in known.values() if f.name == name_or_code), None)


def _system_options(options: Any) -> list[dict[str, Any]] | None:
    if options is None:
        return None
    return [{"id": key, "label": label, "color": None, "add_time": None, "update_time": None} for key, label in options]
