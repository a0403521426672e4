"""What the fields of deliveries, warehouses and stock are read from."""

from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_ordering import number
from pipeline.sandbox.company_rows import OPEN, PARTIAL, Item
from pipeline.sandbox.company_stock import MAIN_WAREHOUSE, StockPosition
from pipeline.sandbox.exact_online.columns_orders import (
    common_columns,
    kept,
    line_columns,
    order_columns,
    warehouse_columns,
)
from pipeline.sandbox.exact_online.resources import Columns, constant, plain
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import padded, padded_code

NOTHING_PLANNED = ("PlannedStockIn", "PlanningIn", "ReservedStock", "ReorderPoint", "MaximumStock", "SafetyStock")


def delivery_columns(company: Company, settings: Settings) -> Columns:
    """Headers of deliveries."""
    of_order = order_columns(company, settings)

    def code(delivery: Any) -> str | None:
        return padded_code(getattr(company.accounts.get(delivery.order.account_id), "code", None))

    return {
        **kept("salesorder/GoodsDeliveries"),
        **plain(EntryID="id", EntryNumber="number", DeliveryNumber="number", DeliveryDate="delivery_date"),
        **plain(DeliveryAccount="order.account_id", TrackingNumber="tracking_number"),
        "DeliveryAccountName": lambda delivery: of_order["DeliverToName"](delivery.order),
        "DeliveryAccountCode": code,
        "DeliveryAddress": lambda delivery: of_order["DeliveryAddress"](delivery.order),
        **warehouse_columns(company, lambda delivery: delivery.order.warehouse_id or MAIN_WAREHOUSE),
        **common_columns(company),
    }


def delivery_line_columns(company: Company, settings: Settings) -> Columns:
    """Lines of deliveries; they lead back to the order's lines."""
    of_line = line_columns(company, settings)
    same = ("Item", "ItemCode", "ItemDescription", "Description")
    return {
        **{name: _of_order_line(of_line[name]) for name in same},
        **plain(ID="id", EntryID="delivery.id", LineNumber="number", QuantityDelivered="quantity"),
        **plain(QuantityOrdered="order_line.quantity", SalesOrderLineID="order_line.id"),
        **plain(SalesOrderLineNumber="order_line.number", SalesOrderNumber="delivery.order.number"),
        **plain(DeliveryDate="delivery.delivery_date", TrackingNumber="delivery.tracking_number"),
        "Unitcode": _of_order_line(of_line["UnitCode"]),
        **common_columns(company),
    }


def stock_columns(company: Company, claims: "Claims") -> Columns:
    """Stock of an item in a warehouse. CurrentStock includes what orders have claimed."""

    def of_item(attribute: str) -> Any:
        return lambda position: getattr(company.items.get(position.item_id), attribute, None)

    def free(position: StockPosition) -> float:
        return number(round(position.quantity - claims.on(position), 6))

    unit = of_item("unit")
    return {
        **plain(ID="id", Item="item_id", ItemId="item_id", CurrentStock="quantity"),
        **{"ItemCode": of_item("code"), "ItemDescription": of_item("description")},
        "ItemBarcode": of_item("barcode"),
        "ItemStartDate": of_item("start_date"),
        "ItemEndDate": of_item("end_date"),
        "ItemIsStockItem": of_item("is_stock_item"),
        **{name: unit for name in ("ItemUnitDescription", "UnitDescription")},
        **{name: lambda position: padded(unit(position), 8) for name in ("ItemUnit", "UnitCode")},
        **{name: constant(0) for name in NOTHING_PLANNED},
        **{name: claims.on for name in ("PlannedStockOut", "PlanningOut")},
        **{name: free for name in ("ProjectedStock", "FreeStock")},
        **warehouse_columns(company, lambda position: position.warehouse_id),
        **common_columns(company),
    }


def item_stock_columns(claims: "Claims") -> Columns:
    """The answer of the function StockPosition: an item over all warehouses."""

    def free(item: Item) -> float:
        return number(round(item.stock - claims.of_item(item.id), 6))

    return {
        **plain(ItemId="id", InStock="stock"),
        "PlanningIn": constant(0),
        "PlanningOut": lambda item: claims.of_item(item.id),
        "ProjectedStock": free,
        "FreeStock": free,
        "ReservedStock": constant(0),
    }


def warehouse_row_columns(company: Company) -> Columns:
    """The warehouses themselves."""
    return {
        **plain(ID="id", Code="code", Description="description"),
        "Main": lambda warehouse: int(warehouse.is_main),
        **common_columns(company),
    }


class Claims:
    """What open orders still claim of each item in each warehouse, counted anew when anything has changed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._version = -1
        self._claims: dict[tuple[str, str], float] = {}

    def on(self, position: StockPosition) -> float:
        """In one warehouse."""
        return self._counted().get((position.item_id, position.warehouse_id), 0)

    def of_item(self, item_id: str) -> float:
        """In all of them."""
        claims = self._counted()
        return number(sum(claims.get((item_id, warehouse.id), 0) for warehouse in self._company.warehouses))

    def _counted(self) -> dict[tuple[str, str], float]:
        if self._version != self._company.last_version:
            self._version, self._claims = self._company.last_version, {}
            for line in self._company.lines:
                if line.delivery_status in (OPEN, PARTIAL):
                    place = line.item_id, line.order.warehouse_id or MAIN_WAREHOUSE
                    self._claims[place] = number(self._claims.get(place, 0) + line.quantity - line.delivered)
        return self._claims


def _of_order_line(read: Any) -> Any:
    return lambda row: read(row.order_line)
