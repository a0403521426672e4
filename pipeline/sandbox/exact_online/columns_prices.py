"""What the fields of price lists are read from, and of the price that is valid for a customer."""

from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.company_ids import derived_id
from pipeline.sandbox.company_ordering import cents
from pipeline.sandbox.company_prices import VolumeDiscount
from pipeline.sandbox.exact_online.columns_orders import common_columns
from pipeline.sandbox.exact_online.resources import Columns, constant, plain
from pipeline.sandbox.exact_online.values import padded, padded_code

VAT_HIGH = 0.21


def price_list_columns(company: Company) -> Columns:
    """Lists: for customers or for everybody, over items or over groups."""
    return {
        **plain(ID="id", Code="code", Description="description", Entity="entity", Type="kind"),
        "Currency": constant("EUR"),
        **common_columns(company),
    }


def period_columns(company: Company) -> Columns:
    """Periods: the basic one of a list, and special offers."""
    return {
        **plain(ID="id", PriceList="price_list.id", Type="kind", StartDate="start_date", EndDate="end_date"),
        "Currency": constant("EUR"),
        **common_columns(company),
    }


def volume_discount_columns(company: Company) -> Columns:
    """What a list says; a discount is on the standard price."""

    def of_item(attribute: str) -> Any:
        return lambda row: getattr(company.items.get(row.item_id), attribute, None)

    standard, unit = of_item("standard_price"), of_item("unit")

    def discount(row: VolumeDiscount) -> float:
        """Where the new price leads, the discount is what follows from it."""
        base = standard(row)
        return row.discount if row.new_price is None or not base else round(1 - row.new_price / base, 6)

    return {
        **plain(ID="id", PriceListPeriod="period.id", EntryMethod="entry_method", Quantity="quantity"),
        **plain(PriceListCode="period.price_list.code", PriceListDescription="period.price_list.description"),
        **plain(Item="item_id", ItemGroup="group_id", NewPrice="new_price"),
        **{"ItemCode": of_item("code"), "ItemDescription": of_item("description")},
        **_group(company),
        "BasePriceAmount": standard,
        "Discount": discount,
        "NumberOfItemsPerUnit": constant(1),
        **{name: lambda row: padded(unit(row), 8) for name in ("Unit", "SalesUnit")},
        "UnitDescription": unit,
        **common_columns(company),
    }


def _group(company: Company) -> Columns:
    def of_group(attribute: str) -> Any:
        return lambda row: getattr(company.item_groups.get(row.group_id), attribute, None)

    return {"ItemGroupCode": of_group("code"), "ItemGroupDescription": of_group("description")}


def linked_account_columns(company: Company) -> Columns:
    """Customers on lists; ID is the customer's, so nobody is on two."""
    return {
        **plain(ID="id", Name="name", PriceList="price_list_id"),
        "Code": lambda account: padded_code(account.code),
        **common_columns(company),
    }


def valid_price_columns() -> Columns:
    """The answer of the function SalesItemPrice; its rows are pairs of an item and its price."""
    return {
        "ItemId": lambda row: row[0].id,
        "ItemCode": lambda row: row[0].code,
        "ItemDescription": lambda row: row[0].description,
        "UnitCode": lambda row: padded(row[0].unit, 8),
        "UnitDescription": lambda row: row[0].unit,
        "PriceExcludingVAT": lambda row: row[1],
        "PriceIncludingVAT": lambda row: cents(row[1] * (1 + VAT_HIGH)),
        "CurrencyCode": constant("EUR"),
        "VATCode": constant(padded("2", 3)),
    }


def unit_columns(company: Company) -> Columns:
    """Units that items are sold in; the rows are their codes."""
    return {
        "ID": unit_id,
        "Code": lambda unit: padded(unit, 8),
        "Description": lambda unit: unit,
        "Active": constant(True),
        "Main": lambda unit: int(unit == "pc"),
        "Type": constant("O"),
        "Division": constant(company.division),
    }


def unit_id(unit: str) -> str:
    """The GUID of a unit."""
    return derived_id("unit", unit)
