"""Colleagues: users are v1's, there is no v2 list of them."""

from typing import Any

from pipeline.sandbox.pipedrive import queries
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.refusals import bad_request, v1_not_found
from pipeline.sandbox.pipedrive.requests import Call, Route, answer
from pipeline.sandbox.pipedrive.rows import User
from pipeline.sandbox.wire import Response


def user_picture(company: Company, user: User) -> dict[str, Any]:
    """A colleague as v1 shows one."""
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "default_currency": company.currency,
        "locale": "nl_NL",
        "lang": 1,
        "timezone_name": company.zone,
        "timezone_offset": "+01:00",
        "active_flag": user.is_active,
        "activated": True,
        "is_deleted": not user.is_active,
        "is_admin": int(user.is_admin),
        "access": [{"app": "sales", "admin": user.is_admin, "permission_set_id": "sandbox-sales"}],
        "role_id": 1,
        "icon_url": None,
        "is_you": user.id == company.me.id,
        "created": "2024-01-08 09:00:00",
        "modified": "2026-01-05 09:00:00",
        "last_login": "2026-01-05 09:00:00",
    }


def _list(call: Call) -> Response:
    return answer([user_picture(call.company, user) for user in call.company.users.values()], {})


def _me(call: Call) -> Response:
    company = call.company
    own = {"company_id": company.company_id, "company_name": "Sandbox", "company_domain": "sandbox"}
    return answer(user_picture(company, company.me) | own)


def _get(call: Call) -> Response:
    user = call.company.users.get(call.ids[0])
    if user is None:
        raise v1_not_found("User")
    return answer(user_picture(call.company, user))


def _find(call: Call) -> Response:
    term = call.query.get("term", "").strip().casefold()
    if not term:
        raise bad_request("query must have required property 'term'")
    by_email = call.query.get("search_by_email", False)
    found = [
        user
        for user in call.company.users.values()
        if (user.email.casefold() == term if by_email else term in user.name.casefold())
    ]
    return answer([user_picture(call.company, user) for user in found])


_FIND: queries.Query = {"term": queries.words, "search_by_email": queries.one_zero}
ROUTES = [
    Route("GET", "/api/v1/users", _list, 20),
    Route("GET", "/api/v1/users/me", _me, 2),
    Route("GET", "/api/v1/users/{id}", _get, 2),
    Route("GET", "/api/v1/users/find", _find, 40, _FIND),
]
