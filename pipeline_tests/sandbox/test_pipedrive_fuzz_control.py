"""Whatever is asked of the control calls, they answer on purpose, and the simulated Pipedrive goes on answering."""

import json

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.sandbox.pipedrive.fields import CREATABLE_TYPES
from pipeline.sandbox.pipedrive.hand_checks import SHAPES
from pipeline.sandbox.pipedrive.hand_edits import EDITS
from pipeline.sandbox.wire import Request
from pipeline_tests.sandbox.test_pipedrive_fuzz import EXAMPLES, GOOD, HEADERS, HOOK, filled_account, state_of, values

WORDS = {
    "id": st.sampled_from([1, 2, 3, 4, 99]),
    "into": st.sampled_from([1, 2, 99]),
    "deal_id": st.sampled_from([1, 2, 99]),
    "place": st.sampled_from([1, 2, 50]),
    "entity": st.sampled_from(["deal", "organization", "person", "product"]),
    "field": st.sampled_from(["enum", "set", "varchar", "monetary", "Title", "Labels", "label_ids", "no such"]),
    "type": st.sampled_from(CREATABLE_TYPES),
    "options": st.just(["c", "d"]),
    "option": st.sampled_from(["a", "b", "c", 40, 41]),
    "user": st.sampled_from(["sanne@sandbox.example", 20_480_001, "nobody"]),
    "name": st.sampled_from(["x", "é" * 300]),
    "for_good": st.booleans(),
}
CUSTOM = st.dictionaries(st.sampled_from([*CREATABLE_TYPES, "no such"]), values, max_size=2)


def _fields(entity):
    known = {key: st.one_of(st.just(GOOD[key]), values) for key in SHAPES[entity].keys if key in GOOD}
    return st.fixed_dictionaries({}, optional=known | {"custom_fields": CUSTOM, "quantity": values})


@st.composite
def edits(draw):
    kind = draw(st.sampled_from([*EDITS, "nonsense"]))
    entity = next((name for name in ("deal_product", *SHAPES) if kind.endswith(name)), "deal")
    words = draw(st.fixed_dictionaries(dict(WORDS)))
    kept = draw(st.sets(st.sampled_from(list(words)), min_size=8))
    edit = {key: value for key, value in words.items() if key in kept} | {"kind": kind}
    odd = draw(st.dictionaries(st.sampled_from([*WORDS, "fields", "nonsense"]), values, max_size=1))
    return "change", edit | {"fields": draw(_fields(entity))} | odd


def _orders(path, words):
    return st.tuples(st.just(path), st.dictionaries(st.sampled_from(words), values, max_size=4))


FAULTS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["status_after", "truncate", "delay", "repeat_page", "webhook_late", "burst_429"])},
    optional={"times": values, "after": values, "status": values, "seconds": values, "method": values, "path": values},
)
ORDERS = st.one_of(
    edits(),
    edits(),
    _orders("clock", ["advance_seconds", "advance_days", "nonsense"]),
    _orders("webhooks", ["skip", "double", "reverse", "nonsense"]),
    _orders("fault", ["kind", "clear", "path"]),
    st.tuples(st.just("fault"), FAULTS),
    st.tuples(st.sampled_from(["clock", "fault", "change", "webhooks", "state", "counters"]), values),
)
LOOKS = (
    "/api/v2/deals", "/api/v2/deals/archived", "/api/v2/deals/1", "/api/v2/deals/products?deal_ids=1,2", "/v1/notes",
    "/api/v2/organizations", "/api/v2/persons?include_labels=true", "/api/v2/products", "/api/v2/products/1/variations",
    "/api/v2/deals?include_option_labels=true&include_labels=true", "/api/v2/itemSearch?term=xx&exact_match=true",
    "/api/v2/itemSearch?term=xx", "/api/v2/itemSearch/field?term=x&entity_type=deal&field=title", "/api/v2/dealFields",
    "/api/v2/stages", "/api/v2/pipelines", "/api/v1/users", "/api/v1/filters", "/api/v2/activities", "/api/v1/webhooks",
)  # fmt: skip


def _asked(account, method, path, body=b""):
    path, _, query = path.partition("?")
    return account.simulator(Request(method, path, query, HEADERS, body))


@settings(max_examples=EXAMPLES * 2, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ORDERS, min_size=5, max_size=5))
@example([("clock", {"advance_seconds": 1e300}), ("clock", {"advance_days": -1})])
@example([("change", {"kind": "deactivate_user", "user": "nobody"})])
@example([("change", {"kind": "delete_field", "entity": "deal", "field": "title"})])
@example([("change", {"kind": "edit_deal", "id": 1, "fields": {"title": 5}})])
@example([("fault", {"kind": "status_before", "status": 99, "times": "x"})])
def test_control_calls_are_done_or_refused_and_nothing_in_between(orders):
    account = filled_account()
    for path, body in orders:
        before = state_of(account)
        response = _asked(account, "POST", f"/__sandbox/{path}", json.dumps(body).encode())
        assert response.status in (200, 400, 404), (path, body)
        assert response.status == 200 or state_of(account) == before, (path, body)
    assert _asked(account, "DELETE", "/__sandbox/fault").status == 200
    assert account.simulator.deliver(lambda url, headers, body: 200) >= 0
    assert {look: status for look in LOOKS if (status := _asked(account, "GET", look).status) not in (200, 404)} == {}
    assert _asked(account, "POST", "/api/v1/webhooks", json.dumps(HOOK).encode()).status == 201
