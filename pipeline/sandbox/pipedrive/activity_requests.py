"""Activities: list, get, create, update, delete."""

from typing import Any

from pipeline.sandbox.pipedrive import checks, queries, record_requests
from pipeline.sandbox.pipedrive.checks import nullable
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.paging import listing, sort_moment
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer, page
from pipeline.sandbox.pipedrive.rows import Activity
from pipeline.sandbox.wire import Response

_BLANK: dict[str, Any] = {
    "subject": None,
    "type": "call",
    "owner_id": None,
    "deal_id": None,
    "lead_id": None,
    "person_id": None,
    "org_id": None,
    "project_id": None,
    "due_date": None,
    "due_time": None,
    "duration": None,
    "busy": False,
    "done": False,
    "marked_as_done_time": None,
    "location": None,
    "participants": [],
    "public_description": None,
    "priority": None,
    "outcome": None,
    "note": None,
}
_CONFERENCE = ("conference_meeting_client", "conference_meeting_url", "conference_meeting_id")
_EQUAL = ("owner_id", "deal_id", "lead_id", "person_id", "org_id", "done")
_SORT = {
    "update_time": sort_moment,
    "add_time": lambda row: row.add_time,
    "due_date": lambda row: row.values["due_date"] or "",
}


def activity_picture(company: Company, row: Activity, query: Any = None) -> dict[str, Any]:
    """An activity; it has no custom fields."""
    shown = {"id": row.id, **row.values, "add_time": row.add_time, "update_time": row.update_time}
    shown |= dict.fromkeys(_CONFERENCE)
    shown |= {"creator_user_id": company.me.id, "is_deleted": row.is_deleted}
    return shown | ({"attendees": []} if query and query.get("include_fields") else {})


def _list(call: Call) -> Response:
    query, table = call.query, call.company.activities
    wanted = [(key, query[key]) for key in _EQUAL if key in query]
    since, until = query.get("updated_since", ""), query.get("updated_until", "9")
    ids = sorted(set(query["ids"]) & set(table.ids)) if "ids" in query else table.ids

    def keep(row: Activity) -> bool:
        fits = all(row.values[key] == value for key, value in wanted)
        return fits and not row.is_deleted and since <= sort_moment(row) < until

    found, cursor = listing(call, table.rows, ids, keep, _SORT)
    return page(call, [activity_picture(call.company, row, query) for row in found], cursor)


def _get(call: Call) -> Response:
    return answer(activity_picture(call.company, record_requests.the_record(call, "activity"), call.query))


def _create(call: Call) -> Response:
    company = call.company
    now = company.clock.text()
    row = Activity(company.activities.next_id, now, now, values=_BLANK | {"owner_id": company.me.id})
    _write(company, row, call.body)
    company.activities.add(row)
    company.created("activity", row)
    return answer(activity_picture(company, row))


def _change(call: Call) -> Response:
    row = record_requests.editable_record(call, "activity")
    with call.company.editing("activity", row):
        _write(call.company, row, call.body)
    return answer(activity_picture(call.company, row))


def _write(company: Company, row: Activity, body: dict[str, Any]) -> None:
    """The person is the primary participant; a due date stands even when none is named."""
    row.values |= {key: value for key, value in body.items() if key in _BLANK}
    row.values["due_date"] = row.values["due_date"] or company.clock.text()[:10]
    participants = row.values["participants"]
    if participants:
        primary = next((one for one in participants if one.get("primary")), participants[0])
        row.values["person_id"] = primary["person_id"]
    if row.values["done"] and row.values["marked_as_done_time"] is None:
        row.values["marked_as_done_time"] = company.clock.text()


def _delete(call: Call) -> Response:
    return record_requests.deleted(call, "activity")


_PARTICIPANT = checks.object_of(
    {"person_id": checks.record_id, "primary": checks.boolean}, required=("person_id",)
)  # fmt: skip
_BODY: dict[str, checks.Check] = {
    "subject": checks.text,
    "type": checks.filled_text,
    "owner_id": checks.record_id,
    "deal_id": nullable(checks.record_id),
    "lead_id": nullable(checks.text),
    "person_id": nullable(checks.record_id),
    "org_id": nullable(checks.record_id),
    "project_id": nullable(checks.record_id),
    "due_date": checks.day,
    "due_time": nullable(checks.clock_time),
    "duration": nullable(checks.clock_time),
    "busy": checks.boolean,
    "done": checks.boolean,
    "location": nullable(checks.address),
    "participants": checks.list_of(_PARTICIPANT),
    "attendees": checks.list_of(lambda value: None if isinstance(value, dict) else "must be an object"),
    "public_description": nullable(checks.text),
    "priority": nullable(checks.integer),
    "outcome": nullable(checks.number),
    "note": nullable(checks.text),
}
_ONE: queries.Query = {"include_fields": queries.choices("attendees")}
_LIST: queries.Query = {
    "filter_id": queries.whole,
    "ids": queries.whole_list(100),
    **dict.fromkeys(("owner_id", "deal_id", "person_id", "org_id"), queries.whole),
    "lead_id": queries.filled,
    "done": queries.yes_no,
    "updated_since": queries.instant,
    "updated_until": queries.instant,
    **_ONE,
    **queries.page("id", "update_time", "add_time", "due_date"),
}
_PATH = "/api/v2/activities"
ROUTES = [
    Route("GET", _PATH, _list, 10, _LIST),
    Route("GET", f"{_PATH}/{{id}}", _get, 1, _ONE),
    Route("POST", _PATH, _create, 5, body=Shape(_BODY)),
    Route("PATCH", f"{_PATH}/{{id}}", _change, 5, body=Shape(_BODY)),
    Route("DELETE", f"{_PATH}/{{id}}", _delete, 3),
]
