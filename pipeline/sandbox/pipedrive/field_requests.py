"""Field definitions: dealFields, organizationFields, personFields, productFields, and their options."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from pipeline.sandbox.pipedrive import checks, queries
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.fields import CREATABLE_TYPES, DEFAULT_VISIBILITY, OPTION_TYPES, Field
from pipeline.sandbox.pipedrive.paging import listing
from pipeline.sandbox.pipedrive.refusals import forbidden, invalid, not_found, plan_limit
from pipeline.sandbox.pipedrive.requests import Array, Call, Route, Shape, answer, page
from pipeline.sandbox.wire import Response

_MOST_OPTIONS = 10_000
_DIALOG = checks.object_of({"show": checks.boolean, "order": checks.integer})
_PIPELINES = checks.object_of({"show_in_all": checks.boolean, "pipeline_ids": checks.list_of(checks.integer)})
_PLACES: dict[str, dict[str, checks.Check]] = {  # where else an entity's field may be shown
    "deal": {"projects_detail_visible_flag": checks.boolean, "show_in_pipelines": _PIPELINES},
    "organization": {"show_in_add_deal_dialog": _DIALOG, "show_in_add_person_dialog": _DIALOG},
    "person": {"show_in_add_deal_dialog": _DIALOG},
    "product": {},
}
_EMPHASIS = {"enabled": checks.boolean, "stage_ids": checks.list_of(checks.integer)}
_STATUSES = {"statuses": lambda value: None if isinstance(value, dict) else "must be an object"}


class _Numbered:
    """A field with the place that pages are counted by; fields have no number of their own."""

    def __init__(self, place: int, field: Field) -> None:
        self.id, self.field = place, field


def _list(entity: str, call: Call) -> Response:
    numbered = {place: _Numbered(place, field) for place, field in enumerate(call.company.fields.of(entity).values())}
    found, cursor = listing(call, numbered, list(numbered), lambda row: True)
    included = call.query.get("include_fields", ())
    return page(call, [row.field.picture(included) for row in found], cursor)


def _get(entity: str, call: Call) -> Response:
    return answer(_the_field(entity, call).picture(call.query.get("include_fields", ())))


def _create(entity: str, call: Call) -> Response:
    company, body = call.company, call.body
    labels = [option["label"] for option in body.get("options") or ()]
    problems = []
    if body["field_type"] in OPTION_TYPES and not labels:
        problems.append("options: Parameter 'options' is required")
    if body["field_type"] not in OPTION_TYPES and labels:
        problems.append("options: Parameter 'options' is not allowed for this field type")
    problems += _label_problems(labels, ())
    if problems:
        raise invalid(problems)
    cap = company.settings.field_cap
    if cap is not None and company.fields.custom_count() >= cap:
        raise plan_limit("Couldn't add the field. Custom fields limit reached.", "feature_capping_custom_fields_limit")
    field = company.fields.create(entity, body["field_name"], body["field_type"], labels, company.clock.text())
    _write(field, body)
    return answer(field.picture())


def _change(entity: str, call: Call) -> Response:
    field = _custom_field(entity, call)
    field.name = call.body.get("field_name", field.name)
    _write(field, call.body)
    return answer(field.picture())


def _write(field: Field, body: dict[str, Any]) -> None:
    field.description = body.get("description", field.description)
    field.visibility |= {key: DEFAULT_VISIBILITY[key] | body[key] for key in DEFAULT_VISIBILITY if key in body}


def _delete(entity: str, call: Call) -> Response:
    field = _custom_field(entity, call)
    remove_field(call.company, entity, field)
    return answer(field.picture())


def remove_field(company: Company, entity: str, field: Field) -> None:
    """A field takes its values on all records along."""
    for record in company.table(entity).rows.values():
        record.custom.pop(field.code, None)
    company.fields.remove(entity, field.code)


def _add_options(entity: str, call: Call) -> Response:
    field = _option_field(entity, call)
    labels = [option["label"] for option in call.body]
    problems = _label_problems(labels, field.option_labels().values())
    if len(field.options or ()) + len(labels) > _MOST_OPTIONS:
        problems.append(f"options: a field holds at most {_MOST_OPTIONS} options")
    if problems:
        raise invalid(problems)
    return answer(_short(call.company.fields.add_options(field, labels, call.company.clock.text())))


def _change_options(entity: str, call: Call) -> Response:
    field = _option_field(entity, call)
    wanted = {option["id"]: option["label"] for option in call.body}
    others = [label for key, label in field.option_labels().items() if key not in wanted]
    problems = _unknown_options(field, wanted) + _label_problems(list(wanted.values()), others)
    if problems:
        raise invalid(problems)
    changed = [option for option in field.options or () if option["id"] in wanted]
    for option in changed:
        option["label"], option["update_time"] = wanted[option["id"]], call.company.clock.text()
    return answer(_short(changed))


def _delete_options(entity: str, call: Call) -> Response:
    field = _option_field(entity, call)
    leaving = {option["id"] for option in call.body}
    if problems := _unknown_options(field, leaving):
        raise invalid(problems)
    removed = [option for option in field.options or () if option["id"] in leaving]
    remove_options(call.company, entity, field, leaving)
    return answer(_short(removed))


def _short(options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Requests about options answer with id and label only."""
    return [{"id": option["id"], "label": option["label"]} for option in options]


def remove_options(company: Company, entity: str, field: Field, leaving: Iterable[int]) -> None:
    """Options disappear from all records as well."""
    gone = set(leaving)
    field.options = [option for option in field.options or () if option["id"] not in gone]
    for record in company.table(entity).rows.values():
        if field.is_custom:
            left = _without(record.custom.pop(field.code, None), gone)
            if left:
                record.custom[field.code] = left
        else:
            setattr(record, field.code, _without(getattr(record, field.code), gone))


def _without(value: Any, gone: set[int]) -> Any:
    if isinstance(value, list):
        return [member for member in value if member not in gone]
    return None if value in gone else value


def _label_problems(labels: list[str], others: Iterable[str]) -> list[str]:
    seen, problems = set(others), []
    for label in labels:
        if label in seen:
            problems.append(f"options: Option '{label}' already exists")
        seen.add(label)
    return problems


def _unknown_options(field: Field, wanted: Iterable[int]) -> list[str]:
    known = field.option_labels()
    return [f"id: Option {option} not found" for option in wanted if option not in known]


def _the_field(entity: str, call: Call) -> Field:
    field = call.company.fields.of(entity).get(call.ids[0])
    if field is None:
        raise not_found("Field", call.company.settings.not_found_code)
    return field


def _custom_field(entity: str, call: Call) -> Field:
    field = _the_field(entity, call)
    if not field.is_custom:
        raise forbidden("System fields cannot be changed")
    return field


def _option_field(entity: str, call: Call) -> Field:
    field = _the_field(entity, call)
    if not field.takes_options():
        raise forbidden("This field takes no options")
    return field


_LABEL = Shape({"label": checks.filled_text}, ("label",))
_RELABEL = Shape({"id": checks.integer, "label": checks.filled_text}, ("id", "label"))
_UNLABEL = Shape({"id": checks.integer}, ("id",))
_INCLUDED: queries.Query = {"include_fields": queries.choices(*DEFAULT_VISIBILITY)}


def _create_keys(entity: str) -> dict[str, checks.Check]:
    keys: dict[str, checks.Check] = {
        "field_name": checks.filled_text,
        "field_type": checks.one_of(*CREATABLE_TYPES),
        "options": checks.list_of(checks.object_of({"label": checks.filled_text}, required=("label",))),
        "ui_visibility": checks.object_of(
            {"add_visible_flag": checks.boolean, "details_visible_flag": checks.boolean} | _PLACES[entity]
        ),
    }
    if entity != "product":
        keys["important_fields"] = checks.object_of(_EMPHASIS)
        keys["required_fields"] = checks.object_of(_EMPHASIS | _STATUSES)
    if entity == "deal":
        keys["description"] = checks.nullable(checks.text)
    return keys


def _routes(entity: str) -> list[Route]:
    path, keys = f"/api/v2/{entity}Fields", _create_keys(entity)
    field, options = f"{path}/{{code}}", f"{path}/{{code}}/options"
    change = Shape({key: check for key, check in keys.items() if key not in ("field_type", "options")})
    return [
        Route("GET", path, partial(_list, entity), 10, {**_INCLUDED, **queries.page()}),
        Route("GET", field, partial(_get, entity), 1, _INCLUDED),
        Route("POST", path, partial(_create, entity), 5, body=Shape(keys, ("field_name", "field_type"))),
        Route("PATCH", field, partial(_change, entity), 5, body=change),
        Route("DELETE", field, partial(_delete, entity), 3),
        Route("POST", options, partial(_add_options, entity), 5, body=Array(_LABEL, _MOST_OPTIONS)),
        Route("PATCH", options, partial(_change_options, entity), 5, body=Array(_RELABEL, _MOST_OPTIONS)),
        Route("DELETE", options, partial(_delete_options, entity), 3, body=Array(_UNLABEL, _MOST_OPTIONS)),
    ]


ROUTES = [route for entity in ("deal", "organization", "person", "product") for route in _routes(entity)] + [
    Route("GET", "/api/v2/activityFields", partial(_list, "activity"), 10, {**_INCLUDED, **queries.page()}),
    Route("GET", "/api/v2/activityFields/{code}", partial(_get, "activity"), 1, _INCLUDED),
]
