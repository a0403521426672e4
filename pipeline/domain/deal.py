"""Sales order → the deal Pipedrive should hold, and why an order is held back instead.

Everything `crm.deals` says of a deal is decided here. Ids and option numbers of Pipedrive are not known here;
reading orders and writing deals is others' work.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pipeline.domain.order_stage import DEFAULT_RULES, Outcome, StatusRule, outcome

LONGEST_NAME = 255  # characters Pipedrive keeps of a title, a name or a varchar field
CANCELLED = "Geannuleerd in Exact"
DELETED = "Verwijderd in Exact"

DealStatus = Literal["open", "won", "lost"]


@dataclass(frozen=True)
class Order:
    """A sales order as `erp.orders` knows it, with what its customer says."""

    order_id: str
    order_number: str
    customer_id: str | None
    customer_name: str | None
    salesperson_id: str | None
    account_manager_id: str | None
    status: str
    delivery_status: str
    invoice_status: str
    amount_excl_vat: Decimal | None
    is_deleted: bool


@dataclass(frozen=True)
class Standing:
    """Where a deal stands: open in a stage, won, or lost with a reason."""

    status: DealStatus
    stage: Outcome
    lost_reason: str | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the deal is won or lost."""
        return self.status != "open"


@dataclass(frozen=True)
class Earlier:
    """What was wanted of the same order's deal the last time."""

    standing: Standing
    title: str
    owner_e_mails: tuple[str, ...]
    customer_id: str | None
    salesperson_id: str | None


def standing(order: Order, earlier: Earlier | None, rules: Iterable[StatusRule] = DEFAULT_RULES) -> Standing | None:
    """Where the order's deal stands; None when no rule covers its words and there is no deal to leave as it is."""
    stood = earlier.standing.stage if earlier else Outcome.NEW
    if order.is_deleted:
        return Standing("lost", stood, DELETED)
    match outcome(order.status, order.delivery_status, order.invoice_status, rules):
        case None:
            return earlier.standing if earlier else None
        case Outcome.LOST:
            return Standing("lost", stood, CANCELLED)
        case Outcome.WON:
            return Standing("won", Outcome.SHIPPED)
        case stage:
            return Standing("open", stage)


def title(order: Order, template: str) -> str:
    """The deal's title from the template of pipeline.yaml."""
    return filled_title(template, order.order_number, order.customer_name)


def filled_title(template: str, order_number: str, customer_name: str | None) -> str:
    """A title for the deal of that order and customer."""
    filled = template.replace("{order_number}", order_number).replace("{customer_name}", customer_name or "")
    return filled.strip()[:LONGEST_NAME]


def owner_e_mails(order: Order, e_mails: Mapping[str, str], default_owner: str | None) -> tuple[str, ...]:
    """Whom the deal may belong to, best first; the first who is an active user gets it."""
    chosen = (
        e_mails.get((order.salesperson_id or "").lower()),
        e_mails.get((order.account_manager_id or "").lower()),
        default_owner,
    )
    return tuple(dict.fromkeys(e_mail for e_mail in chosen if e_mail))


def keeps_its_title(order: Order, now: Standing, earlier: Earlier | None) -> bool:
    """Whether a closed deal keeps the title it had: only another customer on the order rewrites it."""
    return bool(earlier and _stays_closed(now, earlier) and earlier.customer_id == order.customer_id)


def keeps_its_owner(order: Order, now: Standing, earlier: Earlier | None) -> bool:
    """Whether a closed deal keeps its owner: only another salesperson or customer on the order moves it."""
    return bool(keeps_its_title(order, now, earlier) and earlier and earlier.salesperson_id == order.salesperson_id)


def _stays_closed(now: Standing, earlier: Earlier) -> bool:
    return now.is_closed and earlier.standing.is_closed


@dataclass(frozen=True)
class GroupedLine:
    """What of an order line counts for its deal's item groups."""

    item_group_code: str | None
    quantity: Decimal
    amount: Decimal


def item_group_codes(lines: Iterable[GroupedLine]) -> tuple[str, ...]:
    """Every item group on the order, in the order of their codes; lines of quantity 0 don't count."""
    return tuple(sorted({line.item_group_code for line in lines if line.item_group_code and line.quantity}))


def main_item_group_code(lines: Iterable[GroupedLine]) -> str | None:
    """The item group with the largest revenue on the order; among equals the lowest code, compared as text."""
    revenue = revenue_by_item_group(lines)
    return min(revenue, key=lambda code: (-revenue[code], code), default=None)


def revenue_by_item_group(lines: Iterable[GroupedLine]) -> dict[str, Decimal]:
    """Revenue of the order in each of its item groups."""
    revenue: dict[str, Decimal] = {}
    for line in lines:
        if line.item_group_code and line.quantity:
            revenue[line.item_group_code] = revenue.get(line.item_group_code, Decimal(0)) + line.amount
    return revenue


def why_held(
    order: Order, *, has_deal: bool, customer_held: str | None, lines_without_item: int, rules: Iterable[StatusRule]
) -> tuple[str, bool] | None:
    """The reason an order waits and whether that stops its deal too; None when nothing holds it.

    A combination of statuses that no rule covers lets an existing deal follow in everything but status and stage.
    """
    if order.is_deleted:
        return None
    if order.customer_name is None:
        return "its customer is not known in the administration", True
    if customer_held:
        return customer_held, True
    if lines_without_item:
        return f"{lines_without_item} of its lines name no item", True
    if order.amount_excl_vat is None:
        return "it has no amount", True
    words = (order.status, order.delivery_status, order.invoice_status)
    if outcome(*words, rules) is None:
        combination = "status {}, delivery {}, invoice {}".format(*words)
        return f"no rule covers {combination}; add one to status_rules", not has_deal
    return None
