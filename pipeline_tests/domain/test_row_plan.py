"""The plan for a deal's rows, carried out on a model of Pipedrive: a row once added stays behind those there before."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.budget import add_price, delete_price
from pipeline.domain.deal_products import DealRow
from pipeline.domain.row_plan import RowPlan, WrittenRow, plan_rows


def row(key: str, price: str = "1", *, product: str = "vaas") -> DealRow:
    return DealRow(key, product, Decimal(1), Decimal(price), f"{key} · VAZEN")


def written(*rows: DealRow) -> list[WrittenRow]:
    """Those rows as they stand on the deal."""
    return [WrittenRow(attachment_id, row) for attachment_id, row in enumerate(rows, start=101)]


def carried_out(plan: RowPlan, standing: list[WrittenRow]) -> list[DealRow]:
    """What stands on the deal afterwards: changed in place, removed, added at the end."""
    there = {entry.attachment_id: entry.row for entry in standing}
    for attachment_id, before, after in plan.change:
        assert there[attachment_id] == before
        there[attachment_id] = after
    for attachment_id in plan.remove:
        del there[attachment_id]
    return [*there.values(), *plan.add]


A, B, C, D = (row(key) for key in "abcd")


@pytest.mark.parametrize(
    ("before", "after", "changed", "removed", "added"),
    [
        pytest.param([], [], [], [], [], id="nothing to do"),
        pytest.param([], [A, B], [], [], [A, B], id="the first time"),
        pytest.param([A, B], [A, B], [], [], [], id="all is there"),
        pytest.param([A, B], [A], [], [102], [], id="the last line is gone"),
        pytest.param([A, B, C], [B, C], [], [101], [], id="the first line is gone"),
        pytest.param([A, B], [A, B, C], [], [], [C], id="a line was added"),
        pytest.param([A, C], [A, B, C], [], [102], [B, C], id="a line in between moves what is behind it"),
        pytest.param([A, B], [B, A], [], [101], [A], id="the order of lines changed"),
        pytest.param([A, B], [A, row("b", "2")], [(102, row("b", "2"))], [], [], id="a price changed"),
        pytest.param([A, B], [], [], [101, 102], [], id="no lines are left"),
        pytest.param([A, A, B], [A, B], [], [102], [], id="a row that stands there twice"),
        pytest.param([A, row("foreign 7", product=""), B], [A, B], [], [102], [], id="a row somebody added by hand"),
        pytest.param(
            [A],
            [replace(A, product_key="kom")],
            [(101, replace(A, product_key="kom"))],
            [],
            [],
            id="the item was replaced",
        ),
    ],
)
def test_a_deal_gets_its_rows_with_the_fewest_words(
    before: list[DealRow], after: list[DealRow], changed: list, removed: list[int], added: list[DealRow]
):
    plan = plan_rows(written(*before), after)
    assert [(attachment_id, row) for attachment_id, _, row in plan.change] == changed
    assert (sorted(plan.remove), list(plan.add)) == (removed, added)


KEYS = st.sampled_from([f"line-{number}" for number in range(14)])
ROWS = st.builds(row, KEYS, st.sampled_from(["1", "2"]))
WRITTEN = st.lists(ROWS, max_size=14).map(lambda rows: written(*rows))
WANTED = st.lists(ROWS, max_size=14, unique_by=lambda row: row.row_key)


@settings(deadline=None, max_examples=300)
@given(standing=WRITTEN, wanted=WANTED)
def test_a_plan_always_leads_to_exactly_the_wanted_rows_in_their_order(
    standing: list[WrittenRow], wanted: list[DealRow]
):
    plan = plan_rows(standing, wanted)
    assert carried_out(plan, standing) == wanted
    assert plan.price <= delete_price(len(standing)) + add_price(len(wanted))
    assert plan.price == 5 * len(plan.change) + delete_price(len(plan.remove)) + add_price(len(plan.add))
    assert (plan == RowPlan()) == ([entry.row for entry in standing] == wanted)


@settings(deadline=None, max_examples=100)
@given(standing=WRITTEN, wanted=WANTED)
def test_after_a_plan_there_is_nothing_left_to_do(standing: list[WrittenRow], wanted: list[DealRow]):
    afterwards = written(*carried_out(plan_rows(standing, wanted), standing))
    assert plan_rows(afterwards, wanted) == RowPlan()


@settings(deadline=None, max_examples=25)
@given(
    count=st.integers(90, 320),
    other=st.sets(st.integers(0, 319), max_size=60),
    gone=st.sets(st.integers(0, 319), max_size=5),
)
def test_orders_of_hundreds_of_lines_never_cost_more_than_to_replace_all(count: int, other: set[int], gone: set[int]):
    before = [row(f"line-{number}") for number in range(count) if number not in gone]
    wanted = [row(f"line-{number}", "2" if number in other else "1") for number in range(count)]
    plan = plan_rows(written(*before), wanted)
    assert carried_out(plan, written(*before)) == wanted
    assert plan.price <= delete_price(len(before)) + add_price(len(wanted))
