"""The process that is killed: one whole synchronisation over real HTTP and a real connection, and nothing else.

It is forked from one that has imported everything, so that a hundred of them take no minutes to start.
"""

import sys
import time
from typing import Any

import httpx
from sqlalchemy import create_engine

from pipeline.config import Config
from pipeline.connections import exact_client, pipedrive_client
from pipeline.errors import PipelineError, RetryLater
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.settings import Settings
from pipeline.warehouse.connection import warehouse_url
from pipeline_tests.world import World

# Nothing else brings pandas along: the steps import it where they use it.
PRELOADED = [
    "pytest",
    "pipeline_tests.chaos.crashes",
    "pipeline_tests.chaos.victim",
    "pandas",
    "pipeline.transform.deals",
    "pipeline.transform.deal_products",
    "pyarrow.pandas_compat",
    "httpcore",
    "h11",
    "encodings.idna",
    "certifi",
]
DONE, FAILED, STOPPED, AGAIN = 0, 1, 3, 75


class RemoteWorld(World):
    """The same steps, with both sides behind ports and the warehouse behind a proxy."""

    def __init__(self, environment: dict[str, str], settings: dict[str, Any]) -> None:
        self.environment = Settings(environment)
        self.config = Config.model_validate(settings)
        self.engine = create_engine(warehouse_url(self.environment.warehouse_url), pool_pre_ping=True)
        self.client = exact_client(self.environment, self.config, self.engine, self.config.administrations[0].name)

    def pipedrive_client(self, ledger: Ledger) -> PipedriveClient:
        """A client as the product makes it."""
        return pipedrive_client(self.environment, ledger)


def synchronise(environment: dict[str, str], settings: dict[str, Any]) -> None:
    """One run; how it ended is the exit status. Long waits pass on the account's clock instead of ours."""
    time.sleep = _passing_time_on(environment["PIPEDRIVE_BASE_URL"])
    try:
        report = RemoteWorld(environment, settings).sync()
    except RetryLater:
        sys.exit(AGAIN)
    except PipelineError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        sys.exit(FAILED)
    sys.exit(STOPPED if report.stopped else DONE)


def _passing_time_on(address: str) -> Any:
    def sleep(seconds: float) -> None:
        httpx.post(f"{address}/__sandbox/clock", json={"advance_seconds": seconds}).raise_for_status()

    return sleep
