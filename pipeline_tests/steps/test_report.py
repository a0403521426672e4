"""The analysts' page and the charts in Dagster: what they show of the marts, whatever stands in those."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from pipeline.assets.pictures import pictured
from pipeline.cli import app
from pipeline.language import SHARED, Language, amount, day, month, number, share
from pipeline.report_page import report_page
from pipeline.report_words import WORDS
from pipeline.steps.pictures import PICTURES
from pipeline.steps.report import look
from pipeline.warehouse.tables import marts as tables
from pipeline.warehouse.tables import metadata
from pipeline.warehouse.writing import upsert
from pipeline_tests.pages import Parsed

TODAY = date(2026, 3, 31)
SCRIPT = "<script>alert('kwaad')</script> & \"Zn.\""
NOW = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)


def put(engine: Engine, table: str, **row: Any) -> None:
    """A row, with zero, nothing or `nl` in what it does not say."""
    blanks = {"INTEGER": 0, "BIGINT": 0, "NUMERIC": 0, "BOOLEAN": False, "TEXT": "nl"}
    columns = metadata.tables[table].columns
    blank = {
        column.name: None if column.nullable else blanks.get(str(column.type).partition("(")[0]) for column in columns
    }
    with engine.begin() as tx:
        upsert(tx, metadata.tables[table], [blank | row])


def revenue(engine: Engine, month: date, group: str, value: str, currency: str = "EUR", *, who: str = "c1") -> None:
    """Revenue in all three marts."""
    row = {"month": month, "currency": currency, "revenue_excl_vat": value, "orders": 1}
    put(engine, "marts.revenue_per_category", item_group_code=group, item_group=group, **row)
    put(engine, "marts.revenue_per_customer", customer_id=f"{who}{group}", debtor_code="100", customer=group, **row)
    put(engine, "marts.revenue_per_salesperson", salesperson_id=f"s{group}", salesperson=group, **row)


@pytest.fixture(scope="module")
def filled(shared_engine: Engine) -> Engine:
    """A bit of everything, with names that are none."""
    engine = shared_engine
    revenue(engine, date(2026, 3, 1), SCRIPT, "1234567.89")
    revenue(engine, date(2026, 2, 1), SCRIPT, "-50.5")
    revenue(engine, date(2025, 1, 1), "te oud", "7777.77")
    revenue(engine, date(2031, 1, 1), "te vroeg", "88.88")
    revenue(engine, date(2026, 3, 1), "-", "2000")
    revenue(engine, date(2026, 3, 1), "dollars", "1000", "USD")
    for group in range(10):
        revenue(engine, date(2026, 1, 1), f"groep {group}", str(100 + group))
    put(engine, "marts.dormant_customers", customer_id="c1", customer=SCRIPT, last_order_date=date(2025, 12, 31),
        days_since_last_order=90, usual_days_between_orders="7.5", times_usual=12, is_quiet=True,
        revenue_year_to_last_order_excl_vat="9876.54", currency="EUR")  # fmt: skip
    put(engine, "marts.dormant_customers", customer_id="c2", customer="Vlijtig", last_order_date=TODAY, currency="EUR")
    put(engine, "marts.order_status", stage="new", currency="EUR", orders=3, value_excl_vat="12.5", open_over_90_days=2,
        open_up_to_7_days=1, oldest_days=120)  # fmt: skip
    put(engine, "marts.order_status", stage="won", currency="EUR", orders=5, value_excl_vat="1000")
    put(engine, "marts.reconciliation", month=date(2026, 3, 1), currency="EUR", orders_in_exact=3, value_in_exact=10,
        orders_in_erp=2, value_in_erp=8, differing=1, unexplained=1)  # fmt: skip
    put(engine, "marts.crm_token_usage", budget_day=TODAY, purpose="deals", requests=12, tokens=34567, budget=30000)
    put(engine, "marts.migration", month=date(1900, 1, 1), orders=4, deals=1, deals_to_go=3, rows_to_go=4,
        tokens_to_go=99, done_on=date(2026, 4, 2))  # fmt: skip
    put(
        engine, "crm.held", entity="order", key="o1", number=SCRIPT, reason="the customer has no debtor code", since=NOW
    )
    with engine.begin() as tx:
        tx.execute(text("INSERT INTO state.watermarks VALUES ('nl', 'order_changes', '1', :now)"), {"now": NOW})
    return engine


def made(engine: Engine, language: Language = Language.NL) -> Parsed:
    return Parsed(report_page(look(engine, ["nl", "be"], language, today=TODAY), language))


def test_the_page_shows_all_of_it_in_dutch_and_stands_alone(filled: Engine):
    page = made(filled)
    assert page.open == []
    assert [page.tags[tag] for tag in ("script", "link", "img", "image", "use", "iframe")] == [0] * 6
    assert page.references == []
    assert page.text.count(SCRIPT) >= 5  # group, customer, salesperson, dormant customer, held order
    for words in (
        "administraties: nl, be",
        "nl: orders uit Exact Online gelezen op 31-03-2026 09:30 (UTC)",
        "be: er is nog niets gelezen",
        "Omzet per categorie en maand (EUR)",
        "Omzet per categorie en maand (USD)",
        "1.234.567,89",
        "-50,50",
        "Na mrt 2026 is er nog 88,88 EUR",
        "mrt 2025 tot en met mrt 2026",
        "zonder groep",
        "overige",
        "31-12-2025",
        "7,5",
        "9.876,54 EUR",
        "120",
        "34.567",
        "nl zonder datum",
        "02-04-2026",
        "1 orders staan niet overal gelijk",
        "de klant heeft geen debiteurnummer",
    ):
        assert words in page.text
    assert [word for word in ("7.777,77", "te oud", "Vlijtig", "NaN", "None") if word in page.text] == []


def test_the_page_is_in_english_too(filled: Engine):
    page = made(filled, Language.EN)
    for words in ("Revenue by category and month (EUR)", "1,234,567.89", "31-12-2025", "Mar 2026", "no debtor code"):
        assert words in page.text
    assert [words for words in ("Omzet", "Klant", "debiteurnummer") if words in page.text] == []


def test_the_months_add_up_to_the_marts_and_no_currency_is_mixed_with_another(filled: Engine):
    dollars, euros = sorted(look(filled, ["nl"], Language.NL, today=TODAY).revenue, key=lambda pivot: pivot.totals[-1])
    assert (dollars.currency, dollars.totals[-3:], dollars.later) == ("USD", [0, 0, 1000], 0)
    months = [Decimal(1045), Decimal("-50.50"), Decimal("1236567.89")]
    assert (euros.currency, euros.totals, euros.later) == ("EUR", [0] * 10 + months, Decimal("88.88"))
    assert (len(euros.series), euros.series[-1][0]) == (7, "overige")
    assert (euros.places[0], euros.places[-1]) == (date(2025, 3, 1), date(2026, 3, 1))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (amount(Language.NL, Decimal("-1234567.5")), "-1.234.567,50"),
        (amount(Language.EN, Decimal("-1234567.5")), "-1,234,567.50"),
        (amount(Language.NL, None), ""),
        (number(Language.NL, Decimal("1234.5")), "1.234,5"),
        (number(Language.EN, 1234), "1,234"),
        (number(Language.NL, None), "onbekend"),
        (share(Language.NL, Decimal("0.12345")), "12,3%"),
        (share(Language.EN, Decimal("-0.001")), "-0.1%"),
        (day(date(2026, 12, 31)), "31-12-2026"),
        (month(Language.NL, date(2026, 5, 1)), "mei 2026"),
        (month(Language.EN, date(1900, 1, 1)), "without a date"),
    ],
)
def test_numbers_and_days_are_written_as_the_language_has_them(shown: str, expected: str):
    assert shown == expected


@pytest.mark.parametrize("language", Language)
def test_an_empty_warehouse_has_a_page_and_charts_that_say_so(engine: Engine, language: Language):
    page = made(engine, language)
    for key in ("no_revenue", "no_tokens", "no_open_orders", "nothing_yet", "no_dormant", "not_reconciled", "no_held"):
        assert WORDS[key][0 if language == Language.NL else 1] in page.text
    assert page.tags["table"] <= 3


def test_a_quiet_run_links_to_the_chart_and_does_not_store_it_again(engine: Engine):
    def chart(changed: int, later: timedelta = timedelta()) -> str:
        return pictured(engine, tables.order_status, changed, now=NOW + later)["chart"].value

    drawn = chart(1)
    assert drawn.startswith("![chart](data:image/svg+xml;base64,")
    link = "(/assets/marts/order_status?view=events&asOf="
    assert link in chart(0)
    assert link in chart(1)  # the table was written anew, and looks the same
    put(engine, "marts.order_status", stage="new", currency="EUR", orders=1, open_over_90_days=1)
    assert link in chart(0)
    other = chart(1)
    assert other.startswith("![chart]")
    assert other != drawn
    assert chart(0, timedelta(days=2)) == other  # the run that has it may be pruned by then
    assert pictured(engine, tables.differences, 1) == {}


def test_the_backlog_is_drawn_however_old_its_months_are(engine: Engine):
    def told() -> str:
        with engine.connect() as connection:
            (chart,) = PICTURES["marts.migration"](connection, Language.EN)
        return ElementTree.fromstring(chart)[1].text or ""

    months = [date(2016 + place // 12, place % 12 + 1, 1) for place in range(60)]
    for first in months[30:]:
        put(engine, "marts.migration", month=first, orders=5, deals=5)
    assert told() == "Everything is in Pipedrive."
    for first in months[:30]:
        put(engine, "marts.migration", month=first, orders=5, deals=1, deals_to_go=4, rows_to_go=5)
    bars = told().split("; ")
    assert (len(bars), bars[0], bars[1], bars[-1]) == (25, "earlier: 54", "Jul 16: 9", "Jun 18: 9")


@pytest.mark.parametrize("table", PICTURES)
def test_a_chart_is_small_and_whole(filled: Engine, table: str):
    with filled.connect() as connection:
        for chart in PICTURES[table](connection, Language.EN):
            assert len(chart) < 8_000
            assert ElementTree.fromstring(chart)[0].text


def test_the_command_writes_the_page_or_says_why_not(filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAREHOUSE_URL", filled.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    file = tmp_path / "report.html"
    file.write_text("the one before")
    done = CliRunner().invoke(app, ["report", "--to", str(file), "--language", "en"])
    assert (done.exit_code, done.stdout) == (0, f"Written to {file}\n")
    assert Parsed(file.read_text("utf-8")).tags["table"] > 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "report.html"]
    wrong = CliRunner().invoke(app, ["report", "--to", str(tmp_path / "nowhere" / "report.html")])
    assert (wrong.exit_code, "Cannot write" in wrong.stderr) == (1, True)
    assert CliRunner().invoke(app, ["report", "--to", str(file), "--language", "fr"]).exit_code == 2


@pytest.mark.parametrize("words", [SHARED, WORDS], ids=["shared", "report"])
def test_a_sentence_has_the_same_places_in_both_languages(words: dict[str, tuple[str, str]]):
    def places(sentence: str) -> list[str]:
        return sorted(part.split("}")[0] for part in sentence.split("{")[1:])

    assert [key for key, (dutch, english) in words.items() if places(dutch) != places(english)] == []
