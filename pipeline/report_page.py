"""The analysts' page of `pipeline report`: what was found, as sections of charts and tables in one language."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial

from pipeline import page
from pipeline.language import Language, amount, day, month, number, reason, share
from pipeline.page import Section
from pipeline.report_words import said
from pipeline.steps.pictures import AGES, Pivot
from pipeline.steps.report import Found, Rows

_OPEN = {"new", "backorder", "shipped", "held"}


def report_page(found: Found, language: Language) -> str:
    """The whole page."""
    word = partial(said, language)
    intro = [word("made_at", at=f"{found.made_at:%d-%m-%Y %H:%M}", names=", ".join(found.administrations))]
    for name in found.administrations:
        at = found.read_at.get(name)
        intro.append(word("read_at", name=name, at=f"{at:%d-%m-%Y %H:%M}") if at else word("never_read", name=name))
    return page.page(language, word("title"), [*intro, word("all_excl_vat")], sections(found, language))


def sections(found: Found, language: Language) -> Iterable[Section]:
    """All sections in their order, also those of which there is nothing yet: they say so."""
    yield from _revenue(found, language)
    for pivot in found.revenue:
        yield _customers(pivot, found.customers[pivot.currency], language)
        yield _salespeople(pivot, found.salespeople[pivot.currency], language)
    for part in (_dormant, _funnel, _reconciliation, _tokens, _migration, _held):
        yield part(found, language)


def _revenue(found: Found, language: Language) -> Iterable[Section]:
    word, charts = partial(said, language), found.charts["marts.revenue_per_category"]
    if not found.revenue:
        yield Section(word("revenue", currency="").removesuffix(" ()"), charts=charts)
    for pivot, chart in zip(found.revenue, charts, strict=False):
        says = (
            [word("later", month=month(language, pivot.places[-1]), amount=amount(language, pivot.later),
                  currency=pivot.currency)] if pivot.later else []
        )  # fmt: skip
        columns = [word("month"), *(name for name, _ in pivot.series), word("total")]
        rows = [
            [
                month(language, place),
                *(amount(language, values[n]) for _, values in pivot.series),
                amount(language, sum_),
            ]
            for n, (place, sum_) in enumerate(zip(pivot.places, pivot.totals, strict=True))
        ]
        rows.append([word("total"), *(amount(language, sum(values)) for _, values in pivot.series),
                     amount(language, sum(pivot.totals))])  # fmt: skip
        title = word("revenue", currency=pivot.currency)
        yield Section(title, says, columns, rows, charts=[chart], figures=_from(1, columns))


def _customers(pivot: Pivot, found: Rows, language: Language) -> Section:
    word = partial(said, language)
    rows = [
        (row.administration, row.debtor_code or "", _name(row.customer, row.customer_id, word("customer_none")),
         number(language, row.orders), amount(language, row.revenue), share(language, row.share))
        for row in found
    ]  # fmt: skip
    columns = _words(language, "administration", "debtor_code", "customer", "count_orders", "revenue_column", "share")
    says = [_period(pivot, found, language)]
    return Section(word("customers", currency=pivot.currency), says, columns, rows, figures=_from(3, columns))


def _salespeople(pivot: Pivot, found: Rows, language: Language) -> Section:
    word = partial(said, language)
    rows = [
        (row.administration, _name(row.salesperson, row.salesperson_id, word("salesperson_none")),
         number(language, row.orders), amount(language, row.revenue), share(language, row.share))
        for row in found
    ]  # fmt: skip
    columns = _words(language, "administration", "salesperson", "count_orders", "revenue_column", "share")
    says = [_period(pivot, found, language)]
    return Section(word("sellers", currency=pivot.currency), says, columns, rows, figures=_from(2, columns))


def _dormant(found: Found, language: Language) -> Section:
    word, shown = partial(said, language), partial(number, language)
    if not found.dormant:
        return Section(word("dormant"), [word("no_dormant")])
    rows = [
        (" ".join(filter(None, (row.debtor_code, row.customer))) or row.customer_id, row.account_manager or "",
         day(row.last_order_date), shown(row.days_since_last_order),
         "" if row.usual_days_between_orders is None else shown(row.usual_days_between_orders),
         word("yes" if row.is_dormant else "no"),
         f"{amount(language, row.revenue_year_to_last_order_excl_vat)} {row.currency}")
        for row in found.dormant
    ]  # fmt: skip
    names = ("customer", "account_manager", "last_order", "silent_days", "usual_days", "is_dormant", "at_stake")
    says = [word("dormant_says")]
    if (count := found.dormant[0].listed) > len(rows):
        says.append(word("only_first", shown=shown(len(rows)), count=shown(count)))
    return Section(word("dormant"), says, _words(language, *names), rows, figures=frozenset({3, 4, 6}))


def _funnel(found: Found, language: Language) -> Section:
    shown = partial(number, language)
    rows = [
        (said(language, row.stage), row.currency, shown(row.orders), amount(language, row.value),
         *((shown(getattr(row, age)) for age in AGES) if row.stage in _OPEN else [""] * len(AGES)),
         "" if row.oldest_days is None else shown(row.oldest_days))
        for row in found.funnel
    ]  # fmt: skip
    columns = _words(language, "stage", "currency", "count_orders", "value", *AGES, "oldest")
    charts = found.charts["marts.order_status"]
    return Section(said(language, "funnel"), (), columns, rows, charts=charts, figures=_from(2, columns))


def _reconciliation(found: Found, language: Language) -> Section:
    word, shown = partial(said, language), partial(number, language)
    if not found.reconciliation:
        return Section(word("reconciliation"), [word("not_reconciled")])
    unexplained = sum(row.unexplained for row in found.reconciliation)
    sides = ("exact", "erp", "crm", "pipedrive")
    rows = [
        (f"{row.administration} {month(language, row.month)}", row.currency,
         *(_both(language, getattr(row, f"orders_in_{side}"), getattr(row, f"value_in_{side}")) for side in sides),
         shown(row.differing), shown(row.unexplained))
        for row in found.reconciliation
    ]  # fmt: skip
    columns = _words(language, "month", "currency", *(f"in_{side}" for side in sides), "differing", "unexplained")
    says = [word("unexplained_says", count=shown(unexplained)) if unexplained else word("reconciled_says")]
    marked = frozenset(place for place, row in enumerate(found.reconciliation) if row.unexplained)
    loud, figures = bool(unexplained), _from(2, columns)
    return Section(word("reconciliation"), says, columns, rows, is_loud=loud, marked=marked, figures=figures)


def _tokens(found: Found, language: Language) -> Section:
    shown = partial(number, language)
    rows = [
        (day(row.budget_day), shown(row.requests), shown(row.tokens), "" if row.budget is None else shown(row.budget))
        for row in found.tokens
    ]
    columns = _words(language, "day", "requests", "tokens_column", "budget_column")
    charts = found.charts["marts.crm_token_usage"]
    return Section(said(language, "tokens"), (), columns, rows, charts=charts, figures=_from(1, columns))


def _migration(found: Found, language: Language) -> Section:
    shown = partial(number, language)
    rows = [
        (f"{row.administration} {month(language, row.month)}",
         "" if row.orders_in_exact is None else shown(row.orders_in_exact), shown(row.deals), shown(row.deals_to_go),
         shown(row.rows_to_go), shown(row.tokens_to_go), day(row.done_on))
        for row in found.migration
    ]  # fmt: skip
    names = ("month", "in_exact", "deals_there", "deals_left", "rows_left", "tokens_to_go", "done_on")
    columns, charts = _words(language, *names), found.charts["marts.migration"]
    return Section(said(language, "migration"), (), columns, rows, charts=charts, figures=_from(1, columns))


def _held(found: Found, language: Language) -> Section:
    word, shown = partial(said, language), partial(number, language)
    if not found.held:
        return Section(word("held_orders"), [word("no_held")])
    rows = [
        (row.administration, row.order_number or "", reason(language, row.reason), day(row.since)) for row in found.held
    ]
    columns = _words(language, "administration", "order_number", "reason", "since")
    count = found.held[0].listed
    says = [word("only_first", shown=shown(len(rows)), count=shown(count))] if count > len(rows) else []
    return Section(word("held_orders"), says, columns, rows, is_loud=True, figures=frozenset({3}))


def _period(pivot: Pivot, found: Rows, language: Language) -> str:
    ends = {"first": month(language, pivot.places[0]), "last": month(language, pivot.places[-1])}
    count = found[0].listed if found else 0
    if count <= len(found):
        return said(language, "period", **ends)
    return said(language, "first_of", shown=number(language, len(found)), count=number(language, count), **ends)


def _both(language: Language, orders: int | None, value: Decimal | None) -> str:
    """Orders and their value in one cell."""
    return "" if orders is None else f"{number(language, orders)} · {amount(language, value or 0)}"


def _name(name: str | None, key: str, nobody: str) -> str:
    return nobody if key == "-" else name or key


def _words(language: Language, *keys: str) -> Sequence[str]:
    return [said(language, key) for key in keys]


def _from(place: int, columns: Sequence[str]) -> frozenset[int]:
    """All columns from that one on."""
    return frozenset(range(place, len(columns)))
