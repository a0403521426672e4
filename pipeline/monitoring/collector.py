"""The figures as Prometheus' metrics: one look into the database for each scrape, at one moment, only reading."""

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.monitoring.figures import DAGSTERS, OURS, Figures
from pipeline.warehouse.connection import warehouse_url

_LOG = logging.getLogger("pipeline")
UP = "pipeline_up", "1 when the database answered and all figures could be read; 0: the others are missing."
BUILD = "pipeline_build_info", "Version of this release."
FREE = "pipeline_disk_free_bytes", "Room left on the disk of a folder."
SIZE = "pipeline_disk_size_bytes", "Size of the disk of a folder."
# A session that can't write, and gives up before Prometheus does.
_READING = "-cdefault_transaction_read_only=on -cstatement_timeout=8000 -clock_timeout=2000"


def reading_engine(url: str) -> Engine:
    """An engine whose every session only reads and soon gives up."""
    return create_engine(
        warehouse_url(url),
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=1,
        isolation_level="REPEATABLE READ",
        connect_args={"application_name": "pipeline metrics", "connect_timeout": 4, "options": _READING},
    )


class PipelineCollector(Collector):
    """Everything there is to tell. `folders` are those whose disks may fill up, by the name they are told under."""

    def __init__(self, engine: Engine, folders: Mapping[str, Path]) -> None:
        self._engine, self._folders = engine, folders
        self._answered = True

    def describe(self) -> Iterable[Metric]:
        """Nothing: whoever registers this need not have a database yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics of one scrape. With the database away `pipeline_up` is 0 and its figures are missing."""
        yield _build()
        yield from _disks(self._folders)
        try:
            with self._engine.connect() as connection:
                found = list(_read(connection))
        except SQLAlchemyError as error:
            self._tell(answered=False, reason=str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0])
            found = []
        else:
            self._tell(answered=True)
        yield from found
        yield GaugeMetricFamily(*UP, value=int(self._answered))

    def _tell(self, *, answered: bool, reason: str = "") -> None:
        """Once when it begins, once when it is over."""
        if answered != self._answered:
            self._answered = answered
            _LOG.warning("metrics: %s", "the database answers again" if answered else f"no figures: {reason}")


def _build() -> Metric:
    family = GaugeMetricFamily(*BUILD, labels=["version"])
    family.add_metric([version("exact-pipedrive-pipeline")], 1)
    return family


def _disks(folders: Mapping[str, Path]) -> Iterator[Metric]:
    free, size = GaugeMetricFamily(*FREE, labels=["folder"]), GaugeMetricFamily(*SIZE, labels=["folder"])
    for name, folder in folders.items():
        if folder.exists():
            disk = shutil.disk_usage(folder)
            free.add_metric([name], disk.free)
            size.add_metric([name], disk.total)
    yield from (free, size)


def _read(connection: Connection) -> Iterator[Metric]:
    # A warehouse that Dagster never ran on has no tables of its own.
    has_runs = connection.execute(text("SELECT to_regclass('dagster.runs') IS NOT NULL")).scalar_one()
    for figures in (*OURS, *(DAGSTERS if has_runs else ())):
        yield from _families(figures, connection)


def _families(figures: Figures, connection: Connection) -> Iterator[Metric]:
    rows = connection.execute(text(figures.sql)).mappings().all()
    for column, (name, meaning) in figures.figures.items():
        kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        family = kind(name, meaning, labels=list(figures.labels))
        for row in rows:
            if row[column] is not None:
                family.add_metric([str(row[label]) for label in figures.labels], float(row[column]))
        yield family
