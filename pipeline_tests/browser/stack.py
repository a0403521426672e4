"""The product as it runs for a person: both simulators, the database, Dagster's webserver and daemon, each a process.

Here: starting, asking, waiting, ending. Its schedules are off; sensors are on. What is looked at, and what must be
true, is in the tests.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy import Engine, text

from pipeline.config import PROJECT_FOLDER
from pipeline.entry import ready
from pipeline.processes import answers, free_ports, process, sandbox_environment

ORDERS = 60
DEADLINE = 300.0  # seconds; a busy machine with two cores needs a minute of them
BINARIES = Path(sys.executable).parent
REPOSITORY = {"repositoryLocationName": "pipeline", "repositoryName": "__repository__"}

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Stack:
    """Everything that runs, and how to ask it."""

    interface: str
    pipedrive: str
    engine: Engine

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """What Dagster answers."""
        answer = httpx.post(f"{self.interface}/graphql", json={"query": query, "variables": variables}, timeout=60.0)
        said = answer.raise_for_status().json()
        assert "errors" not in said, said["errors"]
        return said["data"]

    def rows(self, query: str) -> Sequence[Any]:
        """Rows of the warehouse."""
        with self.engine.connect() as connection:
            return connection.execute(text(query)).all()

    def orders_with_a_deal(self) -> set[str]:
        """Numbers of the orders whose deals stand in the simulated Pipedrive."""
        state = httpx.get(f"{self.pipedrive}/__sandbox/state", params={"only": "deals"}, timeout=60.0).json()
        return {deal["custom_fields"]["Ordernummer"] for deal in state["deals"]}

    def has_healthy_daemons(self) -> bool:
        """Whether every daemon has given a sign of life."""
        daemons = self.graphql(_DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return all(daemon["healthy"] for daemon in daemons if daemon["required"])

    def stop_schedules(self) -> None:
        """Turns every schedule off, as a person can: their runs would take the machine from what is looked at."""
        for schedule in self.graphql(_SCHEDULES, repository=REPOSITORY)["schedulesOrError"]["results"]:
            stopped = self.graphql(_STOP, schedule=schedule["scheduleState"]["id"])["stopRunningSchedule"]
            assert stopped["scheduleState"]["status"] == "STOPPED"

    def know_the_customers(self) -> None:
        """Reads the catalogue once: orders of customers that nobody knows yet would be held."""
        if not self.rows("SELECT FROM erp.customers LIMIT 1"):
            selector = {**REPOSITORY, "jobName": "catalogue_delta"}
            tags = [{"key": "dagster/partition", "value": "nl"}]
            launched = self.graphql(_LAUNCH, run={"selector": selector, "executionMetadata": {"tags": tags}})
            run = launched["launchRun"]["run"]["runId"]
            until("the catalogue", lambda: self.succeeded(run))

    def launched(self, job: str) -> str | None:
        """The newest run of the job that a person launched, and no schedule."""
        runs = self.graphql(_RUNS, job=job)["runsOrError"]["results"]
        return next(
            (run["runId"] for run in runs if "dagster/schedule_name" not in [tag["key"] for tag in run["tags"]]), None
        )

    def succeeded(self, run: str) -> bool:
        """Whether the run is through; one that failed fails the test at once."""
        found = self.graphql(_RUN, run=run)["runOrError"]
        assert found["status"] not in {"FAILURE", "CANCELED"}, found
        return found["status"] == "SUCCESS"

    def is_idle(self) -> bool:
        """Whether no run is queued or under way."""
        return not self.graphql(_UNDER_WAY)["runsOrError"]["results"]

    def last_backfill(self) -> str | None:
        """The newest backfill."""
        found = self.graphql(_BACKFILLS)["partitionBackfillsOrError"]["results"]
        return found[0]["id"] if found else None

    def has_ended(self, backfill: str) -> bool:
        """Whether the backfill is through; one that failed fails the test at once."""
        found = self.graphql(_BACKFILL, backfill=backfill)["partitionBackfillOrError"]
        assert found["status"] not in {"FAILED", "COMPLETED_FAILED", "CANCELED"}, found
        return found["status"] == "COMPLETED_SUCCESS"


def until(what: str, ask: Callable[[], Answer | None], *, seconds: float = DEADLINE) -> Answer:
    """The first answer that is something, asked twice a second."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} seconds"
        time.sleep(0.5)
    return answer


@contextmanager
def running() -> Iterator[Stack]:
    """All of it, in a home of its own; at the end every process is gone."""
    with ExitStack() as stack:
        # Not pytest's folders: every pytest that starts closes their parent again, to the database's account too.
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipeline-browser-")))
        exact, pipedrive, interface = free_ports(3)
        stack.enter_context(_environment(home, exact, pipedrive))
        simulator = [sys.executable, "-m", "pipeline", "sandbox"]
        company = ["exact", "--port", str(exact), "--orders", str(ORDERS), "--no-limits"]
        stack.enter_context(process(home, "exact", [*simulator, *company]))
        account = ["pipedrive", "--port", str(pipedrive), "--burst", "0"]
        stack.enter_context(process(home, "pipedrive", [*simulator, *account]))
        engine = stack.enter_context(ready())
        workspace = ["--workspace", str(PROJECT_FOLDER / "workspace.yaml")]
        webserver = [str(BINARIES / "dagster-webserver"), "--host", "127.0.0.1", "--port", str(interface), *workspace]
        stack.enter_context(process(home, "webserver", webserver))
        found = Stack(f"http://127.0.0.1:{interface}", f"http://127.0.0.1:{pipedrive}", engine)
        _wait_until_up(home, [f"http://127.0.0.1:{exact}/__sandbox/counters", f"{found.pipedrive}/__sandbox/counters"])
        _wait_until_up(home, [f"{found.interface}/server_info"])
        # After the webserver: whoever comes first to an empty database makes Dagster's tables.
        stack.enter_context(process(home, "daemon", [str(BINARIES / "dagster-daemon"), "run", *workspace]))
        found.stop_schedules()
        until("the daemon", found.has_healthy_daemons)
        yield found


@contextmanager
def _environment(home: Path, exact: int, pipedrive: int) -> Iterator[None]:
    """Nothing of a real account, whatever .env and the shell say; afterwards as it was."""
    before = dict(os.environ)
    os.environ.update(sandbox_environment(home, f"http://127.0.0.1:{exact}", f"http://127.0.0.1:{pipedrive}"))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _wait_until_up(home: Path, addresses: Sequence[str]) -> None:
    for address in addresses:
        try:
            until(address, lambda address=address: answers(address))
        except AssertionError as late:
            logs = "\n".join(f"{log.name}:\n{log.read_text()[-2000:]}" for log in sorted(home.glob("*.log")))
            raise AssertionError(f"{late}\n{logs}") from None


_DAEMONS = "{ instance { daemonHealth { allDaemonStatuses { required healthy } } } }"
_SCHEDULES = """
query($repository: RepositorySelector!) {
  schedulesOrError(repositorySelector: $repository) { ... on Schedules { results { scheduleState { id } } } }
}
"""
_STOP = """
mutation($schedule: String!) {
  stopRunningSchedule(id: $schedule) { ... on ScheduleStateResult { scheduleState { status } } }
}
"""
_LAUNCH = """
mutation($run: ExecutionParams!) {
  launchRun(executionParams: $run) { ... on LaunchRunSuccess { run { runId } } }
}
"""
_RUNS = """
query($job: String!) { runsOrError(filter: {pipelineName: $job}) { ... on Runs { results { runId tags { key } } } } }
"""
_UNDER_WAY = """
{ runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, STARTING, STARTED]}) { ... on Runs { results { runId } } } }
"""
_RUN = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
_BACKFILLS = "{ partitionBackfillsOrError(limit: 1) { ... on PartitionBackfills { results { id } } } }"
_BACKFILL = """
query($backfill: String!) { partitionBackfillOrError(backfillId: $backfill) { ... on PartitionBackfill { status } } }
"""
