"""Pipedrive's plans: tokens a day, requests a window, deals and custom fields, as its price page and support tell them.

No interface tells which plan an account has; the size of its burst window does, since every plan has another one.
"""

from dataclasses import dataclass

TOKENS_A_SEAT = 30_000
MOST_DEALS = 300_000  # on every plan, however many seats


@dataclass(frozen=True)
class Plan:
    """What a plan allows: `tokens` is a multiple of 30,000 a seat and day, `burst` requests in two seconds."""

    name: str
    tokens: int
    burst: int
    deals_a_seat: int
    custom_fields: int

    def tokens_a_day(self, seats: int) -> int:
        """The whole company's tokens for a day."""
        return TOKENS_A_SEAT * self.tokens * seats

    def room_for_category_fields(self, there: int) -> int:
        """How many further fields may be made for item groups beside so many: the customer keeps the last tenth."""
        return max(0, self.custom_fields * 9 // 10 - there)

    def deals(self, seats: int) -> int:
        """Deals outside the archive, won and lost ones included."""
        return min(self.deals_a_seat * seats, MOST_DEALS)


PLANS = (
    Plan("Lite", 1, 20, 2_500, 30),
    Plan("Growth", 2, 40, 5_000, 100),
    Plan("Premium", 5, 100, 15_000, 300),
    Plan("Ultimate", 7, 120, 20_000, 500),
)


def plan_by_burst(limit: int | None) -> Plan | None:
    """The plan whose window an API token was told; None for a window that no present plan has."""
    return next((plan for plan in PLANS if plan.burst == limit), None)
