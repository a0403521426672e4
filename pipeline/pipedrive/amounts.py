"""Which field of the account holds which item group's revenue: found again by the group, whatever it is called now."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.pipedrive.fields import CustomField, category_field, is_category_field
from pipeline.pipedrive.schema import Schema


def group_of(field: CustomField) -> str:
    """The name of the item group that field is for."""
    return field.name.removeprefix(category_field(""))


def assigned(known: Schema, wanted: Sequence[CustomField], found: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Name of each wanted field → key of the one that is there for it.

    A field goes to the group that keeps its name; else to the one that had it under another name, so that values stay
    with their group; else to the one whose name it bears. No field goes to two.
    """
    there, groups = {field["field_code"]: field["field_name"] for field in found}, known.amounts
    names = {name: key for key, name in reversed(there.items())}
    of_groups = {field.name: [groups[code] for code in field.item_groups if code in groups] for field in wanted}
    rounds = (
        {
            field.name: [key for key in of_groups[field.name] if key == known.fields.get(("deal", field.name))]
            for field in wanted
        },
        of_groups,
        {field.name: [names[field.name]] for field in wanted if field.name in names},
    )
    keys: dict[str, str] = {}
    for candidates in rounds:
        for name, possible in candidates.items():
            free = [key for key in possible if key in there and key not in keys.values()]
            if name not in keys and free:
                keys[name] = free[0]
    return keys


def given_up(known: Schema, schema: Schema, there: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Fields that no group has any more, because groups were given one name: what stands in them is to be emptied."""
    used = set(schema.fields.values())
    return {
        field: key
        for field, key in known.fields.items()
        if is_category_field(*field) and key in there and key not in used and field not in schema.fields
    }
