"""All resources of one division, put together: path, type, key, rows and columns.

A new resource is one line here, its fields a block in `fields.txt`. How resources are read: `reading.py`.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.exact_online.columns_crm import account_columns, address_columns, contact_columns
from pipeline.sandbox.exact_online.columns_documents import (
    DOCUMENT_TYPES,
    attachment_columns,
    document_columns,
    document_type_columns,
)
from pipeline.sandbox.exact_online.columns_finance import (
    invoice_columns,
    invoice_feed_columns,
    invoice_line_columns,
    open_item_columns,
    receivable_columns,
)
from pipeline.sandbox.exact_online.columns_items import group_columns, item_columns, price_columns
from pipeline.sandbox.exact_online.columns_logistics import (
    Claims,
    delivery_columns,
    delivery_line_columns,
    item_stock_columns,
    stock_columns,
    warehouse_row_columns,
)
from pipeline.sandbox.exact_online.columns_orders import line_columns, order_columns
from pipeline.sandbox.exact_online.columns_people import derived_id, employee_columns, role_columns
from pipeline.sandbox.exact_online.columns_prices import (
    linked_account_columns,
    period_columns,
    price_list_columns,
    unit_columns,
    unit_id,
    valid_price_columns,
    volume_discount_columns,
)
from pipeline.sandbox.exact_online.columns_system import deletion_columns, division_columns, subscription_columns
from pipeline.sandbox.exact_online.functions import SALES_ITEM_PRICE, STOCK_POSITION
from pipeline.sandbox.exact_online.resources import Columns, Navigation, Resource, Rows
from pipeline.sandbox.exact_online.row_sources import Committed, Divisions, KeptDeletions, Listed, Merged
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.values import WallClock
from pipeline.sandbox.exact_online.webhooks import Webhooks

SUBSCRIPTIONS = "webhooks/WebhookSubscriptions"
MODELS = "Exact.Web.Api.Models."


class Catalogue:
    """Builds the resources of one division."""

    def __init__(
        self, companies: Mapping[int, Company], division: int, settings: Settings, clock: WallClock, webhooks: Webhooks
    ) -> None:
        self._company, self._companies, self._settings, self._clock = companies[division], companies, settings, clock
        self._webhooks = webhooks
        self.resources: dict[str, Resource] = {}
        self._orders()
        self._relations()
        self._items()
        self._prices()
        self._invoices()
        self._deliveries()
        self._stock()
        self._documents()
        self._people()
        self._system()
        self._unused()

    def _add(self, path: str, rows: Rows, columns: Columns, model: str, **more: Any) -> Resource:
        if path.startswith("sync/"):
            model = model.replace("Sync.", self._settings.sync_type_prefix)
            more = {"key": "Timestamp", "key_is_guid": False, **more}
            rows = rows if isinstance(rows, Committed) else Committed(self._company, rows, self._settings)
        resource = Resource(
            path, MODELS + model, rows=rows, columns=columns, clock=self._clock, **{"key": "ID", **more}
        )
        if resource.is_regular or resource.is_bulk:
            resource.indexes = {resource.key: lambda key: _one(rows.get(key)), **resource.indexes}
        self.resources[path] = resource
        return resource

    def _three(self, regular: str, large: str, rows: Rows, columns: Columns, model: str) -> None:
        """A resource that exists regular, as bulk and as sync, with the same fields in the first two."""
        self._add(regular, rows, columns, model)
        self._add(f"bulk/{large}", rows, columns, model, listed_as=regular)
        self._add(f"sync/{large}", rows, columns, model)

    def _orders(self) -> None:
        company = self._company
        headers, lines = order_columns(company, self._settings), line_columns(company, self._settings)
        regular = {"SalesOrderLines": Navigation("salesorder/SalesOrderLines", lambda order: order.lines)}
        regular["SalesOrderOrderChargeLines"] = Navigation("salesorder/SalesOrderLines", lambda order: ())
        large = {"SalesOrderLines": Navigation("bulk/SalesOrder/SalesOrderLines", lambda order: order.lines)}
        by_order = {"OrderID": lambda key: order.lines if (order := company.orders.get(key)) else ()}
        orders = {"key": "OrderID", "navigations": regular}
        self._add("salesorder/SalesOrders", company.orders, headers, "SalesOrder", **orders)
        self._add("salesorder/SalesOrderLines", company.lines, lines, "SalesOrderLine", indexes=by_order)
        orders["navigations"] = large
        self._add("bulk/SalesOrder/SalesOrders", company.orders, headers, "SalesOrder", **orders)
        self._add("bulk/SalesOrder/SalesOrderLines", company.lines, lines, "SalesOrderLine", indexes=by_order)
        self._add("sync/SalesOrder/SalesOrderHeaders", company.orders, headers, "Sync.SalesOrderHeader")
        self._add("sync/SalesOrder/SalesOrderLines", company.lines, lines, "Sync.SalesOrderLine")

    def _relations(self) -> None:
        company = self._company
        self._three("crm/Accounts", "CRM/Accounts", company.accounts, account_columns(company), "Account")
        self._three("crm/Contacts", "CRM/Contacts", company.contacts, contact_columns(company), "Contact")
        self._three("crm/Addresses", "CRM/Addresses", company.addresses, address_columns(company), "Address")

    def _items(self) -> None:
        company = self._company
        self._three("logistics/Items", "Logistics/Items", company.items, item_columns(company), "Item")
        self._add("logistics/ItemGroups", company.item_groups, group_columns(company), "ItemGroup")
        units = Listed(lambda: {item.unit for item in company.items}, unit_id)
        self._add("logistics/Units", units, unit_columns(company), "Units")

    def _prices(self) -> None:
        company = self._company
        prices, discounts = price_columns(company), volume_discount_columns(company)
        self._three("logistics/SalesItemPrices", "Logistics/SalesItemPrices", company.prices, prices, "SalesItemPrice")
        self._add("sales/SalesPriceLists", company.price_lists, price_list_columns(company), "Sales.SalesPriceList")
        periods, model = company.price_list_periods, "SalesPriceListPeriod"
        self._add(f"sales/{model}s", periods, period_columns(company), f"Sales.{model}")
        rows, model = company.volume_discounts, "SalesPriceListVolumeDiscount"
        self._add(f"sales/{model}s", rows, discounts, f"Sales.{model}")
        self._add(f"sync/Sales/{model}s", rows, discounts, f"Sync.{model}")
        linked = Listed(lambda: [row for row in company.accounts if row.price_list_id], lambda row: row.id)
        model = "SalesPriceListLinkedAccount"
        self._add(f"sales/{model}s", linked, linked_account_columns(company), f"Sales.{model}")
        asked = Listed(tuple, lambda row: row[0].id)
        self._add(SALES_ITEM_PRICE, asked, valid_price_columns(), "Logistics.SalesItemPrice", key="ItemId")

    def _invoices(self) -> None:
        company, settings = self._company, self._settings
        headers, lines = invoice_columns(company, settings), invoice_line_columns(company, settings)
        by_invoice = {"InvoiceID": lambda key: invoice.lines if (invoice := company.invoices.get(key)) else ()}
        for head, listed in (("salesinvoice", ""), ("bulk/SalesInvoice", "salesinvoice")):
            to = Navigation(f"{head}/SalesInvoiceLines", lambda invoice: invoice.lines)
            more: dict[str, Any] = {"key": "InvoiceID", "navigations": {"SalesInvoiceLines": to}}
            more["listed_as"] = listed and f"{listed}/SalesInvoices"
            self._add(f"{head}/SalesInvoices", company.invoices, headers, "SalesInvoice", **more)
            more = {"indexes": by_invoice, "listed_as": listed and f"{listed}/SalesInvoiceLines"}
            self._add(f"{head}/SalesInvoiceLines", company.invoice_lines, lines, "SalesInvoiceLine", **more)
        feed = Merged(company, settings, company.invoices, company.invoice_lines)
        mixed = invoice_feed_columns(company, settings)
        self._add("sync/SalesInvoice/SalesInvoices", feed, mixed, "Sync.SalesInvoice")
        owed, columns = company.receivables, receivable_columns(company, settings)
        self._add("cashflow/Receivables", owed, columns, "Cashflow.Receivable")
        self._add("bulk/Cashflow/Receivables", owed, columns, "Cashflow.Receivable", listed_as="cashflow/Receivables")
        self._add("sync/Cashflow/PaymentTerms", owed, columns, "Sync.PaymentTerm")
        unpaid = Listed(lambda: [row for row in owed if row.paid_on is None], lambda row: row.hid)
        more, columns = {"key": "HID", "key_is_guid": False}, open_item_columns(company, settings)
        self._add("read/financial/ReceivablesList", unpaid, columns, "Financial.Receivable", **more)

    def _deliveries(self) -> None:
        company, settings = self._company, self._settings
        headers, lines = delivery_columns(company, settings), delivery_line_columns(company, settings)
        to = {"GoodsDeliveryLines": Navigation("salesorder/GoodsDeliveryLines", lambda delivery: delivery.lines)}
        more: dict[str, Any] = {"key": "EntryID", "navigations": to}
        model = "SalesOrders.GoodsDelivery"
        self._add("salesorder/GoodsDeliveries", company.deliveries, headers, model, **more)
        self._add("salesorder/GoodsDeliveryLines", company.delivery_lines, lines, f"{model}Line")
        large = "bulk/SalesOrder/GoodsDeliver"
        to = {"GoodsDeliveryLines": Navigation(f"{large}yLines", lambda delivery: delivery.lines)}
        more = {"key": "EntryID", "navigations": to, "listed_as": "salesorder/GoodsDeliveries"}
        self._add(f"{large}ies", company.deliveries, headers, model, **more)
        more = {"listed_as": "salesorder/GoodsDeliveryLines"}
        self._add(f"{large}yLines", company.delivery_lines, lines, f"{model}Line", **more)
        self._add("sync/SalesOrder/GoodsDeliveries", company.deliveries, headers, "Sync.GoodsDelivery")
        self._add("sync/SalesOrder/GoodsDeliveryLines", company.delivery_lines, lines, "Sync.GoodsDeliveryLine")

    def _stock(self) -> None:
        company = self._company
        claims = Claims(company)
        stock, columns = company.stock, stock_columns(company, claims)
        self._add("inventory/ItemWarehouses", stock, columns, "Inventory.ItemWarehouse")
        self._add("sync/Inventory/ItemWarehouses", stock, columns, "Sync.ItemWarehouse")
        self._add("sync/Inventory/StockPositions", stock, columns, "Sync.StockPosition")
        warehouses, columns = company.warehouses, warehouse_row_columns(company)
        self._add("inventory/Warehouses", warehouses, columns, "Inventory.Warehouse")
        asked, columns = Listed(tuple, lambda row: row.id), item_stock_columns(claims)
        self._add(STOCK_POSITION, asked, columns, "Logistics.StockPosition", key="ItemId")

    def _documents(self) -> None:
        company = self._company
        rows, columns = company.documents, document_columns(company)
        self._three("documents/Documents", "Documents/Documents", rows, columns, "Document")
        types = Listed(lambda: DOCUMENT_TYPES, lambda number: number)
        path, model = "documents/DocumentTypes", "Documents.DocumentType"
        self._add(path, types, document_type_columns(), model, key_is_guid=False)
        files, columns, model = company.attachments, attachment_columns(company), "DocumentAttachment"
        for path in ("documents", "bulk/Documents", "sync/Documents"):
            self._add(f"{path}/{model}s", files, columns, model)

    def _people(self) -> None:
        company = self._company
        roles = Listed(lambda: company.salespeople, lambda person: derived_id(person, "a"))
        self._add("users/UserRoles", roles, role_columns(company), "Users.UserRole")
        self._add("users/UserRolesPerDivision", roles, role_columns(company), "Users.UserRolesPerDivision")
        employees = Listed(lambda: company.salespeople, lambda person: derived_id(person, "b"))
        self._add("payroll/Employees", employees, employee_columns(company), "Payroll.Employee")

    def _unused(self) -> None:
        """Resources that exist and that this company has nothing in."""
        empty = Listed(tuple, lambda row: row)
        for path in ("crm/AccountClassifications", "crm/AccountClassificationNames"):
            self._add(path, empty, {}, path.partition("/")[2][:-1])
        for name in ("ItemAssortment", "ItemAssortmentProperty"):
            self._add(f"logistics/{name}", empty, {}, name)

    def _system(self) -> None:
        company = self._company
        divisions, rows = division_columns(self._companies), Divisions(self._companies)
        more: dict[str, Any] = {"key": "Code", "key_is_guid": False}
        for path in ("system/Divisions", "hrm/Divisions"):
            self._add(path, rows, divisions, "System.Division", **more)
        more["listed_as"] = "system/Divisions"
        self._add("system/AllDivisions", rows, divisions, "System.Division", **more)
        columns = subscription_columns(company, self._settings)
        self._add(SUBSCRIPTIONS, self._webhooks.subscriptions, columns, "Webhooks.WebhookSubscription")
        deleted = KeptDeletions(company, company.deletions, self._settings)
        self._add("sync/Deleted", deleted, deletion_columns(company, self._settings), "Sync.Deleted")


def _one(row: Any) -> tuple[Any, ...]:
    return () if row is None else (row,)
