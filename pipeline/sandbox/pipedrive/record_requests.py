"""What organizations, persons and products have in common: one record, soft delete, the filters of lists."""

from collections.abc import Callable, Sequence
from typing import Any

from pipeline.sandbox.pipedrive import field_values, filters
from pipeline.sandbox.pipedrive.clock import parsed_moment, rfc3339
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.deal_requests import gone
from pipeline.sandbox.pipedrive.paging import listing, sort_moment
from pipeline.sandbox.pipedrive.refusals import frozen, invalid, not_found
from pipeline.sandbox.pipedrive.requests import Call, answer, page
from pipeline.sandbox.wire import Response

Picture = Callable[..., dict[str, Any]]
_UNDECLARED_NULLS = ("org_id", "address", "code", "description", "unit", "category")
_SORT = {
    "name": lambda record: record.name,
    "update_time": sort_moment,
    "add_time": lambda record: record.add_time,
}


def the_record(call: Call, entity: str) -> Any:
    """The record of the path's id, deleted or not, while it is kept."""
    record = call.company.table(entity).rows.get(call.ids[0])
    if record is None or (record.is_deleted and (record.deleted_at or "") < call.company.purged_before()):
        raise not_found(entity.capitalize(), call.company.settings.not_found_code)
    return record


def editable_record(call: Call, entity: str) -> Any:
    """The record of the path's id, if it takes edits."""
    record = the_record(call, entity)
    if record.is_deleted:
        raise frozen(call.company.settings.frozen_edit_status, f"A deleted {entity}")
    return record


def shown(call: Call, entity: str, picture: Picture) -> Response:
    """GET of one record."""
    record = the_record(call, entity)
    if record.is_deleted and call.company.settings.deleted_get == 404:
        raise not_found(entity.capitalize(), call.company.settings.not_found_code)
    return answer(picture(call.company, record, call.query))


def deleted(call: Call, entity: str) -> Response:
    """DELETE of one record."""
    record = the_record(call, entity)
    if record.is_deleted:
        raise gone(call, entity.capitalize(), record.id)
    call.company.delete(entity, record)
    return answer({"id": record.id})


def listed(call: Call, entity: str, picture: Picture, equal: Sequence[str] = ("owner_id",)) -> Response:
    """GET of a page of records."""
    table, query = call.company.table(entity), call.query
    ids: Sequence[int] = table.ids
    if "ids" in query and "filter_id" not in query:
        ids = sorted({record_id for record_id in query["ids"] if record_id in table.rows})
    keep = filters.record_filter(call, entity) if "filter_id" in query else _wanted(call, equal)
    found, cursor = listing(call, table.rows, ids, keep, _SORT)
    return page(call, [picture(call.company, record, query) for record in found], cursor)


def newest_listed(company: Company) -> str | None:
    """Records made after this moment are not in lists yet; None where lists do not lag."""
    lag = company.settings.list_lag_seconds
    return rfc3339(company.clock.now() - lag) if lag else None


def _wanted(call: Call, equal: Sequence[str]) -> Callable[[Any], bool]:
    query = call.query
    since, until = query.get("updated_since", ""), query.get("updated_until")
    wanted = [(key, query[key]) for key in equal if key in query]
    visible_from = newest_listed(call.company)

    def keep(record: Any) -> bool:
        moment = sort_moment(record)
        if record.is_deleted or moment < since or (until is not None and moment >= until):
            return False
        if visible_from is not None and record.add_time > visible_from:
            return False
        return all(getattr(record, key) == value for key, value in wanted)

    return keep


def write_common(company: Company, entity: str, record: Any, body: dict[str, Any], keys: Sequence[str]) -> None:
    """Writes a checked body's plain keys and custom fields onto the record."""
    for key in keys:
        if key in body:
            setattr(record, key, body[key])
    if "custom_fields" in body:
        record.custom = field_values.kept(company, entity, record.custom, body["custom_fields"])


def check_name_and_labels(company: Company, entity: str, body: dict[str, Any]) -> None:
    """Refuses names that are too long and labels that do not exist."""
    limit = company.settings.title_limit
    problems = []
    if not company.settings.null_clears:
        problems += [f"{key}: must not be null" for key in _UNDECLARED_NULLS if key in body and body[key] is None]
    if limit is not None and len(body.get("name", "")) > limit:
        problems.append(f"name: must be at most {limit} characters")
    field = company.fields.of(entity).get("label_ids")
    known = field.option_labels() if field else {}
    problems += [f"label_ids: Label {label} not found" for label in body.get("label_ids") or () if label not in known]
    if problems:
        raise invalid(problems)


def taken_add_time(company: Company, body: dict[str, Any]) -> str:
    """Organizations and persons may be dated back when they are made."""
    given = body.get("add_time")
    return (parsed_moment(given) if given else None) or company.clock.text()
