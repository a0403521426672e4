"""Three synchronisations in a row while one request in six breaks: they end with both sides equal."""

import pytest

from pipeline_tests.chaos.storm import ROUNDS, Round, rounds
from pipeline_tests.chaos.theatre import opened


@pytest.fixture(scope="module")
def played(postgres: str) -> dict[str, Round]:
    with opened(postgres) as theatre:
        return {one.name: one for one in rounds(theatre, orders=20, seed=3, is_bad=True)}


@pytest.mark.parametrize("name", ROUNDS)
def test_a_synchronisation_in_a_storm_ends_with_both_sides_equal(played: dict[str, Round], name: str):
    assert played[name].violations == []


def test_the_storm_was_one(played: dict[str, Round]):
    struck = {kind for one in played.values() for kind in one.faults}
    assert struck >= {"drop_after", "status_after", "status_before", "drop_before", "malformed", "truncate"}
    assert len(played["first load"].endings) > 1
