"""Dagster's own history: runs and their events pile up for ever unless somebody removes them.

Ticks are Dagster's to remove (`retention` in dagster.yaml). Months of order history, and whatever a person started
asset by asset, stay: what their runs said tells Dagster which partitions are there.
"""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from pipeline.automation.jobs import (
    audit,
    catalogue_delta,
    history_onwards,
    orders_delta,
    reconciliation,
    tables_checked,
)

COME_BY_THEMSELVES = [
    *(job.name for job in (orders_delta, catalogue_delta, history_onwards, audit, reconciliation, tables_checked)),
    "maintenance",
    "backup",
]
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
AT_ONCE = 500
MOST_A_NIGHT = 5_000  # a first night after years would take hours


def prune_runs(instance: dg.DagsterInstance, *, before: datetime, most: int = MOST_A_NIGHT) -> int:
    """Removes runs that ended and were made before that moment, with their events, oldest first; returns how many."""
    removed = 0
    for run_id in _old_runs(instance, before, most):
        instance.delete_run(run_id)
        removed += 1
    return removed


def _old_runs(instance: dg.DagsterInstance, before: datetime, most: int) -> Iterator[str]:
    for job in COME_BY_THEMSELVES:
        old = dg.RunsFilter(job_name=job, statuses=ENDED, created_before=before)
        while most > 0 and (found := instance.get_run_records(old, limit=min(AT_ONCE, most), ascending=True)):
            most -= len(found)
            yield from [record.dagster_run.run_id for record in found]
