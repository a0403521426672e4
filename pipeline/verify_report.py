"""What `pipeline verify` found as sections of sentences and tables, the same for a terminal and a page."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from pipeline.language import Language, number, reason
from pipeline.page import Section
from pipeline.verify_words import said

_FAULTS = ("without_code", "shared_codes", "codes_alike", "long_codes", "without_name", "without_country")
_EXAMPLES = 10

Found = Any  # what `steps/verify.py` gives


def report(found: Found, language: Language) -> list[Section]:
    """All sections in their order; those without content are left out."""
    parts = (_findings, _unseen, _statuses, _held, _salespeople, _settings, _owners, _customers, _items, _orders)
    sections = [part(found, language) for part in (*parts, _migration, _plans, _limits)]
    return [section for section in sections if not section.is_empty]


def _findings(found: Found, language: Language) -> Section:
    word, shown = partial(said, language), partial(number, language)
    rows = [(shown(row["count"]), word(row["finding"])) for row in found["findings"]]
    return Section(word("findings"), () if rows else (word("no_findings"),), (word("count"), word("what")), rows)


def _unseen(found: Found, language: Language) -> Section:
    if not found["unseen"]:
        return Section(said(language, "unseen"))
    return Section(said(language, "unseen"), (said(language, "unseen_says"), *found["unseen"]), is_loud=True)


def _statuses(found: Found, language: Language) -> Section:
    word, shown, combinations = partial(said, language), partial(number, language), found["status_combinations"]
    rows = [
        (
            row["administration"],
            *(word(row[name]) for name in ("status", "delivery", "invoice")),
            shown(row["orders"]),
            str(row["rule"]) if row["is_covered"] else word("uncovered"),
            word(row["outcome"]) if row["is_covered"] else "",
            ", ".join(row["examples"]),
        )
        for row in combinations
    ]
    columns = ("administration", "status", "delivery", "invoice", "count_orders", "rule", "deal", "examples")
    marked = frozenset(place for place, row in enumerate(combinations) if not row["is_covered"])
    return Section(
        word("statuses"), (word("statuses_says"),), [word(name) for name in columns], rows, (), bool(marked), marked
    )


def _held(found: Found, language: Language) -> Section:
    word, shown = partial(said, language), partial(number, language)
    rows = [
        (row["administration"], reason(language, row["reason"]), shown(row["orders"]), ", ".join(row["examples"]))
        for row in found["held_orders"]
    ]
    columns = ("administration", "reason", "count_orders", "examples")
    return Section(word("held"), (), [word(name) for name in columns], rows)


def _salespeople(found: Found, language: Language) -> Section:
    word, shown, people = partial(said, language), partial(number, language), found["salespeople"]
    rows = [
        (
            row["administration"],
            row["name"] or row["salesperson_id"],
            shown(row["orders"]),
            shown(row["customers"]),
            row["e_mail"] or "",
            word(row["user"]),
        )
        for row in people
    ]
    columns = ("administration", "salesperson", "count_orders", "count_customers", "e_mail", "user")
    marked = frozenset(place for place, row in enumerate(people) if row["user"] not in {"active", "not seen"})
    return Section(word("salespeople"), (), [word(name) for name in columns], rows, marked=marked)


def _settings(found: Found, language: Language) -> Section:
    return Section(said(language, "settings"), copied=found["salespeople_yaml"])


def _owners(found: Found, language: Language) -> Section:
    word, shown = partial(said, language), partial(number, language)
    rows = [(row["owner"] or word("not_told"), shown(row["orders"])) for row in found["owners"]]
    return Section(word("owners"), (word("owners_says"),), (word("owner"), word("count_orders")), rows)


def _customers(found: Found, language: Language) -> Section:
    word, shown = partial(said, language), partial(number, language)
    says = [
        word("customers_says", name=row["administration"], mirrored=shown(row["mirrored"]))
        for row in found["customers"]
    ]
    rows = [
        (
            row["administration"],
            word(fault),
            shown(row[fault]["customers"]),
            _some(map(_customer, row[fault]["examples"])),
        )
        for row in found["customers"]
        for fault in _FAULTS
        if row[fault]["customers"]
    ]
    columns = ("administration", "what", "count_customers", "examples")
    return Section(word("customers"), says, [word(name) for name in columns], rows)


def _items(found: Found, language: Language) -> Section:
    word, shown, says = partial(said, language), partial(number, language), []
    for row in found["items"]:
        name, ungrouped = row["administration"], row["without_group"]
        counts = {"mirrored": row["mirrored"], "ungrouped": ungrouped["items"], "missing": row["not_in_the_catalogue"]}
        counts |= {"groups": row["groups"], "used": row["groups_on_orders"], "most": row["most_options"]}
        examples = f"({_some(ungrouped['examples'])})" if ungrouped["examples"] else ""
        filled = {key: shown(count) for key, count in counts.items()}
        says.append(
            " ".join(word("items_says", name=name, ungrouped_shown=examples, **filled).split()).replace(" ;", ";")
        )
        alike = [", ".join(group) for group in (*row["groups_alike"], *row["codes_alike"])]
        says += [word("alike_says", name=name, alike=_some(alike, "; "))] if alike else []
        labels = row["groups_of_one_name"]
        says += [word("one_name_says", name=name, labels=_some(labels))] if labels else []
    return Section(word("items"), says)


def _orders(found: Found, language: Language) -> Section:
    word, shown, says = partial(said, language), partial(number, language), []
    for row in found["orders"]:
        foreign = (f"{one['currency']} {shown(one['orders'])}" for one in row["other_currencies"])
        counts = {"orders": row["orders"], "without_lines": row["without_lines"], **row["lines_an_order"]}
        filled = {key: shown(count) for key, count in counts.items()}
        currencies = ", ".join(foreign) or word("none")
        says.append(word("orders_says", name=row["administration"], currencies=currencies, **filled))
    rows = [
        (row["administration"], month["month"], shown(month["orders"]))
        for row in found["orders"]
        for month in row["months"]
    ]
    return Section(word("orders"), says, [word(name) for name in ("administration", "month", "count_orders")], rows)


def _migration(found: Found, language: Language) -> Section:
    counts = {key: number(language, count) for key, count in found["migration"].items() if isinstance(count, int)}
    conflicts = [
        said(language, "conflict_says", field=one["field"], entity=one["entity"], kind=one["is"])
        for one in found["migration"]["fields_of_another_type"]
    ]
    says = (said(language, "migration_says", **counts), *conflicts)
    return Section(said(language, "migration"), says, is_loud=bool(conflicts))


def _plans(found: Found, language: Language) -> Section:
    word, shown = partial(said, language), partial(number, language)

    def room(count: int, most: int) -> str:
        return word("of" if count <= most else "too_many", count=shown(count), most=shown(most))

    rows = [
        (
            word("this_account", plan=row["plan"]) if row["is_this_account"] else row["plan"],
            shown(row["tokens_a_day"]),
            word("never") if row["days"] is None else shown(row["days"]),
            room(row["deals"], row["deals_allowed"]),
            room(row["fields"], row["fields_allowed"]),
            _group_fields(row, language),
        )
        for row in found["plans"]
    ]
    columns = ("plan", "tokens_a_day", "days", "deals", "fields", "group_fields")
    says = (word("plans_says", seats=shown(found["plans"][0]["seats"])),)
    marked = frozenset(
        place for place, row in enumerate(found["plans"]) if not (row["deals_fit"] and row["fields_fit"])
    )
    return Section(word("plans"), says, [word(name) for name in columns], rows, marked=marked)


def _group_fields(row: Found, language: Language) -> str:
    out, every = row["item_groups_left_out"], number(language, row["item_group_fields"])
    if not out:
        return said(language, "all_fit", all=every)
    return said(language, "left_out", out=number(language, len(out)), all=every, groups=_some(out))


def _limits(found: Found, language: Language) -> Section:
    word, shown, limits = partial(said, language), partial(number, language), found["limits"]
    calls = {row["name"]: row["exact_calls"] for row in found["administrations"]}
    says = [
        word(
            "exact_says",
            name=row["administration"],
            calls=shown(calls[row["administration"]]),
            **{key: shown(row[key]) for key in ("minute_left", "minute_limit", "day_left", "day_limit")},
        )
        for row in limits["exact_online"]
    ]
    told = limits["pipedrive"]
    tokens = {"left": told["tokens_left"], "a_day": told["tokens_a_day"], "spent": told["tokens_of_this_look"]}
    says.append(word("pipedrive_says", **{key: shown(count) for key, count in tokens.items()}))
    for side, name in (("exact_online", "Exact Online"), ("pipedrive", "Pipedrive")):
        seconds = found["clocks"][side]
        known = "clock_unknown" if seconds is None else "clock_says"
        says.append(word(known, side=name, seconds=shown(seconds)))
    return Section(word("limits"), says)


def _customer(one: Found) -> str:
    return " ".join(filter(None, (one["debtor_code"], one["customer"]))) or one["customer_id"]


def _some(values: Iterable[str], between: str = ", ") -> str:
    """The first of them, and that there are more."""
    every = list(values)
    return between.join([*every[:_EXAMPLES], *(["…"] if len(every) > _EXAMPLES else [])])
