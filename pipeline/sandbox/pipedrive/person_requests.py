"""Persons: list, get, create, update, delete."""

from typing import Any

from pipeline.sandbox.pipedrive import checks, pictures, queries, record_requests
from pipeline.sandbox.pipedrive.checks import nullable
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.refusals import forbidden, invalid
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer
from pipeline.sandbox.pipedrive.rows import Person
from pipeline.sandbox.wire import Response

_CHANNEL = checks.list_of(
    checks.object_of(
        {"value": checks.filled_text, "primary": checks.boolean, "label": nullable(checks.text)}, required=("value",)
    )
)
_SYNCED = ("postal_address", "notes", "im", "birthday", "job_title")  # exist with Contact Sync only
PERSON_KEYS: dict[str, checks.Check] = {
    "name": checks.filled_text,
    "owner_id": checks.record_id,
    "org_id": nullable(checks.record_id),
    "emails": _CHANNEL,
    "phones": _CHANNEL,
    "visible_to": checks.VISIBILITY,
    "label_ids": checks.list_of(checks.integer),
    "marketing_status": checks.one_of("no_consent", "unsubscribed", "subscribed", "archived"),
    **{key: (lambda value: None) for key in _SYNCED},
}
_PLAIN = "name owner_id org_id visible_to label_ids marketing_status".split()
_INCLUDED = queries.choices(
    *(
        "next_activity_id last_activity_id open_deals_count related_open_deals_count closed_deals_count "
        "related_closed_deals_count participant_open_deals_count participant_closed_deals_count email_messages_count "
        "activities_count done_activities_count undone_activities_count files_count notes_count followers_count "
        "won_deals_count related_won_deals_count lost_deals_count related_lost_deals_count "
        "last_incoming_mail_time last_outgoing_mail_time marketing_status doi_status smart_bcc_email"
    ).split()
)
_ONE: queries.Query = {
    "include_fields": _INCLUDED,
    "custom_fields": queries.keys(15),
    "include_option_labels": queries.yes_no,
    "include_labels": queries.yes_no,
}
_LIST: queries.Query = {
    "filter_id": queries.whole,
    "ids": queries.whole_list(100),
    "owner_id": queries.whole,
    "org_id": queries.whole,
    "deal_id": queries.whole,
    "updated_since": queries.instant,
    "updated_until": queries.instant,
    **_ONE,
    **queries.page("id", "update_time", "add_time"),
}


def _list(call: Call) -> Response:
    if "deal_id" in call.query:
        deal = call.company.deals.get(call.query["deal_id"])
        call.query["ids"] = [deal.person_id] if deal and deal.person_id else []
    return record_requests.listed(call, "person", pictures.person, ("owner_id", "org_id"))


def _get(call: Call) -> Response:
    return record_requests.shown(call, "person", pictures.person)


def _create(call: Call) -> Response:
    if "name" not in call.body and call.company.settings.nameless_persons == "refused":
        raise invalid(["name: Parameter 'name' is required"])
    _check(call.company, call.body)
    person = new_person(call.company, call.body)
    return answer(pictures.person(call.company, person))


def new_person(company: Company, body: dict[str, Any]) -> Person:
    """A person with the account's defaults, then the body's fields."""
    row = Person(company.persons.next_id, record_requests.taken_add_time(company, body))
    row.update_time, row.owner_id = row.add_time, company.me.id
    write_person(company, row, body)
    company.persons.add(row)
    company.created("person", row)
    return row


def _update(call: Call) -> Response:
    row = record_requests.editable_record(call, "person")
    _check(call.company, call.body, row)
    with call.company.editing("person", row):
        write_person(call.company, row, call.body)
    return answer(pictures.person(call.company, row))


def write_person(company: Company, row: Person, body: dict[str, Any]) -> None:
    """Exactly one address and one number is the primary one; without a word it is the first."""
    record_requests.write_common(company, "person", row, body, _PLAIN)
    row.contact_sync |= {key: body[key] for key in _SYNCED if key in body}
    if "emails" in body:
        row.emails = _channels(body["emails"])
    if "phones" in body:
        row.phones = _channels(body["phones"])


def _channels(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    primary = next((place for place, entry in enumerate(sent) if entry.get("primary")), 0)
    return [
        {"value": entry["value"], "primary": place == primary, "label": entry.get("label") or ""}
        for place, entry in enumerate(sent)
    ]


def _check(company: Company, body: dict[str, Any], row: Person | None = None) -> None:
    record_requests.check_name_and_labels(company, "person", body)
    if not company.settings.contact_sync and any(key in body for key in _SYNCED):
        raise forbidden("Contact Sync is not enabled")
    wanted = body.get("marketing_status")
    if row is not None and wanted and row.marketing_status not in ("no_consent", wanted):
        raise forbidden("Marketing status can be changed once")


def _delete(call: Call) -> Response:
    return record_requests.deleted(call, "person")


_CREATE = Shape(PERSON_KEYS | {"add_time": checks.moment}, (), "person")
ROUTES = [
    Route("GET", "/api/v2/persons", _list, 10, _LIST),
    Route("GET", "/api/v2/persons/{id}", _get, 1, _ONE),
    Route("POST", "/api/v2/persons", _create, 5, body=_CREATE),
    Route("PATCH", "/api/v2/persons/{id}", _update, 5, body=Shape(PERSON_KEYS, (), "person")),
    Route("DELETE", "/api/v2/persons/{id}", _delete, 3),
]
