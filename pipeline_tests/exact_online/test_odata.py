"""How Exact Online writes things: shapes of `d`, dates, field names, and text that PostgreSQL refuses."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import RetryLater
from pipeline.exact_online import feeds
from pipeline.exact_online.odata import (
    any_of,
    datetime_literal,
    nested_rows,
    next_page,
    plain,
    record,
    rows_of,
    snake_case,
    storable,
)
from pipeline.warehouse.tables import exact_online as tables
from pipeline_tests.transform.frames import wall


@pytest.mark.parametrize(
    ("answer", "rows", "following"),
    [
        ({"d": [{"ID": 1}]}, [{"ID": 1}], None),
        ({"d": []}, [], None),
        ({"d": {"results": [{"ID": 1}]}}, [{"ID": 1}], None),
        ({"d": {"results": [], "__next": "https://x/?$skiptoken=1"}}, [], "https://x/?$skiptoken=1"),
        ({"d": {"ID": 1}}, [{"ID": 1}], None),
    ],
    ids=["a bare list", "an empty list", "a page", "a page with another behind it", "one record"],
)
def test_rows_and_the_next_page_are_found_in_every_shape(answer: Any, rows: list, following: str | None):
    assert (rows_of(answer), next_page(answer)) == (rows, following)


@pytest.mark.parametrize("answer", [{}, {"d": None}, {"error": {"code": ""}}, [], None, 7, {"d": "text"}], ids=repr)
def test_an_answer_without_data_is_asked_for_again(answer: Any):
    with pytest.raises(RetryLater, match="without data"):
        rows_of(answer)


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        ([{"ID": 1}], [{"ID": 1}]),
        ({"results": [{"ID": 1}]}, [{"ID": 1}]),
        ({"results": [{"ID": 1}], "__next": "more"}, None),
        ({"__deferred": {"uri": "x"}}, None),
        (None, None),
    ],
)
def test_an_expansion_that_is_not_whole_is_no_expansion(value: Any, rows: list | None):
    assert nested_rows(value) == rows


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("AmountFCExclVat", "amount_fc_excl_vat"),
        ("AmountDC", "amount_dc"),
        ("OrderID", "order_id"),
        ("ID", "id"),
        ("YourRef", "your_ref"),
        ("AddressLine1", "address_line1"),
        ("Class_01", "class_01"),
    ],
)
def test_a_field_becomes_a_column_name(field: str, column: str):
    assert snake_case(field) == column


@pytest.mark.parametrize(
    ("feed", "table"),
    [
        (feeds.ORDER_HISTORY, tables.order_history),
        (feeds.ORDER_CHANGES, tables.order_changes),
        (feeds.ORDER_LINE_CHANGES, tables.order_line_changes),
        (feeds.ACCOUNTS, tables.accounts),
        (feeds.ITEMS, tables.items),
        (feeds.items_with("Class_01"), tables.items),
        (feeds.ITEM_GROUPS, tables.item_groups),
        (feeds.ITEM_PRICES, tables.item_prices),
        (feeds.DELETIONS, tables.deletions),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_every_field_of_a_feed_has_its_column(feed: feeds.Feed, table: Any):
    columns = [column for _, column in feed.columns]
    landed_apart = {"salesperson_full_name", "account_manager_full_name"} & set(columns)
    assert set(columns) - landed_apart <= set(table.columns.keys())
    assert len(set(columns)) == len(columns)
    assert feed.select.split(",") == list(dict.fromkeys(field for field, _ in feed.columns))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/Date(1782345600000)/", wall("2026-06-25")),
        ("/Date(1782345600123)/", wall("2026-06-25 00:00:00.123000")),
        ("/Date(-86400000)/", wall("1969-12-31")),
        ("/Date(253402300799000)/", wall("9999-12-31 23:59:59")),
        ("/Date(x)/", "/Date(x)/"),
        ("Date(5)", "Date(5)"),
        (None, None),
        (5, 5),
        (True, True),
    ],
)
def test_a_date_is_a_wall_clock_time_without_a_zone(value: Any, expected: Any):
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Vaas", "Vaas"),
        ("", ""),
        ("NUL\x00 in between", "NUL in between"),
        ("\x00", ""),
        ("🌷 tulp", "🌷 tulp"),
        ("half \ud83c", "half "),
        ("\udf37 other half", " other half"),
        ("é\ud800\x00è", "éè"),
        ("line\nbreak\ttab", "line\nbreak\ttab"),
    ],
    ids=ascii,
)
def test_text_loses_only_what_postgresql_refuses(text: str, kept: str):
    assert (storable(text), plain(text)) == (kept, kept)


def test_an_emoji_that_json_wrote_in_two_halves_is_one_again():
    assert storable(json.loads(r'"\ud83c\udf37"')) == "🌷"


@settings(deadline=None, max_examples=200)
@given(text=st.text(st.characters()))
def test_whatever_the_text_postgresql_can_hold_it(text: str):
    kept = storable(text)
    assert "\x00" not in kept
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert storable(kept) == kept


def test_a_field_that_exact_left_out_is_empty():
    assert record({"OrderID": "a"}, (("OrderID", "order_id"), ("YourRef", "your_ref"))) == {
        "order_id": "a",
        "your_ref": None,
    }


@pytest.mark.parametrize(
    ("moment", "literal"),
    [
        (date(2026, 6, 25), "datetime'2026-06-25T00:00:00'"),
        (wall("2026-06-25 09:30"), "datetime'2026-06-25T09:30:00'"),
        (wall("2026-06-25 09:30:00.123000"), "datetime'2026-06-25T09:30:00.123000'"),
    ],
)
def test_a_moment_as_a_filter_takes_it(moment: date, literal: str):
    assert datetime_literal(moment) == literal


@pytest.mark.parametrize(
    ("guids", "expression"), [(["a"], "OrderID eq guid'a'"), (["a", "b"], "OrderID eq guid'a' or OrderID eq guid'b'")]
)
def test_one_of_several_ids_is_a_chain_of_ors(guids: list[str], expression: str):
    assert any_of("OrderID", guids) == expression
