"""One catalogue run with its steps in one process, and one with a process for each: Pipedrive ends the same."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from pipeline.automation.executors import IN_PROCESS, MULTIPROCESS
from pipeline.processes import sandbox_environment, simulators

ORDERS = 5
LAUNCH = [sys.executable, "-W", "ignore", "-m", "dagster", "job", "execute", "-m", "pipeline.definitions"]
KINDS = ("deals", "organizations", "persons", "products")


def differences() -> list[str]:
    """What one executor left in Pipedrive and the other did not; empty when all is the same."""
    one, other = left_by(IN_PROCESS), left_by(MULTIPROCESS)
    said = [f"{kind}: {len(one[kind])} and {len(other[kind])}" for kind in KINDS if one[kind] != other[kind]]
    return said + ([] if len(one["deals"]) == ORDERS else [f"{len(one['deals'])} deals of {ORDERS} orders"])


def left_by(executor: str) -> dict[str, list[str]]:
    """What each record of Pipedrive shows after one run of `catalogue_delta` with that executor, sorted."""
    with tempfile.TemporaryDirectory(prefix="pipeline-executors-") as folder:
        home = Path(folder)
        with simulators(home, ["--orders", "10", "--no-limits"], ["--burst", "0"]) as (exact, pipedrive):
            for _ in range(ORDERS):
                place = {"kind": "place_order"}
                httpx.post(f"{exact}/__sandbox/change", json=place, timeout=60).raise_for_status()
            environment = os.environ | sandbox_environment(home, exact, pipedrive)
            _run(home, environment | {"PIPELINE_EXECUTOR": executor})
            state = httpx.get(f"{pipedrive}/__sandbox/state", timeout=60).json()
    return {kind: sorted(map(_shown, state[kind])) for kind in KINDS}


def _run(home: Path, environment: Mapping[str, str]) -> None:
    # A command of ours keeps the embedded database running, and makes Dagster's home.
    script = (
        "import subprocess, sys; from pipeline.entry import ready\n"
        "with ready(): sys.exit(subprocess.run(sys.argv[1:]).returncode)"
    )
    tags = ["-j", "catalogue_delta", "--tags", json.dumps({"dagster/partition": "nl"})]
    command = [sys.executable, "-W", "ignore", "-c", script, *LAUNCH, *tags]
    with (home / "run.log").open("wb") as log:
        subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=True)


def _shown(record: Mapping[str, Any]) -> str:
    """What does not depend on who wrote it when: ids and moments are left out."""
    fields = {name: value for name, value in record["custom_fields"].items() if "Exact" not in name}
    rows = [(row["name"], row["quantity"], row["item_price"]) for row in record.get("products") or []]
    return json.dumps([record.get("title") or record.get("name"), record.get("value"), fields, sorted(rows)])
