"""Organizations: list, get, create, update, delete."""

from typing import Any

from pipeline.sandbox.pipedrive import checks, pictures, queries, record_requests
from pipeline.sandbox.pipedrive.checks import nullable
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.refusals import invalid
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer
from pipeline.sandbox.pipedrive.rows import Organization
from pipeline.sandbox.wire import Response

ORGANIZATION_KEYS: dict[str, checks.Check] = {
    "name": checks.filled_text,
    "owner_id": checks.record_id,
    "visible_to": checks.VISIBILITY,
    "label_ids": checks.list_of(checks.integer),
    "address": nullable(checks.address),
    "website": nullable(checks.text_up_to(255)),
    "linkedin": nullable(checks.text_up_to(255)),
    "industry": nullable(checks.integer),
    "annual_revenue": nullable(checks.number),
    "employee_count": nullable(checks.integer),
}
_PLAIN = "name owner_id visible_to label_ids website linkedin industry annual_revenue employee_count".split()
_INCLUDED = queries.choices(
    *(
        "next_activity_id last_activity_id open_deals_count related_open_deals_count closed_deals_count "
        "related_closed_deals_count email_messages_count people_count activities_count done_activities_count "
        "undone_activities_count files_count notes_count followers_count won_deals_count related_won_deals_count "
        "lost_deals_count related_lost_deals_count smart_bcc_email"
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
    "updated_since": queries.instant,
    "updated_until": queries.instant,
    **_ONE,
    **queries.page("id", "update_time", "add_time"),
}


def _list(call: Call) -> Response:
    return record_requests.listed(call, "organization", pictures.organization)


def _get(call: Call) -> Response:
    return record_requests.shown(call, "organization", pictures.organization)


def _create(call: Call) -> Response:
    company = call.company
    _check(company, call.body)
    organization = new_organization(company, call.body)
    return answer(pictures.organization(company, organization), {"didMerge": False})


def new_organization(company: Company, body: dict[str, Any]) -> Organization:
    """An organization with the account's defaults, then the body's fields."""
    row = Organization(company.organizations.next_id, record_requests.taken_add_time(company, body))
    row.owner_id = company.me.id
    write_organization(company, row, body)
    company.organizations.add(row)
    company.created("organization", row)
    return row


def _update(call: Call) -> Response:
    company, row = call.company, record_requests.editable_record(call, "organization")
    _check(company, call.body)
    with company.editing("organization", row):
        write_organization(company, row, call.body)
    return answer(pictures.organization(company, row))


def write_organization(company: Company, row: Organization, body: dict[str, Any]) -> None:
    """Parts of an address that are not sent become null, on an update as well."""
    record_requests.write_common(company, "organization", row, body, _PLAIN)
    if "address" in body:
        sent = body["address"]
        row.address = sent and {key: sent.get(key) for key in checks.ADDRESS_KEYS}


def _check(company: Company, body: dict[str, Any]) -> None:
    record_requests.check_name_and_labels(company, "organization", body)
    industries = company.fields.of("organization")["industry"].option_labels()
    if body.get("industry") is not None and body["industry"] not in industries:
        raise invalid(["industry: is not an option of this field"])


def _delete(call: Call) -> Response:
    return record_requests.deleted(call, "organization")


_CREATE = Shape(ORGANIZATION_KEYS | {"add_time": checks.moment}, ("name",), "organization")
ROUTES = [
    Route("GET", "/api/v2/organizations", _list, 10, _LIST),
    Route("GET", "/api/v2/organizations/{id}", _get, 1, _ONE),
    Route("POST", "/api/v2/organizations", _create, 5, body=_CREATE),
    Route("PATCH", "/api/v2/organizations/{id}", _update, 5, body=Shape(ORGANIZATION_KEYS, (), "organization")),
    Route("DELETE", "/api/v2/organizations/{id}", _delete, 3),
]
