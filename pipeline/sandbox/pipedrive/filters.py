"""Saved filters: what `filter_id` on a list means, and v1's requests about filters."""

from collections.abc import Callable
from typing import Any

from pipeline.sandbox.pipedrive import checks, queries
from pipeline.sandbox.pipedrive.clock import v1_text
from pipeline.sandbox.pipedrive.fields import Fields
from pipeline.sandbox.pipedrive.refusals import bad_request, not_found, v1_not_found
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer
from pipeline.sandbox.pipedrive.rows import Record
from pipeline.sandbox.wire import Response

Keep = Callable[[Any], bool]
_TYPES = {"deals": "deal", "org": "organization", "people": "person", "products": "product"}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: str(value) == str(wanted) if value is not None else False,
    "!=": lambda value, wanted: str(value) != str(wanted),
    ">": lambda value, wanted: value is not None and str(value) > str(wanted),
    "<": lambda value, wanted: value is not None and str(value) < str(wanted),
    "IS NULL": lambda value, wanted: value is None,
    "IS NOT NULL": lambda value, wanted: value is not None,
}


class Filter(Record):
    """One saved filter: all of its conditions, or any of them, must hold."""

    __slots__ = ("conditions", "name", "type")

    def __init__(self, filter_id: int, add_time: str, body: dict[str, Any]) -> None:
        super().__init__(filter_id, add_time)
        self.name, self.type, self.conditions = body["name"], body["type"], body["conditions"]

    def picture(self) -> dict[str, Any]:
        """The filter as v1 shows it."""
        shown = {"id": self.id, "name": self.name, "type": self.type, "active_flag": not self.is_deleted}
        return shown | {"add_time": v1_text(self.add_time), "conditions": self.conditions}


def deal_filter(call: Call) -> Keep:
    """The list's saved filter as one test on deals."""
    return record_filter(call, "deal")


def record_filter(call: Call, entity: str) -> Keep:
    """The list's saved filter as one test on records of the entity."""
    saved = call.company.filters.get(call.query["filter_id"])
    if saved is None or _TYPES[saved.type] != entity:
        raise not_found("Filter", call.company.settings.not_found_code)
    matches = _group(call.company.fields, entity, saved.conditions)
    return lambda record: not record.is_deleted and matches(record)


def _group(fields: Fields, entity: str, group: dict[str, Any]) -> Keep:
    tests = [
        _group(fields, entity, condition) if "glue" in condition else _condition(fields, entity, condition)
        for condition in group.get("conditions") or ()
        if condition
    ]
    together = any if group.get("glue") == "or" and tests else all
    return lambda record: together(test(record) for test in tests)


def _condition(fields: Fields, entity: str, condition: dict[str, Any]) -> Keep:
    field, compare = fields.of(entity).get(condition["field_id"]), _COMPARISONS[condition["operator"]]
    if field is None:
        return lambda record: False
    wanted = condition.get("value")
    if field.is_custom:
        return lambda record: compare(record.custom.get(field.code), wanted)
    return lambda record: compare(getattr(record, field.code, None), wanted)


def _problem(call: Call, group: Any, depth: int = 0) -> str | None:
    if not isinstance(group, dict) or not isinstance(group.get("conditions"), list) or depth > 2:
        return "body/conditions must be a group of conditions"
    known = call.company.fields.of(_TYPES[call.body["type"]])
    for condition in group["conditions"]:
        if isinstance(condition, dict) and "glue" in condition:
            if problem := _problem(call, condition, depth + 1):
                return problem
        elif condition is not None and not _is_condition(condition, known):
            return "body/conditions holds an unknown field or operator"
    return None


def _is_condition(condition: Any, known: dict[str, Any]) -> bool:
    if not isinstance(condition, dict):
        return False
    field, operator = condition.get("field_id"), condition.get("operator")
    return isinstance(field, str) and field in known and isinstance(operator, str) and operator in _COMPARISONS


def _create(call: Call) -> Response:
    if problem := _problem(call, call.body["conditions"]):
        raise bad_request(problem)
    table = call.company.filters
    saved = table.add(Filter(table.next_id, call.company.clock.text(), call.body))
    return answer({"id": saved.id})


def _list(call: Call) -> Response:
    return answer([saved.picture() for saved in call.company.filters.live()])


def _get(call: Call) -> Response:
    return answer(_the_filter(call).picture())


def _delete(call: Call) -> Response:
    saved = _the_filter(call)
    saved.is_deleted, saved.deleted_at = True, call.company.clock.text()
    return answer({"id": saved.id})


def _the_filter(call: Call) -> Filter:
    saved = call.company.filters.get(call.ids[0])
    if saved is None:
        raise v1_not_found("Filter")
    return saved


def _an_object(value: Any) -> str | None:
    return None if isinstance(value, dict) else "must be object"


_BODY = Shape(
    {"name": checks.filled_text, "type": checks.one_of(*_TYPES), "conditions": _an_object},
    required=("name", "type", "conditions"),
)
ROUTES = [
    Route("GET", "/api/v1/filters", _list, 20, {"type": queries.choice(*_TYPES)}),
    Route("POST", "/api/v1/filters", _create, 10, body=_BODY),
    Route("GET", "/api/v1/filters/{id}", _get, 2),
    Route("DELETE", "/api/v1/filters/{id}", _delete, 6),
]
