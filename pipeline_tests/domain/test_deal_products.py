"""Order lines → deal rows: they always add up to the order's amount, to the cent."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.domain.deal_products import DealRow, OrderLine, deal_rows
from pipeline.domain.money import row_amount, to_cents

SURCHARGE = "TOESLAG-KORTING"


def line(number: int, quantity: str, price: str, *, item: str = "vaas", group: str | None = "VAZEN") -> OrderLine:
    return OrderLine(f"line-{number}", number, item, group, Decimal(quantity), Decimal(price))


def shown(rows: list[DealRow]) -> list[tuple[str, str, str]]:
    """Comment, quantity and price of each row."""
    return [(row.comments, str(row.quantity), str(row.item_price)) for row in rows]


@pytest.mark.parametrize(
    ("lines", "amount", "expected"),
    [
        pytest.param([line(1, "2", "12.50")], "25.00", [("1 · VAZEN", "2", "12.50")], id="a line is a row"),
        pytest.param(
            [line(1, "-3", "4.00")], "-12.00", [("1 · VAZEN", "3", "-4.00")], id="a return turns the price's sign"
        ),
        pytest.param([line(1, "-3", "-4.00")], "12.00", [("1 · VAZEN", "3", "4.00")], id="both below zero make a plus"),
        pytest.param(
            [line(1, "1", "5.00"), line(2, "0", "99.00"), line(3, "1", "6.00")],
            "11.00",
            [("1 · VAZEN", "1", "5.00"), ("3 · VAZEN", "1", "6.00")],
            id="quantity 0 has no row",
        ),
        pytest.param([line(1, "4", "0")], "0.00", [("1 · VAZEN", "4", "0")], id="a free line has a row"),
        pytest.param(
            [line(1, "1", "5.00"), line(2, "2", "5.00")],
            "15.00",
            [("1 · VAZEN", "1", "5.00"), ("2 · VAZEN", "2", "5.00")],
            id="the same item twice is two rows",
        ),
        pytest.param(
            [line(2, "1", "2.00"), line(10, "1", "10.00"), line(1, "1", "1.00")],
            "13.00",
            [("1 · VAZEN", "1", "1.00"), ("2 · VAZEN", "1", "2.00"), ("10 · VAZEN", "1", "10.00")],
            id="rows stand in line order, by number",
        ),
        pytest.param([line(1, "1", "5.00", group=None)], "5.00", [("1 · -", "1", "5.00")], id="no group"),
        pytest.param(
            [line(1, "3", "1.3333")], "4.00", [("1 · VAZEN", "3", "1.3333")], id="a price of four decimals stays exact"
        ),
        pytest.param(
            [line(1, "1", "100.00")],
            "95.00",
            [("1 · VAZEN", "1", "100.00"), ("verschil", "1", "-5.00")],
            id="a header discount is a last row below zero",
        ),
        pytest.param(
            [line(1, "1", "100.00")],
            "107.50",
            [("1 · VAZEN", "1", "100.00"), ("verschil", "1", "7.50")],
            id="a charge is a last row",
        ),
        pytest.param(
            [line(1, "1", "0.005"), line(2, "1", "0.005")],
            "0.01",
            [("1 · VAZEN", "1", "0.005"), ("2 · VAZEN", "1", "0.005"), ("verschil", "1", "-0.01")],
            id="rows are rounded each for itself",
        ),
        pytest.param(
            [line(1, "-1", "0.005")],
            "-0.01",
            [("1 · VAZEN", "1", "-0.005")],
            id="half a cent below zero goes away from zero",
        ),
        pytest.param([line(1, "0.5", "0.01")], "0.01", [("1 · VAZEN", "0.5", "0.01")], id="half a cent goes up"),
        pytest.param([], "55.00", [], id="an amount without lines has no row"),
        pytest.param([line(1, "0", "3.00"), line(2, "0", "4.00")], "7.00", [], id="only lines of 0 have no row"),
        pytest.param(
            [line(1, "1", "0.00")],
            "12.00",
            [("1 · VAZEN", "1", "0.00"), ("verschil", "1", "12.00")],
            id="free, but charged",
        ),
    ],
)
def test_lines_become_rows(lines: list[OrderLine], amount: str, expected: list[tuple[str, str, str]]):
    assert shown(deal_rows(lines, Decimal(amount))) == expected


def test_the_last_row_stands_for_no_line_and_shows_its_own_product():
    (_, last) = deal_rows([line(1, "1", "100")], Decimal("95.00"))
    assert (last.row_key, last.product_key, last.amount) == (SURCHARGE, SURCHARGE, Decimal("-5.00"))


def test_lines_that_share_a_number_stand_in_the_order_of_their_ids():
    first, second = (
        OrderLine("a", 1, "x", "G", Decimal(1), Decimal(1)),
        OrderLine("b", 1, "y", "G", Decimal(1), Decimal(1)),
    )
    assert [row.row_key for row in deal_rows([second, first], Decimal(2))] == ["a", "b"]


def test_an_order_of_1114_lines_keeps_every_line_and_its_place():
    lines = [line(number, "3", "0.333") for number in range(1, 1115)]
    rows = deal_rows(lines, Decimal("1113.00"))
    assert [row.row_key for row in rows] == [*(f"line-{number}" for number in range(1, 1115)), SURCHARGE]
    assert sum(row.amount for row in rows) == Decimal("1113.00")


LINES = st.lists(
    st.builds(
        OrderLine,
        line_id=st.uuids().map(str),
        line_number=st.integers(0, 9),
        product_id=st.sampled_from(["a", "b"]),
        item_group_code=st.sampled_from(["G", None]),
        quantity=st.decimals(-1000, 1000, places=3),
        net_price=st.decimals(-1000, 1000, places=4),
    ),
    max_size=12,
    unique_by=lambda line: line.line_id,
)
AMOUNTS = st.decimals(-10_000_000, 10_000_000, places=2)


@settings(deadline=None, max_examples=150)
@given(lines=LINES, amount=AMOUNTS)
@example(lines=[line(1, "1", "0.005"), line(2, "-1", "0.005")], amount=Decimal("0.00"))
def test_rows_always_add_up_to_the_amount_to_the_cent(lines: list[OrderLine], amount: Decimal):
    rows = deal_rows(lines, amount)
    counted = [line for line in lines if line.quantity]
    assert sum((row.amount for row in rows), Decimal(0)) == (amount if counted else 0)
    assert {row.row_key for row in rows} - {SURCHARGE} == {line.line_id for line in counted}
    assert [row.row_key for row in rows].count(SURCHARGE) <= 1
    assert all(row.quantity > 0 for row in rows)
    assert all(type(value) is Decimal for row in rows for value in (row.quantity, row.item_price, row.amount))


@settings(deadline=None, max_examples=50)
@given(lines=LINES, amount=AMOUNTS, shuffle=st.randoms())
def test_rows_do_not_depend_on_the_order_in_which_lines_come(lines: list[OrderLine], amount: Decimal, shuffle):
    shuffled = list(lines)
    shuffle.shuffle(shuffled)
    assert deal_rows(shuffled, amount) == deal_rows(lines, amount)


@pytest.mark.parametrize(
    ("amount", "cents"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("0.0049", "0.00"), ("2.675", "2.68"), ("1e2", "100.00"), ("0", "0.00")],
)
def test_half_a_cent_goes_away_from_zero(amount: str, cents: str):
    assert str(abs(to_cents(Decimal(amount)))) == cents.lstrip("-")
    assert to_cents(Decimal(amount)) == Decimal(cents)


@settings(deadline=None, max_examples=100)
@given(quantity=st.decimals(-9999, 9999, places=3), price=st.decimals(-9999, 9999, places=4))
def test_a_row_is_worth_its_exact_product_rounded_once(quantity: Decimal, price: Decimal):
    exact = abs(Fraction(quantity) * Fraction(price)) * 100
    whole, half = divmod(exact, 1)
    cents = int(whole) + (half >= Fraction(1, 2))
    assert abs(row_amount(quantity, price)) == Decimal(cents).scaleb(-2).quantize(Decimal("0.01"), ROUND_HALF_UP)
