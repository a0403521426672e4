"""POST, PUT and DELETE of items, sales prices and goods deliveries."""

from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_papers import Delivery
from pipeline.sandbox.company_prices import valid_price
from pipeline.sandbox.company_rows import CANCELLED, Item, Order, SalesPrice
from pipeline.sandbox.exact_online.answers import Refusal
from pipeline.sandbox.exact_online.inputs import assign, checked_fields, checked_references, keep_only, require
from pipeline.sandbox.exact_online.resources import Resource
from pipeline.sandbox.exact_online.settings import Settings

ITEM_FIELDS = {
    "Code": "code",
    "Description": "description",
    "Barcode": "barcode",
    "ItemGroup": "group_id",
    "Unit": "unit",
    "Class_01": "collection",
    "IsSalesItem": "is_sales_item",
    "IsStockItem": "is_stock_item",
    "StartDate": "start_date",
    "EndDate": "end_date",
}
PRICE_FIELDS = {
    "Account": "account_id",
    "Item": "item_id",
    "Price": "price",
    "Quantity": "quantity",
    "Currency": "currency",
    "StartDate": "start_date",
    "EndDate": "end_date",
}
DELIVERY_FIELDS = {"DeliveryDate": "delivery_date", "TrackingNumber": "tracking_number"}
LONGEST_DESCRIPTION = 60


class GoodsWriter:
    """Writes what is sold, at which price, and what goes out of the door."""

    def __init__(self, company: Company, resources: dict[str, Resource], settings: Settings) -> None:
        self._company, self._settings = company, settings
        self._items, self._prices = resources["logistics/Items"], resources["logistics/SalesItemPrices"]
        self._deliveries = resources["salesorder/GoodsDeliveries"]
        self._delivery_lines = resources["salesorder/GoodsDeliveryLines"]

    def create_item(self, sent: dict[str, Any]) -> Item:
        """An item; without a group it goes to the usual one."""
        fields = self._checked_item(sent, None)
        for name in ("Code", "Description"):
            require(fields, name, self._settings.missing_field_status)
        usual = next((group.id for group in self._company.item_groups if group.is_default), None)
        item = Item(self._company.new_id(), fields["Code"], fields["Description"], usual, is_stock_item=False)
        assign(item, fields, ITEM_FIELDS)
        return self._company.add("items", item)

    def update_item(self, item: Item, sent: dict[str, Any]) -> None:
        """Only the fields that were sent; what lies in a warehouse goes on lying there."""
        fields = self._checked_item(sent, item)
        for name in {"Code", "Description"} & set(fields):
            require(fields, name, self._settings.missing_field_status)
        if fields.get("IsStockItem", item.is_stock_item) != item.is_stock_item:
            raise Refusal(501, "The sandbox does not make an item a stock item, or stop it from being one.")
        assign(item, fields, ITEM_FIELDS)
        self._company.touch("items", item)

    def delete_item(self, item: Item) -> None:
        """An item that was ordered stays; its prices go with it."""
        if any(line.item_id == item.id for line in self._company.lines):
            raise Refusal(500, "Kan niet verwijderen: Artikel - Gebruikt in: Verkooporders")
        for price in [row for row in self._company.prices if row.item_id == item.id]:
            self._company.delete("prices", price.id)
        self._company.delete("items", item.id)

    def create_price(self, sent: dict[str, Any]) -> SalesPrice:
        """A price; without an account it is the standard one, which the item shows too."""
        fields = self._checked_price(sent)
        item_id = require(fields, "Item", self._settings.missing_field_status)
        price = SalesPrice(self._company.new_id(), item_id, 0, start_date=self._company.clock.today)
        assign(price, fields, PRICE_FIELDS)
        self._company.add("prices", price)
        self._follow(item_id)
        return price

    def update_price(self, price: SalesPrice, sent: dict[str, Any]) -> None:
        """Only the fields that were sent."""
        fields = self._checked_price(sent)
        if fields.get("Item", price.item_id) != price.item_id:
            raise Refusal(500, "Ongeldig: Artikel")
        assign(price, fields, PRICE_FIELDS)
        self._company.touch("prices", price)
        self._follow(price.item_id)

    def delete_price(self, price: SalesPrice) -> None:
        """The item falls back to what else is valid."""
        self._company.delete("prices", price.id)
        self._follow(price.item_id)

    def create_delivery(self, sent: dict[str, Any]) -> Delivery:
        """Goods go out: lines of one order, never more than is still to be delivered."""
        fields = self._checked_delivery(sent)
        day = require(fields, "DeliveryDate", self._settings.missing_field_status)
        lines = require(sent, "GoodsDeliveryLines", self._settings.missing_field_status)
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise Refusal(400, "Error processing request stream. GoodsDeliveryLines must be an array.")
        order, quantities = self._to_deliver(lines)
        delivery = self._company.deliver_lines(order.id, quantities, day)
        assign(delivery, fields, DELIVERY_FIELDS)
        return delivery

    def update_delivery(self, delivery: Delivery, sent: dict[str, Any]) -> None:
        """The header; what went out went out."""
        fields = self._checked_delivery(sent)
        if "GoodsDeliveryLines" in sent:
            raise Refusal(501, "The sandbox does not change the lines of a delivery.")
        if "DeliveryDate" in fields:
            require(fields, "DeliveryDate", self._settings.missing_field_status)
        assign(delivery, fields, DELIVERY_FIELDS)
        self._company.touch("deliveries", delivery)

    def _checked_item(self, sent: dict[str, Any], own: Item | None) -> dict[str, Any]:
        fields = checked_fields(sent, self._items)
        keep_only(fields, ITEM_FIELDS, self._items)
        if isinstance(fields.get("Unit"), str):
            fields["Unit"] = fields["Unit"].strip()
        if len(fields.get("Description") or "") > LONGEST_DESCRIPTION:
            raise Refusal(500, f"Ongeldig: Omschrijving: maximaal {LONGEST_DESCRIPTION} tekens")
        if any(row.code == fields.get("Code") and row is not own for row in self._company.items):
            raise Refusal(500, "Bestaat reeds: Code")
        checked_references(fields, {"ItemGroup": self._company.item_groups}, self._settings)
        return fields

    def _checked_price(self, sent: dict[str, Any]) -> dict[str, Any]:
        fields = checked_fields(sent, self._prices)
        keep_only(fields, PRICE_FIELDS, self._prices)
        if fields.get("Item") is not None and fields["Item"] not in self._company.items:
            raise Refusal(500, "Ongeldig: Artikel")
        checked_references(fields, {"Account": self._company.accounts}, self._settings)
        return fields

    def _checked_delivery(self, sent: dict[str, Any]) -> dict[str, Any]:
        fields = checked_fields(sent, self._deliveries, extra=frozenset({"GoodsDeliveryLines"}))
        keep_only(fields, DELIVERY_FIELDS, self._deliveries)
        return fields

    def _to_deliver(self, lines: list[dict[str, Any]]) -> tuple[Order, dict[str, float]]:
        """The order and what goes out of each of its lines."""
        quantities: dict[str, float] = {}
        orders: set[Order] = set()
        for sent in lines:
            fields = checked_fields(sent, self._delivery_lines)
            keep_only(fields, ("SalesOrderLineID", "QuantityDelivered"), self._delivery_lines)
            key = require(fields, "SalesOrderLineID", self._settings.missing_field_status)
            quantity = require(fields, "QuantityDelivered", self._settings.missing_field_status)
            line = self._company.lines.get(key)
            if line is None or line.status == CANCELLED or not line.order.approval_status:
                raise Refusal(500, "Ongeldig: Verkooporderregel")
            quantities[key] = quantities.get(key, 0) + quantity
            if not 0 < quantities[key] <= line.quantity - line.delivered:
                raise Refusal(500, "Ongeldig: Aantal geleverd")
            orders.add(line.order)
        if len(orders) > 1:
            raise Refusal(501, "The sandbox delivers one order at a time.")
        return orders.pop(), quantities

    def _follow(self, item_id: str) -> None:
        """The item shows the standard price that is valid now."""
        item = self._company.items.get(item_id)
        if item is not None:
            item.standard_price = valid_price(self._company, item)
