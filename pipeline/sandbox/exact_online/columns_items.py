"""What the fields of items, item groups and sales prices are read from."""

from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.exact_online.columns_orders import common_columns, kept
from pipeline.sandbox.exact_online.resources import Columns, constant, plain
from pipeline.sandbox.exact_online.values import padded


def item_columns(company: Company) -> Columns:
    """Items; the sync feed has no StandardSalesPrice."""

    def of_group(attribute: str) -> Any:
        return lambda item: getattr(company.item_groups.get(item.group_id), attribute, None)

    return {
        **kept("logistics/Items"),
        **plain(ID="id", Code="code", Description="description", ItemGroup="group_id", Barcode="barcode"),
        "ItemGroupCode": of_group("code"),
        "ItemGroupDescription": of_group("description"),
        **plain(Class_01="collection", StandardSalesPrice="standard_price", Stock="stock"),
        **plain(IsSalesItem="is_sales_item", IsStockItem="is_stock_item", StartDate="start_date", EndDate="end_date"),
        "Unit": lambda item: padded(item.unit, 8),
        **plain(UnitDescription="unit"),
        "UnitType": constant("O"),
        "SalesVatCode": constant("2  "),
        "IsPurchaseItem": constant(True),
        "CostPriceCurrency": constant("EUR"),
        "AverageCost": constant(0),
        "CostPriceStandard": constant(0),
        "GrossWeight": constant(0),
        "NetWeight": constant(0),
        **common_columns(company),
    }


def group_columns(company: Company) -> Columns:
    """Item groups; their codes are digits as text."""
    return {
        **plain(ID="id", Code="code", Description="description"),
        "IsDefault": lambda group: int(group.is_default),
        **common_columns(company),
    }


def price_columns(company: Company) -> Columns:
    """Sales prices: without an account the standard price, with one an agreement."""

    def of_item(attribute: str) -> Any:
        return lambda price: getattr(company.items.get(price.item_id), attribute, None)

    unit = of_item("unit")
    return {
        **plain(ID="id", Account="account_id", Item="item_id", Price="price", Quantity="quantity", Currency="currency"),
        **plain(StartDate="start_date", EndDate="end_date"),
        "AccountName": lambda price: getattr(company.accounts.get(price.account_id), "name", None),
        "ItemCode": of_item("code"),
        "ItemDescription": of_item("description"),
        "Barcode": of_item("barcode"),
        "Unit": lambda price: padded(unit(price), 8),
        "UnitDescription": unit,
        "DefaultItemUnit": lambda price: padded(unit(price), 8),
        "DefaultItemUnitDescription": unit,
        "NumberOfItemsPerUnit": constant(1),
        **common_columns(company),
    }
