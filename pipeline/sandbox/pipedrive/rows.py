"""The records an account holds, as small as Python makes them. What they look like in an answer stands elsewhere."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Record:
    """What every record has."""

    id: int
    add_time: str
    update_time: str | None = None
    is_deleted: bool = False
    deleted_at: str | None = None
    custom: dict[str, Any] = field(default_factory=dict)  # only what is filled


@dataclass(slots=True, eq=False)
class DealProduct:
    """One product line of a deal. Its currency is the deal's; its order is its place in the deal's list."""

    id: int
    deal_id: int
    product_id: int | None
    name: str
    quantity: float
    item_price: float
    add_time: str
    update_time: str
    cents: int = 0
    exact_cents: Any = 0  # before rounding, where only the deal's total is rounded
    tax: float = 0
    comments: str = ""
    discount: float = 0
    discount_type: str = "percentage"
    tax_method: str = "inclusive"
    is_enabled: bool = True
    product_variation_id: int | None = None
    billing_frequency: str = "one-time"
    billing_frequency_cycles: int | None = None
    billing_start_date: str | None = None


@dataclass(slots=True, eq=False)
class Deal(Record):
    """One deal, with its product lines in their order."""

    title: str = ""
    owner_id: int = 0
    creator_user_id: int = 0
    person_id: int | None = None
    org_id: int | None = None
    pipeline_id: int = 0
    stage_id: int = 0
    value: float = 0
    currency: str = "EUR"
    stage_change_time: str | None = None
    is_archived: bool = False
    archive_time: str | None = None
    status: str = "open"
    probability: float | None = None
    lost_reason: str | None = None
    visible_to: int = 3
    close_time: str | None = None
    won_time: str | None = None
    lost_time: str | None = None
    first_won_time: str | None = None
    expected_close_date: str | None = None
    label_ids: list[int] = field(default_factory=list)
    lines: list[DealProduct] = field(default_factory=list)
    discounts: list[dict[str, Any]] = field(default_factory=list)
    acv: float | None = None
    arr: float | None = None
    mrr: float | None = None


@dataclass(slots=True, eq=False)
class Organization(Record):
    """One company the team sells to."""

    name: str = ""
    owner_id: int = 0
    visible_to: int = 3
    address: dict[str, Any] | None = None
    label_ids: list[int] = field(default_factory=list)
    website: str | None = None
    linkedin: str | None = None
    industry: int | None = None
    annual_revenue: float | None = None
    employee_count: int | None = None


@dataclass(slots=True, eq=False)
class Person(Record):
    """One contact."""

    name: str = ""
    owner_id: int = 0
    org_id: int | None = None
    emails: list[dict[str, Any]] = field(default_factory=list)
    phones: list[dict[str, Any]] = field(default_factory=list)
    visible_to: int = 3
    label_ids: list[int] = field(default_factory=list)
    marketing_status: str = "no_consent"
    contact_sync: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Product(Record):
    """One article of the catalogue."""

    name: str = ""
    owner_id: int = 0
    code: str | None = None
    description: str | None = None
    unit: str | None = None
    tax: float = 0
    category: int | None = None
    is_linkable: bool = True
    visible_to: int = 3
    billing_frequency: str = "one-time"
    billing_frequency_cycles: int | None = None
    prices: list[dict[str, Any]] = field(default_factory=list)
    variations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Pipeline(Record):
    """One row of stages deals go through."""

    name: str = ""
    order_nr: int = 0
    is_deal_probability_enabled: bool = True


@dataclass(slots=True, eq=False)
class Stage(Record):
    """One step of a pipeline."""

    name: str = ""
    order_nr: int = 0
    pipeline_id: int = 0
    deal_probability: float = 100
    is_deal_rot_enabled: bool = False
    days_to_rotten: int | None = None


@dataclass(slots=True, eq=False)
class Note(Record):
    """One note on a record."""

    content: str = ""
    deal_id: int | None = None
    org_id: int | None = None
    person_id: int | None = None
    user_id: int = 0
    pinned: dict[str, bool] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Activity(Record):
    """One task or meeting."""

    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class User:
    """One colleague with a seat."""

    id: int
    name: str
    email: str
    is_admin: bool = False
    is_active: bool = True
