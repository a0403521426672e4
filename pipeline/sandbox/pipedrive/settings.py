"""What can be set on the simulated account: its plan's limits, and a switch for every answer nobody could establish.

Each switch's first value is the stricter or better attested one. No behaviour here: handlers read the switches.
"""

import json
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True)
class Settings:
    """One simulated account. None for a limit means that there is none."""

    api_token: str = "sandbox"
    seed: int | None = None  # for field codes; None: other codes each time, as in real accounts

    # The plan
    daily_tokens: int | None = 900_000
    burst: int | None = 100
    oauth_burst: int | None = 400
    search_burst: int | None = 10
    deal_cap: int | None = None
    field_cap: int | None = 300
    recurring_revenue: bool = True  # acv, arr, mrr: from Growth on
    contact_sync: bool = False
    webhooks_per_user: int = 40
    sends_webhooks: bool = True  # False: they wait until `deliver` is called

    # How late the account's own bookkeeping runs
    recalculation_seconds: float = 0.0
    search_lag_seconds: float = 3.0

    # Limits: what is sent and counted
    query_token: Literal["taken", "refused"] = "taken"  # `?api_token=` instead of the header
    daily_headers: bool = True
    headers_missing_after_pause: int = 0  # so many answers after an hour's silence come without the daily headers
    retry_after: int | None = None
    short_429_body: bool = False
    charge_refused: bool = False
    daily_overdraft: bool = False  # True: the last request may cost more than is left
    server_zone: str = "UTC"  # whose midnight resets the daily budget
    daily_writes: int | None = None  # the rule of 2019, 10,000 writes a day in UTC, and its header
    search_in_burst: bool = False  # True: searches count in the general window as well
    storm_refusals: int | None = 20  # this many 429s within storm_seconds: Cloudflare steps in
    storm_seconds: float = 10.0
    storm_block_seconds: float = 60.0

    # Requests
    over_limit: Literal["refused", "clamped"] = "refused"
    list_end: Literal["null", "omitted", "bare"] = "null"  # the last page: no next_cursor, or no additional_data at all
    cursor_lifetime_seconds: float | None = None
    unknown_custom_field: Literal["refused", "ignored"] = "refused"
    field_problem_names_code: bool = True
    empty_custom_fields: Literal["keys", "null"] = "keys"  # what a record shows that has none filled
    null_clears: bool = True  # False: null is refused where the request model does not name it
    not_found_code: str | None = "ERR_NOT_FOUND"
    unknown_v2_path: Literal["html", "json"] = "html"
    second_delete: Literal[404, 410] = 404
    deleted_get: Literal[200, 404] = 200
    nameless_persons: Literal["refused", "taken"] = "refused"
    category_as: Literal["id", "label"] = "id"
    title_limit: int | None = 255
    comments_limit: int | None = None
    note_limit: int = 100_000
    notes_per_deal: int | None = None

    # Deals
    deal_add_time: Literal["refused", "ignored", "taken"] = "refused"
    won_time_on_create: Literal["taken", "ignored", "refused"] = "taken"
    close_time_years: int | None = None  # dates further from today than this are refused
    deal_nulls: Literal["sent", "omitted"] = "sent"  # what a deal has nothing for: null, or no key
    frozen_edit_status: int = 400  # editing an archived or deleted deal
    unarchive: Literal["alone", "with_edits"] = "alone"  # may `is_archived: false` stand with other keys
    fresh_in_updated_since: bool = True  # False: a deal whose update_time is still null is left out
    value_with_products: Literal["refused", "ignored", "taken"] = "refused"
    value_after_last_product: Literal["zero", "kept"] = "zero"
    patch_value_resets: bool = False  # True: a PATCH with value empties the custom fields it does not name
    lines_touch_deal: bool = False  # True: update_time moves with any change of a line, not only with the value
    currency_with_products: Literal["follows", "refused"] = "follows"

    # Deal products
    bulk_is_atomic: bool = True  # False: the good rows before the first bad one stay
    products_per_deal: int | None = None
    products_on_won_deals: bool = True
    products_on_archived_deals: bool = False
    negative_quantity: bool = False
    rounding: Literal["row", "deal"] = "row"
    exclusive_tax_in_sum: bool = False
    amount_discount: Literal["line", "unit"] = "line"
    bulk_delete_cost: int = 25

    # Search
    field_search_shape: Literal["flat", "items"] = "flat"
    search_paging: Literal["cursor", "start"] = "cursor"
    list_lag_seconds: float = 0.0  # new records are missing from lists for so long

    def __post_init__(self) -> None:
        for name, kind in SWITCHES.items():
            if not _fits(getattr(self, name), kind):
                raise ValueError(f"{name}={getattr(self, name)!r} is not an answer: {_shown(kind)}")
        try:
            ZoneInfo(self.server_zone)
        except (ValueError, ZoneInfoNotFoundError):
            raise ValueError(f"server_zone={self.server_zone!r} is not an answer: no such zone") from None


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return any(type(value) is type(answer) and value == answer for answer in get_args(kind))
    if isinstance(kind, UnionType):
        return any(_fits(value, part) for part in get_args(kind))
    return type(value) is kind or (kind is float and type(value) is int)


def _shown(kind: Any) -> str:
    return (
        " or ".join(map(repr, get_args(kind))) if get_origin(kind) is Literal else str(getattr(kind, "__name__", kind))
    )


SWITCHES: dict[str, Any] = get_type_hints(Settings)


_PLANS = {  # multiplier of 30,000 tokens a seat; burst by token and OAuth; deals a seat; custom fields
    "lite": (1, 20, 80, 2_500, 30),
    "growth": (2, 40, 160, 5_000, 100),
    "premium": (5, 100, 400, 15_000, 300),
    "ultimate": (7, 120, 480, 20_000, 500),
}


def plan(name: str, *, seats: int = 6) -> dict[str, Any]:
    """The settings of a plan with so many seats, to be given to `simulated_pipedrive`."""
    if name not in _PLANS:
        raise ValueError(f"a plan is one of {', '.join(_PLANS)}")
    multiplier, burst, oauth_burst, deals, custom_fields = _PLANS[name]
    return {
        "daily_tokens": 30_000 * multiplier * seats,
        "burst": burst,
        "oauth_burst": oauth_burst,
        "deal_cap": min(deals * seats, 300_000),
        "field_cap": custom_fields,
        "recurring_revenue": name != "lite",
    }


def answers(texts: list[str]) -> dict[str, Any]:
    """Settings written as `name=value`, the value as JSON or a plain word."""
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in SWITCHES:
            raise ValueError(f"{name} is no setting of the simulated Pipedrive")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
