"""A simulated Pipedrive: strict about everything an orders-to-deals pipeline touches, its state in memory.

Only the way in stands here. Written from what is published and was observed of the API, from no client.
"""

from typing import Any

from pipeline.sandbox.pipedrive.clock import Clock
from pipeline.sandbox.pipedrive.settings import Settings, answers, plan
from pipeline.sandbox.pipedrive.simulator import Pipedrive

__all__ = ["Clock", "Pipedrive", "Settings", "answers", "plan", "simulated_pipedrive"]


def simulated_pipedrive(*, clock: Clock | None = None, **settings: Any) -> Pipedrive:
    """A fresh account; the keywords are the fields of `Settings`, limits of a plan come from `plan(...)`."""
    return Pipedrive(Settings(**settings), clock or Clock())
