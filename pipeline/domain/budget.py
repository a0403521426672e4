"""What requests to Pipedrive cost in tokens, and the cheapest way to give a deal its rows.

The price list is Pipedrive's for API v2; who counts what was spent is `pipedrive/ledger.py`.
"""

from collections.abc import Sequence

READ_ONE, READ_LIST, READ_STAGES, SEARCH = 1, 10, 5, 20
WRITE, DELETE = 5, 3
BULK_ADD, BULK_DELETE = 25, 15
READ_USERS = 20  # an API v1 list
BULK_ROWS = 100  # rows one bulk request takes at most


def add_batches(rows: int) -> list[int]:
    """How many rows each request adds, in order, at the lowest price: bulk from five rows on, else one by one.

    Four single requests cost 20 tokens and a bulk request 25 whatever it holds; at five the price is the same
    and one request is quicker.
    """
    full, left = divmod(rows, BULK_ROWS)
    tail = [left] if left * WRITE >= BULK_ADD else [1] * left
    return [BULK_ROWS] * full + tail


def add_price(rows: int) -> int:
    """Tokens for adding that many rows to a deal the cheapest way."""
    return sum(WRITE if size == 1 else BULK_ADD for size in add_batches(rows))


def delete_batches(rows: Sequence[int]) -> list[list[int]]:
    """Rows to remove, grouped into requests at the lowest price."""
    full = len(rows) - len(rows) % BULK_ROWS
    left = list(rows[full:])
    tail = [left] if len(left) * DELETE >= BULK_DELETE else [[row] for row in left]
    return [list(rows[start : start + BULK_ROWS]) for start in range(0, full, BULK_ROWS)] + tail


def delete_price(rows: int) -> int:
    """Tokens for removing that many rows the cheapest way."""
    return sum(DELETE if len(batch) == 1 else BULK_DELETE for batch in delete_batches(range(rows)))


def history_may_spend(*, limit: int, remaining: int, keep_for_live: float) -> int:
    """Tokens that history may still use today, so that the share for live changes stays."""
    return max(0, remaining - int(limit * keep_for_live))
