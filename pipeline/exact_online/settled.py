"""How far a feed is settled: which row versions no open transaction can still come in behind.

Exact hands a row its version when it is changed and shows it when its transaction ends, so that a row may turn up
behind higher versions that were read already.
"""

from collections import deque
from datetime import datetime, timedelta

LONGEST_TRANSACTION = timedelta(minutes=15)


class Settled:
    """Takes in the rows of a feed in its order; `version` is the highest that is settled.

    A version is settled when the feed shows rows that were changed a whole longest transaction later. Only the feed's
    own moments are compared: two clocks may differ.
    """

    def __init__(self, version: int) -> None:
        self.version = version
        self._newest = datetime.min  # noqa: DTZ901  (wall-clock times of the feed, without a zone)
        self._open: deque[tuple[int, datetime]] = deque()

    def add(self, version: int, changed: datetime | None) -> None:
        """One more row, with the moment it was changed at."""
        self._newest = max(self._newest, changed or self._newest)
        self._open.append((version, changed or self._newest))
        while self._open and self._newest - self._open[0][1] > LONGEST_TRANSACTION:
            self.version = max(self.version, self._open.popleft()[0])
