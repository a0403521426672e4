"""Views that analysts query: no rows of their own, so always as their tables are. Their SQL stands in the migrations.

Declared here are their meaning and where their columns come from, for people; a test holds both to the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_ADMINISTRATION = "name of the administration, as in pipeline.yaml"


@dataclass(frozen=True)
class View:
    """A view: what it shows, and of each column what it means and the columns it is made of."""

    name: str
    comment: str
    columns: Mapping[str, str]
    sources: Mapping[str, list[str]]

    @property
    def schema(self) -> str:
        """Its schema."""
        return self.name.partition(".")[0]


HELD_ORDERS = View(
    "crm.held_orders",
    "Orders that wait: held by the mapping, or refused by Pipedrive.",
    {
        "administration": _ADMINISTRATION,
        "order_id": "the ERP's id of the order",
        "order_number": "number people call it by",
        "reason": "what is in the way",
        "since": "since when (UTC)",
    },
    {
        "order_id": ["crm.held.key", "pipedrive.rejected.key"],
        "order_number": ["crm.held.number", "pipedrive.rejected.number"],
        "reason": ["crm.held.reason", "pipedrive.rejected.reason"],
        "since": ["crm.held.since", "pipedrive.rejected.since"],
    },
)

REVENUE_LINES = View(
    "marts.revenue_lines",
    "Every order line that counts as revenue, with the item group it was sold in and the one its item is in today.",
    {
        "administration": _ADMINISTRATION,
        "month": "first day of the month of the order date",
        "order_id": "the ERP's id of the order",
        "order_number": "number people call it by",
        "order_date": "day it was placed",
        "customer_id": "account that ordered",
        "salesperson_id": "salesperson of the order",
        "line_id": "the ERP's id of the line",
        "product_id": "item on the line",
        "item_code": "code of the item when the line was written",
        "item_group_code": "item group of the item when the line first landed; - without one: as in the revenue marts",
        "item_group": "name of that group today",
        "item_group_code_today": "item group the item is in today; - without one, or for an item no longer known",
        "item_group_today": "name of that group",
        "currency": "currency of the order",
        "revenue_excl_vat": "value of the line without VAT, in that currency",
        "quantity": "quantity on the line",
    },
    {
        "month": ["erp.orders.order_date"],
        **{
            name: [f"erp.orders.{name}"]
            for name in ("order_id", "order_number", "order_date", "customer_id", "salesperson_id", "currency")
        },
        **{
            name: [f"erp.order_lines.{name}"]
            for name in ("line_id", "product_id", "item_code", "item_group_code", "quantity")
        },
        "item_group": ["erp.item_groups.item_group"],
        "item_group_code_today": ["erp.products.item_group_code"],
        "item_group_today": ["erp.item_groups.item_group"],
        "revenue_excl_vat": ["erp.order_lines.amount_excl_vat"],
    },
)

VIEWS = {view.name: view for view in (HELD_ORDERS, REVENUE_LINES)}
