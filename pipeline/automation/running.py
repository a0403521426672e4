"""Runs jobs in this process, on the same Dagster instance that the user interface shows, and sums up what they said."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
from dagster_shared.error import SerializableErrorInfo
from sqlalchemy import Engine

from pipeline import progress
from pipeline.assets.described import asset_key
from pipeline.assets.failures import SPENT
from pipeline.automation.jobs import audit, catalogue_delta, history_onwards, order_history
from pipeline.automation.partitions import FIRST_MONTH, month_key
from pipeline.config import Administration, Config
from pipeline.definitions import defs
from pipeline.errors import BudgetSpent, GiveUp, PipelineError
from pipeline.exact_online import feeds
from pipeline.steps.order_history import in_a_row, in_parts, next_month, window
from pipeline.steps.outcomes import KINDS
from pipeline.warehouse import memory
from pipeline.warehouse.connection import only_one
from pipeline.warehouse.tables import exact_online

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
LOCK = "sync"
HISTORY = asset_key(exact_online.order_history)
AUDITING = "pipedrive__drift"  # Dagster's name for the step of that asset


@dataclass
class Synchronised:
    """What a whole synchronisation came to."""

    tallies: dict[str, Counter[str]] = field(default_factory=dict)
    exact_calls: int = 0
    pipedrive_tokens: int = 0
    stopped: str | None = None
    history: Counter[str] = field(default_factory=Counter)  # months, orders, lines and what vanished

    def take(self, result: dg.ExecuteInProcessResult) -> str | None:
        """Adds what the run's materialisations say; returns why it stopped before its end if it did."""
        stopped: str | None = None
        events = result.get_asset_materialization_events()
        # A run over several partitions says the same once for each of them.
        last = {
            event.asset_key or dg.AssetKey(""): event.step_materialization_data.materialization.metadata
            for event in events
        }
        self._count_months(events)
        for key, metadata in last.items():
            said: dict[str, Any] = {name: value.value for name, value in metadata.items()}
            self.exact_calls += int(said.get("exact_calls", 0))
            stopped = said.get("stopped", stopped)
            schema, table = key.path
            if schema == "pipedrive":
                self.pipedrive_tokens += int(said.get("pipedrive_tokens", 0))
                if table in KINDS:
                    self._add(table, said)
        self.stopped = stopped or self.stopped
        return stopped

    def _count_months(self, events: Sequence[dg.DagsterEvent]) -> None:
        for event in events:
            said = event.step_materialization_data.materialization.metadata
            if event.asset_key == HISTORY:
                self.history["months"] += bool(said["read_to_its_end"].value)
                for name in ("orders", "lines", "vanished"):
                    self.history[name] += int(str(said[name].value))

    def _add(self, table: str, said: dict[str, Any]) -> None:
        tally = self.tallies.setdefault(table, Counter())
        total = said["created"] + said["updated"] + said["unchanged"]
        tally["created"] += said["created"]
        tally["updated"] += said["updated"]
        tally["unchanged"] = max(0, total - tally["created"] - tally["updated"])
        tally["held"], tally["left"] = said["held"], said["left"]

    def as_dict(self, seconds: float) -> dict[str, Any]:
        """The JSON object of `pipeline sync --json`."""
        tables = {kind: dict(self.tallies.get(kind, Counter())) for kind in KINDS}
        names = ("created", "updated", "unchanged", "held", "left")
        counts = {kind: {name: found.get(name, 0) for name in names} for kind, found in tables.items()}
        return {
            "deals": counts.pop("deals"),
            **counts,
            "exact_calls": self.exact_calls,
            "pipedrive_tokens": self.pipedrive_tokens,
            "seconds": round(seconds, 2),
        }

    def history_as_dict(self, seconds: float) -> dict[str, Any]:
        """The JSON object of `pipeline history --json`."""
        read = {name: self.history[name] for name in ("months", "orders", "lines", "vanished")}
        return {"history": read, **self.as_dict(seconds)}


def synchronise(
    engine: Engine, config: Config, administrations: Sequence[Administration], *, months: int, write: bool = True
) -> Synchronised:
    """Everything once, from the ERP to Pipedrive and the marts; a second caller waits for the first."""
    done = Synchronised()
    with only_one(engine, LOCK), dg.DagsterInstance.get() as instance, _failures_noted(engine):
        for administration in administrations:
            for row in _months_to_land(engine, administration, months):
                done.take(land_history(instance, administration, row))
            done.take(_run(instance, catalogue_delta.name, administration.name, write=write))
    return done


def read_history(
    engine: Engine, config: Config, administrations: Sequence[Administration], *, first: str, last: str | None
) -> Synchronised:
    """Reads the months from first to last (`2019-01`; None: the present one), newest first, and takes them onwards.

    A month that was read before is replaced. A second caller waits for the first.
    """
    done = Synchronised()
    chosen = {one.name: in_parts(chosen_months(one, first, last)) for one in administrations}
    with only_one(engine, LOCK), dg.DagsterInstance.get() as instance, _failures_noted(engine):
        for administration in administrations:
            parts = chosen[administration.name]
            for number, part in enumerate(parts, start=1):
                stopped = done.take(land_history(instance, administration, part))
                progress.report(f"parts of {administration.name}", number, len(parts))
                if stopped:
                    break
            # Before the customers were ever read, every order would be held for want of its own.
            job = history_onwards if _knows_customers(engine, administration) else catalogue_delta
            done.take(_run(instance, job.name, administration.name, write=True))
    return done


def _knows_customers(engine: Engine, administration: Administration) -> bool:
    with engine.connect() as connection:
        return memory.watermark(connection, administration.name, feeds.ACCOUNTS.name) is not None


def chosen_months(administration: Administration, first: str, last: str | None) -> list[date]:
    """The months from first to last, both included; raises GiveUp with a sentence where there are none such."""
    present = window(administration, 0)[-1]
    begin, end = _month("--from", first), _month("--to", last) if last else present
    earliest = _month("--from", FIRST_MONTH)
    if begin < earliest:
        raise GiveUp(
            f"--from {first} is too early: history begins with {FIRST_MONTH}; write that month or a later one."
        )
    if end > present:
        raise GiveUp(
            f"--to {end:%Y-%m} lies in the future: write {present:%Y-%m} or an earlier month, or leave it out."
        )
    if begin > end:
        raise GiveUp(f"--from {first} lies behind --to {end:%Y-%m}: write the earlier month after --from.")
    months = [begin]
    while months[-1] < end:
        months.append(next_month(months[-1]))
    return months


def _month(option: str, written: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", written) or written.startswith("0000"):
        raise GiveUp(f"{option} {written} is not a month: write year and month, such as 2019-01.")
    return date.fromisoformat(f"{written}-01")


def audited(engine: Engine, *, full: bool) -> tuple[dict[str, Any], str | None]:
    """What an audit found, as plain values, and why it stopped before its end if it did."""
    chosen = {"ops": {AUDITING: {"config": {"full": full}}}}
    with only_one(engine, LOCK), dg.DagsterInstance.get() as instance, _failures_noted(engine):
        job = defs.resolve_job_def(audit.name)
        result = _checked(job.execute_in_process(QUIET | chosen, instance, raise_on_error=False))
    materialisation = result.asset_materializations_for_node(AUDITING)[0]
    said: dict[str, Any] = {name: value.value for name, value in materialisation.metadata.items()}
    return said["audit"], said.get("stopped")


@contextmanager
def _failures_noted(engine: Engine) -> Iterator[None]:
    """Keeps the sentence of what went wrong for `pipeline status`."""
    try:
        yield
    except PipelineError as error:
        with engine.begin() as tx:
            memory.note(tx, "last failure", {"at": datetime.now(UTC).isoformat(timespec="seconds"), "what": str(error)})
        raise


def land_history(
    instance: dg.DagsterInstance, administration: Administration, months: Sequence[date]
) -> dg.ExecuteInProcessResult:
    """Reads months that follow each other, in one run."""
    ends = {
        "dagster/asset_partition_range_start": month_key(administration.name, months[0]),
        "dagster/asset_partition_range_end": month_key(administration.name, months[-1]),
    }
    job = defs.resolve_job_def(order_history.name)
    return _checked(job.execute_in_process(QUIET, instance, raise_on_error=False, tags=ends))


def _months_to_land(engine: Engine, administration: Administration, months: int) -> Iterator[list[date]]:
    with engine.connect() as connection:
        landed = memory.landed_months(connection, administration.name)
    yield from in_a_row([month for month in window(administration, months) if month not in landed])


def _run(instance: dg.DagsterInstance, name: str, partition: str, *, write: bool) -> dg.ExecuteInProcessResult:
    job = defs.resolve_job_def(name)
    chosen = None if write else [key for key in job.asset_layer.executable_asset_keys if key.path[0] != "pipedrive"]
    return _checked(
        job.execute_in_process(QUIET, instance, raise_on_error=False, partition_key=partition, asset_selection=chosen)
    )


def _checked(result: dg.ExecuteInProcessResult) -> dg.ExecuteInProcessResult:
    """The result of a run that went through; raises GiveUp with the sentence of the step that failed."""
    if result.success:
        return result
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            ours = failure.user_failure_data
            said = ours.description if ours else None
            if ours and SPENT in ours.metadata:
                raise BudgetSpent(said or "The day's budget is used up.")
            raise GiveUp(
                said
                or f"{event.step_key} failed unexpectedly: {_cause(failure.error)} Its run in the Dagster UI has more."
            )
    raise GiveUp("The run failed; its log in the Dagster UI says why.")


def _cause(error: SerializableErrorInfo | None) -> str:
    """The innermost message of an error nobody foresaw."""
    while error and error.cause:
        error = error.cause
    return " ".join(error.message.split())[:500] if error else "without a reason."
