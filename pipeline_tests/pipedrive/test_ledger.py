"""What was spent and what is left, told by the answer headers or reckoned from the price list."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.pipedrive.ledger import Ledger

LIMIT, LEFT = "x-daily-ratelimit-token-limit", "x-daily-ratelimit-token-remaining"


def booked(*answers: dict[str, str], limit: int = 1000, remaining: int = 1000, keep: float = 0.0) -> Ledger:
    """A ledger after a new deal (5 tokens) for each of these headers."""
    ledger = Ledger(limit, remaining, keep)
    for headers in answers:
        ledger.book("POST", "/api/v2/deals", headers)
    return ledger


@pytest.mark.parametrize(
    ("answers", "limit", "remaining", "told"),
    [
        pytest.param([{}, {}], 1000, 990, False, id="without headers the price list counts"),
        pytest.param([{LIMIT: "30000", LEFT: "400"}], 30_000, 400, True, id="headers tell both"),
        pytest.param([{LEFT: "400"}, {}], 1000, 395, False, id="a header missing once is reckoned on"),
        pytest.param([{}, {LEFT: "0"}], 1000, 0, False, id="nothing is left"),
        pytest.param([{LIMIT: "?", LEFT: "-1"}], 1000, 995, False, id="nonsense is no number"),
        pytest.param([{LEFT: "5"}, {LIMIT: "900", LEFT: "895"}], 900, 895, True, id="a new day began meanwhile"),
    ],
)
def test_what_is_left_of_the_day(answers: list[dict[str, str]], limit: int, remaining: int, told: bool):
    ledger = booked(*answers)
    assert (ledger.limit, ledger.remaining, ledger.is_told) == (limit, remaining, told)
    assert ledger.spent == 5 * len(answers)


def test_tokens_are_booked_by_kind_of_request():
    ledger = booked({}, {})
    ledger.book("PATCH", "/api/v2/deals/7", {})
    ledger.book("GET", "/api/v2/organizations", {})
    assert ledger.tokens == {"POST /api/v2/deals": 10, "PATCH /api/v2/deals/{id}": 5, "GET /api/v2/organizations": 10}
    assert ledger.requests == {"POST /api/v2/deals": 2, "PATCH /api/v2/deals/{id}": 1, "GET /api/v2/organizations": 1}


@pytest.mark.parametrize(
    ("remaining", "keep", "live", "may"),
    [(1000, 0.2, True, 1000), (1000, 0.2, False, 800), (200, 0.2, False, 0), (-5, 0.0, True, 0), (-5, 0.0, False, 0)],
)
def test_history_may_spend_less_than_live_changes(remaining: int, keep: float, live: bool, may: int):
    assert booked(remaining=remaining, keep=keep).may_spend(live=live) == may


def test_no_token_is_lost_between_threads():
    ledger = Ledger(100_000, 100_000)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ledger.book("POST", "/api/v2/deals", {}), range(400)))
    assert (ledger.spent, ledger.remaining, ledger.requests.total()) == (2000, 98_000, 400)
