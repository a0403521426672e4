"""Stock: the two warehouses, what lies in them of each item, and what moves it.

Deliveries take goods out, a delivery taken back brings them in again; counting by hand puts the number right. What is
ordered and not delivered is no movement: whoever shows stock works that out.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.sandbox.company_ids import derived_id
from pipeline.sandbox.company_ordering import number
from pipeline.sandbox.company_rows import Item

if TYPE_CHECKING:
    from pipeline.sandbox.company_state import Company

MAIN_WAREHOUSE = "3a1f0c5e-7a44-4a0e-9c39-00cf4fc96001"
WAREHOUSES = ((MAIN_WAREHOUSE, "1", "Magazijn"), ("3a1f0c5e-7a44-4a0e-9c39-00cf4fc96002", "2", "Buitenmagazijn"))
FOUNDED_MS = 1_577_836_800_000


@dataclass(slots=True, eq=False)
class Warehouse:
    """A place where goods lie."""

    id: str
    code: str
    description: str
    is_main: bool = False
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


@dataclass(slots=True, eq=False)
class StockPosition:
    """How much of an item lies in a warehouse."""

    id: str
    item_id: str
    warehouse_id: str
    quantity: float
    timestamp: int = 0
    created_ms: int = 0
    modified_ms: int = 0


def open_warehouses(company: "Company") -> None:
    """The two there have always been; goods go out from the first."""
    for place, row in enumerate(WAREHOUSES):
        company.add("warehouses", Warehouse(*row, is_main=place == 0), at_ms=FOUNDED_MS)


def position_id(item_id: str, warehouse_id: str) -> str:
    """The GUID of one position."""
    return derived_id("stock", item_id, warehouse_id)


def shelve(company: "Company", item: Item, at_ms: int | None) -> None:
    """A place in each warehouse for a new item; a quarter of what there is lies in the second."""
    away = item.stock // 4
    for warehouse in company.warehouses:
        quantity = number(item.stock - away if warehouse.is_main else away)
        position = StockPosition(position_id(item.id, warehouse.id), item.id, warehouse.id, quantity)
        company.add("stock", position, at_ms=at_ms)


def clear(company: "Company", item_id: str) -> None:
    """Takes the places of an item away that no longer exists."""
    for warehouse in company.warehouses:
        if position_id(item_id, warehouse.id) in company.stock:
            company.delete("stock", position_id(item_id, warehouse.id))


def move(company: "Company", item_id: str, quantity: float, warehouse_id: str | None = None) -> None:
    """So much more (or less) of an item; its total follows, and only the position gets a new version."""
    item = company.items.get(item_id)
    position = company.stock.get(position_id(item_id, warehouse_id or MAIN_WAREHOUSE))
    if item is None or position is None or not quantity or not company.counts_stock:
        return
    position.quantity = number(round(position.quantity + quantity, 6))
    item.stock = number(round(item.stock + quantity, 6))
    company.touch("stock", position)
