"""Dagster's own storage: the schema `dagster` of the database at WAREHOUSE_URL, so that one URL is enough."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from sqlalchemy import Connection, create_engine, make_url

from pipeline.automation import logs
from pipeline.settings import settings
from pipeline.warehouse.connection import asked_after_rest, warehouse_url


def storage_url(url: str) -> str:
    """The warehouse's URL with psycopg2, which Dagster's storage is written for, and its schema first in line.

    A commit of Dagster's doesn't wait for the disk: a run writes hundreds of events, and after a power cut the last
    moments of a log are no loss. What matters is in the warehouse, where every commit waits.
    """
    options = "-csearch_path=dagster -csynchronous_commit=off"
    parsed = make_url(warehouse_url(url, driver="psycopg2"))
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)


class WarehouseStorage(DagsterPostgresStorage):
    """Runs, events and schedules in the warehouse's database, over connections that are kept.

    Left to itself each of the three storages connects anew for every query, some 20 times for each asset of a run.
    """

    def __init__(self, postgres_url: str, **more: Any) -> None:
        super().__init__(postgres_url, **more)
        self._event_log_storage = _Events(postgres_url, should_autocreate_tables=False)
        engine = asked_after_rest(
            create_engine(
                postgres_url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=30, hide_parameters=True
            )
        )
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine.dispose()
            storage._engine = engine

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Made by Dagster from dagster.yaml, in every process of Dagster's: here its lines become ours too."""
        logs.set_up()
        return cls(
            inst_data=inst_data,
            postgres_url=storage_url(settings().warehouse_url),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
        )

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """There is nothing to configure."""
        return {}


class _Events(PostgresEventLogStorage):
    """Events, whose tables have the columns they had when this process asked first.

    Left to itself it looks up PostgreSQL's catalogue three times for each asset of a run.
    """

    def __init__(self, postgres_url: str, **more: Any) -> None:
        super().__init__(postgres_url, **more)
        self._there: dict[str, bool] = {}

    def has_table(self, table_name: str) -> bool:
        """Whether the table is there."""
        ask = super().has_table
        return self._once(table_name, lambda: ask(table_name))

    def has_asset_key_col(self, column_name: str) -> bool:
        """Whether the table of assets has that column."""
        ask = super().has_asset_key_col
        return self._once(f"asset_keys.{column_name}", lambda: ask(column_name))

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        ask = super()._has_asset_key_col_on_connection
        return self._once(f"asset_keys.{column_name}", lambda: ask(conn, column_name))

    def _once(self, what: str, ask: Callable[[], bool]) -> bool:
        if what not in self._there:
            self._there[what] = ask()
        return self._there[what]
