"""Whatever people do to orders, and whatever breaks meanwhile: after two quiet runs Pipedrive is what `crm` wants."""

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from sqlalchemy import Engine

from pipeline.sandbox.company import seeded_company
from pipeline_tests.chaos.sequence import STEPS, Play, Step, ending, sequences
from pipeline_tests.databases import fresh_engine
from pipeline_tests.world import World


@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(sequences)
@example([("run", 0, 0), ("emptied", 0, 0), ("delete", 1, 0), ("fault", 5, 0), ("run", 0, 0), ("new_line", 0, 5)])
@example([("fault", 0, 0), ("run", 0, 0), ("cancel", 0, 0), ("fault", 4, 2), ("run", 0, 0), ("reopen", 0, 0)])
def test_any_sequence_ends_with_both_sides_equal(postgres: str, steps: list[Step]):
    with fresh_engine(postgres) as engine:
        assert ending(engine, steps) == []


@pytest.mark.parametrize("name", STEPS)
def test_each_step_can_be_played(engine: Engine, name: str):
    world = World(engine, company=seeded_company(orders=3, products=6))
    versions, faults = world.company.last_version, len(world.pipedrive.faults.open)
    now = world.pipedrive.clock.now()
    play = Play(world)
    STEPS[name](play, 1, 3)
    happened = (
        world.company.last_version > versions,
        len(world.pipedrive.faults.open) > faults,
        world.pipedrive.clock.now() > now + 1000,
        play.runs > 0,
    )
    assert any(happened)
