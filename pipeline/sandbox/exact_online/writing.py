"""POST, PUT and DELETE: who does the work for which resource, and what the answers look like.

POST answers 201 with the row, or for contacts and accounts with the ID among nulls; PUT and DELETE answer 204.
"""

from collections.abc import Callable
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.exact_online.answers import Refusal, data_response
from pipeline.sandbox.exact_online.inputs import body_of, checked_fields, require
from pipeline.sandbox.exact_online.query import Query
from pipeline.sandbox.exact_online.reading import Reader
from pipeline.sandbox.exact_online.resources import EMPTY_VALUES, Resource
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.webhooks import Webhooks
from pipeline.sandbox.exact_online.writing_goods import GoodsWriter
from pipeline.sandbox.exact_online.writing_orders import OrderWriter
from pipeline.sandbox.exact_online.writing_papers import PaperWriter
from pipeline.sandbox.exact_online.writing_relations import RelationWriter
from pipeline.sandbox.wire import Request, Response

ECHO_NULLS = {"crm/Accounts", "crm/Contacts", "logistics/Items"}  # only the ID tells; read the row again
SUBSCRIPTIONS = "webhooks/WebhookSubscriptions"
POST, PUT, DELETE = range(3)
Work = Callable[..., Any] | None


class Writer:
    """Hands a writing request to who can do it."""

    def __init__(
        self, company: Company, resources: dict[str, Resource], settings: Settings, webhooks: Webhooks
    ) -> None:
        self._webhooks, self._resources, self._settings = webhooks, resources, settings
        self._orders = OrderWriter(company, resources, settings)
        relations = RelationWriter(company, resources, settings)
        goods, papers = GoodsWriter(company, resources, settings), PaperWriter(company, resources, settings)
        orders = self._orders
        self._work: dict[str, tuple[Work, Work, Work]] = {  # POST, PUT, DELETE
            "salesorder/SalesOrders": (orders.create, orders.update, orders.delete),
            "salesorder/SalesOrderLines": (orders.create_line, orders.update_line, orders.delete_line),
            "crm/Contacts": (relations.create_contact, relations.update_contact, relations.delete_contact),
            "crm/Accounts": (relations.create_account, relations.update_account, relations.delete_account),
            "crm/Addresses": (relations.create_address, relations.update_address, relations.delete_address),
            "logistics/Items": (goods.create_item, goods.update_item, goods.delete_item),
            "logistics/SalesItemPrices": (goods.create_price, goods.update_price, goods.delete_price),
            "salesorder/GoodsDeliveries": (goods.create_delivery, goods.update_delivery, None),
            "documents/Documents": (papers.create_document, papers.update_document, papers.delete_document),
            "documents/DocumentAttachments": (papers.create_file, None, papers.delete_file),
            SUBSCRIPTIONS: (None, self._update_subscription, webhooks.delete),
        }

    def create(self, request: Request, reader: Reader, resource: Resource) -> Response:
        """POST on a collection."""
        sent = body_of(request)
        if resource.path == SUBSCRIPTIONS:
            row = self._webhooks.subscribe(self._checked_subscription(sent), request.base_url)
        else:
            row = self._worker(resource, POST)(sent)
        shown = reader.single(resource, Query({}), row)
        if resource.path in ECHO_NULLS:
            shown = _only_id(resource, shown)
        return data_response(shown, status=201, headers={"Location": reader.uri(resource, row)})

    def update(self, request: Request, reader: Reader, resource: Resource, row: Any) -> Response:
        """PUT on a row: only what was sent changes."""
        self._worker(resource, PUT)(row, body_of(request))
        if "return=representation" in request.headers.get("prefer", ""):
            return data_response(reader.single(resource, Query({}), row))
        return Response(204)

    def delete(self, resource: Resource, row: Any) -> Response:
        """DELETE of a row."""
        self._worker(resource, DELETE)(row)
        return Response(204)

    def complete(self, request: Request, *, whole_order: bool) -> Response:
        """CompleteSalesOrder and CompleteSalesOrderLine."""
        return data_response(self._orders.complete(body_of(request), whole_order=whole_order), status=201)

    def _worker(self, resource: Resource, method: int) -> Callable[..., Any]:
        """Who does it; 501 where Exact would write and the sandbox cannot."""
        work = self._work.get(resource.path, (None, None, None))[method]
        if work is None:
            raise Refusal(501, f"The sandbox does not write {resource.path}.")
        return work

    def _checked_subscription(self, sent: dict[str, Any]) -> dict[str, Any]:
        fields = checked_fields(sent, self._resources[SUBSCRIPTIONS], extra=frozenset({"IsInstant"}))
        for name in ("CallbackURL", "Topic"):
            require(fields, name, self._settings.missing_field_status)
        return fields

    def _update_subscription(self, row: Any, sent: dict[str, Any]) -> None:
        fields = checked_fields(sent, self._resources[SUBSCRIPTIONS], extra=frozenset({"IsInstant"}))
        for name in ("CallbackURL", "Topic"):
            if name in fields:
                require(fields, name, self._settings.missing_field_status)
        self._webhooks.update(row, fields)


def _only_id(resource: Resource, shown: dict[str, Any]) -> dict[str, Any]:
    kept = {"__metadata": shown["__metadata"]}
    for name, described in resource.list.fields.items():
        if name in shown:
            kept[name] = shown[name] if name == resource.key else EMPTY_VALUES.get(described.type)
    return kept
