"""`erp.order_lines`: a whole reading of an order, what the feed said since, and the item group a line landed with."""

import json
from decimal import Decimal
from itertools import permutations
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transform.order_lines import to_order_lines
from pipeline_tests.transform.frames import LINE, changed_lines, deletions, floats_in, only_row, read_lines


def lines(
    read: pd.DataFrame | None = None,
    changed: pd.DataFrame | None = None,
    deleted: pd.DataFrame | None = None,
    *,
    known: dict[str, tuple[str | None, str | None]] | None = None,
    groups: dict[str, str | None] | None = None,
) -> pd.DataFrame:
    return to_order_lines(
        read_lines() if read is None else read,
        changed_lines() if changed is None else changed,
        deletions() if deleted is None else deleted,
        administration="nl",
        known_groups=known or {},
        groups_of_items=groups or {"vaas": "VAZEN"},
    )


def line(line_id: str = "line-1", **fields: Any) -> dict[str, Any]:
    return LINE | {"id": line_id} | fields


def landed(*found: dict[str, Any]) -> str:
    """Lines as they stand in the warehouse: JSON, numbers as text."""
    return json.dumps(found, default=str, ensure_ascii=False)


@pytest.mark.parametrize("as_text", [True, False], ids=["JSON text", "JSON read already"])
def test_a_line_is_one_row_in_our_own_words(as_text: bool):
    read = landed(line()) if as_text else json.loads(landed(line()))
    assert only_row(lines(read_lines(("order-1", 100, read)))) == {
        "administration": "nl",
        "line_id": "line-1",
        "order_id": "order-1",
        "line_number": 1,
        "product_id": "vaas",
        "item_code": "V-1",
        "description": "Vaas",
        "quantity": Decimal("2"),
        "net_price": Decimal("12.5"),
        "amount_excl_vat": Decimal("25.00"),
        "item_group_code": "VAZEN",
        "known_as_of": 100,
    }


def test_a_line_from_the_feed_looks_like_one_that_was_read():
    read = only_row(lines(read_lines(("order-1", 200, landed(line())))))
    assert only_row(lines(changed=changed_lines({}))) == read


@pytest.mark.parametrize(
    ("read_at", "read", "changed", "deleted", "expected"),
    [
        pytest.param(100, ["line-1"], {}, {}, {"line-1": "changed"}, id="a change after the reading"),
        pytest.param(300, ["line-1"], {}, {}, {"line-1": "read"}, id="a reading after the change"),
        pytest.param(200, ["line-1"], {}, {}, {"line-1": "changed"}, id="equally old: the feed"),
        pytest.param(
            100, ["line-2"], {}, {}, {"line-1": "changed", "line-2": "read"}, id="a line the feed brought newly"
        ),
        pytest.param(
            300, ["line-2"], {}, {}, {"line-2": "read"}, id="a line that a later reading no longer has is gone"
        ),
        pytest.param(
            200, ["line-2"], {}, {}, {"line-2": "read"}, id="a line as old as a reading that hasn't it is gone"
        ),
        pytest.param(None, [], {}, {}, {"line-1": "changed"}, id="an order never read whole"),
        pytest.param(300, [], {}, {}, {}, id="an order that lost all its lines"),
        pytest.param(100, ["line-1"], {}, {"line_1": 200}, {}, id="a deletion as old as the line"),
        pytest.param(100, ["line-1"], {}, {"line_1": 250}, {}, id="a newer deletion"),
        pytest.param(100, ["line-1"], {}, {"line_1": 150}, {"line-1": "changed"}, id="an older deletion"),
        pytest.param(300, ["line-1"], {}, {"line_1": 250}, {"line-1": "read"}, id="a reading after the deletion"),
        pytest.param(100, ["line-1"], {}, {"line_2": 999}, {"line-1": "changed"}, id="another line's deletion"),
    ],
)
def test_the_newest_word_on_each_line_holds(
    read_at: int | None, read: list[str], changed: dict, deleted: dict[str, int], expected: dict[str, str]
):
    content = landed(*(line(line_id, description="read") for line_id in read))
    found = lines(
        read_lines(("order-1", read_at, content)) if read_at else None,
        changed_lines({"description": "changed"} | changed),
        deletions(**deleted),
    )
    assert dict(zip(found["line_id"], found["description"], strict=True)) == expected


@settings(deadline=None, max_examples=40)
@given(
    read_at=st.integers(1, 6),
    read=st.sets(st.sampled_from("abc")),
    changed=st.dictionaries(st.sampled_from("abc"), st.integers(1, 6)),
    deleted=st.dictionaries(st.sampled_from("abc"), st.integers(1, 6)),
)
def test_the_order_in_which_lines_arrive_makes_no_difference(
    read_at: int, read: set[str], changed: dict[str, int], deleted: dict[str, int]
):
    found = []
    for rows in permutations(changed.items()):
        feed = changed_lines(*({"id": name, "timestamp": at, "description": "changed"} for name, at in rows))
        content = landed(*(line(name, description="read") for name in sorted(read)))
        told = lines(read_lines(("order-1", read_at, content)), feed, deletions(**deleted))
        found.append(
            dict(zip(told["line_id"], zip(told["description"], told["known_as_of"], strict=True), strict=True))
        )
    assert all(one == found[0] for one in found)
    versions = {name: ("read", read_at) for name in read}
    versions |= {
        name: ("changed", at) for name, at in changed.items() if at > read_at or (name in read and at == read_at)
    }
    assert found[0] == {name: told for name, told in versions.items() if deleted.get(name, 0) < told[1]}


@pytest.mark.parametrize(
    ("known", "item", "today", "expected"),
    [
        pytest.param(None, "vaas", "VAZEN", "VAZEN", id="a new line takes its item's group"),
        pytest.param(("vaas", "OUD"), "vaas", "NIEUW", "OUD", id="a line keeps the group it landed with"),
        pytest.param(("vaas", "OUD"), "kom", "KOMMEN", "KOMMEN", id="it follows when the item is replaced"),
        pytest.param(("vaas", "OUD"), "kom", None, None, id="to an item without a group as well"),
        pytest.param(("vaas", None), "vaas", "VAZEN", "VAZEN", id="a group that was not known yet is filled in"),
        pytest.param(("vaas", "OUD"), "vaas", None, "OUD", id="it keeps the group though the item has none any more"),
        pytest.param(None, None, "VAZEN", None, id="a line without an item has no group"),
    ],
)
def test_the_item_group_of_a_line_is_a_snapshot(
    known: tuple[str | None, str | None] | None, item: str | None, today: str | None, expected: str | None
):
    read = read_lines(("order-1", 100, landed(line(item=item))))
    groups = {} if item is None else {item: today}
    found = only_row(lines(read, known={"line-1": known} if known else {}, groups=groups))
    assert found["item_group_code"] == expected


@pytest.mark.parametrize(
    ("field", "sent", "column", "expected"),
    [
        ("item", "00000000-0000-0000-0000-000000000000", "product_id", None),
        ("item", None, "product_id", None),
        ("item_code", "  V-1   ", "item_code", "V-1"),
        ("description", "", "description", None),
        ("description", "🌷 Tulp", "description", "🌷 Tulp"),
        ("quantity", None, "quantity", Decimal(0)),
        ("quantity", "-3", "quantity", Decimal(-3)),
        ("quantity", "0.125", "quantity", Decimal("0.125")),
        ("net_price", None, "net_price", Decimal(0)),
        ("net_price", "12.3456", "net_price", Decimal("12.3456")),
        ("net_price", 3, "net_price", Decimal(3)),
        ("amount_fc", None, "amount_excl_vat", Decimal("0.00")),
        ("amount_fc", "24.995000000000001", "amount_excl_vat", Decimal("25.00")),
        ("amount_fc", "-0.005", "amount_excl_vat", Decimal("-0.01")),
        ("line_number", None, "line_number", 0),
    ],
)
def test_each_value_of_a_line_is_exact(field: str, sent: object, column: str, expected: object):
    found = only_row(lines(read_lines(("order-1", 100, landed(line(**{field: sent}))))))[column]
    assert (type(found), found) == (type(expected), expected)


def test_no_value_of_a_line_is_ever_a_float():
    read = read_lines(("order-1", 100, landed(line(quantity="0.1", net_price="0.2", amount_fc="0.02"))))
    found = lines(read, changed_lines({"id": "line-2", "item": None, "item_code": None, "description": None}))
    assert floats_in(found) == []
    assert found.loc[0, ["quantity", "net_price"]].tolist() == [Decimal("0.1"), Decimal("0.2")]


def test_lines_of_several_orders_stay_with_their_orders():
    read = read_lines(("order-1", 100, landed(line())), ("order-2", 100, landed(line("line-2"), line("line-3"))))
    found = lines(read)
    assert dict(zip(found["line_id"], found["order_id"], strict=True)) == {
        "line-1": "order-1",
        "line-2": "order-2",
        "line-3": "order-2",
    }
