"""The environment as resources: each is a few lines that make an ordinary object when a run begins, and none before."""

from collections.abc import Callable
from dataclasses import dataclass, field

import dagster as dg
from sqlalchemy import Engine

from pipeline.config import Config, load_config
from pipeline.exact_online.client import ExactOnlineClient
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.settings import settings
from pipeline.warehouse.connection import engine_of
from pipeline.warehouse.revision import held_to_this_release


@dataclass
class ExactOnline:
    """Clients for the administrations of one run."""

    connect: Callable[[str], ExactOnlineClient]
    _clients: dict[str, ExactOnlineClient] = field(default_factory=dict)

    def client(self, administration: str) -> ExactOnlineClient:
        """The client for that administration."""
        if administration not in self._clients:
            self._clients[administration] = self.connect(administration)
        return self._clients[administration]


@dataclass(frozen=True)
class Pipedrive:
    """A way to the account; nothing is connected until something has to be written."""

    connect: Callable[[Ledger], PipedriveClient]
    daily_tokens: int


def _warehouse() -> Engine:
    return held_to_this_release(engine_of(settings().warehouse_url))


@dg.resource(description="The warehouse at WAREHOUSE_URL.")
def engine() -> Engine:
    return _warehouse()


@dg.resource(description="pipeline.yaml.")
def configuration() -> Config:
    return load_config()


@dg.resource(description="Exact Online at EXACT_BASE_URL; a client is made when an administration is asked for.")
def exact() -> ExactOnline:
    from pipeline.connections import exact_client  # here, because most runs' time is their imports

    warehouse, settled = _warehouse(), load_config()
    return ExactOnline(lambda administration: exact_client(settings(), settled, warehouse, administration))


@dg.resource(description="Pipedrive at PIPEDRIVE_BASE_URL; a client is made when something has to be written.")
def pipedrive() -> Pipedrive:
    from pipeline.connections import pipedrive_client

    return Pipedrive(lambda ledger: pipedrive_client(settings(), ledger), settings().daily_tokens)


RESOURCES = {"engine": engine, "configuration": configuration, "exact": exact, "pipedrive": pipedrive}
