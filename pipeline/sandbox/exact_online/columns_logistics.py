"""What the fields of deliveries, the warehouse and stock are read from. Stock is the item's; there is one warehouse."""

from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_rows import Item
from pipeline.sandbox.exact_online.columns_orders import (
    WAREHOUSE,
    common_columns,
    line_columns,
    order_columns,
    warehouse_columns,
)
from pipeline.sandbox.exact_online.resources import Columns, constant, plain
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import padded, padded_code


def delivery_columns(company: Company, settings: Settings) -> Columns:
    """Headers of deliveries."""
    of_order = order_columns(company, settings)

    def code(delivery: Any) -> str | None:
        return padded_code(getattr(company.accounts.get(delivery.order.account_id), "code", None))

    return {
        **plain(EntryID="id", EntryNumber="number", DeliveryNumber="number", DeliveryDate="delivery_date"),
        **plain(DeliveryAccount="order.account_id", TrackingNumber="tracking_number"),
        "DeliveryAccountName": lambda delivery: of_order["DeliverToName"](delivery.order),
        "DeliveryAccountCode": code,
        **warehouse_columns(),
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


def stock_columns(company: Company) -> Columns:
    """Stock of an item in the warehouse. CurrentStock includes what orders have claimed."""
    planned_out = _PlannedOut(company).get
    return {
        "ID": lambda item: stock_id(item.id),
        **plain(Item="id", ItemId="id", ItemCode="code", ItemDescription="description", CurrentStock="stock"),
        **plain(ItemUnit="unit", ItemUnitDescription="unit", UnitDescription="unit", ItemBarcode="barcode"),
        **plain(ItemStartDate="start_date", ItemEndDate="end_date", ItemIsStockItem="is_stock_item"),
        "UnitCode": lambda item: padded(item.unit, 8),
        "PlannedStockIn": constant(0),
        "PlannedStockOut": planned_out,
        "PlanningIn": constant(0),
        "PlanningOut": planned_out,
        "ProjectedStock": lambda item: item.stock - planned_out(item),
        "FreeStock": lambda item: item.stock - planned_out(item),
        "ReservedStock": constant(0),
        "ReorderPoint": constant(0),
        "MaximumStock": constant(0),
        "SafetyStock": constant(0),
        **warehouse_columns(),
        **common_columns(company),
    }


def warehouse_row_columns(company: Company) -> Columns:
    """The warehouse itself."""
    return {
        "ID": constant(WAREHOUSE[0]),
        "Code": constant(WAREHOUSE[1]),
        "Description": constant(WAREHOUSE[2]),
        "Main": constant(1),
        "Created": constant(1_577_836_800_000),
        "Modified": constant(1_577_836_800_000),
        "Division": constant(company.division),
    }


def stock_id(item_id: str) -> str:
    """A row of stock has a GUID of its own; here the item's with its ends swapped."""
    return f"{item_id[28:]}{item_id[8:28]}{item_id[:8]}"


class _PlannedOut:
    """What open orders still claim of each item, counted anew when any order line has changed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._version = -1
        self._claims: dict[str, float] = {}

    def get(self, item: Item) -> float:
        if self._version != self._company.last_version:
            self._version = self._company.last_version
            self._claims = {}
            for line in self._company.lines:
                if line.delivery_status in (12, 20):
                    self._claims[line.item_id] = self._claims.get(line.item_id, 0) + line.quantity - line.delivered
        return self._claims.get(item.id, 0)


def _of_order_line(read: Any) -> Any:
    return lambda row: read(row.order_line)
