"""PostgreSQL is shut down and started again in the middle of a synchronisation, at several moments of it."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import httpx
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from pipeline.assets.failures import failing_clearly
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.ledger import Ledger
from pipeline.sandbox.company import seeded_company
from pipeline.warehouse import embedded
from pipeline.warehouse.connection import warehouse_url
from pipeline.warehouse.embedded import embedded_postgres
from pipeline.warehouse.migrating import migrate
from pipeline_tests.chaos.comparison import differences
from pipeline_tests.world import World

pytestmark = pytest.mark.postgres


@dataclass
class Restarting(World):
    """A world whose database is restarted when a certain request has been answered."""

    home: Path = Path()
    moments: list[tuple[str, str, int]] = field(default_factory=list)  # method, part of the path, how many of them

    def __post_init__(self) -> None:
        super().__post_init__()
        self.client._http.event_hooks["response"].append(self._answered)
        self.seen = 0

    def pipedrive_client(self, ledger: Ledger) -> PipedriveClient:
        client = super().pipedrive_client(ledger)
        client.listen(self._answered)
        return client

    def _answered(self, response: httpx.Response) -> None:
        method, path, number = self.moments[0] if self.moments else ("", "", 0)
        if response.request.method == method and path in response.request.url.path:
            self.seen += 1
            if self.seen == number:
                self.moments.pop(0)
                self.seen = 0
                cluster = embedded._cluster(self.home)
                done = cluster.run(
                    "pg_ctl", "restart", "-w", "-m", "fast", "-D", str(cluster.data), "-l", str(cluster.log)
                )
                assert done.returncode == 0, done.stdout


@pytest.fixture
def world() -> Iterator[Restarting]:
    """On a server of its own: not pytest's folders, which it would shut the server's account out of."""
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder)) as url:
        engine = create_engine(warehouse_url(url), pool_pre_ping=True)
        migrate(engine)
        yield Restarting(engine, company=seeded_company(orders=6, products=8), home=Path(folder))
        engine.dispose()


def test_a_run_whose_database_went_away_fails_with_a_sentence_and_no_stack_trace():
    def body() -> None:
        raise OperationalError(
            "SELECT 1", {}, Exception("terminating connection due to administrator command\nand so on")
        )

    with pytest.raises(dg.Failure) as raised:
        failing_clearly(body)()
    assert raised.value.description == (
        "The warehouse went away: terminating connection due to administrator command. Start it and run this again."
    )


def test_a_restart_of_the_database_ends_the_run_at_most_and_nothing_is_written_twice(world: Restarting):
    world.moments = [
        ("GET", "/SalesOrder", 1),  # reading orders
        ("POST", "/deals", 3),  # written there, and not noted here
    ]
    endings: list[str] = []
    for _ in range(2):
        try:
            failing_clearly(world.sync)()
            endings.append("through")
        except dg.Failure as failure:  # what the run shows; anything else would be a stack trace
            endings.append(failure.description or "")
    assert (world.moments, endings[-1]) == ([], "through"), endings
    assert all(said == "through" or ("went away" in said or "session that held" in said) for said in endings), endings
    assert differences(world.engine, world.control("state"), world.company) == []
    assert world.write().tokens == 0
