"""`pipeline verify`: what both accounts hold, against what a sync would make of it; nothing is written to either.

It reads the live accounts and not the warehouse, so that it says the same before the first sync and after the last.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from pipeline.config import Config
from pipeline.domain.deal import owner_e_mails
from pipeline.domain.order_stage import deciding_rule
from pipeline.domain.verify import (
    Customer,
    Unmapped,
    alike_but_for_capitals,
    codes_alike,
    lines_for_settings,
    long_codes,
    shared_codes,
    spread,
    why_customers_are_held,
)
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.schema import Schema
from pipeline.steps.ledger_book import only_reading
from pipeline.steps.verify_account import Account, read_account
from pipeline.steps.verify_answers import Heads
from pipeline.steps.verify_books import Books, read_books, reason_to_wait
from pipeline.steps.verify_migration import migration, plans

EXAMPLES = 5
MOST_SHOWN = 200  # records of one finding
MOST_OPTIONS = 10_000  # of one field, on every plan
APART = 60  # seconds between two clocks from which on it is said

Found = dict[str, Any]


def verify(
    engine: Engine,
    exact_of: Callable[[str], ExactOnlineClient],
    connect: Callable[[Ledger], PipedriveClient],
    config: Config,
    *,
    daily_tokens: int,
) -> Found:
    """Everything `pipeline verify` shows, as plain values; the warehouse gives tokens and keeps count of what is spent.

    Raises GiveUp or RetryLater when one of the accounts can't be read.
    """
    heard, every = {}, []
    for administration in config.administrations:
        client, heard[administration.name] = exact_of(administration.name), Heads()
        client.listen(heard[administration.name])
        every.append(read_books(client, config, administration))
    answers = Heads()
    with only_reading(engine, connect, config, daily_tokens) as pipedrive:
        pipedrive.listen(answers)
        account = read_account(pipedrive)
        ledger = pipedrive.ledger
    sellers = [row for books in every for row in salespeople(books, account, config)]
    found: Found = {
        "read_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "administrations": [_administration(books, config) for books in every],
        "status_combinations": [row for books in every for row in status_combinations(books, config)],
        "held_orders": [row for books in every for row in held_orders(books, config)],
        "salespeople": sellers,
        "salespeople_yaml": settings_lines(sellers),
        "owners": owners(every, account, config),
        "customers": [customers(books) for books in every],
        "items": [items(books) for books in every],
        "orders": [orders(books, config) for books in every],
        "migration": migration(every, account, config),
        "plans": plans(every, account, config, burst=ledger.burst),
        "clocks": {
            "exact_online": _seconds(next((one.ahead for one in heard.values() if one.ahead is not None), None)),
            "pipedrive": _seconds(answers.ahead),
        },
        "limits": {
            "exact_online": [{"administration": name, **_calls_left(one)} for name, one in heard.items()],
            "pipedrive": {
                "tokens_a_day": ledger.limit,
                "tokens_left": ledger.remaining,
                "is_told": ledger.is_told,
                "requests_in_two_seconds": ledger.burst,
                "tokens_of_this_look": ledger.spent,
            },
        },
        "unseen": [sentence for side in (*every, account) for sentence in side.unseen],
    }
    return {**found, "findings": findings(found)}


def status_combinations(books: Books, config: Config) -> list[Found]:
    """The combinations of three status words, the most frequent first, each with the rule that takes it."""
    numbers: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for seen in books.orders.values():
        order = seen.order
        numbers[order.status, order.delivery_status, order.invoice_status].append(order.order_number)
    found = []
    for words, standing in sorted(numbers.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        decided = deciding_rule(*words, config.rules)
        found.append(
            {
                "administration": books.administration,
                **dict(zip(("status", "delivery", "invoice"), words, strict=True)),
                "orders": len(standing),
                "examples": standing[:EXAMPLES],
                "rule": decided[0] if decided else None,
                "outcome": decided[1].then.value if decided else None,
                "is_covered": decided is not None,
            }
        )
    return found


def held_orders(books: Books, config: Config) -> list[Found]:
    """The reasons for which orders would wait, with how many and which."""
    customers_held = why_customers_are_held(books.mirrored())
    reasons: dict[str, list[str]] = defaultdict(list)
    for seen in books.orders.values():
        if why := reason_to_wait(seen, customers_held, config):
            reasons[why].append(seen.order.order_number)
    ranked = sorted(reasons.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [
        {
            "administration": books.administration,
            "reason": why,
            "orders": len(numbers),
            "examples": numbers[:EXAMPLES],
        }
        for why, numbers in ranked
    ]


def salespeople(books: Books, account: Account, config: Config) -> list[Found]:
    """Everybody who sells or manages a customer, with the user of Pipedrive, if there is one."""
    sold = Counter((seen.order.salesperson_id or "").lower() for seen in books.orders.values())
    managed = Counter((row.account_manager_id or "").lower() for row in books.accounts.values())
    ranked = sorted(books.people, key=lambda person: (-sold[person], -managed[person], person))
    return [
        {
            "administration": books.administration,
            "salesperson_id": person,
            "name": books.people[person],
            "orders": sold[person],
            "customers": managed[person],
            "e_mail": config.owner_e_mails.get(person),
            "e_mail_in_exact": books.e_mails.get(person),
            "user": user_of(config.owner_e_mails.get(person), account),
        }
        for person in ranked
    ]


def user_of(e_mail: str | None, account: Account) -> str:
    """What stands in Pipedrive for an address of pipeline.yaml."""
    if e_mail is None:
        return "not in pipeline.yaml"
    if account.users is None:
        return "not seen"
    user = account.users.get(e_mail)
    return "no such user" if user is None else "active" if user.is_active else "deactivated"


def settings_lines(sellers: Iterable[Found]) -> list[str]:
    """Lines for pipeline.yaml: of all administrations' salespeople those without an active user, each once."""
    lacking: dict[str, Unmapped] = {}
    for row in sellers:
        if row["user"] not in {"active", "not seen"}:
            known = lacking.get(row["salesperson_id"])
            orders = row["orders"] + (known.orders if known else 0)
            e_mail = row["e_mail_in_exact"] or (known.e_mail if known else None)
            lacking[row["salesperson_id"]] = Unmapped(row["salesperson_id"], row["name"], e_mail, orders)
    return lines_for_settings(list(lacking.values()))


def owners(every: Iterable[Books], account: Account, config: Config) -> list[Found]:
    """Who would own how many deals by the whole chain: salesperson, account manager, default, the token's own user."""
    schema = Schema(users=account.users or {})
    names = {user.user_id: e_mail for e_mail, user in schema.users.items()}
    counted: Counter[str | None] = Counter()
    for books in every:
        for seen in books.orders.values():
            chain = owner_e_mails(seen.order, config.owner_e_mails, config.default_owner)
            counted[names.get(schema.owner(chain) or 0)] += 1
    return [{"owner": owner, "orders": orders} for owner, orders in counted.most_common()]


def customers(books: Books) -> Found:
    """What is wrong with customers that are mirrored."""
    mirrored = sorted(books.mirrored(), key=lambda customer: (customer.debtor_code or "", customer.customer_id))
    return {
        "administration": books.administration,
        "mirrored": len(mirrored),
        "without_code": _customers([one for one in mirrored if one.debtor_code is None]),
        "shared_codes": _customers([one for group in shared_codes(mirrored) for one in group]),
        "codes_alike": _customers([one for group in codes_alike(mirrored) for one in group]),
        "long_codes": _customers(long_codes(mirrored)),
        "without_name": _customers([one for one in mirrored if not one.name]),
        "without_country": _customers([one for one in mirrored if not one.country_code]),
    }


def items(books: Books) -> Found:
    """The catalogue: items without a group, and item groups against the options a field takes."""
    ungrouped = [item for key, item in books.items.items() if _is_mirrored(books, key) and not item.item_group_code]
    labels = Counter(books.groups.values())
    return {
        "administration": books.administration,
        "mirrored": sum(_is_mirrored(books, key) for key in books.items),
        "not_in_the_catalogue": len(books.ordered.keys() - books.items.keys()),
        "without_group": {
            "items": len(ungrouped),
            "examples": sorted(item.code or item.name for item in ungrouped)[:MOST_SHOWN],
        },
        "groups": len(books.groups),
        "groups_on_orders": len(books.orders_of_groups),
        "most_options": MOST_OPTIONS,
        "groups_of_one_name": sorted(label for label, groups in labels.items() if groups > 1),
        "groups_alike": alike_but_for_capitals(books.groups.values()),
        "codes_alike": alike_but_for_capitals(item.code for item in books.items.values() if item.code),
    }


def orders(books: Books, config: Config) -> Found:
    """How many orders there are in each month, and how long they are."""
    months = Counter(f"{seen.day:%Y-%m}" for seen in books.orders.values() if seen.day)
    home = config.administration(books.administration).currency
    foreign = Counter(seen.currency for seen in books.orders.values() if seen.currency != home)
    return {
        "administration": books.administration,
        "orders": len(books.orders),
        "months": [{"month": month, "orders": count} for month, count in sorted(months.items())],
        "lines_an_order": asdict(spread(seen.lines for seen in books.orders.values())),
        "without_lines": sum(not seen.lines for seen in books.orders.values()),
        "other_currencies": [{"currency": code, "orders": count} for code, count in foreign.most_common()],
    }


def findings(found: Found) -> list[Found]:
    """What somebody should look at, each with how many there are of it; empty when nothing is."""
    lists = ("without_code", "shared_codes", "codes_alike", "long_codes", "without_name", "without_country")
    counts = {
        "uncovered_orders": sum(row["orders"] for row in found["status_combinations"] if not row["is_covered"]),
        "held_orders": sum(row["orders"] for row in found["held_orders"]),
        "salespeople_without_user": sum(row["user"] not in {"active", "not seen"} for row in found["salespeople"]),
        **{f"customers_{name}": sum(row[name]["customers"] for row in found["customers"]) for name in lists},
        "items_without_group": sum(row["without_group"]["items"] for row in found["items"]),
        "groups_alike": sum(len(row["groups_alike"]) for row in found["items"]),
        "item_codes_alike": sum(len(row["codes_alike"]) for row in found["items"]),
        "too_many_groups": sum(max(0, row["groups"] - MOST_OPTIONS) for row in found["items"]),
        "orders_in_other_currencies": sum(row["orders"] for one in found["orders"] for row in one["other_currencies"]),
        "fields_of_another_type": len(found["migration"]["fields_of_another_type"]),
        "clocks_apart": sum(abs(seconds or 0) > APART for seconds in found["clocks"].values()),
    }
    return [{"finding": name, "count": count} for name, count in counts.items() if count]


def _administration(books: Books, config: Config) -> Found:
    return {
        "name": books.administration,
        "division": config.administration(books.administration).division,
        "months_read": [f"{month:%Y-%m}" for month in sorted(books.read)],
        "months_not_read": [f"{month:%Y-%m}" for month in sorted(books.unread)],
        "exact_calls": books.calls,
    }


def _customers(found: Sequence[Customer]) -> Found:
    shown = [
        {"debtor_code": one.debtor_code, "customer": one.name, "customer_id": one.customer_id}
        for one in found[:MOST_SHOWN]
    ]
    return {"customers": len(found), "examples": shown}


def _is_mirrored(books: Books, key: str) -> bool:
    return books.items[key].is_sales_item or key in books.ordered


def _seconds(ahead: float | None) -> int | None:
    return None if ahead is None else round(ahead)


def _calls_left(heads: Heads) -> Found:
    windows = (("minute", heads.exact.minute), ("day", heads.exact.day))
    told = ({f"{name}_limit": one and one.limit, f"{name}_left": one and one.left} for name, one in windows)
    return {key: value for part in told for key, value in part.items()}
