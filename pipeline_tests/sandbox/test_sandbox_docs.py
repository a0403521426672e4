"""docs/sandbox.md is held true: its tables name tests that exist, switches that exist, and answers they take."""

import ast
import re
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.sandbox.exact_online import faults as exact_faults
from pipeline.sandbox.exact_online.control_changes import CHANGES
from pipeline.sandbox.exact_online.settings import Settings as ExactSettings
from pipeline.sandbox.pipedrive.faults import KINDS
from pipeline.sandbox.pipedrive.hand_edits import EDITS
from pipeline.sandbox.pipedrive.settings import Settings as PipedriveSettings
from pipeline_tests.steps.test_switches import EXACT_SWITCHES, PIPEDRIVE_SWITCHES

TESTS = Path(__file__).parents[1]
DOCUMENT = TESTS.parent / "docs" / "sandbox.md"
BEHAVIOURS = "| behaviour | source | confidence | test |"
QUESTIONS = "| question | default | switch and other answers |"
SETTINGS = {"Exact Online": ExactSettings, "Pipedrive": PipedriveSettings}
JOURNEYS = {"Exact Online": EXACT_SWITCHES, "Pipedrive": PIPEDRIVE_SWITCHES}
ANSWER = re.compile(r"`(\w+)=([^`]+)`")


def section(vendor: str) -> str:
    """What the document says under the vendor's heading."""
    return re.split(r"^## ", DOCUMENT.read_text("utf-8").split(f"\n## {vendor}\n")[1], flags=re.MULTILINE)[0]


def rows(vendor: str, header: str) -> list[list[str]]:
    """The cells of the vendor's table with that header."""
    table = section(vendor).split(f"{header}\n")[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def all_rows(header: str) -> list[Any]:
    return [pytest.param(vendor, row, id=f"{vendor}: {row[0]}") for vendor in SETTINGS for row in rows(vendor, header)]


@cache
def functions() -> set[str]:
    """Every test function there is."""
    texts = (path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^def (test_\w+)\(", text, flags=re.MULTILINE)}


def default_of(settings: Any, name: str) -> Any:
    return next(field.default for field in fields(settings) if field.name == name)


@pytest.mark.parametrize(("vendor", "row"), all_rows(BEHAVIOURS))
def test_a_behaviour_has_a_source_a_confidence_and_tests_that_exist(vendor: str, row: list[str]):
    assert len(row) == 4
    assert all(row)
    named = re.findall(r"`([^`]+)`", row[3])
    assert named
    assert [name for name in named if name not in functions()] == []


@pytest.mark.parametrize(("vendor", "row"), all_rows(BEHAVIOURS))
def test_a_confidence_is_one_of_three_or_ours(vendor: str, row: list[str]):
    assert set(row[2].split("; ")) <= {"high", "medium", "low", "–"}


@pytest.mark.parametrize(("vendor", "row"), all_rows(QUESTIONS))
def test_a_question_has_its_default_and_other_answers_that_the_switch_takes(vendor: str, row: list[str]):
    assert len(row) == 3
    settings, answers = SETTINGS[vendor], ANSWER.findall(row[2])
    assert len({name for name, _ in answers}) == 1
    name = answers[0][0]
    default = ast.literal_eval(row[1].strip("`"))
    assert default == default_of(settings, name)
    others = [ast.literal_eval(value) for _, value in answers]
    assert default not in others
    assert [getattr(settings(**{name: other}), name) for other in others] == others


@pytest.mark.parametrize(("vendor", "row"), all_rows(QUESTIONS))
def test_the_journey_is_made_under_an_other_answer(vendor: str, row: list[str]):
    name = ANSWER.findall(row[2])[0][0]
    tried = [answers[name] for answers in JOURNEYS[vendor] if name in answers]
    assert [answer for answer in tried if answer != default_of(SETTINGS[vendor], name)]


@pytest.mark.parametrize("vendor", SETTINGS)
def test_every_switch_of_the_journeys_is_a_question_here(vendor: str):
    asked = {name for row in rows(vendor, QUESTIONS) for name, _ in ANSWER.findall(row[2])}
    own = set(re.findall(r"`(\w+)`", section(vendor)))
    assert {name for answers in JOURNEYS[vendor] for name in answers} - asked - own == set()


@pytest.mark.parametrize(
    ("vendor", "name"), [(vendor, field.name) for vendor, settings in SETTINGS.items() for field in fields(settings)]
)
def test_everything_that_can_be_set_is_explained_and_has_a_default(vendor: str, name: str):
    assert re.search(rf"`{name}[`=]", section(vendor))
    assert default_of(SETTINGS[vendor], name) is not MISSING


@pytest.mark.parametrize(
    ("vendor", "word"),
    [
        *(("Exact Online", word) for word in sorted({*CHANGES, *exact_faults.BEFORE, *exact_faults.AFTER})),
        *(("Pipedrive", word) for word in sorted({*EDITS, *KINDS})),
    ],
)
def test_every_change_by_hand_and_every_fault_is_named(vendor: str, word: str):
    common = DOCUMENT.read_text("utf-8").split("\n## Exact Online\n")[0]
    assert f"`{word}`" in common + section(vendor)
