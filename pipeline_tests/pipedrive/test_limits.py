"""The burst window on a clock of its own, and when a refused request may be sent again."""

import heapq
from collections.abc import Callable

import httpx
import pytest

from pipeline.errors import BudgetSpent, GiveUp
from pipeline.pipedrive import limits
from pipeline.pipedrive.ledger import Ledger
from pipeline.pipedrive.limits import BurstWindow, MeteredTransport, reset_seconds, retry_policy
from pipeline.retry import Attempt


class Time:
    """A clock that only moves when somebody waits; answers that come due on the way are given."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, moment: float, happens: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._due, (moment, self._count, happens))

    def next_answer(self) -> None:
        moment, _, happens = heapq.heappop(self._due)
        self.now = max(self.now, moment)
        happens()

    def wait(self, seconds: float) -> None:
        """What a thread that waits for a change sees: the next answer, or the end of its waiting."""
        if self._due and self._due[0][0] <= self.now + seconds:
            self.next_answer()
        else:
            self.now += seconds


class Changed:
    """Stands in for the condition that threads wait for, on that clock."""

    def __init__(self, time: Time) -> None:
        self.wait = time.wait

    def __enter__(self) -> "Changed":
        return self

    def __exit__(self, *problem: object) -> None:
        return None

    def notify_all(self) -> None:
        return None


def window(monkeypatch: pytest.MonkeyPatch, time: Time, limit: int | None) -> BurstWindow:
    monkeypatch.setattr(limits, "Condition", lambda: Changed(time))
    return BurstWindow(limit, clock=lambda: time.now)


def sent(
    burst: BurstWindow, time: Time, *, requests: int, workers: int, latency: float, headers: dict | None = None
) -> list[float]:
    """When each request left, with so many workers and such a latency."""
    moments: list[float] = []
    busy = 0

    def answer() -> None:
        nonlocal busy
        busy -= 1
        burst.leave(200, headers or {})

    for _ in range(requests):
        while busy == workers:
            time.next_answer()
        burst.enter()
        busy += 1
        moments.append(time.now)
        time.at(time.now + latency, answer)
    return moments


def most_in_two_seconds(moments: list[float]) -> int:
    """The fullest window there was, wherever it begins."""
    return max(sum(1 for other in moments if moment <= other < moment + 2.0) for moment in moments)


PLANS = [10, 20, 40, 100, 120]


@pytest.mark.parametrize("latency", [0.0, 0.02, 0.1, 0.5, 3.0])
@pytest.mark.parametrize("limit", PLANS)
def test_no_two_seconds_ever_see_more_requests_than_the_limit(
    monkeypatch: pytest.MonkeyPatch, limit: int, latency: float
):
    time = Time()
    moments = sent(window(monkeypatch, time, limit), time, requests=4 * limit, workers=8, latency=latency)
    assert most_in_two_seconds(moments) <= limit
    arrivals = [moment + latency for moment in moments]
    assert most_in_two_seconds(arrivals) <= limit


@pytest.mark.parametrize("limit", PLANS)
def test_the_window_is_filled_to_85_percent_at_a_latency_of_100_ms(monkeypatch: pytest.MonkeyPatch, limit: int):
    time = Time()
    moments = sent(window(monkeypatch, time, limit), time, requests=12 * limit, workers=8, latency=0.1)
    steady = [moment for moment in moments if moment >= 2.0]
    per_window = 2.0 * (len(steady) - 1) / (steady[-1] - steady[0])
    assert 0.85 * limit <= per_window <= limit


def test_without_a_known_limit_all_are_let_through(monkeypatch: pytest.MonkeyPatch):
    time = Time()
    assert sent(window(monkeypatch, time, None), time, requests=50, workers=50, latency=0.1) == [0.0] * 50


def test_a_limit_is_learnt_from_the_first_answer(monkeypatch: pytest.MonkeyPatch):
    time = Time()
    burst = window(monkeypatch, time, None)
    moments = sent(burst, time, requests=60, workers=8, latency=0.1, headers={"x-ratelimit-limit": "20"})
    assert most_in_two_seconds(moments) <= 20


@pytest.mark.parametrize(
    ("status", "headers", "opens_after"),
    [
        (200, {}, 0.0),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 1.0),
        (200, {"x-ratelimit-remaining": "0"}, 2.0),
        (429, {"x-ratelimit-reset": "1.5"}, 1.5),
        (429, {}, 2.0),
    ],
)
def test_an_answer_that_says_so_closes_the_window_for_a_while(
    monkeypatch: pytest.MonkeyPatch, status: int, headers: dict[str, str], opens_after: float
):
    time = Time()
    burst = window(monkeypatch, time, 100)
    burst.enter()
    burst.leave(status, headers)
    burst.enter()
    assert time.now == pytest.approx(opens_after)


def test_a_429_that_says_nothing_means_the_smallest_plan(monkeypatch: pytest.MonkeyPatch):
    time = Time()
    burst = window(monkeypatch, time, None)
    burst.enter()
    burst.leave(429, {})
    assert most_in_two_seconds(sent(burst, time, requests=60, workers=8, latency=0.1)) <= 20


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("1", 1.0), ("0", 0.0), ("1.5", 1.5), ("60", 4.0), ("", 2.0), ("soon", 2.0), ("-1", 2.0), (".", 2.0)],
)
def test_how_long_a_window_stays_closed(told: str, seconds: float):
    assert reset_seconds({"x-ratelimit-reset": told}) == seconds


# --- when a request may be sent again ---

NO_WORD: dict[str, str] = {}
BURST = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1", "x-daily-ratelimit-token-remaining": "500"}


def wait(method: str, status: int, number: int = 1, headers: dict[str, str] | None = None) -> float | None:
    return retry_policy(lambda: 0.25)(Attempt(method, "/api/v2/deals", number, status, headers or NO_WORD))


@pytest.mark.parametrize(
    ("method", "status", "number", "expected"),
    [
        ("GET", 200, 1, None),
        ("GET", 0, 1, 0.85),
        ("GET", 503, 2, 1.45),
        ("GET", 500, 4, 5.05),
        ("GET", 500, 5, None),
        ("PATCH", 0, 1, 0.85),
        ("PATCH", 502, 1, 0.85),
        ("DELETE", 504, 1, 0.85),
        ("POST", 0, 1, None),
        ("POST", 500, 1, None),
        ("POST", 503, 1, None),
        ("POST", 408, 1, None),
        ("GET", 400, 1, None),
        ("PATCH", 404, 1, None),
        ("POST", 403, 1, None),
        ("GET", 501, 1, None),
    ],
)
def test_what_makes_nothing_twice_is_sent_again_after_a_fault(
    method: str, status: int, number: int, expected: float | None
):
    found = wait(method, status, number)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (BURST, 1.25),
        (NO_WORD, 2.25),
        ({"x-ratelimit-remaining": "0"}, 2.25),
        ({"x-daily-ratelimit-token-remaining": "7"}, 2.25),
    ],
)
def test_a_request_refused_by_the_window_is_sent_again_whatever_it_was(
    method: str, headers: dict[str, str], seconds: float
):
    assert wait(method, 429, 1, headers) == seconds


@pytest.mark.parametrize(
    ("number", "headers"),
    [
        pytest.param(1, {"x-daily-ratelimit-token-remaining": "0"}, id="the header says so"),
        pytest.param(1, {"x-daily-ratelimit-token-remaining": "0", "x-ratelimit-remaining": "0"}, id="both are spent"),
        pytest.param(1, {"x-ratelimit-remaining": "5"}, id="the window has room"),
        pytest.param(4, NO_WORD, id="waiting did not help"),
        pytest.param(4, BURST, id="waiting did not help though tokens are said to be left"),
    ],
)
def test_a_spent_day_is_told_from_a_full_window(number: int, headers: dict[str, str]):
    with pytest.raises(BudgetSpent, match="tokens for today"):
        wait("POST", 429, number, headers)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_blocked_token_stops_everything_at_once(method: str):
    with pytest.raises(GiveUp, match="blocks this API token"):
        wait(method, 403, 1, {"content-type": "text/html; charset=UTF-8"})


# --- both together, as requests meet them ---


@pytest.mark.parametrize(
    ("method", "path", "status", "tokens"),
    [
        ("POST", "/api/v2/deals", 200, 5),
        ("GET", "/api/v2/itemSearch/field", 200, 20),
        ("GET", "/api/v2/deals", 429, 0),
    ],
)
def test_what_was_answered_is_booked_and_what_was_refused_by_a_limit_is_not(
    method: str, path: str, status: int, tokens: int
):
    ledger = Ledger(1000, 1000)
    inner = httpx.MockTransport(lambda request: httpx.Response(status, json={}))
    httpx.Client(base_url="https://x.example", transport=MeteredTransport(inner, ledger)).request(method, path)
    assert ledger.spent == tokens


def test_a_request_that_was_never_answered_gives_its_slot_back(monkeypatch: pytest.MonkeyPatch):
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too late", request=request)

    time = Time()
    monkeypatch.setattr(limits, "Condition", lambda: Changed(time))
    ledger = Ledger(1000, 1000)
    metered = MeteredTransport(
        httpx.MockTransport(broken), ledger, window=lambda most: BurstWindow(most, clock=lambda: time.now)
    )
    http = httpx.Client(base_url="https://x.example", transport=metered)
    for _ in range(19):  # searches: nine at once, nine after two seconds, one after four
        with pytest.raises(httpx.ReadTimeout):
            http.get("/api/v2/itemSearch")
    assert (time.now, ledger.spent) == (4.0, 19 * 20)  # each may have been carried out
