"""A synchronisation is killed at chosen points and started again: nothing doubled, nothing missing, nothing wrong."""

from collections.abc import Iterator

import pytest

from pipeline_tests.chaos.crashes import Scene, crash, scenes
from pipeline_tests.chaos.theatre import Theatre, opened
from pipeline_tests.chaos.tripwire import Moment, Point

ORDERS = 20
MOST_WASTED = 500  # tokens for one crash: what looking up a chunk in doubt costs, and no second load


@pytest.fixture(scope="module")
def theatre(postgres: str) -> Iterator[Theatre]:
    with opened(postgres) as theatre:
        yield theatre


@pytest.fixture(scope="module")
def rehearsed(theatre: Theatre) -> dict[str, Scene]:
    """Where runs begin; `make chaos` kills them at many more points."""
    return scenes(theatre, orders=ORDERS)


@pytest.mark.parametrize(
    ("scene", "kind", "moment"),
    [
        ("setup", "pipedrive: POST /api/v2/pipelines", "after"),
        ("setup", "commit: pipedrive.stages", "before"),
        ("first load", "pipedrive: POST /api/v2/organizations", "after"),
        ("first load", "pipedrive: POST /api/v2/deals", "after"),
        ("first load", "commit: pipedrive.deals", "before"),
        ("first load", "pipedrive: POST /api/v2/deals/{id}/products/bulk", "after"),
        ("changes", "commit: crm.deals", "before"),
        ("changes", "pipedrive: PATCH /api/v2/deals/{id}", "after"),
        ("changes", "pipedrive: DELETE /api/v2/deals/{id}/products/{id}", "after"),
        ("changes", "commit: pipedrive.deal_products", "before"),
    ],
)
def test_a_killed_run_is_made_good_by_the_next(
    theatre: Theatre, rehearsed: dict[str, Scene], scene: str, kind: str, moment: Moment
):
    passed = rehearsed[scene].counts[kind]
    found = crash(theatre, rehearsed[scene], Point(kind, (passed + 1) // 2, moment))
    assert found.happened
    assert found.violations == []
    assert found.runs == 1
    assert found.wasted <= MOST_WASTED


def test_points_are_spread_over_every_kind_of_write(rehearsed: dict[str, Scene]):
    for name, kinds in {
        "setup": {"POST /api/v2/pipelines", "POST /api/v2/stages", "POST /api/v2/dealFields"},
        "first load": {"POST /api/v2/deals", "POST /api/v2/organizations", "POST /api/v2/deals/{id}/products/bulk"},
        "changes": {"PATCH /api/v2/deals/{id}", "DELETE /api/v2/deals/{id}/products/{id}"},
    }.items():
        chosen = {(point.kind, point.moment) for point in rehearsed[name].points(60)}
        assert chosen >= {(f"pipedrive: {kind}", moment) for kind in kinds for moment in ("before", "after")}
