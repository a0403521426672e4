"""Which backups are kept: 14 days, 8 weeks, 12 months."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.backups import to_keep

NIGHTLY = [datetime(2026, 11, 21, 0, 0, tzinfo=UTC) - timedelta(days=day) for day in range(800)]


def moments(*written: str) -> list[datetime]:
    return [datetime.fromisoformat(f"{moment}+00:00") for moment in written]


def test_after_two_years_of_nights_there_are_days_weeks_and_months():
    sundays = ["2026-11-01", "2026-10-25", "2026-10-18", "2026-10-11", "2026-10-04"]
    last_days = ["2026-10-31", "2026-09-30", "2026-08-31", "2026-07-31", "2026-06-30", "2026-05-31", "2026-04-30"]
    last_days += ["2026-03-31", "2026-02-28", "2026-01-31", "2025-12-31"]
    assert to_keep(NIGHTLY) == {*NIGHTLY[:14], *moments(*(f"{day}T00:00" for day in sundays + last_days))}


@pytest.mark.parametrize(
    ("made", "kept"),
    [
        ([], []),
        (["2020-02-29T03:00"], ["2020-02-29T03:00"]),
        (["2026-03-02T01:00", "2026-03-01T01:00", "2026-03-01T12:00"], ["2026-03-01T12:00", "2026-03-02T01:00"]),
        (["2026-03-02T01:00", "2026-03-02T12:00"], ["2026-03-02T01:00", "2026-03-02T12:00"]),
    ],
    ids=["none", "one, years ago", "the newest of a day", "all of the last day"],
)
def test_of_few_backups(made: list[str], kept: list[str]):
    assert sorted(to_keep(moments(*made))) == moments(*kept)


@given(st.sets(st.integers(0, 80_000), min_size=1))
def test_the_newest_is_always_kept_and_removing_again_removes_nothing(hours_ago: set[int]):
    made = {NIGHTLY[0] - timedelta(hours=hours) for hours in hours_ago}
    kept = to_keep(made)
    assert max(made) in kept <= made
    assert to_keep(kept) == kept
