"""The catalogue: products with their prices and variations."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

from pipeline.sandbox.pipedrive import checks, pictures, queries, record_requests
from pipeline.sandbox.pipedrive.checks import nullable
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.deal_product_requests import FREQUENCIES
from pipeline.sandbox.pipedrive.paging import listing
from pipeline.sandbox.pipedrive.refusals import invalid, not_found
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer, page
from pipeline.sandbox.pipedrive.rows import Product
from pipeline.sandbox.wire import Response

_PRICES = checks.list_of(
    checks.object_of(
        {
            "currency": checks.currency,
            "price": checks.number,
            "cost": checks.number,
            "direct_cost": nullable(checks.number),
            "notes": checks.text,
        },
        required=("currency",),
    )
)
PRODUCT_KEYS: dict[str, checks.Check] = {
    "name": checks.filled_text,
    "code": nullable(checks.text_up_to(255)),
    "description": nullable(checks.text),
    "unit": nullable(checks.text_up_to(255)),
    "tax": checks.percentage,
    "category": nullable(checks.integer),
    "owner_id": checks.record_id,
    "is_linkable": checks.boolean,
    "visible_to": checks.VISIBILITY,
    "prices": _PRICES,
    "billing_frequency": checks.one_of(*FREQUENCIES),
    "billing_frequency_cycles": nullable(checks.record_id),
}
_PLAIN = [key for key in PRODUCT_KEYS if key != "prices"]
_LIST: queries.Query = {
    "owner_id": queries.whole,
    "ids": queries.whole_list(100),
    "filter_id": queries.whole,
    "updated_since": queries.instant,
    "custom_fields": queries.keys(15),
    **queries.page("id", "name", "add_time", "update_time"),
}


def _list(call: Call) -> Response:
    return record_requests.listed(call, "product", pictures.product)


def _get(call: Call) -> Response:
    return record_requests.shown(call, "product", pictures.product)


def _create(call: Call) -> Response:
    _check(call.company, call.body)
    return answer(pictures.product(call.company, new_product(call.company, call.body)), status=201)


def new_product(company: Company, body: dict[str, Any]) -> Product:
    """A product with the body's fields; one without a price gets 0 in the company's currency."""
    now = company.clock.text()
    row = Product(company.products.next_id, now, now, owner_id=company.me.id)
    row.prices = _prices(company, [])
    write_product(company, row, body)
    company.products.add(row)
    company.created("product", row)
    return row


def _update(call: Call) -> Response:
    row = record_requests.editable_record(call, "product")
    _check(call.company, call.body)
    with call.company.editing("product", row):
        write_product(call.company, row, call.body)
    return answer(pictures.product(call.company, row))


def write_product(company: Company, row: Product, body: dict[str, Any]) -> None:
    """The prices that are sent replace all that were there."""
    record_requests.write_common(company, "product", row, body, _PLAIN)
    if "prices" in body:
        row.prices = _prices(company, body["prices"])


def _prices(company: Company, sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blank = {"price": 0, "currency": company.currency, "cost": 0, "direct_cost": None, "notes": ""}
    return [blank | price for price in sent or [{}]]


def _check(company: Company, body: dict[str, Any]) -> None:
    record_requests.check_name_and_labels(company, "product", body)
    problems = []
    currencies = [price["currency"] for price in body.get("prices") or ()]
    if len(set(currencies)) != len(currencies):
        problems.append("prices: must hold one price for each currency")
    categories = company.fields.of("product")["category"].option_labels()
    if body.get("category") is not None and body["category"] not in categories:
        problems.append("category: is not an option of this field")
    if problems:
        raise invalid(problems)


def _delete(call: Call) -> Response:
    return record_requests.deleted(call, "product")


def _duplicate(call: Call) -> Response:
    row, company = record_requests.editable_record(call, "product"), call.company
    now = company.clock.text()
    copy = replace(
        row, id=company.products.next_id, name=f"{row.name} (copy)", add_time=now, update_time=now,
        custom=dict(row.custom), prices=deepcopy(row.prices), variations=[],
    )  # fmt: skip
    company.products.add(copy)
    company.created("product", copy)
    return answer(pictures.product(company, copy), status=201)


def _variations(call: Call) -> Response:
    row = record_requests.the_record(call, "product")
    known = {variation["id"]: _Variation(variation) for variation in row.variations}
    found, cursor = listing(call, known, sorted(known), lambda variation: True)
    return page(call, [variation.picture for variation in found], cursor)


class _Variation:
    def __init__(self, picture: dict[str, Any]) -> None:
        self.id, self.picture = picture["id"], picture


def _add_variation(call: Call) -> Response:
    row = record_requests.editable_record(call, "product")
    company = call.company
    number = 1 + sum(len(product.variations) for product in company.products.rows.values())
    variation = {"id": number, "name": call.body["name"], "product_id": row.id}
    variation["prices"] = _variation_prices(company, number, call.body.get("prices", []))
    with company.editing("product", row):
        row.variations.append(variation)
    return answer(variation, status=201)


def _variation_prices(company: Company, number: int, sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"product_variation_id": number} | price for price in _prices(company, sent)]


def _change_variation(call: Call) -> Response:
    row, variation = _the_variation(call)
    with call.company.editing("product", row):
        variation["name"] = call.body.get("name", variation["name"])
        if "prices" in call.body:
            variation["prices"] = _variation_prices(call.company, variation["id"], call.body["prices"])
    return answer(variation)


def _delete_variation(call: Call) -> Response:
    row, variation = _the_variation(call)
    with call.company.editing("product", row):
        row.variations.remove(variation)
    return answer({"id": variation["id"]})


def _the_variation(call: Call) -> tuple[Product, dict[str, Any]]:
    row = record_requests.editable_record(call, "product")
    variation = next((variation for variation in row.variations if variation["id"] == call.ids[1]), None)
    if variation is None:
        raise not_found("Product variation", call.company.settings.not_found_code)
    return row, variation


_VARIATION: dict[str, checks.Check] = {"name": checks.text_up_to(255), "prices": _PRICES}
_VARIATIONS = "/api/v2/products/{id}/variations"
ROUTES = [
    Route("GET", "/api/v2/products", _list, 10, _LIST),
    Route("GET", "/api/v2/products/{id}", _get, 1),
    Route("POST", "/api/v2/products", _create, 5, body=Shape(PRODUCT_KEYS, ("name",), "product")),
    Route("PATCH", "/api/v2/products/{id}", _update, 5, body=Shape(PRODUCT_KEYS, (), "product")),
    Route("DELETE", "/api/v2/products/{id}", _delete, 3),
    Route("POST", "/api/v2/products/{id}/duplicate", _duplicate, 5),
    Route("GET", _VARIATIONS, _variations, 10, queries.page()),
    Route("POST", _VARIATIONS, _add_variation, 5, body=Shape(_VARIATION, ("name",))),
    Route("PATCH", f"{_VARIATIONS}/{{id}}", _change_variation, 5, body=Shape(_VARIATION)),
    Route("DELETE", f"{_VARIATIONS}/{{id}}", _delete_variation, 3),
]
