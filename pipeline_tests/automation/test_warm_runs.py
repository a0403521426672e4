"""A run's process as Dagster's code server starts it: out of one that has read the code, and else as good as new."""

import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import forkserver
from multiprocessing.queues import Queue
from typing import Any, cast

import dagster as dg
import pytest

from pipeline.automation.warm_runs import expect_runs
from pipeline.definitions import defs

JOBS = len(list(defs.get_repository_def().get_all_jobs()))


def what_a_run_begins_with(told: "Queue[dict[str, Any]]") -> None:
    definitions = sys.modules["pipeline.definitions"].defs  # there already, or this fails
    told.put(
        {
            "jobs": len(list(definitions.get_repository_def().get_all_jobs())),
            "threads": threading.active_count(),
            "process": os.getpid(),
            "parent": os.getppid(),
            "interrupt": signal.getsignal(signal.SIGINT),
        }
    )


def waits_for_ever() -> None:
    threading.Event().wait()


def test_runs_are_processes_of_their_own_out_of_one_that_has_read_the_code():
    # As the code server does it: processes and queues of the context called spawn.
    context = multiprocessing.get_context("spawn")
    told: Queue[dict[str, Any]] = context.Queue()
    found = []
    for _ in range(2):
        process: Any = context.Process(target=what_a_run_begins_with, args=(told,))
        process.start()
        found.append(told.get(timeout=120))
        process.join(120)
        assert (process.exitcode, process.pid) == (0, found[-1]["process"])
    first, second = found
    assert first["jobs"] == second["jobs"] == JOBS
    # As in any process: what a shell started in the background ignores interrupts, and so does all that comes of it.
    deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert first["interrupt"] == (signal.SIG_IGN if deaf else signal.default_int_handler)
    assert first["threads"] == 1
    assert first["parent"] == second["parent"] != os.getpid()
    assert first["process"] != second["process"]


def test_a_run_that_was_killed_is_noticed():
    process: Any = multiprocessing.get_context("spawn").Process(target=waits_for_ever)
    process.start()
    assert process.is_alive()
    os.kill(process.pid, signal.SIGKILL)
    process.join(120)
    assert (process.is_alive(), process.exitcode) == (False, -signal.SIGKILL)


@pytest.fixture
def none_yet() -> None:
    """The process that runs come out of is gone, if one was there."""
    cast(Any, forkserver)._forkserver._stop()
    assert warm_process() is None


def warm_process() -> int | None:
    return cast(Any, forkserver)._forkserver._forkserver_pid


@pytest.mark.usefixtures("none_yet")
def test_the_process_is_there_before_the_first_run_where_runs_come_out_of_it():
    with dg.DagsterInstance.ephemeral() as elsewhere:
        expect_runs(elsewhere)
    assert warm_process() is None
    with dg.instance_for_test() as here:
        expect_runs(here)
        first = warm_process()
        expect_runs(here)
    assert first is not None
    assert warm_process() == first
    os.kill(first, 0)
