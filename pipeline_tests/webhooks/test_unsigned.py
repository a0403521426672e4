"""What anybody may send: so much at once, so much a second, and one line a minute about it."""

import logging

import pytest

from pipeline.webhooks.unsigned import Tally, TokenBucket


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_so_many_pass_at_once_and_then_so_many_a_second(clock: Clock):
    bucket = TokenBucket(a_second=2, at_once=5, clock=clock)
    assert [bucket.take() for _ in range(7)] == [True] * 5 + [False] * 2
    clock.now += 1.5
    assert [bucket.take() for _ in range(4)] == [True] * 3 + [False]


def test_a_quiet_night_does_not_save_up(clock: Clock):
    bucket = TokenBucket(a_second=2, at_once=5, clock=clock)
    clock.now += 36_000
    assert sum(bucket.take() for _ in range(100)) == 5


def test_a_clock_that_stands_lets_nothing_more_through(clock: Clock):
    bucket = TokenBucket(a_second=2, at_once=1, clock=clock)
    assert [bucket.take() for _ in range(3)] == [True, False, False]


def test_the_first_is_told_at_once_and_the_others_once_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture):
    tally = Tally(clock=clock)
    with caplog.at_level(logging.WARNING, logger="pipeline"):
        for _ in range(1000):
            tally.count("answered 401")
        tally.count("answered 400")
        clock.now += 60
        tally.count("answered 401")
    assert caplog.messages == ["webhooks: 1 × answered 401", "webhooks: 1000 × answered 401; 1 × answered 400"]


def test_the_rest_is_told_at_the_end(clock: Clock, caplog: pytest.LogCaptureFixture):
    tally = Tally(clock=clock)
    with caplog.at_level(logging.WARNING, logger="pipeline"):
        tally.tell()
        for _ in range(3):
            tally.count("answered 401")
        tally.tell()
        tally.tell()
    assert caplog.messages == ["webhooks: 1 × answered 401", "webhooks: 2 × answered 401"]
