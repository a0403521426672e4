"""Tokens: the cheapest way to give a deal its rows, found once more by trying everything, and what history may use."""

import pytest

from pipeline.domain.budget import add_batches, add_price, delete_batches, delete_price, history_may_spend

SINGLE, BULK, MOST = 5, 25, 100
ROWS = 500


def cheapest_by_trying() -> list[int]:
    """The lowest price of adding 0, 1, … rows: one by one, or any bulk of up to a hundred."""
    best = [0]
    for rows in range(1, ROWS + 1):
        best.append(min(best[rows - 1] + SINGLE, min(best[max(0, rows - MOST) : rows]) + BULK))
    return best


def test_rows_are_added_at_the_lowest_price_there_is():
    assert [add_price(rows) for rows in range(ROWS + 1)] == cheapest_by_trying()


def test_the_batches_hold_all_rows_and_cost_what_is_said():
    for rows in range(ROWS + 1):
        batches = add_batches(rows)
        assert sum(batches) == rows
        assert sum(SINGLE if size == 1 else BULK for size in batches) == add_price(rows)
        assert max(batches, default=1) <= MOST


@pytest.mark.parametrize(
    ("rows", "batches"),
    [
        (0, []),
        (1, [1]),
        (4, [1, 1, 1, 1]),
        (5, [5]),
        (100, [100]),
        (104, [100, 1, 1, 1, 1]),
        (105, [100, 5]),
        (1114, [100] * 11 + [14]),
    ],
)
def test_few_rows_are_added_one_by_one_and_many_at_once(rows: int, batches: list[int]):
    assert add_batches(rows) == batches


@pytest.mark.parametrize(
    ("rows", "sizes", "price"),
    [
        (0, [], 0),
        (1, [1], 3),
        (4, [1] * 4, 12),
        (5, [5], 15),
        (100, [100], 15),
        (101, [100, 1], 18),
        (103, [100, 1, 1, 1], 24),
        (105, [100, 5], 30),
        (200, [100] * 2, 30),
    ],
)
def test_rows_are_removed_in_groups(rows: int, sizes: list[int], price: int):
    batches = delete_batches(range(rows))
    assert [row for batch in batches for row in batch] == list(range(rows))
    assert ([len(batch) for batch in batches], delete_price(rows)) == (sizes, price)


@pytest.mark.parametrize(
    ("limit", "remaining", "keep", "may"),
    [
        (30_000, 30_000, 0.2, 24_000),
        (30_000, 6_001, 0.2, 1),
        (30_000, 6_000, 0.2, 0),
        (30_000, 100, 0.2, 0),
        (30_000, 100, 0.0, 100),
        (30_000, 0, 0.0, 0),
    ],
)
def test_history_leaves_a_share_of_the_day_to_live_changes(limit: int, remaining: int, keep: float, may: int):
    assert history_may_spend(limit=limit, remaining=remaining, keep_for_live=keep) == may
