"""v1's requests about webhooks: subscribe, list, unsubscribe."""

from typing import Any
from urllib.parse import urlsplit

from pipeline.sandbox.pipedrive import checks
from pipeline.sandbox.pipedrive.refusals import Refused, v1_not_found
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer
from pipeline.sandbox.pipedrive.webhooks import Deliveries, Webhook
from pipeline.sandbox.wire import Response

_ACTIONS = ("create", "change", "delete", "*")
_OBJECTS = (
    "activity deal lead note organization person pipeline product stage user deal_product deal_installment "
    "deal_field lead_field person_field organization_field product_field project task board phase *"
).split()


def deliveries(call: Call) -> Deliveries:
    """The account's subscriptions."""
    if call.company.deliveries is None:
        call.company.deliveries = Deliveries(call.company)
    return call.company.deliveries


def _create(call: Call) -> Response:
    body, company = call.body, call.company
    if problem := _url_problem(body["subscription_url"]):
        raise _wrong("subscription_url", problem)
    owner = body.get("user_id", company.me.id)
    mine = [hook for hook in deliveries(call).hooks.values() if hook.owner_id == owner and not hook.is_deleted]
    if len(mine) >= company.settings.webhooks_per_user:
        raise Refused(422, {"status": "error", "success": False, "error": "Webhook limit reached"})
    user, password = body.get("http_auth_user"), body.get("http_auth_password")
    hook_of: dict[str, Any] = {
        "url": body["subscription_url"],
        "action": body["event_action"],
        "entity": body["event_object"],
        "name": body["name"],
        "version": body.get("version", "2.0"),
        "owner_id": owner,
        "login": (user, password or "") if user else None,
    }
    return _answered(deliveries(call).subscribe(hook_of), 201)


def _url_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "Invalid URL"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "Invalid URL"
    return "Pipedrive URLs are not allowed" if parts.hostname.endswith("pipedrive.com") else None


def _wrong(key: str, problem: str) -> Refused:
    return Refused(400, {"status": "error", "success": False, "errors": {key: [problem]}})


def _answered(hook: Webhook, status: int) -> Response:
    response = answer(hook.picture(), status=status)
    response.body = response.body.replace(b'{"success"', b'{"status":"ok","success"', 1)
    return response


def _list(call: Call) -> Response:
    return answer([hook.picture() for hook in deliveries(call).hooks.values() if not hook.is_deleted])


def _delete(call: Call) -> Response:
    hook = deliveries(call).hooks.get(call.ids[0])
    if hook is None or hook.is_deleted:
        raise v1_not_found("Webhook")
    hook.is_deleted = True
    return Response(200, {"content-type": "application/json; charset=utf-8"}, b'{"status":"ok","success":true}')


_BODY = Shape(
    {
        "subscription_url": checks.filled_text,
        "event_action": checks.one_of(*_ACTIONS),
        "event_object": checks.one_of(*_OBJECTS),
        "name": checks.text_up_to(255),
        "user_id": checks.record_id,
        "http_auth_user": checks.nullable(checks.text),
        "http_auth_password": checks.nullable(checks.text),
        "version": checks.one_of("1.0", "2.0"),
    },
    required=("subscription_url", "event_action", "event_object", "name"),
)
ROUTES = [
    Route("GET", "/api/v1/webhooks", _list, 10),
    Route("POST", "/api/v1/webhooks", _create, 10, body=_BODY),
    Route("DELETE", "/api/v1/webhooks/{id}", _delete, 6),
]
