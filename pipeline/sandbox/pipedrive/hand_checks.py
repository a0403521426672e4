"""What an edit by hand may look like: its words, and the types of the fields it sets. Forms take no nonsense either.

Which edits there are and what they do stands in `hand_edits.py`.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.sandbox.pipedrive import checks
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.deal_product_requests import HIGHEST_AMOUNT, LINE_KEYS
from pipeline.sandbox.pipedrive.deal_requests import DEAL_KEYS
from pipeline.sandbox.pipedrive.fields import CREATABLE_TYPES, Field
from pipeline.sandbox.pipedrive.organization_requests import ORGANIZATION_KEYS
from pipeline.sandbox.pipedrive.person_requests import PERSON_KEYS
from pipeline.sandbox.pipedrive.pipeline_requests import STAGE_KEYS
from pipeline.sandbox.pipedrive.product_requests import PRODUCT_KEYS
from pipeline.sandbox.pipedrive.requests import Shape
from pipeline.sandbox.pipedrive.rows import DealProduct

_RECORDS = ("deal", "organization", "person", "product")
_TIMES = {"add_time": checks.moment}
SHAPES: dict[str, Shape] = {
    "deal": Shape(DEAL_KEYS, entity="deal"),
    "organization": Shape({**ORGANIZATION_KEYS, **_TIMES}, entity="organization"),
    "person": Shape({**PERSON_KEYS, **_TIMES}, entity="person"),
    "product": Shape(PRODUCT_KEYS, entity="product"),
    "deal_product": Shape(LINE_KEYS),
    "stage": Shape(STAGE_KEYS),
}


def _name_or_number(value: Any) -> str | None:
    return None if isinstance(value, str) or checks.is_integer(value) else "must be a name or a number"


_WORDS: dict[str, checks.Check] = {
    "kind": checks.text,
    **dict.fromkeys(("id", "into", "deal_id", "place"), checks.record_id),
    "fields": lambda value: None if isinstance(value, dict) else "must be an object",
    "entity": checks.one_of(*_RECORDS),
    "field": checks.text,
    "type": checks.one_of(*CREATABLE_TYPES),
    "options": checks.list_of(checks.filled_text),
    "option": _name_or_number,
    "user": _name_or_number,
    "name": checks.filled_text,
    "for_good": checks.boolean,
}


def check_words(wanted: Mapping[str, Any]) -> None:
    """Refuses an edit whose words are unknown or not of their type."""
    if problem := checks.object_of(_WORDS, required=("kind",))(wanted):
        raise ValueError(problem)


def check_fields(company: Company, entity: str, fields: Mapping[str, Any]) -> None:
    """Refuses fields that the entity has not, and values that are not of their type."""
    if problems := SHAPES[entity].problems(company, fields):
        raise ValueError("; ".join(problems))


def check_amount(fields: Mapping[str, Any], line: DealProduct | None = None) -> None:
    """Refuses a product line nobody could add up."""
    quantity = fields.get("quantity", line.quantity if line else 1)
    price = fields.get("item_price", line.item_price if line else 0)
    if abs(quantity * price) > HIGHEST_AMOUNT or abs(fields.get("discount", 0)) > HIGHEST_AMOUNT:
        raise ValueError("the amount is too high")


def named_field(company: Company, wanted: Mapping[str, Any]) -> Field:
    """The custom field, or the list of labels, that the edit names."""
    field = company.fields.find(wanted["entity"], wanted["field"])
    if field is None or not (field.is_custom or field.takes_options()):
        raise ValueError(f"no {wanted['entity']} field {wanted['field']!r} that people can change")
    return field
