"""Whatever is sent to the simulated Pipedrive, it answers on purpose, and a refusal changes nothing."""

import base64
import json
import os
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.sandbox.pipedrive.fields import CREATABLE_TYPES
from pipeline.sandbox.pipedrive.simulator import ROUTES
from pipeline.sandbox.wire import Request
from pipeline_tests.sandbox.pipedrive_transport import ADMIN, Account

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "6"))
HEADERS = {"x-api-token": "sandbox", "content-type": "application/json"}
WORDS = (
    "won lost open EUR asc desc true false 1,2 2026-11-20 2026-11-20T09:00:00Z 2026-13-40T09:00:00Z percentage id "
    "update_time name deal enum set varchar 40 none weekly eyJmaWVsZCI6ImlkIn0 https://a.example/x * 2.0 order_nr"
).split()

texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))
numbers = st.one_of(
    st.sampled_from([0, 1, 2, 3, -1, 40, 41, ADMIN, 501, 2**60, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["value", "currency", "until", "id", "label", "primary", "conditions"]), inner),
    ),
    max_leaves=6,
)


def filled_account():
    account = Account(sends_webhooks=False, search_lag_seconds=0)
    account.codes = [
        account.field("deal", kind, kind, *(["a", "b"] if kind in ("enum", "set") else []))["field_code"]
        for kind in CREATABLE_TYPES
    ]
    account.made("organizations", {"name": "x", "address": {"value": "y"}})
    account.made("persons", {"name": "x", "org_id": 1})
    account.product()
    account.product(is_linkable=False)
    for status in ("open", "won", "lost"):
        account.deal(status=status, org_id=1)
    account.post("deals/1/products", {"product_id": 1, "item_price": 1.5, "quantity": 2})
    account.patch("deals/3", {"is_archived": True})
    account.deal()
    account.delete("deals/4")
    account.post("/api/v1/notes", {"content": "x", "deal_id": 1})
    account.made("activities", {"subject": "x"})
    account.made("products/1/variations", {"name": "x"})
    account.discount = account.made("deals/1/discounts", {"description": "x", "amount": 1, "type": "amount"})["id"]
    account.made("/api/v1/filters", {key: GOOD[key] for key in ("name", "conditions")} | {"type": "deals"})
    account.made("/api/v1/webhooks", HOOK)
    return account


GOOD = {
    "title": "x", "name": "x", "value": 5, "currency": "EUR", "status": "won", "won_time": "2026-01-01T12:00:00Z",
    "org_id": 1, "person_id": 1, "owner_id": ADMIN, "stage_id": 2, "pipeline_id": 1, "product_id": 1, "quantity": 2,
    "item_price": 1.005, "tax": 0, "discount": 5, "comments": "1", "field_name": "y", "field_type": "double",
    "label": "nieuw", "id": 40, "content": "x", "deal_id": 1, "merge_with_id": 2, "description": "x", "amount": 3,
    "type": "amount", "subscription_url": "https://a.example/x", "event_action": "*", "event_object": "*",
    "is_archived": True, "is_deleted": False, "expected_close_date": None, "lost_reason": None, "is_enabled": False,
    "tax_method": "none", "data": [{"product_id": 1, "item_price": 1, "quantity": 1}], "prices": [{"currency": "USD"}],
    "emails": [{"value": "a@b.example"}], "address": {"value": "x"}, "custom_fields": {}, "label_ids": [],
    "conditions": {"glue": "and", "conditions": []}, "done": True, "days_to_rotten": None,
}  # fmt: skip


HOOK = {"subscription_url": "https://a.example/x", "event_action": "*", "event_object": "*", "name": "x"}


def _object(shape):
    """An object that is right, but for a key or two."""
    required = {key: st.just(GOOD[key]) for key in shape.required}
    known = {key: st.just(GOOD[key]) for key in shape.keys if key in GOOD and key not in required}
    odd = st.dictionaries(st.sampled_from([*shape.keys, "custom_fields", "add_time", "nonsense"]), values, max_size=1)
    right = st.fixed_dictionaries(required, optional=known)
    return st.one_of(right, right, st.builds(lambda good, bad: good | bad, right, odd), odd)


def _body(shape):
    if shape is None:
        return scalars
    if hasattr(shape, "member"):
        return st.lists(_object(shape.member), min_size=1, max_size=2)
    return _object(shape)


def _as_cursor(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


marks = st.one_of(scalars, st.lists(numbers, max_size=2), st.just("2026-11-20T09:00:00Z"))
cursors = st.fixed_dictionaries(
    {"field": st.sampled_from(["id", "update_time", "order_nr", "name", None, []]), "fieldValue": marks},
    optional={"sortDirection": st.sampled_from(["asc", "desc", 1]), "id": marks, "at": marks, "from": marks},
).map(_as_cursor)


@st.composite
def calls(draw):
    """A request that is nearly right."""
    route = ROUTES[draw(st.integers(0, len(ROUTES) - 1))]
    parts = {
        "{id}": st.sampled_from(["1", "2", "1", "3", "4", "99", "x"]),
        "{code}": st.sampled_from(["DISCOUNT"] if "discounts" in route.template else ["CODE", "title", "label_ids"]),
    }
    path = "/".join(draw(parts[part]) if part in parts else part for part in route.template.split("/"))
    method = draw(st.sampled_from([route.method] * 12 + ["PUT", "DELETE"]))
    names = st.sampled_from([*route.query, "nonsense"])
    query = draw(st.dictionaries(names, st.one_of(texts, st.integers(0, 600).map(str), cursors), max_size=2))
    body = draw(st.one_of(_body(route.body), _body(route.body), _body(route.body), values))
    return method, path, query if method == "GET" else {}, body


def _sent(account, call):
    method, path, query, body = call
    code = account.codes[len(str(body)) % len(account.codes)]
    text = json.dumps(body).replace('"value"', f'"{code}"', 1) if "custom_fields" in str(body) else json.dumps(body)
    joined = "&".join(f"{name}={_quoted(value)}" for name, value in query.items())
    path = path.replace("CODE", code).replace("DISCOUNT", account.discount)
    return Request(method, path, joined, HEADERS, text.encode())


def _quoted(text):
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "replace"))


def state_of(account):
    return json.dumps(account.simulator.state(), sort_keys=True, default=str)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(calls(), min_size=6, max_size=6))
@example(
    [("POST", "/api/v2/deals/1/products/bulk", {}, {"data": [{"product_id": 1, "quantity": 1, "item_price": 1e300}]})]
)
@example([("GET", "/api/v2/deals", {"cursor": "W10"}, None), ("POST", "/api/v2/deals", {}, {"title": "\ud800"})])
def test_every_answer_is_meant_and_a_refusal_changes_nothing(requests):
    account = filled_account()
    for call in requests:
        request, before = _sent(account, call), state_of(account)
        response = account.simulator(request)
        assert response.status < 500
        if "json" in response.headers.get("content-type", ""):
            assert json.loads(response.body)["success"] is (response.status < 400)
        if response.status >= 400 or request.method == "GET":
            assert state_of(account) == before


SORTED = [route for route in ROUTES if route.has_pages]


@settings(max_examples=EXAMPLES * 8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SORTED), st.data())
def test_any_cursor_gets_a_page_or_a_refusal(route, data):
    account = Account(cursor_lifetime_seconds=data.draw(st.sampled_from([None, 60])), search_lag_seconds=0)
    for _ in range(3):
        account.deal()
    account.product()
    path = route.template.replace("{id}", "1")
    query = {"term": "Bestelling", "entity_type": "deal", "field": "title", "deal_ids": "1,2", "limit": "1"}
    sort = {"sort_by": data.draw(st.sampled_from(["id", "update_time", "order_nr"]))}
    asked = {key: value for key, value in (query | sort).items() if key in route.query}
    own = account.http.get(path, params=asked).json().get("additional_data") or {}
    given_cursor = data.draw(st.one_of(cursors, texts, st.just(own.get("next_cursor") or "x")))
    joined = "&".join(f"{name}={_quoted(value)}" for name, value in (asked | {"cursor": given_cursor}).items())
    response = account.simulator(Request("GET", path, joined, HEADERS))
    assert response.status < 500
    if response.status == 400:
        assert "Validation failed" in json.loads(response.body)["error"]


WRONG = (
    None, True, False, 0, -1, 1.5, 2**60, 1e308, 10**400, "", " ", "x", "1", "\ud800", "x" * 70_000, "2026-02-30",
    [], [None], [[]], [1, 1], {}, {"value": None}, {"value": {}}, [{"value": 1}], [{"label": None}], {"nonsense": 1},
)  # fmt: skip
WRITES = [route for route in ROUTES if route.body is not None]


def _as_sent(route, body):
    return [body] if hasattr(route.body, "member") else body


@pytest.mark.parametrize("route", WRITES, ids=lambda route: f"{route.method} {route.template}")
def test_a_known_key_with_a_value_of_any_type_is_answered_on_purpose(route):
    account, shape = filled_account(), getattr(route.body, "member", route.body)
    choice = next(field.code for field in account.simulator.company.fields.custom("deal") if field.options)
    code = {"discounts": account.discount, "dealFields": choice}.get(route.template.split("/")[-2], "label_ids")
    path = route.template.replace("{id}", "1").replace("{code}", code)
    good = {key: GOOD[key] for key in shape.required}
    if route.template.endswith("Fields"):
        good["field_type"] = "varchar"
    tried = [good | {key: value} for key in shape.keys for value in WRONG]
    if shape.entity:
        codes = [field.code for field in account.simulator.company.fields.custom(shape.entity)]
        tried += [good | {"custom_fields": {code: value}} for code in codes for value in WRONG]
    for body in tried:
        before = state_of(account)
        content = json.dumps(_as_sent(route, body)).encode()
        response = account.simulator(Request(route.method, path, "", HEADERS, content))
        assert response.status < 500, body
        assert response.status < 400 or state_of(account) == before, body
    assert account.get("deals", limit=500).status_code == 200
    assert account.get("itemSearch", term="xx").status_code == 200


PRINTABLE = re.compile(r"[\t -~]*")


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE", "X"]),
    st.text(max_size=30),
    st.text(max_size=30),
    st.binary(max_size=40),
)
def test_any_path_query_and_bytes_get_an_answer(method, path, query, body):
    account = Account(sends_webhooks=False)
    for prefix in ("/", "/api/v2/", "/__sandbox/", "/oauth/", "/oauth/authorize?client_id=sandbox&redirect_uri="):
        start, _, given_query = (prefix + path if "?" not in prefix else prefix + _quoted(path)).partition("?")
        response = account.simulator(Request(method, start, given_query or query, HEADERS, body))
        assert response.status < 500
        assert all(PRINTABLE.fullmatch(value) for value in response.headers.values())
