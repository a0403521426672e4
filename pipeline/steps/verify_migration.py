"""What a first migration of the books that were seen costs in tokens, days and room, on each of Pipedrive's plans."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from pipeline.config import Config
from pipeline.domain.budget import READ_LIST, READ_STAGES, READ_USERS, WRITE, add_price
from pipeline.domain.forecast import Tokens, Work, days_until_done
from pipeline.domain.pipedrive_plans import PLANS, Plan, plan_by_burst
from pipeline.domain.verify import why_customers_are_held
from pipeline.pipedrive.amounts import group_of
from pipeline.pipedrive.client import PAGE
from pipeline.pipedrive.fields import PATHS, CustomField, custom_fields
from pipeline.steps.verify_account import Account
from pipeline.steps.verify_books import Books, reason_to_wait

Found = dict[str, Any]


def migration(every: Sequence[Books], account: Account, config: Config) -> Found:
    """What a first load of it all takes, from nothing: records, rows, fields, and the floor of tokens for them."""
    needed, wanted = _needed(every, config), wanted_fields(every, config)
    amounts = wanted_fields(every, config, category_amounts=True)
    return {
        **{kind: count for kind, count in needed.items() if kind != "rows"},
        "rows": sum(rows * deals for rows, deals in needed["rows"].items()),
        "setup_tokens": _setup(wanted, account),
        "tokens": sum(work.price * work.pieces for work in _work(needed, _setup(wanted, account))),
        "deals_there": account.deals,
        "deals_there_already_ours": account.ours,
        "fields_there": len(account.fields),
        "fields_to_be_made": len(_missing(wanted, account)),
        "fields_for_item_groups": sum(field.is_optional for field in amounts),
        "fields_of_another_type": [
            {"entity": field.entity, "field": field.name, "is": account.types[field.entity, field.name]}
            for field in wanted
            if account.types.get((field.entity, field.name)) not in {None, field.field_type}
        ],
    }


def plans(every: Sequence[Books], account: Account, config: Config, *, burst: int | None) -> list[Found]:
    """Each plan with as many seats as there are active users: days of migration, and what fits of deals and fields."""
    needed, wanted = _needed(every, config), wanted_fields(every, config)
    this, work = plan_by_burst(burst), _work(needed, _setup(wanted, account))
    return [
        {"plan": plan.name, "is_this_account": plan == this}
        | _days(plan, account.seats, work, config)
        | _room(plan, needed["deals"], account, every, config)
        for plan in PLANS
    ]


def wanted_fields(every: Iterable[Books], config: Config, *, category_amounts: bool | None = None) -> list[CustomField]:
    """The custom fields a sync of these books would have; `category_amounts` instead of what pipeline.yaml says."""
    every = list(every)
    groups = {code: name for books in reversed(every) for code, name in books.groups.items()}
    collections = {
        item.collection: item.collection for books in every for item in books.items.values() if item.collection
    }
    is_wanted = config.pipedrive.category_amounts if category_amounts is None else category_amounts
    return custom_fields(
        administrations={books.administration: books.administration for books in every},
        item_groups=groups,
        collections=collections if config.pipedrive.collection_field else None,
        category_amounts=is_wanted,
    )


def _needed(every: Iterable[Books], config: Config) -> Found:
    """Records by kind, and deals by how many rows they get."""
    counts, rows = Counter(organizations=0, persons=0, products=0, deals=0), Counter()
    for books in every:
        held = why_customers_are_held(books.mirrored())
        free = {customer.customer_id for customer in books.mirrored()} - held.keys()
        dealt = [seen for seen in books.orders.values() if reason_to_wait(seen, held, config) is None]
        sold = {key for key, item in books.items.items() if item.is_sales_item}
        counts["organizations"] += len(free)
        counts["persons"] += sum(books.contacts[customer] for customer in free)
        counts["products"] += len(sold | books.ordered.keys()) + books.needs_surcharge
        counts["deals"] += len(dealt)
        rows.update(seen.rows for seen in dealt if seen.rows)
    return {**counts, "rows": rows}


def _work(needed: Found, setup: int) -> list[Work]:
    """The floor of a first load, in the order of work."""
    kinds = [Work(WRITE, needed[kind]) for kind in ("organizations", "deals", "products")]
    rows = [Work(add_price(rows), deals) for rows, deals in sorted(needed["rows"].items(), reverse=True)]
    return [Work(1, setup, is_live=True), *kinds, *rows, Work(WRITE, needed["persons"])]


def _setup(wanted: Iterable[CustomField], account: Account) -> int:
    """Tokens for finding what is there and making what is missing, organizations to be adopted apart."""
    pages = -(-account.deals // PAGE) or 1
    reading = READ_USERS + 2 * READ_STAGES + (len(PATHS) + pages) * READ_LIST
    return reading + len(_missing(wanted, account)) * WRITE


def _missing(wanted: Iterable[CustomField], account: Account) -> list[CustomField]:
    there = account.types
    filled = (field for field in wanted if field.options or not field.has_options)
    return [field for field in filled if (field.entity, field.name) not in there]


def _revenue(field: CustomField, every: Iterable[Books]) -> Decimal:
    return sum((books.revenue.get(group, Decimal(0)) for books in every for group in field.item_groups), Decimal(0))


def _days(plan: Plan, seats: int, work: Sequence[Work], config: Config) -> Found:
    a_day = plan.tokens_a_day(seats)
    kept = int(a_day * config.budget.keep_for_live)
    last = days_until_done(work, Tokens(a_day, a_day, kept))[-1]
    return {
        "seats": seats,
        "tokens_a_day": a_day,
        "tokens_a_day_for_history": a_day - kept,
        "days": None if last is None else last + 1,
    }


def _room(plan: Plan, deals: int, account: Account, every: Sequence[Books], config: Config) -> Found:
    needed = account.deals - account.ours + deals
    without = wanted_fields(every, config, category_amounts=False)
    missing = _missing(without, account)
    amounts = [one for one in wanted_fields(every, config, category_amounts=True) if one.is_optional]
    lacking = _missing(sorted(amounts, key=lambda field: -_revenue(field, every)), account)
    fields = len(account.fields) + len(missing)
    return {
        "deals": needed,
        "deals_allowed": plan.deals(seats=account.seats),
        "deals_fit": needed <= plan.deals(seats=account.seats),
        "fields": fields,
        "fields_allowed": plan.custom_fields,
        "fields_fit": fields <= plan.custom_fields,
        "item_group_fields": len(amounts),
        "item_groups_left_out": [group_of(field) for field in lacking[plan.room_for_category_fields(fields) :]],
    }
