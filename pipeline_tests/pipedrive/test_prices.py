"""The price list: what we book for a request is what the simulated Pipedrive, which has its own list, charges."""

import re
from typing import Any

import pytest

from pipeline.pipedrive.prices import kind, price
from pipeline_tests.sandbox.pipedrive_transport import Account

KEY = "0123456789abcdef0123456789abcdef01234567"


def field(account: Account) -> str:
    return account.field("deal", "Leverstatus", "enum", "Open")["field_code"]


def row(account: Account, deal: int) -> dict[str, Any]:
    return account.made(
        f"deals/{deal}/products", {"product_id": account.product()["id"], "item_price": 1, "quantity": 1}
    )


@pytest.fixture
def account() -> Account:
    return Account()


# Every request the pipeline sends, with a body that is taken. Braces are filled with what was made before.
REQUESTS = [
    ("GET", "/api/v1/users", None),
    ("GET", "/api/v1/users/me", None),
    ("GET", "/api/v2/pipelines", None),
    ("POST", "/api/v2/pipelines", {"name": "Bestellingen"}),
    ("GET", "/api/v2/stages?pipeline_id=1", None),
    ("POST", "/api/v2/stages", {"name": "Nieuw", "pipeline_id": 1}),
    ("GET", "/api/v2/dealFields", None),
    ("GET", "/api/v2/organizationFields", None),
    ("GET", "/api/v2/personFields", None),
    ("GET", "/api/v2/productFields", None),
    ("POST", "/api/v2/dealFields", {"field_name": "Orderdatum", "field_type": "date"}),
    ("POST", "/api/v2/dealFields/{field}/options", [{"label": "Nieuw"}]),
    ("PATCH", "/api/v2/dealFields/{field}/options", [{"id": "{option}", "label": "Anders"}]),
    ("GET", "/api/v2/organizations", None),
    ("POST", "/api/v2/organizations", {"name": "De Bloemenhof"}),
    ("PATCH", "/api/v2/organizations/{organization}", {"name": "De Bloementuin"}),
    ("GET", "/api/v2/products", None),
    ("POST", "/api/v2/products", {"name": "Vaas"}),
    ("PATCH", "/api/v2/products/{product}", {"name": "Kom"}),
    ("GET", "/api/v2/deals", None),
    ("GET", "/api/v2/deals/archived", None),
    ("GET", "/api/v2/deals/{deal}", None),
    ("POST", "/api/v2/deals", {"title": "Bestelling"}),
    ("PATCH", "/api/v2/deals/{deal}", {"title": "Bestelling 2"}),
    ("GET", "/api/v2/deals/products?deal_ids={deal}", None),
    ("GET", "/api/v2/deals/{deal}/products", None),
    ("POST", "/api/v2/deals/{deal}/products", {"product_id": "{product}", "item_price": 1, "quantity": 1}),
    (
        "POST",
        "/api/v2/deals/{deal}/products/bulk",
        {"data": [{"product_id": "{product}", "item_price": 1, "quantity": 1}]},
    ),
    ("PATCH", "/api/v2/deals/{deal}/products/{row}", {"quantity": 2}),
    ("DELETE", "/api/v2/deals/{deal}/products/{row}", None),
    ("GET", "/api/v2/itemSearch/field?term=abc&entity_type=deal&field={varchar}&match=exact", None),
]


def filled(value: Any, made: dict[str, Any]) -> Any:
    """The value with what was made put in for the names in braces."""
    if isinstance(value, dict):
        return {key: filled(entry, made) for key, entry in value.items()}
    if isinstance(value, list):
        return [filled(entry, made) for entry in value]
    if isinstance(value, str) and re.fullmatch(r"\{\w+\}", value):
        return made[value[1:-1]]
    return value.format(**made) if isinstance(value, str) else value


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS, ids=[f"{method} {path}" for method, path, _ in REQUESTS])
def test_a_request_costs_what_pipedrive_charges(account: Account, method: str, path: str, body: Any):
    enum, deal = account.field("deal", "Leverstatus", "enum", "Open"), account.deal()["id"]
    made = {
        "field": enum["field_code"],
        "option": enum["options"][0]["id"],
        "varchar": account.field("deal", "Exact order-ID", "varchar")["field_code"],
        "deal": deal,
        "product": account.product()["id"],
        "organization": account.made("organizations", {"name": "Tulp"})["id"],
        "row": row(account, deal)["id"],
    }
    before = account.control("ledger")["total"]
    address = filled(path, made)
    response = account.http.request(method, address, json=filled(body, made))
    assert response.is_success, response.text
    assert price(method, address.partition("?")[0]) == account.control("ledger")["total"] - before


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/api/v2/deals/1"), ("GET", "/api/v2/deals/1/products/2/x"), ("GET", "/api/v1/deals")]
)
def test_a_request_without_a_known_price_is_a_mistake_of_ours(method: str, path: str):
    with pytest.raises(ValueError, match="no price is known"):
        price(method, path)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v2/deals", "GET /api/v2/deals"),
        ("PATCH", "/api/v2/deals/17", "PATCH /api/v2/deals/{id}"),
        ("DELETE", "/api/v2/deals/17/products/4", "DELETE /api/v2/deals/{id}/products/{id}"),
        ("POST", "/api/v2/deals/17/products/bulk", "POST /api/v2/deals/{id}/products/bulk"),
        ("POST", f"/api/v2/dealFields/{KEY}/options", "POST /api/v2/dealFields/{id}/options"),
    ],
)
def test_requests_that_differ_only_in_ids_are_of_one_kind(method: str, path: str, expected: str):
    assert kind(method, path) == expected
