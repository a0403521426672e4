"""Persons as people may have changed them: what one says, and the label that sends it to the ERP."""

from collections.abc import Mapping
from typing import Any

from pipeline.domain.contact_changes import Content, content
from pipeline.errors import Full, GiveUp, HoldRow
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.fields import PATHS
from pipeline.pipedrive.schema import labels

LABEL = "Naar Exact"
_LABEL_FIELDS = ("label_ids", "label")


def content_of(person: Mapping[str, Any]) -> Content:
    """What a person, or the body of a request for one, says: the primary address, a number at work and a mobile one."""
    addresses, numbers = person.get("emails") or [], person.get("phones") or []
    others = [one for one in numbers if _label(one) != "mobile"]
    phone = next((one for one in others if _label(one) == "work"), next(iter(others), {}))
    mobile = next((one for one in numbers if _label(one) == "mobile"), {})
    e_mail = next((one for one in addresses if one.get("primary")), next(iter(addresses), {}))
    return content(
        person.get("name") or "", e_mail.get("value"), phone.get("value"), mobile.get("value"), person.get("org_id")
    )


def label_id(client: PipedriveClient) -> int:
    """The id of the label of persons that is called "Naar Exact", which is made when there is none."""
    path = PATHS["person"]
    fields = [field for page in client.pages(path) for field in page]
    field = next((one for one in fields if one["field_code"] in _LABEL_FIELDS and not one.get("is_custom_field")), None)
    by_hand = f'make a label "{LABEL}" for persons in Pipedrive by hand, or switch contacts_to_exact off.'
    if field is None:
        raise GiveUp(f"Pipedrive shows no labels of persons: {by_hand}")
    there = labels(field.get("options") or [])
    if LABEL in there:
        return there[LABEL]
    try:
        return labels(client.post(f"{path}/{field['field_code']}/options", [{"label": LABEL}]))[LABEL]
    except (HoldRow, Full) as refusal:
        raise GiveUp(f'Pipedrive does not take the label "{LABEL}" ({refusal}): {by_hand}') from None


def _label(channel: Mapping[str, Any]) -> str:
    return (channel.get("label") or "").lower()
