"""A receiver behind a real port: what it answers is looked at over real connections."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from pipeline_tests.webhooks.receiving import Served, serving


@pytest.fixture
def served(shared_engine: Engine) -> Iterator[Served]:
    """A receiver on an empty inbox."""
    with shared_engine.begin() as tx:
        tx.execute(text("TRUNCATE inbox.webhook_events"))
    with serving(shared_engine) as served:
        yield served
