"""Any request at all: the simulator never breaks, and what it refuses has changed nothing."""

import json
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.company_papers import Invoice
from pipeline.sandbox.company_rows import Order
from pipeline.sandbox.exact_online import ExactOnlineSimulator, simulated_exact_online
from pipeline.sandbox.exact_online.field_lists import field_lists
from pipeline.sandbox.wire import Request, Response

COMPANY = seeded_company(orders=6, today=date(2026, 6, 25), products=15)
EXACT = simulated_exact_online(COMPANY, limits=False, post_webhook=lambda url, body: 200, deliver_in_background=False)
PATHS = [*EXACT.divisions[123456].resources, "read/sync/Sync/SyncTimestamp", "salesorder/CompleteSalesOrder"]
FIELDS = sorted({name for listed in field_lists().values() for name in listed.fields})
ORDER, LINE = next(iter(COMPANY.orders)), next(iter(COMPANY.lines))
ACCOUNT, CONTACT = next(iter(COMPANY.accounts)), next(iter(COMPANY.contacts))
GUIDS = [ORDER.id, LINE.id, ACCOUNT.id, CONTACT.id, LINE.item_id, "00000000-0000-0000-0000-000000000000"]


def token(simulator: ExactOnlineSimulator) -> str:
    form = {
        "grant_type": "refresh_token",
        "client_id": "sandbox",
        "client_secret": "sandbox",
        "refresh_token": "sandbox",
    }
    answer = simulator(Request("POST", "/api/oauth2/token", body=urlencode(form).encode()))
    return json.loads(answer.body)["access_token"]


TOKEN = token(EXACT)
COMPANY.clock.run_at(0)
HEADERS = {"authorization": f"Bearer {TOKEN}", "accept": "application/json"}

text = st.text(max_size=12)
literals = st.one_of(
    st.integers(-5, 10**12).map(str),
    st.sampled_from(GUIDS).map(lambda key: f"guid'{key}'"),
    st.dates().map(lambda day: f"datetime'{day}'"),
    text.map(lambda found: "'" + found.replace("'", "''") + "'"),
    st.sampled_from(["true", "null", "1.5", "12L", "guid'x'", "datetime'x'"]),
)
operators = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le", "and", "or", "in", ""])
terms = st.tuples(st.sampled_from(FIELDS), operators, literals).map(" ".join)
filters = st.one_of(
    terms,
    st.lists(terms, min_size=1, max_size=4).map(" and ".join),
    terms.map(lambda term: f"({term})"),
    st.sampled_from(FIELDS).map(lambda name: f"trim({name}) eq 'x' or substringof('x',{name})"),
    st.text(alphabet="()',eqandorTimestamp 1'", max_size=30),
    st.integers(1, 3000).map(lambda depth: "(" * depth + "Status eq 1" + ")" * depth),
)
names = st.lists(st.sampled_from([*FIELDS, "*", "SalesOrderLines/ID"]), max_size=4).map(",".join)
options = st.dictionaries(
    st.sampled_from(
        ["$filter", "$select", "$top", "$skip", "$orderby", "$expand", "$skiptoken", "$inlinecount", "x", "$x"]
    ),
    st.one_of(filters, names, literals, text, st.integers(-1, 200).map(str)),
    max_size=4,
)
keys = st.one_of(
    st.just(""),
    st.sampled_from(GUIDS).map(lambda key: f"(guid'{key}')"),
    st.sampled_from(["(1)", "(123456)", "()", "(guid'x')", "(1L)"]),
)
tails = st.sampled_from(["", "", "", "/SalesOrderLines", "/$count", "/$metadata", "/x"])
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True), text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
values = st.one_of(anything, st.sampled_from(GUIDS), st.sampled_from(["2026-06-01", "0,5", "5", 5, 0.5, "x" * 100]))
lines = st.lists(
    st.dictionaries(st.sampled_from(["Item", "Quantity", "NetPrice", "Discount"]), values, max_size=4), max_size=3
)
plausible = st.fixed_dictionaries(
    {},
    optional={
        "OrderedBy": st.sampled_from(GUIDS),
        "SalesOrderLines": lines | values,
        "Account": st.sampled_from(GUIDS),
        "OrderID": st.sampled_from(GUIDS),
        "Item": st.sampled_from(GUIDS),
        **{
            name: values
            for name in ("LastName", "Name", "Code", "Quantity", "YourRef", "OrderDate", "Discount", "Topic")
        },
        "CallbackURL": values,
        "CompleteDelivery": values,
    },
)
bodies = st.one_of(
    plausible.map(lambda body: json.dumps(body).encode()),
    anything.map(lambda body: json.dumps(body).encode()),
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=4).map(lambda body: json.dumps(body).encode()),
    st.binary(max_size=20),
)


def books(company: Company) -> list[Any]:
    """Everything that a refusal must leave alone."""
    return [
        [tuple(_value(getattr(row, name)) for name in row.__slots__) for row in table]
        for table in (company.orders, company.lines, company.contacts, company.accounts, company.deletions)
    ]


def _value(value: Any) -> Any:
    if isinstance(value, Order | Invoice):
        return value.id
    return [row.id for row in value] if isinstance(value, list) else repr(value)


def call(method: str, path: str, query: dict[str, str], body: bytes) -> Response:
    encoded = "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items())
    return EXACT(Request(method, f"/api/v1/123456/{path}", encoded, HEADERS, body))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from(PATHS), key=keys, tail=tails, query=options)
def test_reading_anything_gives_an_answer_or_a_refusal(path, key, tail, query):
    before = COMPANY.last_version
    response = call("GET", path + key + tail, query, b"")
    assert response.status in {200, 400, 404, 405}
    if response.status == 200 and tail not in ("/$count", "/$metadata"):
        assert "d" in json.loads(response.body)
    if response.status >= 400:
        assert json.loads(response.body)["error"]["message"]["value"]
    assert COMPANY.last_version == before


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(method=st.sampled_from(["POST", "PUT", "DELETE", "PATCH"]), path=st.sampled_from(PATHS), key=keys, body=bodies)
def test_a_refused_write_has_changed_nothing(method, path, key, body):
    before, version = books(COMPANY), COMPANY.last_version
    response = call(method, path + key, {}, body)
    assert response.status in {200, 201, 204, 400, 404, 405, 500, 501}
    if response.status >= 400:
        assert COMPANY.last_version == version
        assert books(COMPANY) == before


@settings(max_examples=200, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.text(max_size=30).map(lambda end: f"/{end}") | st.sampled_from(["/api/oauth2/auth", "/api/v1/current/Me"]),
    body=st.binary(max_size=60),
    header=st.text(max_size=20),
)
def test_nobody_gets_in_without_a_token(method, path, body, header):
    response = EXACT(Request(method, path, "$top=1", {"authorization": header, "accept": "application/json"}, body))
    assert response.status in {302, 400, 401, 404, 405}


@settings(max_examples=200, deadline=None)
@given(
    body=st.binary(max_size=80)
    | st.dictionaries(st.sampled_from(["grant_type", "code"]), text).map(urlencode).map(str.encode)
)
def test_the_token_endpoint_refuses_anything_else(body):
    kept = EXACT.tokens.refresh_token
    assert EXACT(Request("POST", "/api/oauth2/token", body=body)).status == 400
    assert EXACT.tokens.refresh_token == kept


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(["change", "fault", "clock", "webhooks", "state", "nonsense"]),
    method=st.sampled_from(["GET", "POST"]),
    body=bodies,
)
def test_control_calls_that_make_no_sense_are_refused(name, method, body):
    response = EXACT(Request(method, f"/__sandbox/{name}", body=body))
    assert response.status in {200, 400, 404}
