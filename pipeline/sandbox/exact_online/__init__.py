"""A simulated Exact Online over the books of a simulated company: strict where the vendor is strict.

Only the entrance stands here. `simulator.py` takes requests apart, `catalogue.py` lists the resources, `settings.py`
what can be set, `control.py` the paths under `/__sandbox/` that the vendor does not have.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.sandbox.company import Company
from pipeline.sandbox.exact_online.settings import Settings
from pipeline.sandbox.exact_online.simulator import ExactOnlineSimulator

__all__ = ["ExactOnlineSimulator", "Settings", "simulated_exact_online"]


def simulated_exact_online(
    companies: Company | Mapping[int, Company], *, time_zone: str = "Europe/Amsterdam", **settings: Any
) -> ExactOnlineSimulator:
    """A simulator of one or several divisions; `settings` are the fields of `Settings`."""
    if isinstance(companies, Company):
        companies = {companies.division: companies}
    return ExactOnlineSimulator(companies, Settings(time_zone=time_zone, **settings))
