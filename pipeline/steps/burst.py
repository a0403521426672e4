"""Webhooks come in bursts: a run that was started by the first of them reads when the last of them is in."""

import time

from sqlalchemy import Engine

from pipeline.warehouse import inbox

QUIET, LONGEST = 0.75, 3.0  # seconds without another webhook end a burst; more than that are not waited for
EVERY = 0.1  # seconds between two looks


def wait_for_burst(engine: Engine, administration: str) -> None:
    """Waits while webhooks are coming in, three seconds at most, so that one reading does for all of them."""
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        with engine.connect() as connection:
            age = inbox.age_of_newest(connection, administration)
        if age is None or age >= QUIET:
            return
        time.sleep(EVERY)
