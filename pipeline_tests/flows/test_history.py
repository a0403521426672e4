"""`pipeline history` as a user has it: real processes, real ports, a real database."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from pipeline_tests.console import Console
from pipeline_tests.flows.test_command_line import Stage, a_stage, counts

NEVER = {"created": 0, "updated": 0, "unchanged": 25, "held": 0, "left": 0}


@pytest.fixture(scope="module")
def stage(console: Console) -> Iterator[Stage]:
    """One stage for the whole file, on which nothing was read yet."""
    with a_stage(console) as stage:
        yield stage


def history(stage: Stage, *arguments: str) -> dict[str, Any]:
    return counts(stage.run("history", *arguments, "--json"))


def test_months_are_read_and_go_on_to_pipedrive_and_a_second_time_nothing_is_written(stage: Stage):
    first = history(stage, "--from", "2023-01")
    now = datetime.now(UTC)
    assert first["history"]["months"] in {(now.year - 2023) * 12 + now.month + over for over in (0, 1)}
    assert first["history"]["orders"] == 25
    assert first["deals"] == {"created": 25, "updated": 0, "unchanged": 0, "held": 0, "left": 0}
    asked = stage.counters()
    second = history(stage, "--from", "2023-01", "--administration", "nl")
    assert (second["history"], second["deals"], second["pipedrive_tokens"]) == (first["history"], NEVER, 0)
    assert stage.counters() == asked


def test_of_two_at_once_the_second_waits_and_neither_writes_anything_twice(stage: Stage):
    asked = stage.counters()
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(stage.run, "history", "--from", "2024-01", "--json") for _ in range(2)]
        finished = [one.result() for one in both]
    assert [counts(one)["deals"] for one in finished] == [NEVER, NEVER]
    assert sum("waiting for another run that holds 'sync'" in one.stderr for one in finished) == 1
    assert stage.counters() == asked


def test_the_months_are_shown_with_what_is_to_go(stage: Stage):
    found = json.loads(stage.run("status", "--json").stdout)["migration"]
    assert {row["tokens_to_go"] for row in found} == {0}
    assert sum(row["deals"] for row in found) == sum(row["orders_in_exact"] or 0 for row in found) == 25
    assert f"{len(found)} of {len(found)} months are in Pipedrive" in stage.run("status").stdout


def test_what_is_no_month_is_said_in_one_sentence(stage: Stage):
    finished = stage.run("history", "--from", "2019-13")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == "pipeline: --from 2019-13 is not a month: write year and month, such as 2019-01.\n"


def test_a_day_without_tokens_ends_with_status_3_and_the_rest_follows_on_other_days(console: Console, engine: Engine):
    with a_stage(console, "--daily-tokens", "800", "--burst", "0", warehouse=engine) as stage:
        finished = stage.run("history", "--from", "2023-01")
        assert finished.returncode == 3, finished.stderr
        assert "Today's tokens for this work are used up" in finished.stdout
        months = json.loads(stage.run("status", "--json").stdout)["migration"]
        assert sum(row["tokens_to_go"] for row in months) > 0
        for _ in range(4):
            day = {"advance_days": 1}
            httpx.post(f"http://127.0.0.1:{stage.pipedrive}/__sandbox/clock", json=day).raise_for_status()
            finished = stage.run("sync", "--json")
            assert json.loads(finished.stdout)["pipedrive_tokens"] <= 800
            if finished.returncode == 0:
                break
        assert finished.returncode == 0, finished.stderr
        deals = stage.state()["deals"]
        assert len({deal["custom_fields"]["Exact order-ID"] for deal in deals}) == len(deals) == 25
