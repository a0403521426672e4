"""What the heads of answers tell beside their content: the other side's clock, and what it still lets us ask."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx

from pipeline.domain.allowance import Told
from pipeline.exact_online.limits import told


@dataclass
class Heads:
    """The heads of one side's answers. `ahead` is by how many seconds its clock is before ours, where it tells."""

    now: Callable[[], float] = time.time
    ahead: float | None = None
    exact: Told = field(default_factory=Told)

    def __call__(self, response: httpx.Response) -> None:
        """Hears one answer."""
        headers, now = response.headers, self.now()
        try:
            ahead = parsedate_to_datetime(headers.get("date", "")).timestamp() - now
        except (TypeError, ValueError):
            ahead = None
        # An answer that took long is told late: the one that shows the least difference took the shortest.
        if ahead is not None and (self.ahead is None or abs(ahead) < abs(self.ahead)):
            self.ahead = ahead
        heard = told(headers, now)
        self.exact = Told(heard.minute or self.exact.minute, heard.day or self.exact.day)
