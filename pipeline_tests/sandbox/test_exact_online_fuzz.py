"""Any request at all: the simulator never breaks, and what it refuses has changed nothing."""

import json
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.sandbox.company import Company, seeded_company
from pipeline.sandbox.company_books import TABLES
from pipeline.sandbox.exact_online import ExactOnlineSimulator, simulated_exact_online
from pipeline.sandbox.exact_online.control_changes import CHANGES
from pipeline.sandbox.exact_online.field_lists import field_lists
from pipeline.sandbox.exact_online.functions import FUNCTIONS
from pipeline.sandbox.wire import Request, Response
from pipeline_tests.sandbox.test_pipedrive_fuzz import EXAMPLES

COMPANY = seeded_company(orders=6, today=date(2026, 6, 25), products=15)
EXACT = simulated_exact_online(COMPANY, limits=False, post_webhook=lambda url, body: 200, deliver_in_background=False)
PATHS = [*EXACT.divisions[123456].resources, "read/sync/Sync/SyncTimestamp", "salesorder/CompleteSalesOrder"]
FIELDS = sorted({name for listed in field_lists().values() for name in listed.fields})
ORDER, LINE = next(iter(COMPANY.orders)), next(iter(COMPANY.lines))
ACCOUNT, CONTACT = next(iter(COMPANY.accounts)), next(iter(COMPANY.contacts))
OPEN_LINE = COMPANY.place_order(ACCOUNT.id, [(LINE.item_id, 100, 5)]).lines[0]
GUIDS = [ORDER.id, LINE.id, ACCOUNT.id, CONTACT.id, LINE.item_id, OPEN_LINE.id, "00000000-0000-0000-0000-000000000000"]
GUIDS += [next(iter(table)).id for table in (COMPANY.documents, COMPANY.prices, COMPANY.warehouses, COMPANY.addresses)]


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
JSON = "application/json"
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
        "$filter $select $top $skip $orderby $expand $skiptoken $inlinecount "
        "x $x itemId accountId endPoint modified".split()
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
deliveries = st.lists(
    st.fixed_dictionaries({"SalesOrderLineID": st.sampled_from(GUIDS), "QuantityDelivered": values}), max_size=2
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
        **{name: values for name in ("Description", "Subject", "FileName", "Price", "DeliveryDate", "Type", "City")},
        **{name: st.sampled_from(GUIDS) for name in ("Document", "WarehouseID", "ItemGroup", "Salesperson")},
        "Attachment": st.sampled_from(["aGFsbG8=", "%", 5]),
        "GoodsDeliveryLines": deliveries | values,
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
        for table in (company.table(name) for name in TABLES)
    ]


def _value(value: Any) -> Any:
    if hasattr(value, "timestamp"):
        return value.id
    return [row.id for row in value] if isinstance(value, list) else repr(value)


def call(method: str, path: str, query: dict[str, str], body: bytes, **headers: str) -> Response:
    encoded = "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items())
    return EXACT(Request(method, f"/api/v1/123456/{path}", encoded, {**HEADERS, **headers}, body))


@settings(max_examples=EXAMPLES * 8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from(PATHS), key=keys, tail=tails, query=options, accept=st.sampled_from([JSON, "*/*"]))
def test_reading_anything_gives_an_answer_or_a_refusal(path, key, tail, query, accept):
    before = COMPANY.last_version
    response = call("GET", path + key + tail, query, b"", accept=accept)
    assert response.status in {200, 400, 404, 405}
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind in {JSON, "text/plain"} | (
        {"application/xml", "application/atom+xml"} if response.status == 200 else set()
    )
    if kind == JSON and response.status == 200:
        assert "d" in json.loads(response.body)
    if kind.endswith("xml"):
        assert ElementTree.fromstring(response.body) is not None
    if response.status >= 400:
        assert json.loads(response.body)["error"]["message"]["value"]
    assert COMPANY.last_version == before


@settings(max_examples=EXAMPLES * 8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(method=st.sampled_from(["POST", "PUT", "DELETE", "PATCH"]), path=st.sampled_from(PATHS), key=keys, body=bodies)
def test_a_refused_write_has_changed_nothing(method, path, key, body):
    before, version = books(COMPANY), COMPANY.last_version
    response = call(method, path + key, {}, body)
    assert response.status in {200, 201, 204, 400, 404, 405, 500, 501}
    if response.status >= 400:
        assert COMPANY.last_version == version
        assert books(COMPANY) == before


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.text(max_size=30).map(lambda end: f"/{end}") | st.sampled_from(["/api/oauth2/auth", "/api/v1/current/Me"]),
    body=st.binary(max_size=60),
    header=st.text(max_size=20),
)
def test_nobody_gets_in_without_a_token(method, path, body, header):
    response = EXACT(Request(method, path, "$top=1", {"authorization": header, "accept": "application/json"}, body))
    assert response.status in {302, 400, 401, 404, 405}


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(
    body=st.binary(max_size=80)
    | st.dictionaries(st.sampled_from(["grant_type", "code"]), text).map(urlencode).map(str.encode)
)
def test_the_token_endpoint_refuses_anything_else(body):
    kept = EXACT.tokens.refresh_token
    assert EXACT(Request("POST", "/api/oauth2/token", body=body)).status == 400
    assert EXACT.tokens.refresh_token == kept


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(
    name=st.sampled_from(["change", "fault", "clock", "webhooks", "state", "nonsense"]),
    method=st.sampled_from(["GET", "POST"]),
    body=bodies,
)
def test_control_calls_that_make_no_sense_are_refused(name, method, body):
    response = EXACT(Request(method, f"/__sandbox/{name}", body=body))
    assert response.status in {200, 400, 404}


TRIED = seeded_company(orders=4, today=date(2026, 6, 25), products=15)
HANDS_ON = simulated_exact_online(TRIED, limits=False, post_webhook=lambda url, body: 200, deliver_in_background=False)
HANDS_ON_HEADERS = {**HEADERS, "authorization": f"Bearer {token(HANDS_ON)}"}
TRIED.clock.run_at(0)
PLAIN_FIELDS = sorted({name for table in TABLES for row in TRIED.table(table) for name in row.__slots__})
changes = st.fixed_dictionaries(
    {"kind": st.sampled_from(sorted(CHANGES))},
    optional={
        "fields": st.dictionaries(st.sampled_from(PLAIN_FIELDS), values, max_size=3),
        "table": st.sampled_from(TABLES),
        "id": st.sampled_from([next(iter(TRIED.table(name))).id for name in TABLES if len(TRIED.table(name))]),
        **{
            name: values
            for name in ("order", "line", "item", "account", "name", "share", "quantity", "price", "amount")
        },
        "lines": st.lists(st.fixed_dictionaries({"item": values, "quantity": values, "price": values}), max_size=2),
        "status": st.lists(st.integers(0, 50), max_size=4),
        "in_flight": st.booleans(),
    },
)


@settings(max_examples=EXAMPLES * 6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(change=changes, path=st.sampled_from([path for path in PATHS if path in HANDS_ON.divisions[123456].resources]))
def test_whatever_is_changed_by_hand_the_books_can_still_be_read(change, path):
    assert HANDS_ON(Request("POST", "/__sandbox/change", body=json.dumps(change).encode())).status in {200, 400}
    wanted = "$top=60&$select=" + ",".join(HANDS_ON.divisions[123456].resources[path].render)
    response = HANDS_ON(Request("GET", f"/api/v1/123456/{path}", wanted, HANDS_ON_HEADERS))
    assert response.status in {200, 400}  # functions want their parameters
    assert (response.status == 200) is (path not in FUNCTIONS)
