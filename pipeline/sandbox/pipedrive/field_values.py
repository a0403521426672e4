"""What a custom field takes: a check for each type, and the form the value is kept in."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipeline.sandbox.pipedrive import checks
from pipeline.sandbox.pipedrive.fields import Field

if TYPE_CHECKING:
    from pipeline.sandbox.pipedrive.company import Company

_LONG_TEXT = 65_000
_short = checks.text_up_to(255)
_ZONED = {"timezone_name": checks.nullable(checks.text), "timezone_id": checks.nullable(checks.integer)}
_PLAIN: dict[str, checks.Check] = {
    "varchar": _short,
    "varchar_auto": _short,
    "phone": _short,
    "text": checks.text_up_to(_LONG_TEXT),
    "double": checks.number,
    "date": checks.day,
    "monetary": checks.object_of({"value": checks.number, "currency": checks.currency}, required=("value",)),
    "daterange": checks.object_of({"value": checks.day, "until": checks.nullable(checks.day)}, required=("value",)),
    "time": checks.object_of({"value": checks.clock_time} | _ZONED, required=("value",)),
    "timerange": checks.object_of(
        {"value": checks.clock_time, "until": checks.clock_time} | _ZONED, required=("value", "until")
    ),
    "address": checks.address,
}


def problems(company: "Company", entity: str, values: Any) -> list[str]:
    """Everything wrong with the `custom_fields` of a request."""
    if not isinstance(values, dict):
        return ["custom_fields: must be an object"]
    return [
        f"custom_fields.{code}: {found}"
        for code, value in values.items()
        if (found := _problem(company, entity, code, value))
    ]


def kept(company: "Company", entity: str, current: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The record's custom values after the request: null and empty text clear."""
    result = dict(current)
    for code, value in values.items():
        field = company.fields.of(entity).get(code)
        if field is None or not field.is_custom:
            continue
        if value is None or value == "":
            result.pop(code, None)
        else:
            result[code] = _stored(company, field, value)
    return result


def _problem(company: "Company", entity: str, code: str, value: Any) -> str | None:
    field = company.fields.of(entity).get(code)
    if field is None or not field.is_custom:
        ignored = company.settings.unknown_custom_field == "ignored"
        return None if ignored else f"Parameter '{code}' is not allowed for this request"
    if value is None:
        return None
    plain = _PLAIN.get(field.type)
    found = plain(value) if plain else _REFERRING[field.type](company, field, value)
    return found and (f"{found} (field_code: {code})" if company.settings.field_problem_names_code else found)


def _enum(company: "Company", field: Field, value: Any) -> str | None:
    if not checks.is_integer(value):
        return "must be a number"
    return None if value in field.option_labels() else "is not an option of this field"


def _set(company: "Company", field: Field, value: Any) -> str | None:
    if found := checks.list_of(checks.integer, least=1)(value):
        return found
    if len(set(value)) != len(value):
        return "must not hold an option twice"
    return None if set(value) <= set(field.option_labels()) else "is not an option of this field"


def _user(company: "Company", field: Field, value: Any) -> str | None:
    return checks.record_id(value) or (None if value in company.users else "is not a user")


def _org(company: "Company", field: Field, value: Any) -> str | None:
    return checks.record_id(value) or (None if company.organizations.get(value) else "is not an organization")


def _people(company: "Company", field: Field, value: Any) -> str | None:
    return checks.record_id(value) or (None if company.persons.get(value) else "is not a person")


_REFERRING: dict[str, Callable[["Company", Field, Any], str | None]] = {
    "enum": _enum,
    "set": _set,
    "user": _user,
    "org": _org,
    "people": _people,
}


def _stored(company: "Company", field: Field, value: Any) -> Any:
    if field.type == "monetary":
        return {"value": value["value"], "currency": value.get("currency") or company.currency}
    if field.type == "address":
        return {key: value.get(key) for key in checks.ADDRESS_KEYS}
    if field.type == "enum":
        return int(value)
    if field.type == "set":
        return sorted(int(member) for member in value)
    return value
